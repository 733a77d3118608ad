import CMonitor

/// The way back out: the kernel goes on without a monitor beneath it, behind the instruction that asked for it.
extension VMExit {
    func promote() -> Never {
        skipInstruction()
        registers.pointee.rax = 0
        handBackInterrupts()
        write_msr(MSR.efer, VMCS[.guestEFER])
        write_msr(MSR.pageAttributeTable, VMCS[.guestPAT])
        write_msr(MSR.sysenterCS, VMCS[.guestSysenterCS])
        write_msr(MSR.sysenterESP, VMCS[.guestSysenterESP])
        write_msr(MSR.sysenterEIP, VMCS[.guestSysenterEIP])
        write_msr(MSR.debugControl, VMCS[.guestDebugCtl])
        write_dr7(VMCS[.guestDR7])
        write_cr0(VMCS[.guestCR0])
        cpu.pointee.native = native_state(
            rip: VMCS[.guestRIP], cs: VMCS[.guestCSSelector], rflags: VMCS[.guestRFLAGS], rsp: VMCS[.guestRSP],
            ss: VMCS[.guestSSSelector], cr3: VMCS[.guestCR3], cr4: VMCS[.cr4ReadShadow],
            gdt_limit: VMCS[.guestGDTRLimit] << 48, gdt_base: VMCS[.guestGDTRBase],
            idt_limit: VMCS[.guestIDTRLimit] << 48, idt_base: VMCS[.guestIDTRBase], tr: VMCS[.guestTRSelector],
            ds: VMCS[.guestDSSelector], es: VMCS[.guestESSelector], fs: VMCS[.guestFSSelector],
            gs: VMCS[.guestGSSelector], fs_base: VMCS[.guestFSBase], gs_base: VMCS[.guestGSBase])
        monitor_become_native(registers, cpu)
    }

    /// What the monitor took from the local APIC and the guest has not had yet, it sends itself once more.
    private func handBackInterrupts() {
        switch cpu.pointee.interrupts {
        case UInt64(LVD_INTERRUPTS_EXITING):
            while has_pending(cpu) {
                let vector = take_pending(cpu)
                LocalAPIC.write(LocalAPIC.endOfInterrupt, 0)
                LocalAPIC.sendToSelf(vector)
            }
        case UInt64(LVD_INTERRUPTS_POSTED):
            let id = UInt64(LocalAPIC.read(0x20) >> 24), descriptor = posted_descriptor(id)
            set_posted_descriptor(id, 0)
            var vector: UInt64 = 16
            while vector < 256 {
                let isPosted = memory_read64(descriptor + (vector >> 6) * 8) & 1 << (vector & 63) != 0
                if isPosted || VirtualAPIC.isRequested(vector, cpu) { LocalAPIC.sendToSelf(vector) }
                vector += 1
            }
        default:
            break
        }
    }
}
