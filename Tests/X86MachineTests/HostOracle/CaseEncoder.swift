import CHostProcessor
import InstructionTable
import X86Decoder

/// What the generator covers: a row in a mode, with or without a memory operand.
struct OraclePlan {
    var row: InstructionRow
    var size: CodeSize
    var hasMemory: Bool

    /// All of them, for rows that the scope admits.
    static func all(_ rows: [InstructionRow]) -> [OraclePlan] {
        rows.flatMap { row -> [OraclePlan] in
            let sizes: [CodeSize] = [.bits64, .bits32, .bits16]
            return sizes.filter { isLegal(row, $0) }.flatMap { size -> [OraclePlan] in
                let canBeMemory = row.operands.contains { $0.placement == .modRMRM && $0.mayBeMemory }
                    && !row.requiresRegister || row.requiresMemory && row.encoding.hasModRM
                var plans: [OraclePlan] = []
                if !row.requiresMemory || !row.encoding.hasModRM {
                    plans.append(OraclePlan(row: row, size: size, hasMemory: false))
                }
                if canBeMemory { plans.append(OraclePlan(row: row, size: size, hasMemory: true)) }
                return plans
            }
        }
    }
    private static func isLegal(_ row: InstructionRow, _ size: CodeSize) -> Bool {
        if size == .bits64 { return !row.has(.i64) && row.encoding.addressSize != .a16 }
        return !row.has(.o64) && row.encoding.addressSize != .a64
            && (row.encoding.operandSize != .rexW || row.encoding.map.isVEX && row.encoding.operandSize == .any)
    }
}

/// Makes the bytes of an instruction, all choices the row leaves open at random: registers, prefixes that change
/// nothing, address forms.
struct CaseEncoder {
    let plan: OraclePlan
    var r: SplitMix
    /// Effective address size in bytes.
    private(set) var addressBytes = 8
    private(set) var bytes: [UInt8] = []
    /// The memory operand: registers by number, nil for none, and where its displacement is.
    private(set) var base: Int?
    private(set) var index: Int?
    private(set) var scale = 0
    private(set) var displacementAt: Int?
    private(set) var displacementBytes = 0
    private(set) var isRIPRelative = false
    /// FS 4, GS 5, or nil.
    private(set) var segment: Int?
    /// F2 or F3 given as a prefix that repeats, if any.
    private(set) var repeats: UInt8?
    private var prefixes: [UInt8] = []
    private var rex: UInt8 = 0

    init(_ plan: OraclePlan, _ r: SplitMix) {
        self.plan = plan
        self.r = r
    }

    private var row: InstructionRow { plan.row }
    private var is64: Bool { plan.size == .bits64 }

    mutating func encode() {
        let e = row.encoding
        choosePrefixes()
        var hasREX = is64 && !e.map.isVEX && (r.oneIn(2) || e.operandSize == .rexW)
        if e.operandSize == .rexW { rex |= 8 } else if e.operandSize == .any && r.oneIn(8) && is64 { rex |= 8 }
        if row.has(.ignoresRexW) && is64 && r.oneIn(4) { rex |= 8 }
        if rex != 0 && !e.map.isVEX { hasREX = is64 }
        let reg = e.digit.map(Int.init) ?? r.below(8), rm = r.below(8)
        if e.digit == nil && is64 && r.oneIn(2) { rex |= 4 }
        if is64 && !row.has(.noRexB) && r.oneIn(2) { rex |= 1 }
        if is64 && plan.hasMemory && r.oneIn(2) { rex |= 2 }
        if !hasREX && !e.map.isVEX { rex = 0 }
        var opcode = e.opcode
        if e.opcodeHasCondition { opcode |= UInt8(r.below(16)) }
        if e.opcodeHasRegister { opcode |= UInt8(rm) }
        for n in prefixes.indices.reversed() where n > 0 { prefixes.swapAt(n, r.below(n + 1)) }
        bytes = prefixes
        if e.map.isVEX {
            appendVEX(opcode)
        } else {
            if hasREX { bytes.append(0x40 | rex) }
            bytes += [[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]][Int(e.map.rawValue)] + [opcode]
        }
        if e.hasModRM { appendModRM(reg, rm) }
        if row.operands.contains(where: { $0.kind == .memoryOffset }) {
            displacementAt = bytes.count
            displacementBytes = addressBytes
            bytes += [UInt8](repeating: 0, count: addressBytes)
        }
        for field in e.immediates {
            var value = r.operand()
            // A count of 1 defines more flags than others.
            if r.oneIn(6) { value = 1 }
            bytes += littleEndian(value, bytes: field.bytes)
        }
    }

    private mutating func choosePrefixes() {
        let e = row.encoding
        var needs66 = e.mandatory == .prefix66
        switch e.operandSize {
        case .o16: needs66 = needs66 || plan.size != .bits16
        case .o32: needs66 = needs66 || plan.size == .bits16
        case .any where e.mandatory == .any && !e.map.isVEX && r.oneIn(8): needs66 = true
        default: break
        }
        if needs66 && !e.map.isVEX { prefixes.append(0x66) }
        let normal = plan.size == .bits64 ? 8 : plan.size == .bits32 ? 4 : 2
        let other = plan.size == .bits64 ? 4 : plan.size == .bits32 ? 2 : 4
        addressBytes = r.oneIn(plan.size == .bits16 ? 2 : 8) ? other : normal
        switch e.addressSize {
        case .any: break
        case .a16: addressBytes = 2
        case .a32: addressBytes = 4
        case .a64: addressBytes = 8
        }
        if addressBytes != normal { prefixes.append(0x67) }
        switch e.mandatory {
        case .prefixF2 where !e.map.isVEX: prefixes.append(0xf2)
        case .prefixF3 where !e.map.isVEX: prefixes.append(0xf3)
        case .any where row.has(.rep) || row.has(.repcc):
            repeats = [nil, 0xf3, 0xf2][r.below(3)]
        case .any where !e.map.isVEX && r.oneIn(24): repeats = r.oneIn(2) ? 0xf2 : 0xf3
        default: break
        }
        if let repeats { prefixes.append(repeats) }
        if plan.hasMemory && row.has(.lock) ? r.oneIn(4) : r.oneIn(48) { prefixes.append(0xf0) }
        let namesMemory = plan.hasMemory || row.operands.contains { $0.kind == .memoryOffset || $0.isMemoryOnly }
        guard namesMemory || r.oneIn(32) else { return }
        // 16-bit addresses reach the data pages only through a segment with a base.
        if addressBytes == 2 || r.oneIn(5) {
            segment = r.oneIn(2) ? 4 : 5
            prefixes.append(UInt8(0x60 + (segment ?? 4)))
        } else if r.oneIn(12) {
            prefixes.append([0x26, 0x2e, 0x36, 0x3e][r.below(4)])
        }
    }

    private mutating func appendVEX(_ opcode: UInt8) {
        let e = row.encoding
        if e.operandSize != .rexW && e.operandSize != .any && !row.has(.ignoresRexW) { rex &= ~8 }
        let mandatory: UInt8 = switch e.mandatory {
        case .prefix66: 1
        case .prefixF3: 2
        case .prefixF2: 3
        default: 0
        }
        let usesV = row.operands.contains { $0.placement == .vexV }
        var v = usesV ? UInt8(r.below(is64 ? 16 : 8)) : 0
        // An operand that is not there must be 1111B.
        if !usesV && r.oneIn(40) { v = 1 }
        let length = UInt8(e.vectorLength ?? r.below(2)) << 2 | mandatory
        let map = e.map.rawValue - Encoding.Map.vex0F.rawValue + 1
        if map == 1 && rex & 0b1011 == 0 && r.oneIn(2) {
            bytes += [0xc5, (rex & 4 == 0 ? 0x80 : 0) | (~v & 15) << 3 | length, opcode]
        } else {
            bytes += [0xc4, (~rex & 7) << 5 | map, (rex & 8) << 4 | (~v & 15) << 3 | length, opcode]
        }
    }

    private mutating func appendModRM(_ reg: Int, _ rm: Int) {
        let e = row.encoding
        if !plan.hasMemory {
            switch e.modRM {
            case .fixed(let byte): bytes.append(byte)
            case .fixedPlusRegister(let byte): bytes.append(byte + UInt8(rm))
            default: bytes.append(0xc0 | UInt8(reg) << 3 | UInt8(rm))
            }
            return
        }
        if addressBytes == 2 { return append16BitAddress(reg, rm) }
        let mod = r.below(3)
        bytes.append(UInt8(mod << 6 | reg << 3 | rm))
        displacementBytes = [0, 1, 4][mod]
        if rm == 4 {
            scale = r.below(4)
            let i = r.below(8), b = r.below(8)
            bytes.append(UInt8(scale << 6 | i << 3 | b))
            let number = i | (rex & 2 == 0 ? 0 : 8)
            index = number == 4 ? nil : number
            base = b | (rex & 1 == 0 ? 0 : 8)
            if mod == 0 && b == 5 { base = nil; displacementBytes = 4 }
        } else if mod == 0 && rm == 5 {
            displacementBytes = 4
            isRIPRelative = is64
        } else {
            base = rm | (rex & 1 == 0 ? 0 : 8)
        }
        appendDisplacement()
    }

    private mutating func append16BitAddress(_ reg: Int, _ rm: Int) {
        let mod = r.below(3)
        bytes.append(UInt8(mod << 6 | reg << 3 | rm))
        displacementBytes = mod == 0 && rm == 6 ? 2 : mod
        if !(mod == 0 && rm == 6) {
            // SDM 2A table 2-1 "16-Bit Addressing Forms with the ModR/M Byte".
            (base, index) = [(3, 6), (3, 7), (5, 6), (5, 7), (6, nil), (7, nil), (5, nil), (3, nil)][rm]
        }
        appendDisplacement()
    }
    private mutating func appendDisplacement() {
        guard displacementBytes > 0 else { return }
        displacementAt = bytes.count
        bytes += littleEndian(r.operand(), bytes: displacementBytes)
    }

    /// Sign-extended.
    var displacement: UInt64 {
        guard let at = displacementAt else { return 0 }
        var value: UInt64 = 0
        for n in 0..<displacementBytes { value |= UInt64(bytes[at + n]) << UInt64(8 * n) }
        let unused = UInt64(64 - 8 * displacementBytes)
        return UInt64(bitPattern: Int64(bitPattern: value << unused) >> Int64(unused))
    }
    mutating func replaceEnd(with end: [UInt8]) {
        bytes.replaceSubrange(bytes.count - end.count..<bytes.count, with: end)
    }
    mutating func setDisplacement(_ value: UInt64) {
        guard let at = displacementAt else { return }
        for n in 0..<displacementBytes { bytes[at + n] = UInt8(truncatingIfNeeded: value >> UInt64(8 * n)) }
    }
}
