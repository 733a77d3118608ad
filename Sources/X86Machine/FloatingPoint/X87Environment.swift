/// The seven fields that FSTENV and FSAVE store, of 16 or 32 bits each: SDM 1 8.1.10 "Saving the x87 FPU's State with
/// FSTENV/FNSTENV and FSAVE/FNSAVE", figures 8-9 to 8-12. The 16-bit forms are the low halves of the 32-bit ones, save
/// that
/// they have no place for the opcode in protected mode.
enum X87Environment {
    /// Upper halves of 16-bit fields: reserved, stored as ones.
    private static let reserved: UInt32 = 0xFFFF_0000

    static func fields(of fpu: FPUState, isProtected: Bool) -> InlineArray<7, UInt32> {
        var f = InlineArray<7, UInt32>(repeating: 0)
        f[0] = reserved | UInt32(fpu.control)
        f[1] = reserved | UInt32(fpu.status)
        f[2] = reserved | UInt32(fpu.tag)
        if isProtected {
            f[3] = UInt32(truncatingIfNeeded: fpu.instructionPointer)
            f[4] = UInt32(fpu.instructionSelector) | UInt32(fpu.opcode) << 16
            f[5] = UInt32(truncatingIfNeeded: fpu.dataPointer)
            f[6] = reserved | UInt32(fpu.dataSelector)
        } else {
            // Linear addresses, in two pieces.
            let code = UInt32(truncatingIfNeeded: fpu.instructionPointer) &+ UInt32(fpu.instructionSelector) << 4
            let data = UInt32(truncatingIfNeeded: fpu.dataPointer) &+ UInt32(fpu.dataSelector) << 4
            f[3] = reserved | code & 0xFFFF
            f[4] = (code >> 16) << 12 & 0xFFF_F000 | UInt32(fpu.opcode)
            f[5] = reserved | data & 0xFFFF
            f[6] = (data >> 16) << 12 & 0xFFF_F000
        }
        return f
    }

    /// Sets everything but the registers. Of the tags only "empty" counts: SDM 1 8.1.7 "x87 FPU Tag Word".
    static func restore(_ fpu: inout FPUState, _ f: InlineArray<7, UInt32>, isProtected: Bool, is32Bit: Bool) {
        fpu.control = UInt16(truncatingIfNeeded: f[0]) & 0x1F7F | 0x40
        fpu.status = UInt16(truncatingIfNeeded: f[1])
        fpu.tag = UInt16(truncatingIfNeeded: f[2])
        if isProtected {
            fpu.instructionPointer = UInt64(f[3])
            fpu.instructionSelector = UInt16(truncatingIfNeeded: f[4])
            fpu.opcode = is32Bit ? UInt16(truncatingIfNeeded: f[4] >> 16) & 0x7FF : 0
            fpu.dataPointer = UInt64(f[5])
            fpu.dataSelector = UInt16(truncatingIfNeeded: f[6])
        } else {
            fpu.instructionPointer = UInt64(f[3] & 0xFFFF | (f[4] >> 12 & 0xFFFF) << 16)
            fpu.instructionSelector = 0
            fpu.opcode = UInt16(truncatingIfNeeded: f[4]) & 0x7FF
            fpu.dataPointer = UInt64(f[5] & 0xFFFF | (f[6] >> 12 & 0xFFFF) << 16)
            fpu.dataSelector = 0
        }
        fpu.updateErrorSummary()
    }
}
