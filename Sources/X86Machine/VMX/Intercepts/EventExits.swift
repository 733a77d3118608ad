import X86Architecture

/// Events that cause VM exits instead of being delivered: SDM 3C 28.2 "Other Causes of VM Exits".
/// Nothing happens outside VMX non-root operation.
extension Processor {
    /// An exception is about to be delivered (also one that arose while another event was being delivered, before it
    /// becomes a double fault): exits if the exception bitmap says so. Before CR2 or DR6 changes.
    ///
    /// `type`: hardware exception; INT3 and INTO are software exceptions, INT1 is a privileged one.
    /// `debugBits`: what a debug exception would set in DR6 (SDM 3C Table 30-1).
    func vmxCheckException(_ e: Exception, type: InterruptionInformation.EventType = .hardwareException,
                           instructionLength: UInt8 = 0, debugBits: UInt64 = 0) throws(Interruption) {
        guard vmx.inNonRoot, interceptsException(e) else { return }
        var cause = VMExitCause(.exceptionOrNMI)
        var information = InterruptionInformation(vector: e.vector, type: type, deliversErrorCode: e.errorCode != nil)
        if vmx.iretUnblockedNMI && vmx.delivery == nil && e.vector != Vector.doubleFault {
            information.rawValue |= InterruptionInformation.nmiUnblockingDueToIRET
        }
        cause.interruptionInformation = information.rawValue
        cause.interruptionErrorCode = e.errorCode ?? 0
        cause.instructionLength = instructionLength
        if e.vector == Vector.pageFault { cause.qualification = e.faultingAddress?.rawValue ?? 0 }
        if e.vector == Vector.debug { cause.qualification = debugBits }
        throw .vmExit(cause)
    }

    /// SDM 3C 27.6.3 "Exception Bitmap": page faults also by error code, with mask and match.
    private func interceptsException(_ e: Exception) -> Bool {
        let bit = vmx.controls.exceptionBitmap & (1 << UInt32(e.vector & 31)) != 0
        guard e.vector == Vector.pageFault else { return bit }
        let matches = (e.errorCode ?? 0) & vmx.controls.pageFaultMask == vmx.controls.pageFaultMatch
        return bit == matches
    }

    /// A triple fault: VM exit in VMX non-root operation.
    func vmxCheckTripleFault() throws(Interruption) {
        if vmx.inNonRoot { throw .vmExit(VMExitCause(.tripleFault)) }
    }

    /// An INIT signal arrived and is not blocked.
    func vmxCheckINIT() throws(Interruption) {
        if vmx.inNonRoot { throw .vmExit(VMExitCause(.initSignal)) }
    }
    /// INIT is blocked in VMX root operation (SDM 3C 26.8 "Restrictions on VMX Operation").
    var vmxBlocksINIT: Bool { vmx.inOperation && !vmx.inNonRoot }

    /// A SIPI arrived in the wait-for-SIPI state.
    func vmxCheckSIPI(vector: UInt8) throws(Interruption) {
        if vmx.inNonRoot { throw .vmExit(VMExitCause(.startupIPI, qualification: UInt64(vector))) }
    }

    /// Whether blocking by NMI holds back an NMI: with "NMI exiting" and "virtual NMIs" it does not
    /// (SDM 3C 27.6.1 "Pin-Based VM-Execution Controls").
    var nmiIsBlocked: Bool { system.blockingByNMI && !guestHas(.virtualNMIs) }

    /// An NMI is about to be delivered.
    func vmxCheckNMI() throws(Interruption) {
        guard guestHas(.nmiExiting) else { return }
        var cause = VMExitCause(.exceptionOrNMI)
        cause.interruptionInformation = InterruptionInformation(vector: Vector.nmi, type: .nmi).rawValue
        throw .vmExit(cause)
    }

    /// With "external-interrupt exiting" RFLAGS.IF does not hold back external interrupts: they exit (SDM 3C 28.2).
    /// Blocking by STI and by MOV SS holds them back as ever.
    var externalInterruptsExit: Bool { guestHas(.externalInterruptExiting) }

    /// An external interrupt is pending. "Acknowledge interrupt on exit" takes its vector from the controller.
    /// True: it was the notification of posted interrupts, and is dealt with.
    func vmxCheckExternalInterrupt() throws(Interruption) -> Bool {
        guard externalInterruptsExit else { return false }
        var cause = VMExitCause(.externalInterrupt)
        if vmx.controls.exit.contains(.acknowledgeInterruptOnExit) {
            let vector = acknowledgeInterrupt()
            if try processPostedInterrupts(vector: vector) { return true }
            cause.interruptionInformation
                = InterruptionInformation(vector: vector, type: .externalInterrupt).rawValue
        }
        throw .vmExit(cause)
    }

    // MARK: Instruction boundary

    /// SDM 3C 28.5.2 "Monitor Trap Flag": after INIT, before debug traps.
    ///
    /// With the control set every instruction boundary has to come here (`needsEveryBoundary`). The first boundary
    /// after VM entry only notes where the guest starts.
    func vmxBoundaryMTF() throws(Interruption) {
        guard vmx.inNonRoot, system.activity == .active || system.activity == .halted else { return }
        if !vmx.pendingMTF, guestHas(.monitorTrapFlag) {
            if let start = vmx.mtfStart {
                vmx.pendingMTF = cpu.pointee.instructions != start
            } else {
                vmx.mtfStart = cpu.pointee.instructions
            }
        }
        guard vmx.pendingMTF else { return }
        throw .vmExit(VMExitCause(.monitorTrapFlag))
    }

    /// The guest runs with the monitor trap flag: no instruction boundary may be skipped.
    var needsEveryBoundary: Bool { guestHas(.monitorTrapFlag) }

    /// An event has been delivered through the IDT: an MTF VM exit is pending before the handler's first instruction.
    func vmxEventDelivered() {
        vmx.delivery = nil
        if guestHas(.monitorTrapFlag) { vmx.pendingMTF = true; attend() }
    }

    /// VMX-preemption timer, then NMI window: after debug traps, before NMIs
    /// (SDM 3C 28.5.1 "VMX-Preemption Timer", 28.2 "Other Causes of VM Exits").
    func vmxBoundaryBeforeNMI() throws(Interruption) {
        guard vmx.inNonRoot, system.activity != .waitForSIPI else { return }
        if let deadline = vmx.preemptionDeadline, cpu.pointee.cycles >= deadline {
            throw .vmExit(VMExitCause(.preemptionTimerExpired))
        }
        if guestHas(.nmiWindowExiting), !system.blockingByNMI, !system.blockingByMOVSS {
            throw .vmExit(VMExitCause(.nmiWindow))
        }
    }

    /// Interrupt window: after NMIs, before external interrupts.
    func vmxBoundaryBeforeInterrupts() throws(Interruption) {
        guard guestHas(.interruptWindowExiting), system.flags & RFLAGS.interrupt != 0,
              !system.blockingBySTI, !system.blockingByMOVSS,
              system.activity == .active || system.activity == .halted else { return }
        throw .vmExit(VMExitCause(.interruptWindow))
    }
}
