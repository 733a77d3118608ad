import X86Architecture

/// The state in which a boot protocol hands a processor to an image.
public enum BootState: Sendable {
    /// Multiboot Specification 0.6.96, 3.2 "Machine state": 32-bit protected mode, flat segments, paging off, A20 on,
    /// interrupts off, EAX = 0x2BADB002, EBX = physical address of the information structure.
    case multiboot32(entry: UInt32, information: UInt32)
}

extension Machine {
    /// Puts processor 0 into a boot state, as firmware and a boot loader would have left it.
    public func setBootState(_ state: BootState) {
        let p = processors[0]
        p.reset(.powerUp)
        p.leaveVirtualWireMode()
        switch state {
        case .multiboot32(let entry, let information):
            p.system.cr0 = CR0.protectionEnable | CR0.extensionType
            let data = Segment(selector: 0x10, base: 0, limit: 0xFFFF_FFFF,
                               access: 0x93 | AccessRights.defaultBig | AccessRights.granularity)
            for i in [SegmentIndex.es, SegmentIndex.ss, SegmentIndex.ds, SegmentIndex.fs, SegmentIndex.gs] {
                p.system.segments[i] = data
            }
            p.system.segments[SegmentIndex.cs] = Segment(
                selector: 0x08, base: 0, limit: 0xFFFF_FFFF,
                access: 0x9B | AccessRights.defaultBig | AccessRights.granularity)
            // GDTR, IDTR and ESP are undefined by the protocol; a limit of 0 makes every use of them a fault.
            p.system.gdtr = DescriptorTable(base: 0, limit: 0)
            p.system.idtr = DescriptorTable(base: 0, limit: 0)
            p.setGPR(GPR.rax, 0x2BAD_B002)
            p.setGPR(GPR.rbx, UInt64(information))
            p.setGPR(GPR.rdx, 0)
            p.cpu.pointee.rip = UInt64(entry)
        }
        p.modeChanged()
        p.attend()
    }
}

extension Processor {
    /// Intel MultiProcessor Specification 1.4, 3.6.2.2 "Virtual Wire Mode": how firmware leaves the bootstrap
    /// processor's local APIC: enabled, LINT0 takes the 8259's INTR, LINT1 is NMI.
    fileprivate func leaveVirtualWireMode() {
        apic.spurious = 0x1FF
        apic[.lint0] = 0x700
        apic[.lint1] = 0x400
    }
}
