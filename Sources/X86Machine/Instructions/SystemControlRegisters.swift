import X86Architecture
import X86Decoder

/// SDM 2B "MOV—Move to/from Control Registers", "MOV—Move to/from Debug Registers", LMSW, SMSW, CLTS.
extension SystemInstructions {
    static func movFromCR(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        guard isControlRegister(i.reg) else { throw .exception(.invalidOpcode) }
        try p.requireCPL0()
        let value: UInt64
        switch i.reg {
        case 0: value = p.readableCR0
        case 2: value = p.system.cr2
        case 3:
            try p.vmxCheckMovFromCR3(i)
            value = p.system.cr3
        case 4: value = p.readableCR4
        default:
            try p.vmxCheckMovFromCR8(i)
            value = p.readableCR8
        }
        p.setGPR(Int(i.rm), size: p.is64BitMode ? 8 : 4, value)
    }

    static func movToCR(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        guard isControlRegister(i.reg) else { throw .exception(.invalidOpcode) }
        try p.requireCPL0()
        let value = p.gpr(Int(i.rm), size: p.is64BitMode ? 8 : 4)
        switch i.reg {
        case 0: try p.setCR0(try p.vmxCheckMovToCR0(i, value))
        case 2: p.system.cr2 = value
        case 3:
            try p.vmxCheckMovToCR3(i, value)
            try p.setCR3(value)
        case 4: try p.setCR4(try p.vmxCheckMovToCR4(i, value))
        default:
            try p.vmxCheckMovToCR8(i)
            guard value < 16 else { throw .exception(.generalProtection()) }
            p.emitControlRegister(8, old: p.readableCR8, new: value)
            p.writeCR8(value)
        }
        p.cpu.pointee.cycles &+= i.reg == 8 ? Timing.haswell.taskPriorityWrite : Timing.haswell.controlRegisterWrite
    }

    private static func isControlRegister(_ n: UInt8) -> Bool { n == 0 || n == 2 || n == 3 || n == 4 || n == 8 }

    static func clts(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try p.requireCPL0()
        guard try p.vmxCheckCLTS(i) else { return }
        p.emitControlRegister(0, old: p.system.cr0, new: p.system.cr0 & ~CR0.taskSwitched)
        p.system.cr0 &= ~CR0.taskSwitched
        p.translationContextChanged()
    }

    /// Loads PE (which it cannot clear), MP, EM and TS.
    static func lmsw(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try p.requireCPL0()
        let linear = i.hasMemory ? try p.operandAddress(i, offset: 0, bytes: 2, .read) : nil
        let source = try p.vmxCheckLMSW(i, try p.readRM16(i), linear: linear)
        let old = p.system.cr0
        try p.setCR0(old & ~0xE | UInt64(source & 0xF) | old & CR0.protectionEnable)
    }

    static func smsw(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try p.checkUMIP()
        try p.writeRM16(i, p.readableCR0)
    }

    // MARK: Debug registers

    static func movFromDR(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try checkDebugAccess(p, i, fromDR: true)
        let value: UInt64
        switch i.reg & 7 {
        case 0...3: value = p.breakpointAddress(Int(i.reg & 3))
        case 4, 6: value = p.system.dr6
        default: value = p.system.dr7
        }
        p.setGPR(Int(i.rm), size: p.is64BitMode ? 8 : 4, value)
    }

    static func movToDR(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try checkDebugAccess(p, i, fromDR: false)
        let value = p.gpr(Int(i.rm), size: p.is64BitMode ? 8 : 4)
        switch i.reg & 7 {
        case 0: p.system.dr.0 = value
        case 1: p.system.dr.1 = value
        case 2: p.system.dr.2 = value
        case 3: p.system.dr.3 = value
        case 4, 6:
            guard value &>> 32 == 0 else { throw .exception(.generalProtection()) }
            p.system.dr6 = value & DR6.writable | DR6.alwaysOne
        default:
            guard value &>> 32 == 0 else { throw .exception(.generalProtection()) }
            p.system.dr7 = value & DR7.writable | DR7.alwaysOne
            p.translationContextChanged()
            p.attend()
        }
    }

    /// The VM exit comes before every fault but #UD for DR8 to DR15 (SDM 3C 28.1.3 "Instructions That Cause VM Exits
    /// Conditionally"); then privilege, DR4 and DR5 with CR4.DE, general detect.
    private static func checkDebugAccess(_ p: Processor, _ i: borrowing Instruction, fromDR: Bool) throws(Interruption)
    {
        guard i.reg < 8 else { throw .exception(.invalidOpcode) }
        try p.vmxCheckMovDR(i, fromDR: fromDR)
        try p.requireCPL0()
        let register = i.reg
        if register == 4 || register == 5, p.system.cr4 & CR4.debuggingExtensions != 0 {
            throw .exception(.invalidOpcode)
        }
        if p.system.dr7 & DR7.generalDetect != 0 {
            var e = Exception.debug
            e.debugConditions = DR6.accessDetected
            throw .exception(e)
        }
    }
}

/// Loading CR0, CR3 and CR4 with their checks and consequences; also for LMSW and the monitor's emulations.
extension Processor {
    func setCR0(_ value: UInt64) throws(Interruption) {
        let old = system.cr0
        guard value &>> 32 == 0 else { throw .exception(.generalProtection()) }
        let new = value & CR0.writable | CR0.extensionType
        let setsPaging = new & ~old & CR0.paging != 0
        let clearsPaging = old & ~new & CR0.paging != 0
        // SDM 3A 4.1.1 "Four Paging Modes", SDM 2B "MOV—Move to/from Control Registers", protected-mode exceptions.
        let pagingNeedsProtection = new & CR0.paging != 0 && new & CR0.protectionEnable == 0
        let cacheCombination = new & CR0.notWriteThrough != 0 && new & CR0.cacheDisable == 0
        if pagingNeedsProtection || cacheCombination { throw .exception(.generalProtection()) }
        if clearsPaging && (is64BitMode || system.cr4 & CR4.pcidEnable != 0) { throw .exception(.generalProtection()) }
        let entersLongMode = setsPaging && system.efer & EFER.longModeEnable != 0
        if entersLongMode {
            let tr = system.segments[SegmentIndex.tr]
            guard system.cr4 & CR4.physicalAddressExtension != 0,
                system.segments[SegmentIndex.cs].access & AccessRights.long == 0,
                tr.access & 8 != 0 || tr.isUnusable || tr.selector == 0
            else { throw .exception(.generalProtection()) }
        }
        try checkVMXFixedBits(cr0: new)
        let usesPAE =
            new & CR0.paging != 0 && !entersLongMode && !isLongMode && system.cr4 & CR4.physicalAddressExtension != 0
        if usesPAE && (old ^ new) & (CR0.paging | CR0.cacheDisable | CR0.notWriteThrough) != 0 {
            system.pdptes = try loadPDPTEs(cr3: system.cr3)
        }
        emitControlRegister(0, old: old, new: new)
        system.cr0 = new
        if entersLongMode { system.efer |= EFER.longModeActive }
        if clearsPaging {
            system.efer &= ~EFER.longModeActive
            invalidateAllOfVPID()
        }
        if new & CR0.protectionEnable == 0 { system.cpl = 0 }
        modeChanged()
    }

    /// MOV to CR3: bit 63 with CR4.PCIDE asks not to invalidate.
    func setCR3(_ value: UInt64) throws(Interruption) {
        let hasPCID = system.cr4 & CR4.pcidEnable != 0
        let new = hasPCID ? value & ~CR3.keepTranslations : value
        if isLongMode {
            guard new & ~physicalMask == 0 else { throw .exception(.generalProtection()) }
        } else {
            if isPaging && system.cr4 & CR4.physicalAddressExtension != 0 { system.pdptes = try loadPDPTEs(cr3: new) }
        }
        emitControlRegister(3, old: system.cr3, new: new)
        system.cr3 = new
        if !hasPCID || value & CR3.keepTranslations == 0 {
            invalidatePCID(hasPCID ? UInt16(truncatingIfNeeded: new & CR3.pcid) : 0)
        }
        translationContextChanged()
    }

    func setCR4(_ value: UInt64) throws(Interruption) {
        let old = system.cr4, changed = old ^ value
        guard value & ~writableCR4 == 0 else { throw .exception(.generalProtection()) }
        let setsPCID = changed & value & CR4.pcidEnable != 0
        if isLongMode && value & CR4.physicalAddressExtension == 0 { throw .exception(.generalProtection()) }
        if setsPCID && (!isLongMode || system.cr3 & CR3.pcid != 0) { throw .exception(.generalProtection()) }
        try checkVMXFixedBits(cr4: value)
        let pagingBits = CR4.physicalAddressExtension | CR4.pageGlobalEnable | CR4.pageSizeExtensions | CR4.smep
        if isPaging && !isLongMode && value & CR4.physicalAddressExtension != 0 && changed & pagingBits != 0 {
            system.pdptes = try loadPDPTEs(cr3: system.cr3)
        }
        emitControlRegister(4, old: old, new: value)
        // SDM 3A 4.10.4.1 "Operations that Invalidate TLBs and Paging-Structure Caches", MOV to CR4. The tags of what
        // is dropped are those before the change.
        if changed & CR4.pageGlobalEnable != 0 || changed & old & CR4.pcidEnable != 0 {
            invalidateAllOfVPID()
        } else if changed & (CR4.physicalAddressExtension | CR4.pageSizeExtensions) != 0
            || changed & value & CR4.smep != 0
        {
            invalidateAllOfVPID()
        }
        system.cr4 = value
        modeChanged()
    }

    /// CR4 bits of the features that this processor has.
    var writableCR4: UInt64 {
        if let known = engine.writableCR4 { return known }
        let bits = computeWritableCR4()
        engine.writableCR4 = bits
        return bits
    }
    private func computeWritableCR4() -> UInt64 {
        let model = machine.configuration.model
        var bits =
            CR4.timeStampDisable | CR4.debuggingExtensions | CR4.pageSizeExtensions | CR4.physicalAddressExtension
            | CR4.machineCheckEnable | CR4.pageGlobalEnable | CR4.performanceCounterEnable | CR4.osfxsr | CR4.osxmmexcpt
        if model.has(.vmx) { bits |= CR4.vmxEnable }
        if model.has(.fsgsbase) { bits |= CR4.fsgsbase }
        if model.has(.pcid) { bits |= CR4.pcidEnable }
        if model.has(.xsave) { bits |= CR4.osxsave }
        if model.has(.smep) { bits |= CR4.smep }
        if model.has(.smap) { bits |= CR4.smap }
        if model.has(.umip) { bits |= CR4.userModeInstructionPrevention }
        return bits
    }

    /// SDM 3A 4.4.1 "PDPTE Registers": reserved bits in a present entry are #GP(0), nothing is loaded then.
    func loadPDPTEs(cr3: UInt64) throws(Interruption) -> InlineArray<4, UInt64> {
        var entries = InlineArray<4, UInt64>(repeating: 0)
        let reserved = ~physicalMask | 0x1E6
        for n in 0..<4 {
            let address = (cr3 & 0xFFFF_FFE0) &+ UInt64(n) &* 8
            var physical = PhysicalAddress(address)
            if vmx.eptEnabled {
                physical = try eptTranslate(GuestPhysicalAddress(address), .read, isPageWalk: false, linear: nil)
                    .physical
            }
            try checkGuestPhysicalAPICAccess(physical)
            entries[n] = try machine.physicalLoad(physical, as: UInt64.self, from: self)
            if entries[n] & PagingEntry.present != 0 && entries[n] & reserved != 0 {
                throw .exception(.generalProtection())
            }
        }
        return entries
    }

    func emitControlRegister(_ n: UInt8, old: UInt64, new: UInt64) {
        guard machine.eventMask.contains(.controlRegister) else { return }
        machine.emit(.controlRegisterWrite(register: n, old: old, new: new, rip: LinearAddress(cpu.pointee.rip)), self)
    }
}
