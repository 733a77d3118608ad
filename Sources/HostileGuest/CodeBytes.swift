/// Machine code under construction.
struct CodeBytes {
    var bytes: [UInt8] = []

    mutating func put(_ more: UInt8...) { bytes += more }
    mutating func word(_ value: some FixedWidthInteger, _ size: Int) {
        for n in 0..<size { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * n))) }
    }
    /// MOV r32, imm32
    mutating func move32(_ register: UInt8, _ value: UInt64) {
        put(0xB8 + register)
        word(value, 4)
    }
    /// MOV r64, imm64 (64-bit mode)
    mutating func move64(_ register: UInt8, _ value: UInt64) {
        put(register > 7 ? 0x49 : 0x48, 0xB8 + (register & 7))
        word(value, 8)
    }
    mutating func toControlRegister(_ n: UInt8, _ value: UInt64) {
        move32(0, value)
        put(0x0F, 0x22, 0xC0 | n << 3)
    }
    mutating func writeMSR(_ msr: UInt32, _ value: UInt64) {
        move32(1, UInt64(msr))
        move32(0, value)
        move32(2, value >> 32)
        put(0x0F, 0x30)
    }
    /// [disp32] in 32-bit code.
    mutating func absolute32(_ opcode: [UInt8], digit: UInt8, _ address: UInt64) {
        bytes += opcode
        put(0x05 | digit << 3)
        word(address, 4)
    }
    /// [disp32] in 64-bit code.
    mutating func absolute64(_ opcode: [UInt8], digit: UInt8, _ address: UInt64) {
        bytes += opcode
        put(0x04 | digit << 3, 0x25)
        word(address, 4)
    }
    /// VMWRITE, through RDX and RAX.
    mutating func writeVMCS(_ field: UInt64, _ value: UInt64) {
        move32(2, field)
        move64(0, value)
        put(0x0F, 0x79, 0xD0)
    }
}
