import X86Architecture
import X86Decoder

/// SDM 3C 33.2 "Conventions": how VMX instructions report.
extension Processor {
    /// All six arithmetic flags clear.
    func vmSucceed() { cpu.pointee.arithmeticFlags = 0 }
    /// CF set, the others clear.
    func vmFailInvalid() { cpu.pointee.arithmeticFlags = RFLAGS.carry }
    /// ZF set and the error number in the current VMCS; VMfailInvalid when there is none.
    func vmFailValid(_ error: VMInstructionError) {
        guard hasCurrentVMCS else { return vmFailInvalid() }
        writeVMCS { $0.set(.instructionError, UInt64(error.rawValue)) }
        cpu.pointee.arithmeticFlags = RFLAGS.zero
    }

    /// #UD outside VMX operation, in real-address or virtual-8086 mode, and in compatibility mode.
    func requireVMXOperation() throws(Interruption) {
        guard vmx.inOperation else { throw .exception(.invalidOpcode) }
        try requireVMXMode()
    }
    func requireVMXMode() throws(Interruption) {
        guard isProtectedMode, !isVirtual8086, !isLongMode || is64BitMode else { throw .exception(.invalidOpcode) }
    }

    /// What most VMX instructions begin with: #UD, VM exit from non-root operation (at any CPL), #GP(0) above CPL 0.
    func beginVMXInstruction(_ reason: ExitReason, _ i: borrowing Instruction, type: UInt8 = 0) throws(Interruption) {
        try requireVMXOperation()
        if vmx.inNonRoot {
            if reason == .vmlaunch || reason == .vmresume || reason == .vmxoff { throw exit(reason, i) }
            throw exit(reason, i, qualification: i.hasMemory ? displacementQualification(i) : 0,
                       information: memoryInformation(i, type: type))
        }
        try requireCPL0()
    }

    /// 4-KByte aligned and within the physical-address width.
    func isVMXRegion(_ address: UInt64) -> Bool { address & Page.offsetMask == 0 && address & ~physicalMask == 0 }
}

/// SDM 3C 33.3 "VMX Instructions": VMXON, VMXOFF, VMCLEAR, VMPTRLD, VMPTRST.
extension SystemInstructions {
    static func vmxon(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        guard i.hasMemory, p.system.cr4 & CR4.vmxEnable != 0 else { throw .exception(.invalidOpcode) }
        try p.requireVMXMode()
        guard !p.vmx.inOperation else {
            if p.vmx.inNonRoot {
                throw p.exit(.vmxon, i, qualification: p.displacementQualification(i),
                             information: p.memoryInformation(i))
            }
            try p.requireCPL0()
            return p.vmFailValid(.vmxonInRootOperation)
        }
        try p.requireCPL0()
        let enabled: FeatureControl = .lock | .vmxOutsideSMX
        guard VMXModel.allowsCR0(p.system.cr0), p.allowsCR4(p.system.cr4),
              FeatureControl(p.system.featureControl).contains(enabled) else { throw .exception(.generalProtection()) }
        let address = try p.loadOperand(i, as: UInt64.self)
        guard p.isVMXRegion(address),
              p.ram.load(PhysicalAddress(address), as: UInt32.self) == VMXModel.revision else {
            return p.vmFailInvalid()
        }
        p.vmx.inOperation = true
        p.vmx.operation = max(p.vmx.operation &+ 1, 1)
        p.vmx.vmxonPointer = address
        p.vmx.currentVMCS = VMXState.noVMCS
        p.vmSucceed()
    }

    static func vmxoff(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try p.beginVMXInstruction(.vmxoff, i)
        let operation = p.vmx.operation
        p.vmx = VMXState()
        p.vmx.operation = operation
        // INIT was blocked.
        p.attend()
        p.vmSucceed()
    }

    static func vmclear(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try p.beginVMXInstruction(.vmclear, i)
        let address = try p.loadOperand(i, as: UInt64.self)
        guard p.isVMXRegion(address) else { return p.vmFailValid(.vmclearInvalidAddress) }
        guard address != p.vmx.vmxonPointer else { return p.vmFailValid(.vmclearWithVMXONPointer) }
        p.setLaunchState(address, launched: false)
        if address == p.vmx.currentVMCS { p.vmx.currentVMCS = VMXState.noVMCS }
        p.vmSucceed()
    }

    static func vmptrld(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try p.beginVMXInstruction(.vmptrld, i)
        let address = try p.loadOperand(i, as: UInt64.self)
        guard p.isVMXRegion(address) else { return p.vmFailValid(.vmptrldInvalidAddress) }
        guard address != p.vmx.vmxonPointer else { return p.vmFailValid(.vmptrldWithVMXONPointer) }
        // Bit 31 is the shadow-VMCS indicator. Outside RAM everything reads as ones.
        let first = p.ram.load(PhysicalAddress(address), as: UInt32.self)
        guard first & ~VMCS.shadowIndicator == VMXModel.revision,
              p.ram.isRAM(PhysicalAddress(address)) else {
            return p.vmFailValid(.vmptrldIncorrectRevision)
        }
        p.vmx.currentVMCS = address
        p.vmSucceed()
    }

    static func vmptrst(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try p.beginVMXInstruction(.vmptrst, i)
        try p.storeOperand(i, p.vmx.currentVMCS)
        p.vmSucceed()
    }
}
