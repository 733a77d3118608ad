import X86Architecture

/// From the IDT to the handler's first instruction: SDM 3A 6.12 "Exception and Interrupt Handling",
/// 6.14 "Exception and Interrupt Handling in 64-bit Mode", SDM 2A "INT n/INTO/INT3/INT1—Call to Interrupt Procedure".
extension Processor {
    /// SDM 3A 6.14.1 "64-Bit Mode IDT", 6.14.2 "64-Bit Mode Stack Frame", 6.14.5 "Interrupt Stack Table".
    func deliverInLongMode(_ event: DeliveredEvent) throws(Interruption) {
        let gate = try fetchGate(event, bytes: 16)
        let isInterrupt = gate.type == SystemDescriptorType.interruptGate
        guard isInterrupt || gate.type == SystemDescriptorType.trapGate, !gate.isCodeOrData else {
            throw gateFault(event)
        }
        try checkGate(gate, event)

        var (code, cpl) = try fetchHandler(gate, event)
        guard code.isLong, code.access & AccessRights.defaultBig == 0 else {
            throw selectorFault(Vector.generalProtection, gate.gateSelector, external: event.external)
        }
        let changesLevel = cpl != system.cpl
        var top = gpr(GPR.rsp)
        if gate.gateIST != 0 {
            // SDM 3A 8.7 "Task Management in 64-bit Mode", figure 8-11: IST1 is at 36.
            top = try loadTSS64(28 &+ gate.gateIST &* 8, event)
            cpu.pointee.cycles &+= Timing.haswell.istSwitch
        } else if changesLevel {
            top = try loadTSS64(4 &+ UInt64(cpl) &* 8, event)
        }
        top &= ~15
        let privilege: Privilege = cpl == 3 ? .user : .explicitSupervisor
        let bytes: UInt64 = event.errorCode == nil ? 40 : 48
        let frame = LinearAddress(top &- bytes)
        guard frame.isCanonical, LinearAddress(top &- 1).isCanonical else {
            throw .exception(.stackFault(event.external))
        }
        try markAccessed(&code)
        try probeWrite(frame, bytes: Int(bytes), privilege, stack: true)
        var at = frame
        if let errorCode = event.errorCode {
            try store(at, UInt64(errorCode), privilege, stack: true)
            at = at + 8
        }
        try store(at, event.returnRIP, privilege, stack: true)
        try store(at + 8, UInt64(system.segments[SegmentIndex.cs].selector), privilege, stack: true)
        try store(at + 16, savedFlags(event), privilege, stack: true)
        try store(at + 24, gpr(GPR.rsp), privilege, stack: true)
        try store(at + 32, UInt64(system.segments[SegmentIndex.ss].selector), privilege, stack: true)

        if changesLevel { system.segments[SegmentIndex.ss] = nullStackSegment(cpl: cpl) }
        setGPR(GPR.rsp, frame.rawValue)
        enterHandler(code, gate.gateSelector, cpl: cpl, rip: gate.gateOffset, masksInterrupts: isInterrupt)
    }

    /// SDM 3A 6.12.1 "Exception- or Interrupt-Handler Procedures".
    func deliverInProtectedMode(_ event: DeliveredEvent) throws(Interruption) {
        let gate = try fetchGate(event, bytes: 8)
        guard !gate.isCodeOrData else { throw gateFault(event) }
        let is32Bit: Bool, isInterrupt: Bool
        switch gate.type {
        case SystemDescriptorType.interruptGate: (is32Bit, isInterrupt) = (true, true)
        case SystemDescriptorType.trapGate: (is32Bit, isInterrupt) = (true, false)
        case SystemDescriptorType.interruptGate16: (is32Bit, isInterrupt) = (false, true)
        case SystemDescriptorType.trapGate16: (is32Bit, isInterrupt) = (false, false)
        case SystemDescriptorType.taskGate: throw .notModelled("task gates")
        default: throw gateFault(event)
        }
        try checkGate(gate, event)
        var (code, cpl) = try fetchHandler(gate, event)
        let target = is32Bit ? gate.gateOffset : gate.gateOffset16
        let unit: UInt64 = is32Bit ? 4 : 2
        let changesLevel = cpl != system.cpl
        var stack = system.segments[SegmentIndex.ss]
        var top = gpr(GPR.rsp)
        if changesLevel {
            let (selector, pointer) = try loadInnerStack(cpl, external: event.external)
            stack = try stackSegment(
                selector, cpl: cpl, vector: Vector.invalidTSS, external: event.external, to64Bit: false)
            top = pointer
        }
        let words = (changesLevel ? 5 : 3) + (event.errorCode == nil ? 0 : 1)
        let fault =
            changesLevel
            ? selectorFault(Vector.stackFault, stack.selector, external: event.external)
            : Interruption.exception(.stackFault(event.external))
        var push = try StackWriter(self, stack, top: top, unit: unit, words: words, cpl: cpl, fault: fault)
        try checkTarget(target, in: code, external: event.external)
        try markAccessed(&code)
        if changesLevel {
            try push.push(UInt64(system.segments[SegmentIndex.ss].selector))
            try push.push(gpr(GPR.rsp))
        }
        try push.push(savedFlags(event))
        try push.push(UInt64(system.segments[SegmentIndex.cs].selector))
        try push.push(event.returnRIP)
        if let errorCode = event.errorCode { try push.push(UInt64(errorCode)) }

        system.segments[SegmentIndex.ss] = stack
        setStackPointer(push.pointer, in: stack)
        enterHandler(code, gate.gateSelector, cpl: cpl, rip: target, masksInterrupts: isInterrupt)
    }

    /// SDM 3B 21.1.4 "Interrupt and Exception Handling" of real-address mode.
    func deliverInRealMode(_ event: DeliveredEvent) throws(Interruption) {
        let offset = UInt64(event.vector) &* 4
        guard offset &+ 3 <= UInt64(system.idtr.limit) else {
            throw .exception(Exception(vector: Vector.generalProtection))
        }
        let entry = try load(systemAddress(system.idtr.base &+ offset), as: UInt32.self, .supervisor)
        let stack = system.segments[SegmentIndex.ss]
        var push = try StackWriter(
            self, stack, top: gpr(GPR.rsp), unit: 2, words: 3, cpl: 0,
            fault: .exception(Exception(vector: Vector.stackFault)))
        try push.push(rflags)
        try push.push(UInt64(system.segments[SegmentIndex.cs].selector))
        try push.push(event.returnRIP)
        setStackPointer(push.pointer, in: stack)
        let selector = UInt16(truncatingIfNeeded: entry &>> 16)
        system.segments[SegmentIndex.cs].selector = selector
        system.segments[SegmentIndex.cs].base = UInt64(selector) &<< 4
        cpu.pointee.rip = UInt64(entry & 0xFFFF)
        system.flags &= ~(RFLAGS.interrupt | RFLAGS.trap | RFLAGS.resume | RFLAGS.alignmentCheck)
        modeChanged()
    }

    // MARK: Gates

    private func gateFault(_ event: DeliveredEvent, _ vector: UInt8 = Vector.generalProtection) -> Interruption {
        .exception(
            Exception(vector: vector, errorCode: UInt32(event.vector) &<< 3 | SelectorErrorCode.idt | event.external))
    }

    private func fetchGate(_ event: DeliveredEvent, bytes: UInt64) throws(Interruption) -> Descriptor {
        let offset = UInt64(event.vector) &* bytes
        guard offset &+ bytes &- 1 <= UInt64(system.idtr.limit) else { throw gateFault(event) }
        let address = systemAddress(system.idtr.base &+ offset)
        var gate = Descriptor(low: try load(address, as: UInt64.self, .supervisor), address: address)
        if bytes == 16 { gate.high = try load(address + 8, as: UInt64.self, .supervisor) & 0xFFFF_FFFF }
        return gate
    }

    private func checkGate(_ gate: Descriptor, _ event: DeliveredEvent) throws(Interruption) {
        if event.checksGatePrivilege && gate.dpl < system.cpl { throw gateFault(event) }
        guard gate.isPresent else { throw gateFault(event, Vector.segmentNotPresent) }
    }

    /// The handler's code segment and the privilege level it runs at.
    private func fetchHandler(_ gate: Descriptor, _ event: DeliveredEvent) throws(Interruption) -> (Descriptor, UInt8) {
        let selector = gate.gateSelector
        if isNull(selector) { throw .exception(.generalProtection(event.external)) }
        let code = try fetchDescriptor(selector, external: event.external)
        guard code.isCode, code.dpl <= system.cpl else {
            throw selectorFault(Vector.generalProtection, selector, external: event.external)
        }
        guard code.isPresent else { throw selectorFault(Vector.segmentNotPresent, selector, external: event.external) }
        return (code, code.isConformingCode ? system.cpl : code.dpl)
    }

    private func enterHandler(_ code: Descriptor, _ selector: UInt16, cpl: UInt8, rip: UInt64, masksInterrupts: Bool) {
        setCodeSegment(code, selector, cpl: cpl)
        cpu.pointee.rip = rip
        // SDM 3A 6.12.1.3 "Flag Usage By Exception- or Interrupt-Handler Procedure".
        var cleared = RFLAGS.trap | RFLAGS.nestedTask | RFLAGS.resume | RFLAGS.virtual8086
        if masksInterrupts { cleared |= RFLAGS.interrupt }
        system.flags &= ~cleared
        modeChanged()
    }

    private func savedFlags(_ event: DeliveredEvent) -> UInt64 {
        event.savesResumeFlag ? rflags | RFLAGS.resume : rflags
    }

    // MARK: Stacks from the TSS

    /// A stack pointer of the 64-bit TSS.
    private func loadTSS64(_ offset: UInt64, _ event: DeliveredEvent) throws(Interruption) -> UInt64 {
        let tr = system.segments[SegmentIndex.tr]
        guard offset &+ 7 <= UInt64(tr.limit) else {
            throw selectorFault(Vector.invalidTSS, tr.selector, external: event.external)
        }
        let pointer = try load(systemAddress(tr.base &+ offset), as: UInt64.self, .supervisor)
        guard LinearAddress(pointer).isCanonical else { throw .exception(.stackFault(event.external)) }
        return pointer
    }

    /// SS and ESP of an inner level from the 32-bit or 16-bit TSS, SDM 3A 8.2.1 "Task-State Segment (TSS)".
    func loadInnerStack(_ cpl: UInt8, external: UInt32) throws(Interruption) -> (UInt16, UInt64) {
        let tr = system.segments[SegmentIndex.tr]
        let is32Bit = tr.access & 8 != 0
        let offset = is32Bit ? 4 &+ UInt64(cpl) &* 8 : 2 &+ UInt64(cpl) &* 4
        guard offset &+ (is32Bit ? 5 : 3) <= UInt64(tr.limit) else {
            throw selectorFault(Vector.invalidTSS, tr.selector, external: external)
        }
        if is32Bit {
            let pointer = try load(systemAddress(tr.base &+ offset), as: UInt32.self, .supervisor)
            let selector = try load(systemAddress(tr.base &+ offset &+ 4), as: UInt16.self, .supervisor)
            return (selector, UInt64(pointer))
        }
        let pointer = try load(systemAddress(tr.base &+ offset), as: UInt16.self, .supervisor)
        let selector = try load(systemAddress(tr.base &+ offset &+ 2), as: UInt16.self, .supervisor)
        return (selector, UInt64(pointer))
    }
}
