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
    var instructionLength: UInt8 = 0
    /// By VM entry: CR2, DR6, DR7 and the saved RF stay as the monitor set them (SDM 3C 29.6.1 "Vectored-Event
    /// Injection").
    var isInjected = false

    /// EXT of error codes of faults in the delivery: SDM 3A 6.13 "Error Code". Clear for INT n, INT3 and INTO.
    var external: UInt32 {
        switch kind {
        case .softwareInterrupt, .softwareException: 0
        default: SelectorErrorCode.external
        }
    }
    /// DPL of the gate is checked: INT n, INT3, INTO; not INT1.
    var checksGatePrivilege: Bool { external == 0 }

    /// #DB from a debug condition or INT1; INT 1 only shares the vector.
    var isDebugException: Bool {
        vector == Vector.debug && (kind == .hardwareException || kind == .privilegedSoftwareException)
    }

    /// Saved with RF set: faults, so that an instruction breakpoint does not repeat when they return
    /// (SDM 3B 17.3.1.1 "Instruction-Breakpoint Exception Condition").
    var savesResumeFlag: Bool {
        kind == .hardwareException && vector != Vector.debug && vector != Vector.machineCheck && !isInjected
    }

    /// What VM exits during the delivery report.
    var vectoring: EventDelivery {
        EventDelivery(
            information: InterruptionInformation(
                vector: vector, type: .init(rawValue: kind.rawValue) ?? .hardwareException,
                deliversErrorCode: errorCode != nil),
            errorCode: errorCode ?? 0, instructionLength: instructionLength, savedRF: savesResumeFlag)
    }

    init(vector: UInt8, kind: DeliveryKind, errorCode: UInt32? = nil, returnRIP: UInt64, instructionLength: UInt8 = 0) {
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
        breakpointHits = 0
        switch interruption {
        case .exception(let e): raise(e)
        case .vmExit(let cause):
            if convertsToException(cause) { raise(.virtualization) } else { vmExit(cause) }
        case .shutdown: break
        case .notModelled(let what):
            machine.stop(.notModelled("\(what) (processor \(index), rip \(hex(cpu.pointee.rip)))"))
        }
    }

    /// A hardware exception at the current RIP.
    func raise(_ e: Exception) {
        do throws(Interruption) {
            try vmxCheckException(e, debugBits: e.debugConditions)
        } catch {
            return handle(error)
        }
        deliver(DeliveredEvent(e, returnRIP: cpu.pointee.rip))
    }

    /// Delivers an event, and what goes wrong in its delivery: serially, as a double fault, or as shutdown
    /// (SDM 3A 6.15 "Interrupt 8—Double Fault Exception (#DF)", table 6-5 "Conditions for Generating a Double Fault").
    func deliver(_ first: DeliveredEvent) {
        var event = first
        while true {
            vmx.delivery = event.vectoring
            do throws(Interruption) {
                try deliverThroughIDT(event)
                return vmxEventDelivered()
            } catch {
                guard case .exception(let nested) = error else { return endDelivery(error) }
                do throws(Interruption) {
                    event = try follow(event, nested)
                } catch {
                    return endDelivery(error)
                }
            }
        }
    }

    /// A VM exit or a stop instead of the delivery: only the former reports it as IDT-vectoring information.
    private func endDelivery(_ interruption: Interruption) {
        handle(interruption)
        vmx.delivery = nil
    }

    /// What is delivered instead of `event`, in whose delivery `nested` arose.
    private func follow(_ event: DeliveredEvent, _ nested: Exception) throws(Interruption) -> DeliveredEvent {
        // SDM 3C 28.2: the bitmap is looked at for the nested exception before it becomes a double fault.
        try vmxCheckException(nested, debugBits: nested.debugConditions)
        // A page fault loads CR2 even if it is then reported as a double fault (SDM 3A 6.15 "Interrupt 14").
        if let address = nested.faultingAddress { system.cr2 = address.rawValue }
        switch Self.combine(event, nested) {
        case .serially:
            return DeliveredEvent(nested, returnRIP: cpu.pointee.rip)
        case .doubleFault:
            // An exit for the double fault itself is not one during delivery (SDM 3C 30.2.4).
            vmx.delivery = nil
            let doubleFault = Exception(vector: Vector.doubleFault, errorCode: 0)
            try vmxCheckException(doubleFault)
            return DeliveredEvent(doubleFault, returnRIP: cpu.pointee.rip)
        case .shutdown:
            vmx.delivery = nil
            try vmxCheckTripleFault()
            system.activity = .shutdown
            let place = "processor \(index), rip \(hex(cpu.pointee.rip))"
            machine.stop(
                .guestDied("triple fault (\(place)): vector \(nested.vector) in the delivery of a double fault"))
            throw .shutdown
        }
    }

    private enum Combination { case serially, doubleFault, shutdown }

    private static func combine(_ first: DeliveredEvent, _ second: Exception) -> Combination {
        guard first.kind == .hardwareException else { return .serially }
        if first.vector == Vector.doubleFault { return .shutdown }
        // SDM 3C 28.5.8.3 "Delivery of Virtualization Exceptions": of the same severity as page faults.
        let isPageFault = first.vector == Vector.pageFault || first.vector == Vector.virtualization
        switch (isContributory(first.vector), isPageFault) {
        case (true, _): return isContributory(second.vector) ? .doubleFault : .serially
        case (_, true):
            return isContributory(second.vector) || second.vector == Vector.pageFault ? .doubleFault : .serially
        default: return .serially
        }
    }

    /// SDM 3A table 6-4 "Interrupt and Exception Classes": #DE, #TS, #NP, #SS, #GP (and #CP).
    private static func isContributory(_ vector: UInt8) -> Bool {
        vector == Vector.divideError || vector >= Vector.invalidTSS && vector <= Vector.generalProtection
            || vector == Vector.controlProtection
    }

    /// One attempt: everything, or a thrown fault with nothing changed but CR2, DR6 and DR7.
    private func deliverThroughIDT(_ event: DeliveredEvent) throws(Interruption) {
        if event.kind == .hardwareException && !event.isInjected {
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
        // A single-step trap that MOV SS held back is lost with TF; breakpoints stay pending, unless this is a #DB.
        system.pendingDebug = event.isDebugException ? 0 : system.pendingDebug & ~DR6.singleStep
        vmx.iretUnblockedNMI = false
        cpu.pointee.cycles &+= Timing.haswell.interruptDelivery
        attend()
        if machine.eventMask.contains(.delivery) {
            machine.emit(
                .delivered(
                    vector: event.vector, kind: event.kind, rip: LinearAddress(rip), rsp: rsp,
                    frame: LinearAddress(gpr(GPR.rsp))), self)
        }
    }

    /// DR6 and DR7 on delivery of #DB: SDM 3B 17.2.3 "Debug Status Register (DR6)".
    private func recordDebugException(_ conditions: UInt64) {
        system.dr6 = system.dr6 & ~DR6.breakpoints | conditions & DR6.writable
        system.dr7 &= ~DR7.generalDetect
        system.debugCtl &= ~3
    }
}
