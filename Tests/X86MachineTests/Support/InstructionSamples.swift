import Foundation
import InstructionTable

/// Random encodings of integer instructions for 64-bit mode, made from the tables.
struct InstructionSamples {
    struct Sample {
        var row: InstructionRow
        var bytes: [UInt8]
        var hasMemory: Bool
        /// Position of a RIP-relative displacement in `bytes`, to be filled in.
        var ripRelativeAt: Int?
        var immediate: UInt64
    }
    /// How memory operands are addressed.
    enum Memory {
        case none
        /// [rsi + rdi*1 + disp8], [rsi + disp8]
        case based
        case ripRelative
    }
    let rows: [InstructionRow]

    static let semantics: Set<String> = [
        "add", "adc", "sub", "sbb", "logical_and", "logical_or", "logical_xor", "cmp", "test", "inc", "dec", "neg",
        "complement", "mov", "movzx", "movsx", "xchg", "imul", "mul", "imul1", "div", "idiv", "rol", "ror", "rcl",
        "rcr", "shl", "shr", "sar", "shld", "shrd", "bt", "bts", "btr", "btc", "bsf", "bsr", "tzcnt", "lzcnt",
        "popcnt", "bswap", "cmov", "set", "cbw", "cwde", "cdqe", "cwd", "cdq", "cqo", "cmc", "clc", "stc", "lahf",
        "sahf", "xadd", "cmpxchg", "cmpxchg8b", "cmpxchg16b", "movbe", "crc32", "adcx", "adox", "lea", "andn",
        "bextr", "blsi", "blsr", "blsmsk", "bzhi", "pdep", "pext", "rorx", "sarx", "shlx", "shrx", "mulx",
    ]

    private static func readTable() throws -> InstructionTable {
        let folder = URL(filePath: #filePath).appending(path: "../../../../Sources/X86Decoder/OpcodeMaps").standardized
        return try InstructionTable { try? String(contentsOf: folder.appending(path: $0), encoding: .utf8) }
    }
    /// The modelled rows of one file.
    init(table file: String) throws {
        rows = try Self.readTable().rows.filter { $0.file == file && $0.semantics != nil }
    }
    init(_ wanted: Set<String> = semantics) throws {
        let table = try Self.readTable()
        rows = table.rows.filter { row in
            guard let name = row.semantics else { return false }
            return wanted.contains(name) && !row.has(.i64) && row.encoding.addressSize == .any
        }
    }

    /// Register 4 is left alone except as AH: the stack pointer stays what it is.
    private func register(_ r: inout SplitMix, isByte: Bool, hasREX: Bool) -> UInt8 {
        while true {
            let n = UInt8(r.below(hasREX ? 16 : 8))
            if n != 4 || isByte && !hasREX { return n }
        }
    }

    func sample(_ row: InstructionRow, _ r: inout SplitMix, _ memory: Memory) -> Sample? {
        let e = row.encoding
        let canBeRegister = !row.requiresMemory
        let canBeMemory = row.operands.contains { $0.placement == .modRMRM && $0.mayBeMemory }
        let usesMemory = memory != .none && canBeMemory && !row.requiresRegister && (!canBeRegister || r.oneIn(2))
        if !usesMemory && !canBeRegister { return nil }
        let isVEX = e.map.isVEX, isWide = e.operandSize == .rexW
        let hasREX = isVEX || isWide || r.oneIn(2)
        let rmIsByte = row.operands.first { $0.placement == .modRMRM || $0.placement == .opcode }?.width == 8
        let regIsByte = row.operands.first { $0.placement == .modRMReg }?.width == 8
        let reg = e.digit ?? register(&r, isByte: regIsByte, hasREX: hasREX)
        let rm = register(&r, isByte: rmIsByte, hasREX: hasREX)
        let vexV = register(&r, isByte: false, hasREX: true)
        var bytes: [UInt8] = []
        let isLocked = usesMemory && row.has(.lock) && r.oneIn(4)
        if isLocked { bytes.append(0xf0) }
        let rexR: UInt8 = e.digit == nil && reg > 7 ? 1 : 0
        let rexB: UInt8 = !usesMemory && rm > 7 ? 1 : 0
        var opcode = e.opcode
        if e.opcodeHasCondition { opcode |= UInt8(r.below(16)) }
        if e.opcodeHasRegister { opcode |= rm & 7 }
        let mandatory: UInt8 = switch e.mandatory {
        case .prefix66: 1
        case .prefixF3: 2
        case .prefixF2: 3
        default: 0
        }
        if isVEX {
            let usesV = row.operands.contains { $0.placement == .vexV }
            let length = UInt8(e.vectorLength ?? 0) << 2
            bytes += [0xc4, ~(rexR << 7 | rexB << 5) & 0xe0 | (e.map.rawValue - 3),
                      (isWide ? 0x80 : 0) | (~(usesV ? vexV : 0) & 15) << 3 | length | mandatory, opcode]
        } else {
            if e.operandSize == .o16 { bytes.append(0x66) }
            if mandatory > 0 { bytes.append([0x66, 0xf3, 0xf2][Int(mandatory) - 1]) }
            if hasREX { bytes.append(0x40 | (isWide ? 8 : 0) | rexR << 2 | rexB) }
            bytes += [[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]][Int(e.map.rawValue)] + [opcode]
        }
        var ripRelativeAt: Int?
        if e.hasModRM {
            if !usesMemory {
                bytes.append(0xc0 | (reg & 7) << 3 | rm & 7)
            } else if memory == .ripRelative {
                bytes.append((reg & 7) << 3 | 5)
                ripRelativeAt = bytes.count
                bytes += [0, 0, 0, 0]
            } else if r.oneIn(2) {
                bytes += [0x44 | (reg & 7) << 3, 0x3e, UInt8(r.below(256))]
            } else {
                bytes += [0x46 | (reg & 7) << 3, UInt8(r.below(256))]
            }
        } else if row.operands.contains(where: { $0.kind == .memoryOffset }) {
            return nil
        }
        var immediate: UInt64 = 0
        for field in e.immediates {
            immediate = r.operand()
            // A count of 1 defines more flags than others.
            if row.mnemonic.hasPrefix("S") || row.mnemonic.hasPrefix("R"), r.oneIn(3) { immediate = 1 }
            for n in 0..<field.bytes { bytes.append(UInt8(truncatingIfNeeded: immediate >> UInt64(8 * n))) }
        }
        return Sample(row: row, bytes: bytes, hasMemory: usesMemory, ripRelativeAt: ripRelativeAt, immediate: immediate)
    }
}
