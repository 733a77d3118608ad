import X86Architecture
import X86Decoder

/// Far JMP, CALL and RET: SDM 2A "CALL—Call Procedure", "JMP—Jump", 2B "RET—Return From Procedure";
/// SDM 3A 5.8 "Privilege Level Checking When Transferring Program Control Between Code Segments".
extension SystemInstructions {
    static func jumpFar(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        let (offset, selector) = try target(p, i)
        guard p.isProtectedMode, !p.isVirtual8086 else { return try p.jumpReal(offset, selector) }
        if isNull(selector) { throw .exception(.generalProtection()) }
        let d = try p.fetchDescriptor(selector)
        if d.isCodeOrData {
            let code = try p.checkDirectTransfer(d, selector)
            try p.jump(to: code, selector, p.offset(offset, in: code))
            return
        }
        let gate = try p.checkCallGate(d, selector)
        let (code, cpl) = try p.checkGateTarget(gate, isCall: false)
        precondition(cpl == p.system.cpl)
        try p.jump(to: code, gate.gateSelector, p.gateTarget(gate))
    }

    static func callFar(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        let (offset, selector) = try target(p, i)
        let size = UInt64(i.operandSize), returnRIP = p.ripAfter(i)
        if !p.isProtectedMode || p.isVirtual8086 {
            guard offset <= UInt64(p.system.segments[SegmentIndex.cs].limit) else {
                throw .exception(.generalProtection())
            }
            try p.pushFarReturn(returnRIP, unit: size)
            return try p.jumpReal(offset, selector)
        }
        if isNull(selector) { throw .exception(.generalProtection()) }
        let d = try p.fetchDescriptor(selector)
        if d.isCodeOrData {
            let code = try p.checkDirectTransfer(d, selector)
            let rip = p.offset(offset, in: code)
            try p.checkTarget(rip, in: code)
            try p.pushFarReturn(returnRIP, unit: size)
            try p.jump(to: code, selector, rip)
            return
        }
        let gate = try p.checkCallGate(d, selector)
        let (code, cpl) = try p.checkGateTarget(gate, isCall: true)
        let rip = p.gateTarget(gate)
        try p.checkTarget(rip, in: code)
        let unit: UInt64 = p.isLongMode ? 8 : gate.type == SystemDescriptorType.callGate ? 4 : 2
        if cpl < p.system.cpl {
            try p.callInnerLevel(gate, code, cpl: cpl, rip: rip, returnRIP: returnRIP, unit: unit)
        } else {
            try p.pushFarReturn(returnRIP, unit: unit)
            try p.jump(to: code, gate.gateSelector, rip)
        }
    }

    /// ptr16:16 and ptr16:32 are immediates, m16:16 to m16:64 in memory.
    private static func target(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) -> (UInt64, UInt16) {
        if i.hasModRM { return try p.loadFarOperand(i) }
        let mask: UInt64 = i.operandSize == 2 ? 0xFFFF : 0xFFFF_FFFF
        return (i.immediate & mask, i.immediate2)
    }

    static func returnFar(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        let released = i.opcode == 0xCA ? i.immediate & 0xFFFF : 0
        try p.returnFar(size: Int(i.operandSize), releasing: released)
    }
}

extension Processor {
    fileprivate func jumpReal(_ offset: UInt64, _ selector: UInt16) throws(Interruption) {
        guard offset <= UInt64(system.segments[SegmentIndex.cs].limit) else { throw .exception(.generalProtection()) }
        system.segments[SegmentIndex.cs].selector = selector
        system.segments[SegmentIndex.cs].base = UInt64(selector) &<< 4
        nextRIP = offset
        modeChanged()
    }

    /// CS and RIP become the target's; CPL stays.
    fileprivate func jump(to code: Descriptor, _ selector: UInt16, _ rip: UInt64) throws(Interruption) {
        try checkTarget(rip, in: code)
        var code = code
        try markAccessed(&code)
        setCodeSegment(code, selector, cpl: system.cpl)
        nextRIP = rip
        modeChanged()
    }

    /// SDM 2A "JMP—Jump": of a target in compatibility mode bits 63:32 of the offset are dropped.
    fileprivate func offset(_ rip: UInt64, in code: Descriptor) -> UInt64 {
        isLongMode && code.isLong ? rip : rip & 0xFFFF_FFFF
    }

    /// A code segment named directly: SDM 3A 5.8.1 "Direct Calls or Jumps to Code Segments".
    fileprivate func checkDirectTransfer(_ d: Descriptor, _ selector: UInt16) throws(Interruption) -> Descriptor {
        let rpl = UInt8(selector & Selector.requestedPrivilege)
        let isAllowed = d.isConformingCode ? d.dpl <= system.cpl : rpl <= system.cpl && d.dpl == system.cpl
        guard d.isCode, isAllowed else { throw selectorFault(Vector.generalProtection, selector) }
        try checkCodeMode(d, selector)
        guard d.isPresent else { throw selectorFault(Vector.segmentNotPresent, selector) }
        return d
    }

    /// SDM 3A 5.8.3 "Call Gates", 5.8.3.1 "IA-32e Mode Call Gates", 5.8.4 "Accessing a Code Segment Through a Call
    /// Gate".
    fileprivate func checkCallGate(_ d: Descriptor, _ selector: UInt16) throws(Interruption) -> Descriptor {
        var gate = d
        switch d.type {
        case SystemDescriptorType.callGate: break
        case SystemDescriptorType.callGate16 where !isLongMode: break
        case SystemDescriptorType.taskGate where !isLongMode, SystemDescriptorType.availableTSS where !isLongMode,
            SystemDescriptorType.availableTSS16 where !isLongMode:
            throw .notModelled("task switches")
        default: throw selectorFault(Vector.generalProtection, selector)
        }
        let rpl = UInt8(selector & Selector.requestedPrivilege)
        guard d.dpl >= system.cpl, d.dpl >= rpl else { throw selectorFault(Vector.generalProtection, selector) }
        guard d.isPresent else { throw selectorFault(Vector.segmentNotPresent, selector) }
        try fetchUpperHalf(&gate, selector)
        return gate
    }

    /// The gate's code segment, and the level it will run at.
    fileprivate func checkGateTarget(_ gate: Descriptor, isCall: Bool) throws(Interruption) -> (Descriptor, UInt8) {
        let selector = gate.gateSelector
        if isNull(selector) { throw .exception(.generalProtection()) }
        let code = try fetchDescriptor(selector)
        let isAllowed = isCall || code.isConformingCode ? code.dpl <= system.cpl : code.dpl == system.cpl
        guard code.isCode, isAllowed else { throw selectorFault(Vector.generalProtection, selector) }
        if isLongMode {
            guard code.isLong, code.access & AccessRights.defaultBig == 0 else {
                throw selectorFault(Vector.generalProtection, selector)
            }
        }
        guard code.isPresent else { throw selectorFault(Vector.segmentNotPresent, selector) }
        return (code, code.isConformingCode ? system.cpl : code.dpl)
    }

    fileprivate func gateTarget(_ gate: Descriptor) -> UInt64 {
        if isLongMode { return gate.gateOffset }
        return gate.type == SystemDescriptorType.callGate ? gate.gateOffset & 0xFFFF_FFFF : gate.gateOffset16
    }

    fileprivate func pushFarReturn(_ rip: UInt64, unit: UInt64) throws(Interruption) {
        let stack = system.segments[SegmentIndex.ss]
        var push = try StackWriter(
            self, stack, top: gpr(GPR.rsp), unit: unit, words: 2, cpl: system.cpl,
            fault: .exception(.stackFault()), is64Bit: is64BitMode)
        try push.push(UInt64(system.segments[SegmentIndex.cs].selector))
        try push.push(rip)
        setStackPointer(push.pointer, in: stack)
    }

    /// SDM 3A 5.8.5 "Stack Switching", 5.8.5.1 "Stack Switching in 64-bit Mode".
    fileprivate func callInnerLevel(
        _ gate: Descriptor, _ code: Descriptor, cpl: UInt8, rip: UInt64, returnRIP: UInt64, unit: UInt64
    ) throws(Interruption) {
        var code = code
        let oldStack = system.segments[SegmentIndex.ss], oldCS = system.segments[SegmentIndex.cs].selector
        let oldPointer = gpr(GPR.rsp)
        let newStack: Segment
        var push: StackWriter
        var parameters: [UInt64] = []
        if isLongMode {
            let tr = system.segments[SegmentIndex.tr]
            let offset = 4 &+ UInt64(cpl) &* 8
            guard offset &+ 7 <= UInt64(tr.limit) else { throw selectorFault(Vector.invalidTSS, tr.selector) }
            let top = try load(systemAddress(tr.base &+ offset), as: UInt64.self, .supervisor)
            guard LinearAddress(top).isCanonical else { throw .exception(.stackFault()) }
            newStack = nullStackSegment(cpl: cpl)
            push = try StackWriter(
                self, newStack, top: top, unit: 8, words: 4, cpl: cpl,
                fault: .exception(.stackFault()), is64Bit: true)
        } else {
            let (selector, top) = try loadInnerStack(cpl, external: 0)
            newStack = try stackSegment(selector, cpl: cpl, vector: Vector.invalidTSS, to64Bit: false)
            var reader = StackReader(self, unit: unit)
            for _ in 0..<gate.gateParameters { parameters.append(try reader.pop()) }
            push = try StackWriter(
                self, newStack, top: top, unit: unit, words: 4 + parameters.count, cpl: cpl,
                fault: selectorFault(Vector.stackFault, selector))
        }
        try markAccessed(&code)
        try push.push(UInt64(oldStack.selector))
        try push.push(oldPointer)
        for parameter in parameters.reversed() { try push.push(parameter) }
        try push.push(UInt64(oldCS))
        try push.push(returnRIP)
        setCodeSegment(code, gate.gateSelector, cpl: cpl)
        system.segments[SegmentIndex.ss] = newStack
        setStackPointer(push.pointer, in: newStack)
        nextRIP = rip
        modeChanged()
    }

    /// SDM 3A 5.8.6 "Returning from a Called Procedure".
    fileprivate func returnFar(size: Int, releasing released: UInt64) throws(Interruption) {
        var stack = StackReader(self, unit: UInt64(size))
        let rip = try stack.pop(), selector = UInt16(truncatingIfNeeded: try stack.pop())
        if !isProtectedMode || isVirtual8086 {
            try jumpReal(rip, selector)
            stack.skip(released)
            return setStackPointer(stack.pointer, in: system.segments[SegmentIndex.ss])
        }
        if isNull(selector) { throw .exception(.generalProtection()) }
        var code = try fetchDescriptor(selector)
        let rpl = UInt8(selector & Selector.requestedPrivilege)
        guard code.isCode, rpl >= system.cpl, code.isConformingCode ? code.dpl <= rpl : code.dpl == rpl else {
            throw selectorFault(Vector.generalProtection, selector)
        }
        try checkCodeMode(code, selector)
        guard code.isPresent else { throw selectorFault(Vector.segmentNotPresent, selector) }
        try checkTarget(rip, in: code)
        stack.skip(released)
        if rpl == system.cpl {
            try markAccessed(&code)
            setStackPointer(stack.pointer, in: system.segments[SegmentIndex.ss])
            setCodeSegment(code, selector, cpl: rpl)
            nextRIP = rip
            return modeChanged()
        }
        let pointer = try stack.pop(), ss = UInt16(truncatingIfNeeded: try stack.pop())
        let to64Bit = isLongMode && code.isLong
        let newStack = try stackSegment(ss, cpl: rpl, vector: Vector.generalProtection, to64Bit: to64Bit)
        try markAccessed(&code)
        setCodeSegment(code, selector, cpl: rpl)
        system.segments[SegmentIndex.ss] = newStack
        setStackPointer(pointer &+ released, in: newStack)
        nextRIP = rip
        dropInnerDataSegments()
        modeChanged()
    }
}
