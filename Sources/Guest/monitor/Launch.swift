import CMonitor

/// Late launch of one CPU. The guest's state becomes the state in which the kernel called, so that the kernel goes on
/// after its call without noticing. Returns LVD_LAUNCH_OK to make entry.S execute VMLAUNCH, or why not, with nothing
/// changed.
@c(monitor_launch)
func monitorLaunch(launch: UnsafePointer<lvd_launch>, cpu: CPU) -> UInt64 {
    guard launch.pointee.magic == LVD_LAUNCH_MAGIC else { return UInt64(LVD_LAUNCH_MEMORY.rawValue) }
    cpu.pointee.upcall_entry = launch.pointee.upcall_entry
    cpu.pointee.memory_end = launch.pointee.memory_end
    cpu.pointee.state_page_guest = launch.pointee.state_page
    cpu.pointee.state_page = launch.pointee.state_page
    cpu.pointee.results = launch.pointee.results
    cpu.pointee.interrupts = launch.pointee.interrupts
    return UInt64(Launch.run(cpu).rawValue)
}

/// VMLAUNCH failed: back to where the kernel was.
@c(monitor_launch_failed)
func monitorLaunchFailed(cpu: CPU) -> UInt64 {
    Launch.leave()
    return UInt64(LVD_LAUNCH_ENTRY.rawValue)
}

enum Launch {
    static func run(_ cpu: CPU) -> lvd_launch_error {
        guard cpuid(1, 0).ecx & 1 << 5 != 0 else { return LVD_LAUNCH_NO_VMX }
        guard permitVMXON() else { return LVD_LAUNCH_LOCKED }

        let basic = VMXBasicInformation(read_msr(VMXMSR.basic))
        let capability = EPTAndVPIDCapability(read_msr(VMXMSR.eptAndVPID))
        guard
            capability.contains(
                .walkLength4 | .writeBack | .pages2MiB | .invept | .inveptSingleContext | .invvpid
                    | .invvpidSingleContext)
        else { return LVD_LAUNCH_CONTROLS }

        write_cr0(read_cr0() | read_msr(VMXMSR.cr0Fixed0) & 0xFFFF_FFFF)
        write_cr4(read_cr4() | CR4.vmxEnable)
        guard vmxon(region(basic)) else {
            write_cr4(read_cr4() & ~CR4.vmxEnable)
            return LVD_LAUNCH_VMXON
        }
        let vmcs = region(basic)
        guard vmclear(vmcs), vmptrld(vmcs) else {
            leave()
            return LVD_LAUNCH_VMCS
        }

        let eptp = KernelView.make(
            memoryEnd: cpu.pointee.memory_end, accessedAndDirty: capability.contains(.accessedAndDirty))
        cpu.pointee.kernel_eptp = eptp
        guard Policy.write(eptp: eptp, msrBitmap: allOnesPage(), hasTrueControls: basic.hasTrueControls,
            interrupts: cpu.pointee.interrupts) else {
            leave()
            return LVD_LAUNCH_CONTROLS
        }
        let shift = VMXMiscellaneous(read_msr(VMXMSR.miscellaneous)).preemptionTimerShift
        cpu.pointee.timer_period = Policy.timerPeriodTSC >> shift
        VMCS[.preemptionTimerValue] = cpu.pointee.timer_period
        writeHostState(cpu)
        writeGuestState(cpu)
        if cpu.pointee.interrupts == UInt64(LVD_INTERRUPTS_POSTED) { VirtualAPIC.start(cpu) }
        return LVD_LAUNCH_OK
    }

    static func leave() {
        vmxoff()
        write_cr4(read_cr4() & ~CR4.vmxEnable)
    }

    /// SDM 3C 26.7 "Enabling and Entering VMX Operation".
    private static func permitVMXON() -> Bool {
        let control = FeatureControl(read_msr(VMXMSR.featureControl))
        if control.contains(.lock) { return control.contains(.vmxOutsideSMX) }
        write_msr(VMXMSR.featureControl, (control | .vmxOutsideSMX | .lock).rawValue)
        return true
    }

    /// A VMXON region or a VMCS: its first word is the revision.
    private static func region(_ basic: VMXBasicInformation) -> UInt64 {
        let page = PagePool.page()
        memory_write32(page, basic.revisionIdentifier)
        return page
    }

    /// As the MSR bitmap: every RDMSR and WRMSR exits.
    private static func allOnesPage() -> UInt64 {
        let page = PagePool.page()
        var at = page
        while at < page + Page.size {
            memory_write64(at, ~0)
            at += 8
        }
        return page
    }

    private static func writeHostState(_ cpu: CPU) {
        let gdt = HostTables.gdtPage()
        VMCS[.hostCR0] = read_cr0()
        VMCS[.hostCR3] = HostTables.cr3(memoryEnd: cpu.pointee.memory_end)
        VMCS[.hostCR4] = read_cr4()
        VMCS[.hostCSSelector] = UInt64(HostSelector.code)
        VMCS[.hostSSSelector] = UInt64(HostSelector.data)
        VMCS[.hostDSSelector] = UInt64(HostSelector.data)
        VMCS[.hostESSelector] = UInt64(HostSelector.data)
        VMCS[.hostFSSelector] = 0
        VMCS[.hostGSSelector] = 0
        VMCS[.hostTRSelector] = UInt64(HostSelector.task)
        VMCS[.hostFSBase] = 0
        VMCS[.hostGSBase] = UInt64(UInt(bitPattern: cpu))
        VMCS[.hostTRBase] = gdt + 128
        VMCS[.hostGDTRBase] = gdt
        VMCS[.hostIDTRBase] = HostTables.idtBase()
        VMCS[.hostSysenterCS] = 0
        VMCS[.hostSysenterESP] = 0
        VMCS[.hostSysenterEIP] = 0
        VMCS[.hostPAT] = read_msr(MSR.pageAttributeTable)
        VMCS[.hostEFER] = read_msr(MSR.efer)
        VMCS[.hostRSP] = cpu.pointee.stack_top
        VMCS[.hostRIP] = address_of_exit()
    }

    private static func writeGuestState(_ cpu: CPU) {
        let cr4 = read_cr4()
        VMCS[.guestCR0] = read_cr0()
        VMCS[.cr0ReadShadow] = read_cr0()
        VMCS[.guestCR3] = read_cr3()
        VMCS[.guestCR4] = cr4
        VMCS[.cr4ReadShadow] = cr4 & ~CR4.vmxEnable  // the kernel never turned VMX on
        Policy.ownControlRegisters()
        VMCS[.cr3TargetValue0] = 0
        VMCS[.cr3TargetValue1] = 0
        VMCS[.cr3TargetValue2] = 0
        VMCS[.cr3TargetValue3] = 0
        VMCS[.guestDR7] = read_dr7()

        for number: UInt32 in 0..<6 { GuestSegments.capture(cpu, number) }
        GuestSegments.write(cpu)
        VMCS[.guestFSBase] = read_msr(MSR.fsBase)
        VMCS[.guestGSBase] = read_msr(MSR.gsBase)
        GuestSegments.writeSystemSegments()
        VMCS[.guestGDTRBase] = gdt_base()
        VMCS[.guestGDTRLimit] = gdt_limit()
        VMCS[.guestIDTRBase] = idt_base()
        VMCS[.guestIDTRLimit] = idt_limit()

        VMCS[.guestDebugCtl] = read_msr(MSR.debugControl)
        VMCS[.guestPAT] = read_msr(MSR.pageAttributeTable)
        VMCS[.guestEFER] = read_msr(MSR.efer)
        VMCS[.guestSysenterCS] = read_msr(MSR.sysenterCS)
        VMCS[.guestSysenterESP] = read_msr(MSR.sysenterESP)
        VMCS[.guestSysenterEIP] = read_msr(MSR.sysenterEIP)
        VMCS[.guestInterruptibilityState] = 0
        VMCS[.guestActivityState] = 0
        VMCS[.guestPendingDebugExceptions] = 0

        /* Right behind the CALL: the return address is on the kernel's stack. */
        VMCS[.guestRIP] = memory_read64(cpu.pointee.rsp)
        VMCS[.guestRSP] = cpu.pointee.rsp + 8
        VMCS[.guestRFLAGS] = cpu.pointee.rflags
    }
}
