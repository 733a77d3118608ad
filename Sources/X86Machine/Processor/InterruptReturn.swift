import X86Architecture

/// SDM 2A "IRET/IRETD/IRETQ—Interrupt Return", every form but returns to another task and to virtual-8086 mode.
extension Processor {
    /// `size`: operand size, 2, 4 or 8 bytes. Sets RIP through `nextRIP`.
    func interruptReturn(size: Int) throws(Interruption) {
        let from = cpu.pointee.rip
        // SDM 3A 6.7.1 "Handling Multiple NMIs": NMIs are unblocked by the execution of IRET, even if it faults.
        unblockNMI()
        if !isProtectedMode {
            try returnInRealMode(size)
        } else {
            if isVirtual8086 { throw .notModelled("IRET in virtual-8086 mode") }
            try returnInProtectedMode(size)
        }
        vmx.iretUnblockedNMI = false
        cpu.pointee.cycles &+= Timing.haswell.interruptReturn
        attend()
        if machine.eventMask.contains(.delivery) {
            machine.emit(.interruptReturn(rip: LinearAddress(from), to: LinearAddress(nextRIP ?? 0)), self)
        }
    }

    /// SDM 3C 28.3 "Changes to Instruction Behavior in VMX Non-Root Operation", IRET: with "NMI exiting" and without
    /// "virtual NMIs" blocking by NMI stays.
    private func unblockNMI() {
        if guestHas(.nmiExiting) && !guestHas(.virtualNMIs) { return }
        vmx.iretUnblockedNMI = system.blockingByNMI
        system.blockingByNMI = false
    }

    private func returnInRealMode(_ size: Int) throws(Interruption) {
        var stack = StackReader(self, unit: UInt64(size))
        let rip = try stack.pop(), selector = UInt16(truncatingIfNeeded: try stack.pop()), flags = try stack.pop()
        guard rip <= UInt64(system.segments[SegmentIndex.cs].limit) else { throw .exception(.generalProtection()) }
        setStackPointer(stack.pointer, in: system.segments[SegmentIndex.ss])
        system.segments[SegmentIndex.cs].selector = selector
        system.segments[SegmentIndex.cs].base = UInt64(selector) &<< 4
        nextRIP = rip
        // VM, VIP and VIF are not loaded.
        loadFlags(
            flags, size: size, mask: ~(RFLAGS.virtual8086 | RFLAGS.virtualInterrupt | RFLAGS.virtualInterruptPending))
        modeChanged()
    }

    private func returnInProtectedMode(_ size: Int) throws(Interruption) {
        if system.flags & RFLAGS.nestedTask != 0 {
            if isLongMode { throw .exception(.generalProtection()) }
            throw .notModelled("IRET to another task (NT = 1)")
        }
        let was64Bit = is64BitMode
        var stack = StackReader(self, unit: UInt64(size))
        let rip = try stack.pop(), selector = UInt16(truncatingIfNeeded: try stack.pop()), flags = try stack.pop()
        if !isLongMode && size == 4 && flags & RFLAGS.virtual8086 != 0 && system.cpl == 0 {
            throw .notModelled("IRET to virtual-8086 mode")
        }
        let general = Vector.generalProtection
        if isNull(selector) { throw .exception(.generalProtection()) }
        var code = try fetchDescriptor(selector)
        let rpl = UInt8(selector & Selector.requestedPrivilege)
        guard code.isCode, rpl >= system.cpl, code.isConformingCode ? code.dpl <= rpl : code.dpl == rpl else {
            throw selectorFault(general, selector)
        }
        try checkCodeMode(code, selector)
        guard code.isPresent else { throw selectorFault(Vector.segmentNotPresent, selector) }
        let to64Bit = isLongMode && code.isLong

        var newStack: Segment?
        var newPointer: UInt64 = 0
        if was64Bit || rpl > system.cpl {
            newPointer = try stack.pop()
            let ss = UInt16(truncatingIfNeeded: try stack.pop())
            newStack = try stackSegment(ss, cpl: rpl, vector: general, to64Bit: to64Bit)
        }
        try checkTarget(rip, in: code)
        try markAccessed(&code)

        let oldCPL = system.cpl
        loadFlags(flags, size: size, mask: returnableFlags(cpl: oldCPL))
        setCodeSegment(code, selector, cpl: rpl)
        if let newStack {
            system.segments[SegmentIndex.ss] = newStack
            if to64Bit {
                setGPR(GPR.rsp, newPointer)
            } else if newStack.access & AccessRights.defaultBig != 0 {
                setGPR(GPR.rsp, newPointer & 0xFFFF_FFFF)
            } else {
                setGPR(GPR.rsp, size: 2, newPointer)
            }
        } else {
            setStackPointer(stack.pointer, in: system.segments[SegmentIndex.ss])
        }
        nextRIP = rip
        if rpl > oldCPL { dropInnerDataSegments() }
        modeChanged()
    }

    /// Which flags IRET and POPF may change at privilege level `cpl`: IOPL, VIF and VIP at 0, IF up to IOPL; never VM
    /// here.
    func returnableFlags(cpl: UInt8) -> UInt64 {
        var mask =
            RFLAGS.defined
            & ~(RFLAGS.virtual8086 | RFLAGS.ioPrivilege | RFLAGS.interrupt
            | RFLAGS.virtualInterrupt | RFLAGS.virtualInterruptPending)
        if cpl == 0 { mask |= RFLAGS.ioPrivilege | RFLAGS.virtualInterrupt | RFLAGS.virtualInterruptPending }
        if cpl <= ioPrivilegeLevel { mask |= RFLAGS.interrupt }
        return mask
    }

    /// Loads the flags of `mask`; a 16-bit image has no upper half.
    func loadFlags(_ flags: UInt64, size: Int, mask: UInt64) {
        let mask = mask & RFLAGS.defined & (size == 2 ? 0xFFFF : 0xFFFF_FFFF)
        rflags = rflags & ~mask | flags & mask | RFLAGS.alwaysOne
    }
}
