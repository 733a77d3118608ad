import X86Architecture

/// SDM 3A 6.9 "Prioritization of Concurrent Events": what happens between two instructions.
extension Processor {
    /// Looks at everything that may be pending and does the first thing due. True: an event was delivered, a VM exit
    /// made or a processor started, so the next instruction is another one than before.
    ///
    /// On return `boundaryWork` says whether the next boundary has to be looked at, too: then exactly one instruction
    /// is to run before the next call (blocking by STI or MOV SS and RFLAGS.RF last for one instruction;
    /// breakpoints).
    @discardableResult
    func serviceBoundary() -> Bool {
        boundaryWork = false
        system.pendingDebug |= breakpointHits
        breakpointHits = 0
        expireShadow()
        do throws(Interruption) {
            guard try serviceEvents() else {
                if needsNextBoundary { attend() }
                return false
            }
        } catch {
            handle(error)
        }
        attend()
        return true
    }

    /// In the order of table 6-2 "Priority Among Concurrent Events", with the places that SDM 3C 28.2 "Other Causes
    /// of VM Exits" and 28.5 "Features Specific to VMX Non-Root Operation" give to VM exits.
    private func serviceEvents() throws(Interruption) -> Bool {
        try vmxBoundaryVirtualAPIC()
        if system.pendingINIT && !vmxBlocksINIT {
            system.pendingINIT = false
            try vmxCheckINIT()
            let isBootstrap = system.apicBase & APICBase.bsp != 0
            reset(.initialization)
            system.activity = isBootstrap ? .active : .waitForSIPI
            return true
        }
        if system.activity == .waitForSIPI {
            guard let vector = system.pendingSIPI else { return false }
            system.pendingSIPI = nil
            try vmxCheckSIPI(vector: vector)
            startUp(vector: vector)
            return true
        }
        system.pendingSIPI = nil
        // A VM entry can leave a guest in shutdown: NMIs and the VMX-preemption timer end it, external interrupts are
        // blocked (SDM 3C 29.7.2 "Activity State").
        let isShutdown = system.activity == .shutdown
        if isShutdown && !vmx.inNonRoot { return false }
        try vmxBoundaryMTF()
        // Traps of the instruction before; MOV SS and POP SS hold them back (SDM 3A 6.8.3).
        if system.pendingDebug & Self.debugConditions != 0 && !system.blockingByMOVSS && !isShutdown {
            let conditions = system.pendingDebug & Self.debugConditions
            system.pendingDebug = 0
            throw .exception(debugException(conditions))
        }
        try vmxBoundaryBeforeNMI()
        // SDM 3C 27.4.2 "Guest Non-Register State", blocking by STI: NMIs may be inhibited, too; on silicon they are.
        if system.pendingNMI && !system.blockingByMOVSS && !system.blockingBySTI && !nmiIsBlocked {
            system.pendingNMI = false
            try vmxCheckNMI()
            system.blockingByNMI = true
            deliver(DeliveredEvent(vector: Vector.nmi, kind: .nmi, returnRIP: cpu.pointee.rip))
            return true
        }
        try vmxBoundaryBeforeInterrupts()
        if !isShutdown, vmxDeliverVirtualInterrupt() { return true }
        if hasPendingInterrupt && !isShutdown {
            if try vmxCheckExternalInterrupt() { return true }
            if acceptsInterrupts {
                cpu.pointee.cycles &+= Timing.haswell.interruptAcknowledge
                deliver(DeliveredEvent(vector: acknowledgeInterrupt(), kind: .external, returnRIP: cpu.pointee.rip))
                return true
            }
        }
        // SDM 3A 6.8.3: MOV SS and POP SS inhibit instruction breakpoints on the next instruction as well.
        guard system.activity == .active, !system.blockingByMOVSS, let conditions = matchingBreakpoint() else {
            return false
        }
        throw .exception(debugException(conditions))
    }

    /// Maskable interrupts are neither masked by IF nor blocked for one instruction.
    var acceptsInterrupts: Bool {
        system.flags & RFLAGS.interrupt != 0 && !system.blockingBySTI && !system.blockingByMOVSS
    }

    private func debugException(_ conditions: UInt64) -> Exception {
        var e = Exception.debug
        e.debugConditions = conditions
        return e
    }

    /// DR6 bits of the pending-debug-exceptions field (SDM 3C 27.4.2 "Guest Non-Register State").
    private static let debugConditions: UInt64 = DR6.breakpoints | DR6.singleStep | DR6.accessDetected

    // MARK: What lasts for one instruction

    /// Blocking by STI and MOV SS, and RFLAGS.RF, end when the instruction after the one that set them has completed
    /// (SDM 3A 6.8.3; SDM 3B 17.3.1.1).
    private func expireShadow() {
        let now = cpu.pointee.instructions
        if system.blockingBySTI || system.blockingByMOVSS {
            if system.shadowBoundary == .max {
                system.shadowBoundary = now
            } else if system.shadowBoundary != now {
                clearShadow()
            }
        }
        if system.flags & RFLAGS.resume != 0 {
            if system.resumeBoundary == .max {
                system.resumeBoundary = now
            } else if system.resumeBoundary != now {
                system.flags &= ~RFLAGS.resume
                system.resumeBoundary = .max
            }
        } else {
            system.resumeBoundary = .max
        }
    }

    func clearShadow() {
        system.blockingBySTI = false
        system.blockingByMOVSS = false
    }

    private var needsNextBoundary: Bool {
        guard system.activity == .active else { return false }
        return system.blockingBySTI || system.blockingByMOVSS || system.flags & RFLAGS.resume != 0
            || system.pendingDebug & Self.debugConditions != 0 || hasExecutionBreakpoint || needsEveryBoundary
    }

    // MARK: Debug conditions

    /// An instruction that began with RFLAGS.TF = 1 has completed: SDM 3B 17.3.1.4 "Single-Step Exception Condition".
    /// To be called by execution; instructions that clear TF by entering a handler or the kernel do not trap.
    func singleStepCompleted() {
        if suppressesSingleStep {
            suppressesSingleStep = false
            return
        }
        system.pendingDebug |= DR6.singleStep
        attend()
    }
}
