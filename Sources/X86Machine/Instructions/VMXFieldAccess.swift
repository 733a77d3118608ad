import X86Architecture
import X86Decoder

/// SDM 3C 33.3 "VMX Instructions": VMREAD, VMWRITE.
extension SystemInstructions {
    static func vmread(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        guard let region = try region(p, i, .vmread) else { return p.vmFailInvalid() }
        guard let (field, isHigh) = field(p, i) else { return p.vmFailValid(.unsupportedVMCSComponent) }
        var value = p.vmcs(at: region)[field]
        if isHigh { value >>= 32 }
        let is64Bit = p.is64BitMode
        if !i.hasMemory {
            p.setGPR(Int(i.rm), size: is64Bit ? 8 : 4, value)
        } else if is64Bit {
            try p.storeOperand(i, value)
        } else {
            try p.storeOperand(i, UInt32(truncatingIfNeeded: value))
        }
        p.vmSucceed()
    }

    /// IA32_VMX_MISC[29] is 1: every field can be written.
    static func vmwrite(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        guard let region = try region(p, i, .vmwrite) else { return p.vmFailInvalid() }
        var value: UInt64
        if !i.hasMemory {
            value = p.gpr(Int(i.rm), size: p.is64BitMode ? 8 : 4)
        } else if p.is64BitMode {
            value = try p.loadOperand(i, as: UInt64.self)
        } else {
            value = UInt64(try p.loadOperand(i, as: UInt32.self))
        }
        guard let (field, isHigh) = field(p, i) else { return p.vmFailValid(.unsupportedVMCSComponent) }
        switch field.encoding.width {
        case .bits16: value &= 0xFFFF
        case .bits32: value &= 0xFFFF_FFFF
        case .bits64:
            // Outside 64-bit mode a full access writes bits 31:0 and clears bits 63:32.
            if isHigh { value = value << 32 | p.vmcs(at: region)[field] & 0xFFFF_FFFF }
        case .natural: break
        }
        p.writeVMCS(at: region) { $0.set(field, value) }
        p.vmSucceed()
    }

    /// What both begin with: the VMCS that they access, nil if there is none.
    private static func region(_ p: Processor, _ i: borrowing Instruction, _ reason: ExitReason) throws(Interruption)
        -> UInt64? {
        guard p.vmx.inNonRoot, p.guestHas(.vmcsShadowing) else {
            try p.beginVMXInstruction(reason, i, type: i.reg)
            return p.hasCurrentVMCS ? p.vmx.currentVMCS : nil
        }
        // SDM 3C 28.1.3 "Instructions That Cause VM Exits Conditionally": bits 63:15 of the encoding, then the bitmap.
        let encoding = p.gpr(Int(i.reg), size: p.is64BitMode ? 8 : 4)
        let bitmap = reason == .vmread ? p.vmx.controls.vmreadBitmap : p.vmx.controls.vmwriteBitmap
        let byte = p.ram.load(PhysicalAddress(bitmap) + (encoding & 0x7FFF) >> 3, as: UInt8.self)
        guard encoding >> 15 == 0, byte & (1 << UInt8(encoding & 7)) == 0 else {
            try p.beginVMXInstruction(reason, i, type: i.reg)
            return nil
        }
        try p.requireVMXOperation()
        try p.requireCPL0()
        return p.vmx.controls.linkPointer == VMXState.noVMCS ? nil : p.vmx.controls.linkPointer
    }

    /// The field that the register operand encodes, nil if there is none.
    private static func field(_ p: Processor, _ i: borrowing Instruction) -> (VMCSField, isHigh: Bool)? {
        let raw = p.gpr(Int(i.reg), size: p.is64BitMode ? 8 : 4)
        guard let encoding = UInt32(exactly: raw) else { return nil }
        let decoded = VMCSFieldEncoding(encoding)
        guard !decoded.hasReservedBits, let field = VMCSField(rawValue: encoding & ~1),
              VMCS.isSupported(field, p.engine.secondaryControls) else { return nil }
        return (field, decoded.isHigh)
    }
}
