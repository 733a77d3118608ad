/// One decoded instruction: a plain value without references.
public struct Instruction: Sendable {
    /// Row of the instruction table (`InstructionTable` order); says mnemonic, operands, semantics.
    public var row: UInt16 = 0
    /// Bytes, 1 to 15.
    public var length: UInt8 = 0
    public var prefixes = Prefixes()
    /// Effective operand size in bytes: 1, 2, 4, 8.
    public var operandSize: UInt8 = 4
    /// Effective address size in bytes: 2, 4, 8.
    public var addressSize: UInt8 = 8
    public var opcode: UInt8 = 0
    public var modRM: UInt8 = 0
    public var hasModRM = false
    /// ModRM.mod != 3: the r/m operand is in memory, at base + index << scale + displacement in `segment`.
    public var hasMemory = false
    /// ModRM.reg with REX.R (or VEX.R); also the opcode extension (low 3 bits).
    public var reg: UInt8 = 0
    /// ModRM.rm with REX.B when it names a register; for `+r` opcodes the register of the opcode.
    public var rm: UInt8 = 0
    /// Register number of the base and the index; `Instruction.none` when absent, `Instruction.ripBase` for
    /// RIP-relative.
    public var base: UInt8 = Instruction.none
    public var index: UInt8 = Instruction.none
    /// log2 of the scale.
    public var scale: UInt8 = 0
    /// Effective segment of the memory operand, sreg numbering: ES 0, CS 1, SS 2, DS 3, FS 4, GS 5.
    public var segment: UInt8 = 3
    /// Sign-extended.
    public var displacement: Int32 = 0
    /// Sign-extended where the SDM sign-extends; the offset of far pointers; the moffs address.
    public var immediate: UInt64 = 0
    /// Second immediate (ENTER), selector of far pointers.
    public var immediate2: UInt16 = 0
    /// Encoded with VEX, whose R, X, B and W are then in `prefixes.rex`. #UD in real-address and virtual-8086 mode.
    public var isVEX = false
    /// VEX.vvvv as a register number.
    public var vexV: UInt8 = 0
    /// VEX.L: 0 for 128 bits, 1 for 256.
    public var vectorLength: UInt8 = 0

    public static let none: UInt8 = 0xff
    public static let ripBase: UInt8 = 0x10
    public init() {}
}

public struct Prefixes: Sendable {
    public var lock = false
    /// F3 and F2 as given, even where the opcode takes them as mandatory prefixes.
    public var rep = false
    public var repne = false
    public var operandSize = false
    public var addressSize = false
    /// Segment override, sreg numbering, or `Instruction.none`.
    public var segmentOverride: UInt8 = Instruction.none
    /// REX byte, 0 when absent. With any REX, byte registers 4 to 7 are SPL, BPL, SIL, DIL.
    public var rex: UInt8 = 0
    public init() {}
    public var rexW: Bool { rex & 8 != 0 }
}

/// What the decoder has to know of the processor: the code segment's size.
public enum CodeSize: UInt8, Sendable { case bits16, bits32, bits64 }

public enum DecodingError: Error, Equatable, Sendable {
    /// More bytes are needed than were given (at most 15 are ever needed).
    case truncated
    /// Longer than 15 bytes: #GP (SDM 2A 2.3.11 "AVX Instruction Length").
    case tooLong
    /// Raises #UD by architecture.
    case undefined
}
