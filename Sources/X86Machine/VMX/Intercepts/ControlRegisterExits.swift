import X86Architecture
import X86Decoder

/// Control and debug registers in VMX non-root operation: SDM 3C 28.1.3 "Instructions That Cause VM Exits
/// Conditionally", 28.3 "Changes to Instruction Behavior in VMX Non-Root Operation". Outside it nothing happens.
extension Processor {
    /// What MOV from CR0 and SMSW read: host-owned bits come from the read shadow.
    var readableCR0: UInt64 {
        guard vmx.inNonRoot else { return system.cr0 }
        return system.cr0 & ~vmx.controls.cr0Mask | vmx.controls.cr0Shadow & vmx.controls.cr0Mask
    }
    /// What MOV from CR4 reads.
    var readableCR4: UInt64 {
        guard vmx.inNonRoot else { return system.cr4 }
        return system.cr4 & ~vmx.controls.cr4Mask | vmx.controls.cr4Shadow & vmx.controls.cr4Mask
    }

    /// MOV to CR0: exits if a host-owned bit would differ from the read shadow; otherwise gives the value to load, in
    /// which host-owned bits keep their values.
    func vmxCheckMovToCR0(_ i: borrowing Instruction, _ value: UInt64) throws(Interruption) -> UInt64 {
        guard vmx.inNonRoot else { return value }
        let mask = vmx.controls.cr0Mask
        if (value ^ vmx.controls.cr0Shadow) & mask != 0 { throw movCR(i, 0, .moveTo) }
        return value & ~mask | system.cr0 & mask
    }
    /// MOV to CR4, likewise.
    func vmxCheckMovToCR4(_ i: borrowing Instruction, _ value: UInt64) throws(Interruption) -> UInt64 {
        guard vmx.inNonRoot else { return value }
        let mask = vmx.controls.cr4Mask
        if (value ^ vmx.controls.cr4Shadow) & mask != 0 { throw movCR(i, 4, .moveTo) }
        return value & ~mask | system.cr4 & mask
    }
    /// MOV to CR3: exits with "CR3-load exiting" unless the value is one of the CR3-target values.
    func vmxCheckMovToCR3(_ i: borrowing Instruction, _ value: UInt64) throws(Interruption) {
        guard guestHas(.cr3LoadExiting) else { return }
        for n in 0..<Int(min(vmx.controls.cr3TargetCount, 4)) where vmx.controls.cr3Targets[n] == value { return }
        throw movCR(i, 3, .moveTo)
    }
    func vmxCheckMovToCR8(_ i: borrowing Instruction) throws(Interruption) {
        if guestHas(.cr8LoadExiting) { throw movCR(i, 8, .moveTo) }
    }
    func vmxCheckMovFromCR3(_ i: borrowing Instruction) throws(Interruption) {
        if guestHas(.cr3StoreExiting) { throw movCR(i, 3, .moveFrom) }
    }
    func vmxCheckMovFromCR8(_ i: borrowing Instruction) throws(Interruption) {
        if guestHas(.cr8StoreExiting) { throw movCR(i, 8, .moveFrom) }
    }

    /// CLTS: exits if TS is host-owned and 1 in the read shadow. False: TS is host-owned and stays as it is.
    func vmxCheckCLTS(_ i: borrowing Instruction) throws(Interruption) -> Bool {
        guard vmx.inNonRoot, vmx.controls.cr0Mask & CR0.taskSwitched != 0 else { return true }
        if vmx.controls.cr0Shadow & CR0.taskSwitched != 0 {
            throw exit(.controlRegisterAccess, i,
                       qualification: ControlRegisterQualification(register: 0, access: .clts).rawValue)
        }
        return false
    }
    /// LMSW: exits if it would change a host-owned bit among 3:0 (bit 0 only from 0 to 1). Otherwise gives the four
    /// bits to load. `linear`: address of a memory operand.
    func vmxCheckLMSW(_ i: borrowing Instruction, _ source: UInt16, linear: LinearAddress?) throws(Interruption)
        -> UInt16 {
        guard vmx.inNonRoot else { return source }
        let mask = UInt16(truncatingIfNeeded: vmx.controls.cr0Mask) & 0xF
        let differs = (source ^ UInt16(truncatingIfNeeded: vmx.controls.cr0Shadow)) & mask
        if differs & 0xE != 0 || differs & source & 1 != 0 {
            let q = ControlRegisterQualification(register: 0, access: .lmsw, lmswMemoryOperand: i.hasMemory,
                                                 lmswSource: UInt64(source))
            var cause = VMExitCause(.controlRegisterAccess, qualification: q.rawValue)
            cause.instructionLength = i.length
            cause.guestLinearAddress = linear
            throw .vmExit(cause)
        }
        return source & ~mask | UInt16(truncatingIfNeeded: system.cr0) & mask
    }

    /// MOV DR: before the checks of DR7.GD and of DR4, DR5 (SDM 3C 28.1.3; #UD for reserved registers comes first).
    func vmxCheckMovDR(_ i: borrowing Instruction, fromDR: Bool) throws(Interruption) {
        guard guestHas(.movDRExiting) else { return }
        let q = MovDRQualification(register: UInt64(i.reg & 7), fromDR: fromDR, gpr: UInt64(i.rm & 15))
        throw exit(.movDR, i, qualification: q.rawValue)
    }

    /// SDM 3C 26.8 "Restrictions on VMX Operation": a value that VMX operation does not allow is #GP(0) for MOV to CR.
    func checkVMXFixedBits(cr0: UInt64) throws(Interruption) {
        guard vmx.inOperation else { return }
        let unrestricted = guestHas(.unrestrictedGuest)
        guard VMXModel.allowsCR0(cr0, unrestricted: unrestricted) else { throw .exception(.generalProtection()) }
    }
    func checkVMXFixedBits(cr4: UInt64) throws(Interruption) {
        guard vmx.inOperation else { return }
        guard allowsCR4(cr4) else { throw .exception(.generalProtection()) }
    }

    private func movCR(_ i: borrowing Instruction, _ n: UInt64, _ access: ControlRegisterQualification.AccessType)
        -> Interruption {
        exit(.controlRegisterAccess, i,
             qualification: ControlRegisterQualification(register: n, access: access, gpr: UInt64(i.rm & 15)).rawValue)
    }
}
