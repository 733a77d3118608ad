import X86Architecture
import X86Decoder

/// SDM 3C chapter 29 "VM Entries".
extension Processor {
    /// VMLAUNCH and VMRESUME, after the checks of the instruction itself: everything from the checks of the VMCS on.
    /// Throws only what stops the run.
    func vmEnter(launch: Bool, _ i: borrowing Instruction) throws(Interruption) {
        vmx.entryFailure = nil
        let checks = EntryChecks(self)
        let launchedRIP = LinearAddress(cpu.pointee.rip)
        if !engine.passedEntry.covers(checks) {
            engine.passedEntry.forget()
            guard passes(checks, launchedRIP) else { return }
            engine.passedEntry.record(checks)
        }
        if checks.isVirtual8086 { throw .notModelled("VM entry to virtual-8086 mode") }
        let vmcs = self.vmcs
        enterNonRoot(checks)
        loadGuestState(checks)
        if let number = loadMSRs(at: vmcs[.entryMSRLoadAddress], count: vmcs.u32(.entryMSRLoadCount)) {
            return failEntry(.entryFailureMSRLoading, number, launchedRIP)
        }
        if launch { setLaunchState(vmx.currentVMCS, launched: true) }
        cpu.pointee.cycles &+= Timing.haswell.vmEntry
        startPreemptionTimer(vmcs)
        modeChanged()
        attend()
        if machine.eventMask.contains(.vmTransition) {
            machine.emit(.vmEntry(rip: LinearAddress(cpu.pointee.rip), eptp: vmx.eptEnabled ? vmx.eptp.rawValue : 0),
                         self)
        }
        enterVirtualAPIC(vmcs)
        inject(checks.injection, vmcs)
        // What runs next is where the guest (or, if the injection ended in a VM exit, the host) is now.
        nextRIP = cpu.pointee.rip
    }

    private func noteFailure(_ failure: VMEntryCheckFailure) {
        vmx.entryFailure = failure
        guard machine.eventMask.contains(.vmTransition) else { return }
        machine.emit(.vmEntryFailure(failure, rip: LinearAddress(cpu.pointee.rip)), self)
    }

    /// All checks, in order. False: the entry has failed, and how was reported.
    private func passes(_ checks: EntryChecks, _ launchedRIP: LinearAddress) -> Bool {
        if let failure = checks.run(EntryChecks.controlChecks) {
            noteFailure(failure)
            vmFailValid(.entryInvalidControlFields)
            return false
        }
        if let failure = checks.run(EntryChecks.hostStateChecks) {
            noteFailure(failure)
            vmFailValid(.entryInvalidHostState)
            return false
        }
        // A VM entry that fails from here on is reported like a VM exit, and has not changed the launch state.
        for group in [EntryChecks.guestRegisterChecks, EntryChecks.guestSegmentChecks,
                      EntryChecks.guestTableAndFlagChecks, EntryChecks.guestNonRegisterChecks] {
            if let failure = checks.run(group) {
                noteFailure(failure)
                failEntry(.entryFailureInvalidGuestState, failure.qualification.rawValue, launchedRIP)
                return false
            }
        }
        return true
    }

    /// SDM 3C 29.8 "VM-Entry Failures During or After Loading Guest State".
    private func failEntry(_ reason: ExitReason, _ qualification: UInt64, _ rip: LinearAddress) {
        let field = UInt32(reason.rawValue) | ExitReasonField.entryFailure.rawValue
        writeVMCS { v in
            v.set(.exitReason, UInt64(field))
            v.set(.exitQualification, qualification)
        }
        if machine.eventMask.contains(.vmTransition) {
            machine.emit(.vmExit(reason: reason.rawValue, qualification: qualification, rip: rip), self)
        }
        finishExit(vmcs, wasLongMode: false)
        nextRIP = cpu.pointee.rip
    }

    // MARK: Controls

    /// What the controls make of the processor: SDM 3C 31.4 "Caching Translation Information" for the tags.
    private func enterNonRoot(_ c: EntryChecks) {
        let v = c.vmcs
        var controls = VMXControls()
        controls.pin = c.pin
        controls.processor = c.processor
        controls.secondary = c.secondary
        controls.exit = c.exit
        controls.exceptionBitmap = v.u32(.exceptionBitmap)
        controls.pageFaultMask = v.u32(.pageFaultErrorCodeMask)
        controls.pageFaultMatch = v.u32(.pageFaultErrorCodeMatch)
        controls.cr0Mask = v[.cr0GuestHostMask]
        controls.cr0Shadow = v[.cr0ReadShadow]
        controls.cr4Mask = v[.cr4GuestHostMask]
        controls.cr4Shadow = v[.cr4ReadShadow]
        controls.cr3TargetCount = v.u32(.cr3TargetCount)
        controls.cr3Targets = [v[.cr3TargetValue0], v[.cr3TargetValue1], v[.cr3TargetValue2], v[.cr3TargetValue3]]
        controls.ioBitmapA = v[.ioBitmapA]
        controls.ioBitmapB = v[.ioBitmapB]
        controls.msrBitmaps = v[.msrBitmaps]
        controls.tscOffset = v[.tscOffset]
        controls.virtualAPICAddress = v[.virtualAPICAddress]
        controls.tprThreshold = v.u32(.tprThreshold)
        controls.eoiExitBitmap = [v[.eoiExitBitmap0], v[.eoiExitBitmap1], v[.eoiExitBitmap2], v[.eoiExitBitmap3]]
        controls.postedInterruptDescriptor = v[.postedInterruptDescriptorAddress]
        controls.notificationVector = UInt8(truncatingIfNeeded: v[.postedInterruptNotificationVector])
        controls.tscMultiplier = v[.tscMultiplier]
        controls.pmlAddress = v[.pmlAddress]
        controls.vmreadBitmap = v[.vmreadBitmapAddress]
        controls.vmwriteBitmap = v[.vmwriteBitmapAddress]
        controls.linkPointer = v[.vmcsLinkPointer]
        controls.pleGap = v[.pleGap]
        controls.pleWindow = v[.pleWindow]
        if c.secondary.contains(.enableVMFunctions) {
            controls.vmFunctions = VMFunctionControls(v[.vmFunctionControls])
            controls.eptpList = v[.eptpListAddress]
        }
        controls.exceptionInformation = v[.virtualizationExceptionInformationAddress]
        vmx.controls = controls
        vmx.inNonRoot = true
        vmx.eptEnabled = c.secondary.contains(.enableEPT)
        vmx.eptp = EPTPointer(vmx.eptEnabled ? v[.eptPointer] : 0)
        vmx.currentVPID = c.secondary.contains(.enableVPID) ? v.u16(.virtualProcessorIdentifier) : 0
        vmx.pendingMTF = false
        vmx.mtfStart = nil
        vmx.delivery = nil
        vmx.pauseLoop = nil
        vmx.iretUnblockedNMI = false
        if !c.secondary.contains(.enableVPID) { invalidateVPID(0) }
        translationSpaceChanges()
    }

    // MARK: Guest state

    /// SDM 3C 29.3.2 "Loading Guest State".
    private func loadGuestState(_ c: EntryChecks) {
        let v = c.vmcs
        let old = (system.cr0, system.cr3, system.cr4)
        // ET, CD, NW and reserved bits keep their values.
        let kept = CR0.cacheDisable | CR0.notWriteThrough | CR0.extensionType
        system.cr0 = v[.guestCR0] & CR0.writable & ~kept | system.cr0 & kept
        system.cr3 = v[.guestCR3] & physicalMask
        system.cr4 = v[.guestCR4]
        reportControlRegisters(old)
        if c.entry.contains(.loadDebugControls) {
            system.dr7 = v[.guestDR7] & DR7.writable | DR7.alwaysOne
            system.debugCtl = v[.guestDebugCtl]
        }
        system.sysenterCS = v[.guestSysenterCS]
        system.sysenterESP = v[.guestSysenterESP]
        system.sysenterEIP = v[.guestSysenterEIP]
        if c.entry.contains(.loadPAT) { system.pat = v[.guestPAT] }
        loadGuestEFER(c)
        loadGuestSegments(v)
        cpu.pointee.rip = v[.guestRIP]
        setGPR(GPR.rsp, v[.guestRSP])
        rflags = v[.guestRFLAGS]
        if c.usesPAEPaging {
            for n in 0..<4 { system.pdptes[n] = c.pdpte(n) }
        }
        loadNonRegisterState(c)
    }

    /// Without "load IA32_EFER" LMA and LME follow "IA-32e mode guest" (LME stays if CR0.PG is 0).
    private func loadGuestEFER(_ c: EntryChecks) {
        if c.entry.contains(.loadEFER) {
            system.efer = c.vmcs[.guestEFER]
            return
        }
        system.efer = c.ia32eGuest ? system.efer | EFER.longModeActive : system.efer & ~EFER.longModeActive
        if c.guestCR0 & CR0.paging != 0 {
            system.efer = c.ia32eGuest ? system.efer | EFER.longModeEnable : system.efer & ~EFER.longModeEnable
        }
    }

    /// SDM 3C 29.3.2.2 "Loading Guest Segment Registers and Descriptor-Table Registers". SS.DPL is the CPL.
    private func loadGuestSegments(_ v: VMCS) {
        for n in 0..<8 {
            let fields = EntryChecks.segmentRegisters[n]
            system.segments[n] = Segment(selector: v.u16(fields.selector), base: v[fields.base],
                                         limit: v.u32(fields.limit), access: v.u32(fields.rights))
        }
        system.gdtr = DescriptorTable(base: v[.guestGDTRBase], limit: v.u16(.guestGDTRLimit))
        system.idtr = DescriptorTable(base: v[.guestIDTRBase], limit: v.u16(.guestIDTRLimit))
        system.cpl = UInt8(SegmentAccessRights(v.u32(.guestSSAccessRights)).dpl)
    }

    /// SDM 3C 29.7 "Special Features of VM Entry": interruptibility, activity, pending debug exceptions.
    private func loadNonRegisterState(_ c: EntryChecks) {
        let state = c.interruptibility
        system.blockingBySTI = state.contains(.blockingBySTI)
        system.blockingByMOVSS = state.contains(.blockingByMOVSS)
        system.blockingByNMI = state.contains(.blockingByNMI)
        system.activity = ActivityState(rawValue: c.vmcs.u32(.guestActivityState)) ?? .active
        // B0 to B3 alone do not cause an exception: bit 12 or BS has to be set (29.7.3 "Delivery of Pending Debug
        // Exceptions after VM Entry"). An injected event takes their place.
        let pending = PendingDebugExceptions(c.vmcs[.guestPendingDebugExceptions])
        system.pendingDebug = 0
        if pending.contains(.enabledBreakpoint) || pending.contains(.singleStep), !c.injection.isValid {
            system.pendingDebug = pending.rawValue & DR6.breakpoints
            if pending.contains(.singleStep) { system.pendingDebug |= DR6.singleStep }
        }
    }

    // MARK: Event injection

    /// SDM 3C 29.6 "Event Injection": the event is delivered through the guest's IDT as part of the entry.
    private func inject(_ information: InterruptionInformation, _ vmcs: VMCS) {
        guard information.isValid else { return }
        if information.type == .otherEvent {
            vmx.pendingMTF = true
            return
        }
        let length = UInt8(truncatingIfNeeded: vmcs[.entryInstructionLength])
        let hasLength = information.type == .softwareInterrupt || information.type == .softwareException
            || information.type == .privilegedSoftwareException
        let kind = DeliveryKind(rawValue: information.type.rawValue) ?? .hardwareException
        // Software events return to the instruction after theirs.
        let returnRIP = cpu.pointee.rip &+ (hasLength ? UInt64(length) : 0)
        var event = DeliveredEvent(vector: information.vector, kind: kind,
                                   errorCode: information.hasErrorCode ? vmcs.u32(.entryExceptionErrorCode) : nil,
                                   returnRIP: returnRIP, instructionLength: hasLength ? length : 0)
        event.isInjected = true
        if information.type == .nmi { system.blockingByNMI = true }
        system.activity = .active
        deliver(event)
    }
}
