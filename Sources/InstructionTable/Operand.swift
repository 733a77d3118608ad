/// One operand as the SDM spells it in the instruction column (SDM 2A 3.1.1.3 "Instruction Column in the Opcode
/// Summary Table").
public struct Operand: Sendable, Equatable, Hashable {
    public enum Kind: UInt8, Sendable, CaseIterable {
        /// r8, r16, r32, r64: a general register named by the encoding.
        case register
        /// r/m8 and so on, r32/m16: a general register or memory.
        case registerOrMemory
        /// m, m8, m16:32, m16&64, m512byte: memory only.
        case memory
        case immediate
        /// rel8, rel16, rel32.
        case relative
        /// ptr16:16, ptr16:32.
        case farPointer
        /// moffs8 and so on: the address itself is in the instruction.
        case memoryOffset
        case segmentRegister
        case controlRegister
        case debugRegister
        /// ST(i).
        case x87Register
        case mmx
        case mmxOrMemory
        /// xmm, ymm.
        case vector
        case vectorOrMemory
        /// vm32x and so on: memory with a vector of indices.
        case vectorIndexedMemory
        /// AL, CL, DX, ES, ST(0), <XMM0>: one register, named by the opcode alone.
        case fixedRegister
        /// The constant 1 or 3.
        case constant
    }

    /// Where the encoding holds the operand (the SDM's "Op/En" column).
    public enum Placement: UInt8, Sendable, CaseIterable {
        case fixed, modRMReg, modRMRM, vexV, opcode, immediate, immediateHigh
    }

    public var spelling: String
    public var kind: Kind
    /// Bits of the register or value; for pure memory operands the bits of memory; 0 when it has no size (LEA's m).
    public var width: Int
    /// Bits of the memory form; equal to `width` but for operands such as r32/m16.
    public var memoryWidth: Int
    public var placement: Placement = .fixed

    public var isMemoryOnly: Bool { kind == .memory || kind == .vectorIndexedMemory }
    public var mayBeMemory: Bool {
        isMemoryOnly || kind == .registerOrMemory || kind == .mmxOrMemory || kind == .vectorOrMemory
    }
    /// A register operand that ModRM, VEX.vvvv or the opcode names.
    var isEncodedRegister: Bool {
        switch kind {
        case .register, .segmentRegister, .controlRegister, .debugRegister, .x87Register, .mmx, .vector: true
        default: false
        }
    }

    static let fixedWidths: [String: Int] = [
        "AL": 8, "CL": 8, "AH": 8, "AX": 16, "DX": 16, "EAX": 32, "ECX": 32, "RAX": 64, "ES": 16, "CS": 16, "SS": 16,
        "DS": 16, "FS": 16, "GS": 16, "ST(0)": 80, "<XMM0>": 128,
    ]

    /// Nil when the spelling is not one of the SDM's.
    public init?(_ spelling: String) {
        self.spelling = spelling
        func make(_ kind: Kind, _ width: Int, _ memory: Int? = nil) -> (Kind, Int, Int) {
            (kind, width, memory ?? width)
        }
        let parts = spelling.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard let found: (Kind, Int, Int) = {
            if let width = Self.fixedWidths[spelling] { return make(.fixedRegister, width) }
            switch spelling {
            case "1", "3": return make(.constant, 8)
            case "Sreg": return make(.segmentRegister, 16)
            case "CR0-CR7", "CR8": return make(.controlRegister, 64)
            case "DR0-DR7": return make(.debugRegister, 64)
            case "ST(i)": return make(.x87Register, 80)
            case "ptr16:16": return make(.farPointer, 32)
            case "ptr16:32": return make(.farPointer, 48)
            default: break
            }
            if spelling.hasPrefix("m14/28byte") || spelling.hasPrefix("m94/108byte") { return make(.memory, 0) }
            if parts.count == 2 {
                guard let memory = Self.memoryWidth(parts[1]) else { return nil }
                if parts[0] == "r" {
                    return Self.register("r\(memory)") == nil ? nil : make(.registerOrMemory, memory)
                }
                guard let first = Self.register(parts[0]) else { return nil }
                switch first.0 {
                case .register: return make(.registerOrMemory, first.1, memory)
                case .mmx: return make(.mmxOrMemory, first.1, memory)
                case .vector: return make(.vectorOrMemory, first.1, memory)
                default: return nil
                }
            }
            guard parts.count == 1 else { return nil }
            if let number = Self.number(spelling, after: "imm") { return make(.immediate, number) }
            if let number = Self.number(spelling, after: "rel") { return make(.relative, number) }
            if let number = Self.number(spelling, after: "moffs") { return make(.memoryOffset, number) }
            if spelling.hasPrefix("vm32") { return make(.vectorIndexedMemory, 32) }
            if spelling.hasPrefix("vm64") { return make(.vectorIndexedMemory, 64) }
            if let register = Self.register(spelling) { return make(register.0, register.1) }
            if let memory = Self.memoryWidth(spelling) { return make(.memory, memory) }
            return nil
        }() else { return nil }
        (kind, width, memoryWidth) = found
    }

    static func number(_ text: String, after prefix: String) -> Int? {
        text.hasPrefix(prefix) ? Int(text.dropFirst(prefix.count)) : nil
    }

    /// r32, r64a, mm, mm2, xmm1, ymm.
    static func register(_ text: String) -> (Kind, Int)? {
        func numbered(_ prefix: String) -> Bool {
            text.hasPrefix(prefix) && text.dropFirst(prefix.count).allSatisfy { $0.isNumber }
        }
        if numbered("xmm") { return (.vector, 128) }
        if numbered("ymm") { return (.vector, 256) }
        if numbered("mm") { return (.mmx, 64) }
        var name = Substring(text)
        if let last = name.last, last == "a" || last == "b" { name = name.dropLast() }
        switch name {
        case "r8": return (.register, 8)
        case "r16": return (.register, 16)
        case "r32": return (.register, 32)
        case "r64": return (.register, 64)
        default: return nil
        }
    }

    /// m, m32, m32fp, m16int, m80bcd, m512byte, m16:32, m16&64.
    static func memoryWidth(_ text: String) -> Int? {
        guard text.hasPrefix("m") else { return nil }
        var total = 0
        for part in text.dropFirst().split(whereSeparator: { $0 == ":" || $0 == "&" }) {
            let digits = part.prefix { $0.isNumber }, unit = part.dropFirst(digits.count)
            guard let number = Int(digits), ["", "fp", "int", "bcd", "byte"].contains(unit) else { return nil }
            total += unit == "byte" ? number * 8 : number
        }
        return total
    }
}
