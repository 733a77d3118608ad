import X86Architecture

/// SDM 3C 30.5 "Loading Host State".
extension Processor {
    /// False: the host's PDPTEs are invalid (a VMX abort).
    func loadHostState(_ vmcs: VMCS) -> Bool {
        let is64Bit = ExitControls(vmcs.u32(.exitControls)).contains(.hostAddressSpaceSize)
        loadHostControlRegisters(vmcs, is64Bit: is64Bit)
        loadHostSegments(vmcs, is64Bit: is64Bit)
        cpu.pointee.rip = vmcs[.hostRIP]
        setGPR(GPR.rsp, vmcs[.hostRSP])
        rflags = RFLAGS.alwaysOne
        // SDM 3C 30.5.5 "Updating Non-Register State".
        clearShadow()
        system.pendingDebug = 0
        system.activity = .active
        guard !is64Bit, system.cr4 & CR4.physicalAddressExtension != 0, isPaging else { return true }
        do throws(Interruption) {
            system.pdptes = try loadPDPTEs(cr3: system.cr3)
        } catch {
            return false
        }
        return true
    }

    /// SDM 3C 30.5.1 "Loading Host Control Registers, Debug Registers, MSRs".
    private func loadHostControlRegisters(_ vmcs: VMCS, is64Bit: Bool) {
        let exit = ExitControls(vmcs.u32(.exitControls))
        // Not modified: CD, NW, ET and what cannot be changed in VMX operation.
        let kept = CR0.cacheDisable | CR0.notWriteThrough | CR0.extensionType
        let old = (system.cr0, system.cr3, system.cr4)
        system.cr0 = vmcs[.hostCR0] & CR0.writable & ~kept | system.cr0 & kept | VMXModel.cr0Fixed0
        system.cr3 = vmcs[.hostCR3] & physicalMask
        var cr4 = vmcs[.hostCR4]
        if is64Bit { cr4 |= CR4.physicalAddressExtension } else { cr4 &= ~CR4.pcidEnable }
        system.cr4 = cr4
        system.dr7 = DR7.alwaysOne
        system.debugCtl = 0
        system.sysenterCS = vmcs[.hostSysenterCS] & 0xFFFF_FFFF
        system.sysenterESP = vmcs[.hostSysenterESP]
        system.sysenterEIP = vmcs[.hostSysenterEIP]
        if exit.contains(.loadPAT) { system.pat = vmcs[.hostPAT] }
        if exit.contains(.loadEFER) { system.efer = vmcs[.hostEFER] }
        let long = EFER.longModeEnable | EFER.longModeActive
        system.efer = is64Bit ? system.efer | long : system.efer & ~long
        reportControlRegisters(old)
    }

    /// Entries and exits load control registers too; those who watch them see it.
    func reportControlRegisters(_ old: (UInt64, UInt64, UInt64)) {
        guard machine.eventMask.contains(.controlRegister) else { return }
        if old.0 != system.cr0 { emitControlRegister(0, old: old.0, new: system.cr0) }
        if old.1 != system.cr3 { emitControlRegister(3, old: old.1, new: system.cr3) }
        if old.2 != system.cr4 { emitControlRegister(4, old: old.2, new: system.cr4) }
    }

    /// SDM 3C 30.5.2 "Loading Host Segment and Descriptor-Table Registers".
    private func loadHostSegments(_ vmcs: VMCS, is64Bit: Bool) {
        let flat: UInt32 = 0xFFFF_FFFF
        let common = AccessRights.codeOrData | AccessRights.present | AccessRights.granularity
        let size = is64Bit ? AccessRights.long : AccessRights.defaultBig
        system.segments[SegmentIndex.cs] = Segment(
            selector: vmcs.u16(.hostCSSelector), base: 0, limit: flat, access: common | size | 11)
        func data(_ selector: UInt16, base: UInt64) -> Segment {
            if selector == 0 { return .null(0, base: base) }
            return Segment(selector: selector, base: base, limit: flat, access: common | AccessRights.defaultBig | 3)
        }
        system.segments[SegmentIndex.ss] = data(vmcs.u16(.hostSSSelector), base: 0)
        system.segments[SegmentIndex.ds] = data(vmcs.u16(.hostDSSelector), base: 0)
        system.segments[SegmentIndex.es] = data(vmcs.u16(.hostESSelector), base: 0)
        system.segments[SegmentIndex.fs] = data(vmcs.u16(.hostFSSelector), base: vmcs[.hostFSBase])
        system.segments[SegmentIndex.gs] = data(vmcs.u16(.hostGSSelector), base: vmcs[.hostGSBase])
        system.segments[SegmentIndex.tr] = Segment(
            selector: vmcs.u16(.hostTRSelector), base: vmcs[.hostTRBase], limit: 0x67,
            access: AccessRights.present | 11)
        system.segments[SegmentIndex.ldtr] = .null()
        system.gdtr = DescriptorTable(base: vmcs[.hostGDTRBase], limit: 0xFFFF)
        system.idtr = DescriptorTable(base: vmcs[.hostIDTRBase], limit: 0xFFFF)
        system.cpl = 0
    }
}
