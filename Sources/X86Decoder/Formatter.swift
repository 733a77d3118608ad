/// Assembly text in Intel syntax, as disassemblers print it: `lock add qword ptr [rax+rcx*8-0x10], rdx`.
public enum Formatter {
    /// `address` is that of the instruction: relative branches show their target.
    public static func format(_ i: Instruction, at address: UInt64) -> String {
        let info = InstructionInfo(i.row)
        let operands = hasImpliedOperands(info) ? [] : (0..<info.operandCount).compactMap { info.operand($0) }
        let text = operands.map { operand($0, i, info, address) }.joined(separator: ", ")
        return prefixes(i, info) + mnemonic(i, info) + (text.isEmpty ? "" : " " + text)
    }

    /// In lower case, with the condition and the size of string operations.
    public static func mnemonic(_ i: Instruction) -> String { mnemonic(i, InstructionInfo(i.row)) }

    /// Where a relative branch at `address` leads; nil for every other instruction.
    public static func branchTarget(_ i: Instruction, at address: UInt64) -> UInt64? {
        let info = InstructionInfo(i.row)
        let isRelative = (0..<info.operandCount).contains { info.operand($0)?.kind == .relative }
        return isRelative ? target(i, at: address) : nil
    }

    /// The instruction pointer is cut to the operand size.
    private static func target(_ i: Instruction, at address: UInt64) -> UInt64 {
        let target = address &+ UInt64(i.length) &+ i.immediate
        return i.operandSize == 8 ? target : target & (1 &<< (UInt64(i.operandSize) * 8) - 1)
    }

    static let conditions: [StaticString] = [
        "o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g",
    ]
    static let sizeSuffixes: [StaticString] = ["b", "w", "d", "q"]

    private static func mnemonic(_ i: Instruction, _ info: InstructionInfo) -> String {
        let name = "\(info.mnemonic)".lowercased()
        if name.hasSuffix("cc") { return "\(name.dropLast(2))\(conditions[Int(i.opcode & 15)])" }
        if isString(info) { return "\(name)\(sizeSuffixes[i.operandSize.trailingZeroBitCount])" }
        let isFar = (name == "call" || name == "jmp") && info.operand(0)?.kind == .memory
        return isFar ? name + " far" : name
    }

    private static func isString(_ info: InstructionInfo) -> Bool {
        !info.attributes.isDisjoint(with: [.rep, .repWhile])
    }
    /// String instructions and XLAT: the operands follow from the mnemonic.
    private static func hasImpliedOperands(_ info: InstructionInfo) -> Bool {
        (0..<info.operandCount).contains {
            guard let operand = info.operand($0) else { return false }
            return operand.kind == .memory && operand.placement == .fixed
        }
    }

    private static func prefixes(_ i: Instruction, _ info: InstructionInfo) -> String {
        var text = i.prefixes.lock ? "lock " : ""
        if info.attributes.contains(.repWhile) {
            text += i.prefixes.rep ? "repe " : i.prefixes.repne ? "repne " : ""
        } else if info.attributes.contains(.rep) && (i.prefixes.rep || i.prefixes.repne) {
            text += "rep "
        }
        if hasImpliedOperands(info) && i.prefixes.segmentOverride != Instruction.none {
            text += "\(Registers.segments[Int(i.prefixes.segmentOverride)]) "
        }
        return text
    }

    private static func operand(
        _ operand: InstructionInfo.Operand, _ i: Instruction, _ info: InstructionInfo, _ address: UInt64
    ) -> String {
        switch operand.placement {
        case .fixed: return fixed(operand)
        case .modRMRM where i.hasMemory: return sizeName(operand) + memory(operand, i)
        case .modRMRM, .opcode: return Registers.name(operand, i.rm, i)
        case .modRMReg: return Registers.name(operand, i.reg, i)
        case .vexV: return Registers.name(operand, i.vexV, i)
        case .immediateHigh: return Registers.name(operand, UInt8(truncatingIfNeeded: i.immediate &>> 4 & 15), i)
        case .immediate: return immediate(operand, i, info, address)
        }
    }

    /// AL, ST(0), <XMM0>, 1.
    private static func fixed(_ operand: InstructionInfo.Operand) -> String {
        "\(operand.spelling)".lowercased().filter { $0 != "<" && $0 != ">" }
    }

    private static func immediate(
        _ operand: InstructionInfo.Operand, _ i: Instruction, _ info: InstructionInfo, _ address: UInt64
    ) -> String {
        switch operand.kind {
        case .relative: return hex(target(i, at: address))
        case .farPointer: return hex(UInt64(i.immediate2)) + ":" + hex(i.immediate)
        case .memoryOffset: return sizeName(operand) + segment(i) + "[" + hex(i.immediate) + "]"
        default: break
        }
        let isSecond = operand.width == 8 && info.operandCount == 2 && info.operand(0)?.kind == .immediate
        if isSecond && info.operand(1)?.kind == .immediate { return hex(UInt64(i.immediate2)) }
        let extends = info.attributes.contains(.signExtended) || operand.width == 32 && i.operandSize == 8
        return extends ? signedHex(Int64(bitPattern: i.immediate)) : hex(i.immediate)
    }

    private static func sizeName(_ operand: InstructionInfo.Operand) -> String {
        switch operand.memoryWidth {
        case 8: "byte ptr "
        case 16: "word ptr "
        case 32: "dword ptr "
        case 48: "fword ptr "
        case 64: "qword ptr "
        case 80: "tbyte ptr "
        case 128: "xmmword ptr "
        case 256: "ymmword ptr "
        default: ""
        }
    }

    private static func segment(_ i: Instruction) -> String {
        i.prefixes.segmentOverride == Instruction.none ? "" : "\(Registers.segments[Int(i.segment)]):"
    }

    private static func memory(_ operand: InstructionInfo.Operand, _ i: Instruction) -> String {
        var parts: [String] = []
        if i.base == Instruction.ripBase {
            parts.append(i.addressSize == 8 ? "rip" : "eip")
        } else if i.base != Instruction.none {
            parts.append(Registers.general(i.base, bytes: i.addressSize))
        }
        if i.index != Instruction.none {
            let isVector = operand.kind == .vectorIndexedMemory
            let name = isVector
                ? ("\(operand.spelling)".hasSuffix("y") ? "ymm" : "xmm") + "\(i.index)"
                : Registers.general(i.index, bytes: i.addressSize)
            parts.append(i.addressSize == 2 ? name : "\(name)*\(1 << Int(i.scale))")
        }
        let base = parts.joined(separator: "+")
        if base.isEmpty {
            let mask: UInt64 = i.addressSize == 8 ? .max : 1 &<< (UInt64(i.addressSize) * 8) - 1
            return segment(i) + "[" + hex(UInt64(bitPattern: Int64(i.displacement)) & mask) + "]"
        }
        let sign = i.displacement > 0 ? "+" : ""
        return segment(i) + "[" + base + (i.displacement == 0 ? "" : sign + signedHex(Int64(i.displacement))) + "]"
    }

    static func hex(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }
    static func signedHex(_ value: Int64) -> String { (value < 0 ? "-" : "") + hex(value.magnitude) }
}

/// Register names in lower case.
public enum Registers {
    static let segments: [StaticString] = ["es", "cs", "ss", "ds", "fs", "gs"]
    private static let legacy: [StaticString] = ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di"]
    private static let bytes: [StaticString] = ["al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil"]
    private static let highBytes: [StaticString] = ["ah", "ch", "dh", "bh"]

    /// A general register by its number, 0 RAX to 15 R15, and the bytes of it that are named. Byte registers as with
    /// a REX prefix.
    public static func general(_ number: UInt8, bytes size: UInt8) -> String {
        let n = Int(number & 15)
        if n >= 8 { return "r\(n)" + (size == 8 ? "" : size == 4 ? "d" : size == 2 ? "w" : "b") }
        switch size {
        case 1: return "\(bytes[n])"
        case 2: return "\(legacy[n])"
        case 4: return "e\(legacy[n])"
        default: return "r\(legacy[n])"
        }
    }

    static func name(_ operand: InstructionInfo.Operand, _ number: UInt8, _ i: Instruction) -> String {
        switch operand.kind {
        case .segmentRegister: return "\(segments[min(Int(number), 5)])"
        case .controlRegister: return "cr\(number)"
        case .debugRegister: return "dr\(number)"
        case .x87Register: return "st(\(number))"
        case .mmx, .mmxOrMemory: return "mm\(number)"
        case .vector, .vectorOrMemory: return (operand.width == 256 ? "ymm" : "xmm") + "\(number)"
        default:
            if operand.width == 8, case 4...7 = number, i.prefixes.rex == 0 { return "\(highBytes[Int(number) - 4])" }
            return general(number, bytes: UInt8(truncatingIfNeeded: operand.width / 8))
        }
    }
}
