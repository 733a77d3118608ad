/// SDM 2A "FXSAVE", tables 3-43 and 3-47: the 512-byte image, as quadwords.
enum FXSaveArea {
    /// Bytes that belong to the area; the last 96 are never written.
    static let bytes = 512
    /// Quadword index of XMM0.
    static let xmmWord = 20

    static func image(of p: Processor, is64Bit: Bool) -> InlineArray<64, UInt64> {
        let fpu = p.system.fpu
        var image = InlineArray<64, UInt64>(repeating: 0)
        image[0] =
            UInt64(fpu.control) | UInt64(fpu.status) << 16 | UInt64(fpu.abridgedTag) << 32 | UInt64(fpu.opcode) << 48
        if is64Bit {
            image[1] = fpu.instructionPointer
            image[2] = fpu.dataPointer
        } else {
            // CPUID.7H:EBX[13] is 0: FCS and FDS are saved.
            image[1] = fpu.instructionPointer & 0xFFFF_FFFF | UInt64(fpu.instructionSelector) << 32
            image[2] = fpu.dataPointer & 0xFFFF_FFFF | UInt64(fpu.dataSelector) << 32
        }
        image[3] = UInt64(p.cpu.pointee.mxcsr) | UInt64(FPUState.mxcsrMask) << 32
        for n in 0..<8 {
            let physical = (fpu.top + n) & 7
            image[4 + 2 * n] = fpu.significands[physical]
            image[5 + 2 * n] = UInt64(fpu.exponents[physical])
        }
        for n in 0..<32 { image[xmmWord + n] = p.xmm(n / 2)[n & 1] }
        return image
    }

    /// `registers`: how many XMM registers (and whether MXCSR) are restored.
    static func restore(_ p: Processor, _ image: InlineArray<64, UInt64>, is64Bit: Bool, registers: Int) {
        restoreX87(&p.system.fpu, image, is64Bit: is64Bit)
        guard registers > 0 else { return }
        p.cpu.pointee.mxcsr = UInt32(truncatingIfNeeded: image[3])
        for n in 0..<registers { p.setXMM(n, XMM(image[xmmWord + 2 * n], image[xmmWord + 2 * n + 1])) }
    }

    /// A pointer is as wide as linear addresses are (measured on family 6, model CFH, whose are 57 bits wide).
    private static func canonical(_ pointer: UInt64) -> UInt64 {
        UInt64(bitPattern: Int64(bitPattern: pointer &<< 16) &>> 16)
    }

    static func restoreX87(_ fpu: inout FPUState, _ image: InlineArray<64, UInt64>, is64Bit: Bool) {
        fpu.control = UInt16(truncatingIfNeeded: image[0]) & 0x1F7F | 0x40
        fpu.status = UInt16(truncatingIfNeeded: image[0] >> 16)
        fpu.opcode = UInt16(truncatingIfNeeded: image[0] >> 48) & 0x7FF
        if is64Bit {
            fpu.instructionPointer = canonical(image[1])
            fpu.dataPointer = canonical(image[2])
        } else {
            fpu.instructionPointer = image[1] & 0xFFFF_FFFF
            fpu.instructionSelector = UInt16(truncatingIfNeeded: image[1] >> 32)
            fpu.dataPointer = image[2] & 0xFFFF_FFFF
            fpu.dataSelector = UInt16(truncatingIfNeeded: image[2] >> 32)
        }
        for n in 0..<8 {
            let physical = (fpu.top + n) & 7
            fpu.significands[physical] = image[4 + 2 * n]
            fpu.exponents[physical] = UInt16(truncatingIfNeeded: image[5 + 2 * n])
        }
        fpu.setTags(abridged: UInt8(truncatingIfNeeded: image[0] >> 32))
        fpu.updateErrorSummary()
    }
}

extension FPUState {
    /// Bits of MXCSR that can be set; DAZ is supported.
    static let mxcsrMask: UInt32 = 0xFFFF

    /// FNINIT: SDM 2A "FINIT/FNINIT—Initialize Floating-Point Unit". Register contents stay, tagged empty.
    mutating func initialize() {
        control = 0x37F
        status = 0
        tag = 0xFFFF
        opcode = 0
        instructionPointer = 0
        dataPointer = 0
        instructionSelector = 0
        dataSelector = 0
    }

    /// One bit per physical register: not empty.
    var abridgedTag: UInt8 {
        var bits: UInt8 = 0
        for n in 0..<8 where tag >> UInt16(2 * n) & 3 != 3 { bits |= 1 << UInt8(n) }
        return bits
    }

    /// Recreates the tags from the contents: SDM 2A "FXSAVE", table 3-44 "Recreating FSAVE Format".
    mutating func setTags(abridged: UInt8) {
        tag = 0
        for n in 0..<8 {
            var value: UInt16 = 3
            if abridged >> UInt8(n) & 1 != 0 {
                let exponent = exponents[n] & 0x7FFF, significand = significands[n]
                if exponent == 0x7FFF || significand >> 63 == 0 && exponent != 0 || exponent == 0 && significand != 0 {
                    value = 2
                } else {
                    value = exponent == 0 ? 1 : 0
                }
            }
            tag |= value << UInt16(2 * n)
        }
    }

    /// ES and B follow the unmasked exceptions (SDM 1 8.1.3.3 "x87 FPU Floating-Point Exception Flags").
    mutating func updateErrorSummary() {
        let isPending = status & ~control & 0x3F != 0
        status = isPending ? status | 0x8080 : status & ~0x8080
    }
}
