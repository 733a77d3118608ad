import X86Architecture

/// SDM 3C chapter 30 "VM Exits".
extension Processor {
    /// Leaves VMX non-root operation. `cpu.rip` is what the guest's RIP field gets: at the instruction that caused the
    /// exit, or at the next one for events between instructions.
    func vmExit(_ cause: VMExitCause) {
        precondition(vmx.inNonRoot, "VM exits come from VMX non-root operation")
        precondition(VMXModel.exitReasons.contains(cause.reason), "an exit reason that the model leaves out")
        let rip = LinearAddress(cpu.pointee.rip)
        let wasLongMode = isLongMode
        writeVMCS { v in
            recordExitInformation(v, cause)
            saveGuestState(v, cause)
        }
        let vmcs = self.vmcs
        if !storeMSRs(at: vmcs[.exitMSRStoreAddress], count: vmcs.u32(.exitMSRStoreCount)) {
            return vmxAbort(.savingGuestMSRs)
        }
        reportExit(cause, rip)
        finishExit(vmcs, causedByNMI: Self.isNMI(cause), wasLongMode: wasLongMode)
    }

    /// From the loading of host state on: what ordinary exits and failed entries (SDM 3C 29.8) share.
    func finishExit(_ vmcs: VMCS, causedByNMI: Bool = false, wasLongMode: Bool) {
        let virtualNMIs = vmx.controls.pin.contains(.virtualNMIs)
        leaveNonRoot()
        if wasLongMode && !ExitControls(vmcs.u32(.exitControls)).contains(.hostAddressSpaceSize) {
            return vmxAbort(.hostAddressSpaceSize)
        }
        guard loadHostState(vmcs) else { return vmxAbort(.hostPDPTEs) }
        // SDM 3C 30.5.5 "Updating Non-Register State". Virtual-NMI blocking ends with the guest.
        if causedByNMI { system.blockingByNMI = true } else if virtualNMIs { system.blockingByNMI = false }
        if loadMSRs(at: vmcs[.exitMSRLoadAddress], count: vmcs.u32(.exitMSRLoadCount)) != nil {
            return vmxAbort(.loadingHostMSRs)
        }
        cpu.pointee.cycles &+= Timing.haswell.vmExit
        modeChanged()
        attend()
    }

    private func reportExit(_ cause: VMExitCause, _ rip: LinearAddress) {
        if cause.reason == ExitReason.eptViolation.rawValue, machine.eventMask.contains(.eptViolation) {
            machine.emit(.eptViolation(address: cause.guestPhysicalAddress ?? GuestPhysicalAddress(0),
                                       qualification: cause.qualification, rip: rip), self)
        }
        if machine.eventMask.contains(.vmTransition) {
            machine.emit(.vmExit(reason: cause.reason, qualification: cause.qualification, rip: rip), self)
        }
    }

    private static func isNMI(_ cause: VMExitCause) -> Bool {
        let information = InterruptionInformation(cause.interruptionInformation)
        return cause.reason == ExitReason.exceptionOrNMI.rawValue && information.isValid && information.type == .nmi
    }

    /// Back in VMX root operation; SDM 3C 31.4.3.1 "Operations that Invalidate Cached Mappings": without "enable VPID"
    /// a VM exit drops what is cached for VPID 0000H.
    func leaveNonRoot() {
        if !vmx.controls.secondary.contains(.enableVPID) { invalidateVPID(0) }
        translationSpaceChanges()
        stopPreemptionTimer()
        vmx.inNonRoot = false
        vmx.eptEnabled = false
        vmx.eptp = EPTPointer(0)
        vmx.currentVPID = 0
        vmx.controls = VMXControls()
        vmx.pendingMTF = false
        vmx.mtfStart = nil
        vmx.iretUnblockedNMI = false
        vmx.apicAccessPage = VMXState.noAPICAccessPage
        vmx.pendingAPICWrite = nil
        vmx.trapLikeExit = nil
        vmx.virtualInterruptPending = false
        vmx.rvi = 0
        vmx.svi = 0
    }

    // MARK: Information fields

    /// SDM 3C 30.2 "Recording VM-Exit Information and Updating VM-Entry Control Fields". Fields that are undefined for
    /// an exit are cleared.
    private func recordExitInformation(_ v: VMCSWriter, _ cause: VMExitCause) {
        v.set(.exitReason, UInt64(cause.reason))
        v.set(.exitQualification, cause.qualification)
        v.set(.guestLinearAddress, cause.guestLinearAddress?.rawValue ?? 0)
        v.set(.guestPhysicalAddress, cause.guestPhysicalAddress?.rawValue ?? 0)
        v.set(.exitInterruptionInformation, UInt64(cause.interruptionInformation))
        v.set(.exitInterruptionErrorCode, UInt64(cause.interruptionErrorCode))
        v.set(.exitInstructionInformation, UInt64(cause.instructionInformation))
        v.set(.exitInstructionLength, UInt64(cause.instructionLength))
        v.set(.idtVectoringInformation, 0)
        v.set(.idtVectoringErrorCode, 0)
        if let event = vmx.delivery, isDuringDelivery(cause) {
            v.set(.idtVectoringInformation, UInt64(event.information.rawValue))
            v.set(.idtVectoringErrorCode, UInt64(event.errorCode))
            if cause.instructionLength == 0 { v.set(.exitInstructionLength, UInt64(event.instructionLength)) }
        }
        // The valid bit of the VM-entry interruption-information field is cleared on every VM exit.
        let injection = vmcs[.entryInterruptionInformation]
        v.set(.entryInterruptionInformation, injection & ~(1 << 31))
        // IA32_VMX_MISC[5]: VM exits store IA32_EFER.LMA into "IA-32e mode guest".
        let entry = vmcs[.entryControls] & ~UInt64(EntryControls.ia32eModeGuest.rawValue)
        v.set(.entryControls, isLongMode ? entry | UInt64(EntryControls.ia32eModeGuest.rawValue) : entry)
    }

    /// SDM 3C 30.2.4 "Information for VM Exits During Event Delivery": not for triple faults.
    private func isDuringDelivery(_ cause: VMExitCause) -> Bool { cause.reason != ExitReason.tripleFault.rawValue }

    // MARK: Guest state

    /// SDM 3C 30.3 "Saving Guest State".
    private func saveGuestState(_ v: VMCSWriter, _ cause: VMExitCause) {
        let controls = vmx.controls
        v.set(.guestCR0, system.cr0)
        v.set(.guestCR3, system.cr3)
        v.set(.guestCR4, system.cr4)
        v.set(.guestSysenterCS, system.sysenterCS & 0xFFFF_FFFF)
        v.set(.guestSysenterESP, system.sysenterESP)
        v.set(.guestSysenterEIP, system.sysenterEIP)
        if controls.exit.contains(.saveDebugControls) {
            v.set(.guestDR7, system.dr7)
            v.set(.guestDebugCtl, system.debugCtl)
        }
        if controls.exit.contains(.savePAT) { v.set(.guestPAT, system.pat) }
        if controls.exit.contains(.saveEFER) { v.set(.guestEFER, system.efer) }
        saveSegments(v)
        v.set(.guestRSP, gpr(GPR.rsp))
        v.set(.guestRIP, cpu.pointee.rip)
        v.set(.guestRFLAGS, savedRFLAGS(cause))
        saveNonRegisterState(v, cause)
        if controls.exit.contains(.savePreemptionTimer) { v.set(.preemptionTimerValue, preemptionTimerRemaining) }
        if vmx.eptEnabled && isPaging && !isLongMode && system.cr4 & CR4.physicalAddressExtension != 0 {
            v.set(.guestPDPTE0, system.pdptes[0])
            v.set(.guestPDPTE1, system.pdptes[1])
            v.set(.guestPDPTE2, system.pdptes[2])
            v.set(.guestPDPTE3, system.pdptes[3])
        }
    }

    /// SDM 3C 30.3.2 "Saving Segment Registers and Descriptor-Table Registers". SS.DPL is the CPL, usable or not.
    private func saveSegments(_ v: VMCSWriter) {
        for n in 0..<8 {
            let fields = EntryChecks.segmentRegisters[n]
            let s = system.segments[n]
            var access = s.access
            if n == SegmentIndex.ss {
                access = access & ~AccessRights.privilege | UInt32(system.cpl) << AccessRights.privilegeShift
            }
            v.set(fields.selector, UInt64(s.selector))
            v.set(fields.base, s.base)
            v.set(fields.limit, UInt64(s.limit))
            v.set(fields.rights, UInt64(access))
        }
        v.set(.guestGDTRBase, system.gdtr.base)
        v.set(.guestGDTRLimit, UInt64(system.gdtr.limit))
        v.set(.guestIDTRBase, system.idtr.base)
        v.set(.guestIDTRLimit, UInt64(system.idtr.limit))
    }

    /// SDM 3C 30.3.3 "Saving RIP, RSP, RFLAGS, and SSP": what becomes of RF.
    private func savedRFLAGS(_ cause: VMExitCause) -> UInt64 {
        let flags = rflags
        let reason = ExitReason(rawValue: cause.reason)
        if reason == .tripleFault { return flags }
        if let event = vmx.delivery { return event.savedRF ? flags | RFLAGS.resume : flags }
        switch reason {
        case .exceptionOrNMI:
            // As the image that delivery would have pushed: set for faults.
            let event = InterruptionInformation(cause.interruptionInformation)
            let isFault = event.type == .hardwareException && event.vector != Vector.debug
                && event.vector != Vector.machineCheck
            return isFault ? flags | RFLAGS.resume : flags
        case .apicAccess, .eptViolation, .eptMisconfiguration, .pageModificationLogFull: return flags | RFLAGS.resume
        default: return cause.instructionLength > 0 ? flags & ~RFLAGS.resume : flags
        }
    }

    /// SDM 3C 30.3.4 "Saving Non-Register State".
    private func saveNonRegisterState(_ v: VMCSWriter, _ cause: VMExitCause) {
        v.set(.guestActivityState, UInt64(system.activity.rawValue))
        var state = InterruptibilityState(0)
        if system.blockingBySTI { state.insert(.blockingBySTI) }
        if system.blockingByMOVSS { state.insert(.blockingByMOVSS) }
        if system.blockingByNMI { state.insert(.blockingByNMI) }
        v.set(.guestInterruptibilityState, UInt64(state.rawValue))
        v.set(.guestPendingDebugExceptions, savedPendingDebug(cause).rawValue)
        if vmx.controls.secondary.contains(.virtualInterruptDelivery) {
            v.set(.guestInterruptStatus, UInt64(vmx.svi) << 8 | UInt64(vmx.rvi))
        }
    }

    /// Clear except for INIT, MTF, exits of the virtual APIC between instructions, and while MOV SS holds back debug
    /// exceptions.
    private func savedPendingDebug(_ cause: VMExitCause) -> PendingDebugExceptions {
        let reason = ExitReason(rawValue: cause.reason)
        let isDebug = reason == .exceptionOrNMI
            && InterruptionInformation(cause.interruptionInformation).vector == Vector.debug
        let isKept = switch reason {
        case .initSignal, .monitorTrapFlag, .tprBelowThreshold, .virtualizedEOI, .apicWrite: true
        default: system.blockingByMOVSS && !isDebug
        }
        guard isKept else {
            return PendingDebugExceptions(0)
        }
        var pending = PendingDebugExceptions(system.pendingDebug & DR6.breakpoints)
        for n in 0..<4 where pending.rawValue >> UInt64(n) & 1 != 0 && DR7.isEnabled(system.dr7, n) {
            pending.insert(.enabledBreakpoint)
        }
        if system.pendingDebug & DR6.singleStep != 0 { pending.insert(.singleStep) }
        return pending
    }

    // MARK: VMX abort

    /// SDM 3C 30.7 "VMX Aborts": the indicator is written into the region of the current VMCS, the processor shuts
    /// down.
    func vmxAbort(_ abort: VMXAbort) {
        vmx.abort = abort
        storeToRegion(vmx.currentVMCS, offset: UInt64(VMCS.abortOffset), abort.rawValue)
        system.activity = .shutdown
        machine.stop(.guestDied("VMX abort \(abort.rawValue) on processor \(index): \(abort.title)"))
    }
}
