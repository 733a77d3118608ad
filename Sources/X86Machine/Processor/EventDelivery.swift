import X86Architecture

/// An exception or interrupt on its way through the IDT.
struct DeliveredEvent {
    var vector: UInt8
    var kind: DeliveryKind
    var errorCode: UInt32?
    /// New CR2, page faults only.
    var faultingAddress: LinearAddress?
    /// What DR6 gets, debug exceptions only.
    var debugConditions: UInt64 = 0
    /// What is pushed as RIP.
    var returnRIP: UInt64
    /// Of INT n, INT3, INTO, INT1; for VM exits during delivery.
    var instructionLength: UInt32 = 0

    /// EXT of error codes of faults in the delivery: SDM 3A 6.13 "Error Code". Clear for INT n, INT3 and INTO.
    var external: UInt32 {
        switch kind {
        case .softwareInterrupt, .softwareException: 0
        default: SelectorErrorCode.external
        }
    }
    /// DPL of the gate is checked: INT n, INT3, INTO; not INT1.
    var checksGatePrivilege: Bool { external == 0 }

    /// Saved with RF set: faults, so that an instruction breakpoint does not repeat when they return
    /// (SDM 3B 17.3.1.1 "Instruction-Breakpoint Exception Condition").
    var savesResumeFlag: Bool {
        kind == .hardwareException && vector != Vector.debug && vector != Vector.machineCheck
    }

    /// SDM 3C 30.2.4 "Information for VM Exits During Event Delivery".
    var vectoringInformation: UInt32 {
        UInt32(vector) | UInt32(kind.rawValue) &<< 8 | (errorCode != nil ? 1 << 11 : 0) | 1 << 31
    }

    init(vector: UInt8, kind: DeliveryKind, errorCode: UInt32? = nil, returnRIP: UInt64, instructionLength: UInt32 = 0) {
        self.vector = vector; self.kind = kind; self.errorCode = errorCode
        self.returnRIP = returnRIP; self.instructionLength = instructionLength
    }
    init(_ e: Exception, returnRIP: UInt64) {
        vector = e.vector; kind = .hardwareException; errorCode = e.errorCode; faultingAddress = e.faultingAddress
        debugConditions = e.debugConditions
        self.returnRIP = returnRIP
    }
}

extension Processor {
    /// What an instruction (or a fetch) threw. RIP still points at the instruction.
    func handle(_ interruption: Interruption) {
        switch interruption {
        case .exception(let e): raise(e)
        case .vmExit(let cause): vmExit(cause)
        case .notModelled(let what):
            machine.stop(.notModelled("\(what) (processor \(index), rip \(hex(cpu.pointee.rip)))"))
        }
    }

    /// A hardware exception at the current RIP.
    func raise(_ e: Exception) {
        if let cause = exceptionExit(e) { return vmExit(cause) }
        deliver(DeliveredEvent(e, returnRIP: cpu.pointee.rip))
    }

    /// The VM exit that the exception bitmap asks for, if it does.
    private func exceptionExit(_ e: Exception, kind: DeliveryKind = .hardwareException) -> VMExitCause? {
        guard vmx.inNonRoot, interceptsException(e) else { return nil }
        var cause = VMExitCause(reason: ExitReason.exceptionOrNMI.rawValue)
        cause.interruptionInformation = UInt32(e.vector) | UInt32(kind.rawValue) &<< 8 | (e.errorCode != nil ? 1 << 11 : 0) | 1 << 31
        cause.interruptionErrorCode = e.errorCode ?? 0
        if e.vector == Vector.pageFault { cause.qualification = e.faultingAddress?.rawValue ?? 0 }
        if e.vector == Vector.debug { cause.qualification = e.debugConditions }
        return cause
    }

    /// Delivers an event, and what goes wrong in its delivery: serially, as a double fault, or as shutdown
    /// (SDM 3A 6.15 "Interrupt 8—Double Fault Exception (#DF)", table 6-5 "Conditions for Generating a Double Fault").
    func deliver(_ first: DeliveredEvent) {
        var event = first
        while true {
            do throws(Interruption) {
                try deliverThroughIDT(event)
                return
            } catch {
                switch error {
                case .notModelled: return handle(error)
                case .vmExit(var cause):
                    cause.vectoringInformation = event.vectoringInformation
                    cause.vectoringErrorCode = event.errorCode ?? 0
                    cause.instructionLength = event.instructionLength
                    return vmExit(cause)
                case .exception(let nested):
                    // SDM 3C 28.2: the bitmap is looked at for the nested exception before it becomes a double fault.
                    if var cause = exceptionExit(nested) {
                        cause.vectoringInformation = event.vectoringInformation
                        cause.vectoringErrorCode = event.errorCode ?? 0
                        cause.instructionLength = event.instructionLength
                        return vmExit(cause)
                    }
                    switch Self.combine(event, nested) {
                    case .serially: event = DeliveredEvent(nested, returnRIP: cpu.pointee.rip)
                    case .doubleFault:
                        let doubleFault = Exception(vector: Vector.doubleFault, errorCode: 0)
                        if let cause = exceptionExit(doubleFault) { return vmExit(cause) }
                        event = DeliveredEvent(doubleFault, returnRIP: cpu.pointee.rip)
                    case .shutdown: return tripleFault(event, nested)
                    }
                }
            }
        }
    }

    private enum Combination { case serially, doubleFault, shutdown }

    private static func combine(_ first: DeliveredEvent, _ second: Exception) -> Combination {
        guard first.kind == .hardwareException else { return .serially }
        if first.vector == Vector.doubleFault { return .shutdown }
        switch (isContributory(first.vector), first.vector == Vector.pageFault) {
        case (true, _): return isContributory(second.vector) ? .doubleFault : .serially
        case (_, true): return isContributory(second.vector) || second.vector == Vector.pageFault ? .doubleFault : .serially
        default: return .serially
        }
    }

    /// SDM 3A table 6-4 "Interrupt and Exception Classes": #DE, #TS, #NP, #SS, #GP (and #CP).
    private static func isContributory(_ vector: UInt8) -> Bool {
        vector == Vector.divideError || vector >= Vector.invalidTSS && vector <= Vector.generalProtection
            || vector == Vector.controlProtection
    }

    private func tripleFault(_ event: DeliveredEvent, _ last: Exception) {
        if vmx.inNonRoot { return vmExit(VMExitCause(reason: ExitReason.tripleFault.rawValue)) }
        system.activity = .shutdown
        machine.stop(.guestDied("triple fault on processor \(index) at rip \(hex(cpu.pointee.rip)): "
            + "vector \(last.vector) while a double fault was delivered"))
    }

    /// One attempt: everything, or a thrown fault with nothing changed but CR2, DR6 and DR7.
    private func deliverThroughIDT(_ event: DeliveredEvent) throws(Interruption) {
        if event.kind == .hardwareException {
            if let address = event.faultingAddress { system.cr2 = address.rawValue }
            if event.vector == Vector.debug { recordDebugException(event.debugConditions) }
        }
        let rip = cpu.pointee.rip, rsp = gpr(GPR.rsp)
        if !isProtectedMode {
            try deliverInRealMode(event)
        } else if isVirtual8086 {
            throw .notModelled("interrupt delivery in virtual-8086 mode")
        } else if isLongMode {
            try deliverInLongMode(event)
        } else {
            try deliverInProtectedMode(event)
        }
        system.activity = .active
        clearShadow()
        cpu.pointee.cycles &+= Self.deliveryCycles
        attend()
        if machine.eventMask.contains(.delivery) {
            machine.emit(.delivered(vector: event.vector, kind: event.kind, rip: LinearAddress(rip), rsp: rsp,
                                    frame: LinearAddress(gpr(GPR.rsp))), self)
        }
    }

    /// DR6 and DR7 on delivery of #DB: SDM 3B 17.2.3 "Debug Status Register (DR6)".
    private func recordDebugException(_ conditions: UInt64) {
        system.dr6 = system.dr6 & ~DR6.breakpoints | conditions & DR6.writable
        system.dr7 &= ~DR7.generalDetect
        system.debugCtl &= ~3
    }

    /// Table and stack accesses, pipeline drain: about what an exception costs on Haswell.
    private static let deliveryCycles: UInt64 = 100
}
