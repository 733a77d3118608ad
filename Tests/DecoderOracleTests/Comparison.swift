import X86Decoder

/// Our reading of the bytes in Zydis's words, and where the two differ.
struct Comparison {
    var query: Zydis.Query
    var ours: Result<Instruction, DecodingError>
    var theirs: Zydis.Answer

    init(_ query: Zydis.Query, _ theirs: Zydis.Answer) {
        self.query = query
        self.theirs = theirs
        do throws(DecodingError) { ours = .success(try Decoder.decode(query.bytes, query.size)) } catch {
            ours = .failure(error)
        }
    }

    /// Nil when both read the same. The text names the kind of difference, without the bytes.
    var difference: String? {
        guard case .success(let i) = ours else {
            return theirs.length == 0 ? nil : "\(theirs.mnemonic): we find it invalid"
        }
        let info = InstructionInfo(i.row), name = zydisMnemonic(i, info)
        if theirs.length == 0 { return "\(name): Zydis finds it invalid" }
        if name != theirs.mnemonic { return "\(name): Zydis reads \(theirs.mnemonic)" }
        if Int(i.length) != theirs.length { return "\(name): length \(i.length), Zydis \(theirs.length)" }
        if let reason = operandDifference(i, info) { return "\(name): \(reason)" }
        return nil
    }

    static let conditions = [
        "o", "no", "b", "nb", "z", "nz", "be", "nbe", "s", "ns", "p", "np", "l", "nl", "le", "nle",
    ]
    /// Where Zydis's mnemonic is not the SDM's.
    static let mnemonics = [
        "RETF": "ret", "SYSEXITQ": "sysexit", "SYSRETQ": "sysret", "PUSHA": "pusha", "PUSHAD": "pushad",
    ]

    private func zydisMnemonic(_ i: Instruction, _ info: InstructionInfo) -> String {
        let name = "\(info.mnemonic)"
        if let known = Self.mnemonics[name] { return known }
        if name.hasSuffix("cc") { return name.dropLast(2).lowercased() + Self.conditions[Int(i.opcode & 15)] }
        if ["MOVS", "CMPS", "STOS", "LODS", "SCAS", "INS", "OUTS"].contains(name) {
            return name.lowercased() + ["b", "w", "d", "q"][i.operandSize.trailingZeroBitCount]
        }
        return name.lowercased()
    }

    private func operandDifference(_ i: Instruction, _ info: InstructionInfo) -> String? {
        let mine = (0..<info.operandCount).compactMap { info.operand($0) }
        let visible = theirs.operands
        if mine.allSatisfy({ $0.placement == .fixed }) { return nil }
        if mine.count != visible.count {
            // One of the two does not spell an implied operand: ours must be among theirs.
            let missing = mine.first { operand in
                operand.placement != .fixed && !visible.contains { difference(operand, $0, i, info) == nil }
            }
            return missing.map { "\($0.spelling) not among \(visible.count) operands of Zydis" }
        }
        for (n, (operand, other)) in zip(mine, visible).enumerated() {
            if let reason = difference(operand, other, i, info) { return "operand \(n + 1): \(reason)" }
        }
        return nil
    }

    private func difference(
        _ operand: InstructionInfo.Operand, _ other: Zydis.Operand, _ i: Instruction, _ info: InstructionInfo
    ) -> String? {
        switch operand.placement {
        case .fixed: return nil
        case .modRMRM where i.hasMemory: return memoryDifference(operand, other, i)
        case .modRMRM: return registerDifference(operand, i.rm, other, i)
        case .modRMReg: return registerDifference(operand, i.reg, other, i)
        case .opcode: return registerDifference(operand, i.rm, other, i)
        case .vexV: return registerDifference(operand, i.vexV, other, i)
        case .immediateHigh:
            let number = UInt8(i.immediate >> 4) & (query.size == .bits64 ? 15 : 7)
            return registerDifference(operand, number, other, i)
        case .immediate: break
        }
        switch operand.kind {
        case .farPointer:
            let value = Int64(i.immediate) | Int64(i.immediate2) << 32
            return other.kind == .farPointer && other.value == value ? nil : "far pointer"
        case .memoryOffset:
            guard other.kind == .memory, other.a == 0xff, other.b == 0xff else { return "memory offset" }
            if other.segment != i.segment { return "segment \(i.segment), Zydis \(other.segment)" }
            let bits = UInt64(i.addressSize) * 8
            return (UInt64(bitPattern: other.value) ^ i.immediate) << (64 - bits) == 0 ? nil : "memory offset"
        default:
            guard other.kind == .immediate || other.kind == .relative else { return "an immediate" }
            // ENTER has two immediates.
            let isSecond = operand.width == 8 && info.operand(0)?.kind == .immediate && info.operandCount == 2
                && info.operand(1)?.kind == .immediate
            let mine = isSecond ? UInt64(i.immediate2) : i.immediate, theirs = UInt64(bitPattern: other.value)
            // Of an immediate that is not extended only its own bits are compared.
            let isExtended = info.attributes.contains(.signExtended)
                || operand.width > 8 && operand.width < Int(i.operandSize) * 8
            let bits = UInt64(other.kind == .relative ? 64 : isExtended ? Int(i.operandSize) * 8 : operand.width)
            return (theirs ^ mine) << (64 - bits) == 0
                ? nil : "immediate \(String(mine, radix: 16)), Zydis \(String(theirs, radix: 16))"
        }
    }

    /// Zydis's class of the register file and its number there.
    private func registerDifference(
        _ operand: InstructionInfo.Operand, _ number: UInt8, _ other: Zydis.Operand, _ i: Instruction
    ) -> String? {
        guard other.kind == .register else { return "a register" }
        var expected: (UInt8, UInt8)
        switch operand.kind {
        case .x87Register: expected = (5, number)
        case .mmx, .mmxOrMemory: expected = (6, number)
        case .vector, .vectorOrMemory: expected = (operand.width == 256 ? 8 : 7, number)
        case .segmentRegister: expected = (13, number)
        case .controlRegister: expected = (16, number)
        case .debugRegister: expected = (17, number)
        default:
            switch operand.width {
            case 8:
                // Zydis: AL CL DL BL AH CH DH BH SPL BPL SIL DIL R8B...
                expected = (1, number >= 8 || number >= 4 && i.prefixes.rex != 0 ? number + 4 : number)
            case 16: expected = (2, number)
            case 32: expected = (3, number)
            default: expected = (4, number)
            }
        }
        return expected == (other.a, other.b)
            ? nil : "register \(expected.0).\(expected.1), Zydis \(other.a).\(other.b)"
    }

    private func memoryDifference(
        _ operand: InstructionInfo.Operand, _ other: Zydis.Operand, _ i: Instruction
    ) -> String? {
        guard other.kind == .memory else { return "memory" }
        if i.base != other.a { return "base \(i.base), Zydis \(other.a)" }
        if i.index != other.b { return "index \(i.index), Zydis \(other.b)" }
        if i.index != Instruction.none && other.c != 1 << i.scale { return "scale \(i.scale), Zydis \(other.c)" }
        if Int64(i.displacement) != other.value { return "displacement \(i.displacement), Zydis \(other.value)" }
        if i.segment != other.segment { return "segment \(i.segment), Zydis \(other.segment)" }
        let hasWidth = operand.memoryWidth != 0 && operand.kind != .vectorIndexedMemory
        if hasWidth && operand.memoryWidth != other.size {
            return "\(operand.memoryWidth) bits of memory, Zydis \(other.size)"
        }
        return nil
    }
}
