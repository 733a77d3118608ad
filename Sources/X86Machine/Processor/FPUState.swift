/// The x87 registers, SDM 1 chapter 8 "Programming with the x87 FPU", and the upper halves of the YMM registers, which
/// only XSAVE and XRSTOR reach. A plain value. XMM registers and MXCSR are in `CPU`, where handlers are.
struct FPUState: Equatable {
    /// FCW; FNINIT's value. At power-on 0x40 (SDM 3A table 10-1 "IA-32 and Intel 64 Processor States Following
    /// Power-up, Reset, or INIT").
    var control: UInt16 = 0x40
    /// FSW, with TOP in bits 13:11.
    var status: UInt16 = 0
    /// FTW in the full form: two bits per physical register.
    var tag: UInt16 = 0x5555
    /// FOP, 11 bits.
    var opcode: UInt16 = 0
    var instructionPointer: UInt64 = 0
    var dataPointer: UInt64 = 0
    var instructionSelector: UInt16 = 0
    var dataSelector: UInt16 = 0
    /// R0 to R7, physical order: 64-bit significand and 16-bit sign with exponent.
    var significands: InlineArray<8, UInt64> = .init(repeating: 0)
    var exponents: InlineArray<8, UInt16> = .init(repeating: 0)
    /// Bits 255:128 of YMM0 to YMM15, low and high quadword.
    var upperYMM: InlineArray<32, UInt64> = .init(repeating: 0)

    static let mxcsrReset: UInt32 = 0x1F80

    var top: Int { Int(status >> 11 & 7) }

    static func == (a: Self, b: Self) -> Bool {
        guard a.control == b.control, a.status == b.status, a.tag == b.tag, a.opcode == b.opcode,
            a.instructionPointer == b.instructionPointer, a.dataPointer == b.dataPointer,
            a.instructionSelector == b.instructionSelector, a.dataSelector == b.dataSelector
        else { return false }
        for i in 0..<8 where a.significands[i] != b.significands[i] || a.exponents[i] != b.exponents[i] { return false }
        for i in 0..<32 where a.upperYMM[i] != b.upperYMM[i] { return false }
        return true
    }
}
