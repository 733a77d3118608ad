/// What the instruction tables say of a row. For every `Instruction` that was decoded, `InstructionInfo($0.row)`.
public struct InstructionInfo: Sendable {
    public let row: UInt16
    private var format: RowFormat { RowFormat(row: Int(row)) }

    /// Rows of the tables; `row` is less.
    public static var rowCount: Int { OpcodeTables.rowCount }

    public init(_ row: UInt16) {
        precondition(Int(row) < OpcodeTables.rowCount, "a row of the instruction tables")
        self.row = row
    }

    /// In capitals as the SDM prints it; rows for every condition end in "cc" (`Formatter` puts the condition in).
    public var mnemonic: StaticString { OpcodeTables.names[format.mnemonic] }
    /// Name of the semantic function; empty when the instruction is known but not modelled.
    public var semantics: StaticString { OpcodeTables.names[format.semantics] }
    public var isModelled: Bool { format.semantics != 0 }
    /// CPUID feature flag in the SDM's spelling; empty for what every processor with Intel 64 has.
    public var feature: StaticString { OpcodeTables.names[format.feature] }

    public enum Access: UInt8, Sendable {
        /// The first operand is read and written, only read, only written, written per condition.
        case readWrite, read, write, condition
        case none
        /// Executed out of line by the function that `semantics` names.
        case system
    }
    public var access: Access { Access(rawValue: UInt8(format.access)) ?? .none }

    public struct Attributes: OptionSet, Sendable {
        public let rawValue: UInt16
        public init(rawValue: UInt16) { self.rawValue = rawValue }
        public static let invalidIn64BitMode = Attributes(rawValue: 1 << 0)
        public static let only64BitMode = Attributes(rawValue: 1 << 1)
        /// 64-bit operand size by default, or whatever the prefixes say.
        public static let default64 = Attributes(rawValue: 1 << 2)
        public static let force64 = Attributes(rawValue: 1 << 3)
        public static let ignoresRexW = Attributes(rawValue: 1 << 4)
        public static let lock = Attributes(rawValue: 1 << 5)
        public static let memoryOnly = Attributes(rawValue: 1 << 6)
        public static let registerOnly = Attributes(rawValue: 1 << 7)
        public static let ignoresMod = Attributes(rawValue: 1 << 8)
        public static let signExtended = Attributes(rawValue: 1 << 9)
        /// #GP unless CPL is 0.
        public static let privileged = Attributes(rawValue: 1 << 10)
        /// #UD outside protected mode and in virtual-8086 mode.
        public static let protectedMode = Attributes(rawValue: 1 << 11)
        public static let rep = Attributes(rawValue: 1 << 12)
        /// F3 repeats while equal, F2 while not equal.
        public static let repWhile = Attributes(rawValue: 1 << 13)
    }
    public var attributes: Attributes { Attributes(rawValue: UInt16(truncatingIfNeeded: format.attributes)) }

    /// One operand of the instruction column. Widths in bits.
    public struct Operand: Sendable {
        /// As in InstructionTable's `Operand.Kind`.
        public enum Kind: UInt8, Sendable, CaseIterable {
            case register, registerOrMemory, memory, immediate, relative, farPointer, memoryOffset, segmentRegister
            case controlRegister, debugRegister, x87Register, mmx, mmxOrMemory, vector, vectorOrMemory
            case vectorIndexedMemory, fixedRegister, constant
        }
        /// Which field of the encoding holds it.
        public enum Placement: UInt8, Sendable, CaseIterable {
            case fixed, modRMReg, modRMRM, vexV, opcode, immediate, immediateHigh
        }
        public let kind: Kind
        public let width: Int
        /// Of the memory form; 0 when it has no size.
        public let memoryWidth: Int
        public let placement: Placement
        /// As the SDM spells it.
        public let spelling: StaticString
    }

    public var operandCount: Int { (0..<4).first { format.operand($0) == 0 } ?? 4 }

    /// The operand numbered from 0 as the SDM lists them.
    public func operand(_ n: Int) -> Operand? {
        guard n >= 0 && n < 4, format.operand(n) != 0 else { return nil }
        let base = (format.operand(n) - 1) * 5, table = OpcodeTables.operands
        guard let kind = Operand.Kind(rawValue: UInt8(table[base])),
            let placement = Operand.Placement(rawValue: UInt8(table[base + 3]))
        else { return nil }
        return Operand(
            kind: kind, width: table[base + 1], memoryWidth: table[base + 2], placement: placement,
            spelling: OpcodeTables.names[table[base + 4]])
    }
}
