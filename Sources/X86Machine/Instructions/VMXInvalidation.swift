import X86Architecture
import X86Decoder

/// SDM 3C 33.3 "VMX Instructions": INVEPT, INVVPID. What they drop: SDM 3C 31.4.3.1 "Operations that Invalidate Cached
/// Mappings".
extension SystemInstructions {
    static func invept(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try p.beginVMXInstruction(.invept, i, type: i.reg)
        let raw = p.gpr(Int(i.reg), size: p.is64BitMode ? 8 : 4)
        guard let type = INVEPTType(rawValue: raw) else { return p.vmFailValid(.invalidOperandToINVEPTOrINVVPID) }
        let eptp = EPTPointer(try p.loadOperand(i, as: UInt64.self))
        // The upper half of the descriptor is reserved; it is read, as the operand is 16 bytes long.
        _ = try p.loadOperand(i, as: UInt64.self, offset: 8)
        switch type {
        case .singleContext:
            guard eptp.isValid(physicalAddressBits: UInt64(p.machine.configuration.model.physicalAddressBits)) else {
                return p.vmFailValid(.invalidOperandToINVEPTOrINVVPID)
            }
            p.invalidateEP4TA(eptp.root.rawValue)
        case .allContexts:
            p.invalidateAllEP4TAs()
        }
        p.vmSucceed()
    }

    static func invvpid(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try p.beginVMXInstruction(.invvpid, i, type: i.reg)
        let raw = p.gpr(Int(i.reg), size: p.is64BitMode ? 8 : 4)
        guard let type = INVVPIDType(rawValue: raw) else { return p.vmFailValid(.invalidOperandToINVEPTOrINVVPID) }
        let low = try p.loadOperand(i, as: UInt64.self)
        let address = LinearAddress(try p.loadOperand(i, as: UInt64.self, offset: 8))
        let vpid = UInt16(truncatingIfNeeded: low)
        // Bits 63:16 of the descriptor are reserved; VPID 0000H is not allowed except for all-context.
        guard low >> 16 == 0, vpid != 0 || type == .allContexts else {
            return p.vmFailValid(.invalidOperandToINVEPTOrINVVPID)
        }
        switch type {
        case .individualAddress:
            guard address.isCanonical else { return p.vmFailValid(.invalidOperandToINVEPTOrINVVPID) }
            p.invalidateVPID(vpid, address: address)
        case .singleContext: p.invalidateVPID(vpid)
        case .allContexts: p.invalidateAllVPIDs()
        case .singleContextRetainingGlobals: p.invalidateVPID(vpid, keepsGlobals: true)
        }
        p.vmSucceed()
    }
}
