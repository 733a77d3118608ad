import CMonitor

/// Every VM exit. The rule of the design (I4): which view is active decides. The kernel's instruction is carried out;
/// a domain's ends the domain.
@c(monitor_handle_exit)
func monitorHandleExit(registers: Registers, cpu: CPU) {
    let reason = UInt16(truncatingIfNeeded: VMCS[.exitReason])
    cpu.pointee.exits &+= 1
    if VMCS[.exitReason] & UInt64(ExitReasonField.entryFailure.rawValue) != 0 {
        fatal("VM entry failed (reason, qualification)", UInt64(reason), VMCS[.exitQualification])
    }
    let exit = VMExit(registers: registers, cpu: cpu)
    if let known = ExitReason(rawValue: reason) {
        exit.handle(known)
    } else {
        fatal("unknown exit reason", UInt64(reason))
    }
    exit.deliverPendingInterrupt()
    // Last: an NMI that comes later sees to it itself (entry.S).
    if cpu.pointee.nmi_pending != 0 { exit.requestNMIWindow() }
}

struct VMExit {
    let registers: Registers
    let cpu: CPU

    /// VMFUNC changes the EPT-pointer field, so the field tells who ran.
    var isFromKernel: Bool { VMCS[.eptPointer] == cpu.pointee.kernel_eptp }
    var privilegeLevel: UInt64 { VMCS[.guestSSAccessRights] >> 5 & 3 }

    func handle(_ reason: ExitReason) {
        switch reason {
        case .exceptionOrNMI:
            handleNMI()
        case .nmiWindow:
            injectNMI()
        case .externalInterrupt:
            handleExternalInterrupt()
        case .interruptWindow:
            break  // deliverPendingInterrupt, before the entry
        case .preemptionTimerExpired:
            VMCS[.preemptionTimerValue] = cpu.pointee.timer_period
            checkProgress()
        case .cpuid:
            handleCPUID()
        default:
            if !isFromKernel {
                terminate(cause(of: reason), detail: VMCS[.exitQualification])
            } else if privilegeLevel == 0 {
                emulate(reason)
            } else {
                refuse(reason)
            }
        }
    }

    /// Ring 3 of the kernel's view: what exits before the processor looks at the privilege level gets the fault that it
    /// would get without a monitor; the tables' registers are none of its business, as with CR4.UMIP.
    private func refuse(_ reason: ExitReason) {
        switch reason {
        case .gdtrOrIDTRAccess, .ldtrOrTRAccess:
            injectGeneralProtection()
        case .vmfunc, .getsec, .vmcall, .vmclear, .vmlaunch, .vmptrld, .vmptrst, .vmread, .vmresume, .vmwrite, .vmxoff,
            .vmxon, .invept, .invvpid:
            injectUndefinedOpcode()
        default:
            fatal("an exit of ring 3 that cannot be (reason, RIP)", UInt64(reason.rawValue), VMCS[.guestRIP])
        }
    }

    /// Behind the instruction that caused the exit. SDM 3C 29.3.2 "Loading Guest State": no STI or MOV SS blocking
    /// is left.
    func skipInstruction() {
        VMCS[.guestRIP] = VMCS[.guestRIP] &+ VMCS[.exitInstructionLength]
        VMCS[.guestInterruptibilityState] =
            VMCS[.guestInterruptibilityState]
            & ~UInt64((InterruptibilityState.blockingBySTI | .blockingByMOVSS).rawValue)
    }

    func inject(exception vector: UInt8, errorCode: UInt64? = nil) {
        let information = InterruptionInformation(
            vector: vector, type: .hardwareException, deliversErrorCode: errorCode != nil)
        VMCS[.entryInterruptionInformation] = UInt64(information.rawValue)
        if let errorCode { VMCS[.entryExceptionErrorCode] = errorCode }
    }
    func injectUndefinedOpcode() { inject(exception: 6) }
    func injectGeneralProtection() { inject(exception: 13, errorCode: 0) }

    private func cause(of reason: ExitReason) -> UInt64 {
        switch reason {
        case .eptViolation: UInt64(LVD_CAUSE_EPT_VIOLATION.rawValue)
        case .eptMisconfiguration: UInt64(LVD_CAUSE_EPT_MISCONFIGURATION.rawValue)
        case .vmfunc: UInt64(LVD_CAUSE_VMFUNC.rawValue)
        case .controlRegisterAccess: UInt64(LVD_CAUSE_CONTROL_REGISTER.rawValue)
        case .rdmsr, .wrmsr: UInt64(LVD_CAUSE_MSR.rawValue)
        case .ioInstruction: UInt64(LVD_CAUSE_IO.rawValue)
        case .gdtrOrIDTRAccess, .ldtrOrTRAccess: UInt64(LVD_CAUSE_DESCRIPTOR_TABLE.rawValue)
        case .movDR: UInt64(LVD_CAUSE_DEBUG_REGISTER.rawValue)
        case .xsetbv: UInt64(LVD_CAUSE_XSETBV.rawValue)
        case .tripleFault: UInt64(LVD_CAUSE_TRIPLE_FAULT.rawValue)
        case .vmcall, .vmclear, .vmlaunch, .vmptrld, .vmptrst, .vmread, .vmresume, .vmwrite, .vmxoff, .vmxon, .invept,
            .invvpid:
            UInt64(LVD_CAUSE_VMX_INSTRUCTION.rawValue)
        default: UInt64(LVD_CAUSE_OTHER_EXIT.rawValue)
        }
    }

    // MARK: NMI

    /// The only exit for reason 0: the exception bitmap is 0.
    private func handleNMI() {
        cpu.pointee.nmi_pending = 1
        requestNMIWindow()
    }

    func requestNMIWindow() {
        VMCS[.processorBasedControls] |= UInt64(ProcessorBasedControls.nmiWindowExiting.rawValue)
    }

    private func injectNMI() {
        VMCS[.processorBasedControls] &= ~UInt64(ProcessorBasedControls.nmiWindowExiting.rawValue)
        cpu.pointee.nmi_pending = 0
        VMCS[.entryInterruptionInformation] = UInt64(InterruptionInformation(vector: 2, type: .nmi).rawValue)
    }

    // MARK: Liveness (A7)

    private func checkProgress() {
        let progress = memory_read64(cpu.pointee.state_page + UInt64(STATE_PROGRESS))
        if isFromKernel || progress != cpu.pointee.last_progress {
            cpu.pointee.last_progress = progress
            cpu.pointee.expirations_without_progress = 0
            return
        }
        cpu.pointee.expirations_without_progress += 1
        if cpu.pointee.expirations_without_progress >= Policy.patience {
            terminate(UInt64(LVD_CAUSE_NO_PROGRESS.rawValue), detail: progress)
        }
    }

    // MARK: The end of a domain

    /// Upcall: the kernel's view and root again, its entry point for violations, its segments, interrupts off. The
    /// kernel takes its stack pointer and GS from the state page, unwinds the crossing and disposes of the domain.
    func terminate(_ cause: UInt64, detail: UInt64) {
        registers.pointee.rdi = cause
        registers.pointee.rsi = detail
        registers.pointee.rdx = VMCS[.guestRIP]
        registers.pointee.rcx = VMCS[.guestPhysicalAddress]
        registers.pointee.r8 = VMCS[.idtVectoringInformation]
        if cpu.pointee.upcall_entry == 0 { fatal("a violation, but no upcall entry", cause, detail) }
        cpu.pointee.expirations_without_progress = 0

        VMCS[.eptPointer] = cpu.pointee.kernel_eptp
        // The domain may have loaded a CR3-target value: in the kernel's view another process, or nothing any more.
        VMCS[.guestCR3] = memory_read64(cpu.pointee.state_page + UInt64(STATE_CR3))
        GuestSegments.write(cpu)
        VMCS[.guestRIP] = cpu.pointee.upcall_entry
        VMCS[.guestRSP] = memory_read64(cpu.pointee.state_page + UInt64(STATE_KERNEL_ESP))
        VMCS[.guestRFLAGS] = RFLAGS.alwaysOne
        VMCS[.guestInterruptibilityState] = 0
        VMCS[.guestActivityState] = 0
        VMCS[.guestPendingDebugExceptions] = 0
        VMCS[.entryInterruptionInformation] = 0
    }
}
