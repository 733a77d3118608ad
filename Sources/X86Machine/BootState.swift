import X86Architecture

/// The state in which a boot protocol hands a processor to an image.
public enum BootState: Sendable {
    /// Multiboot Specification 0.6.96, 3.2 "Machine state": 32-bit protected mode, flat segments, paging off, A20 on,
    /// interrupts off, EAX = 0x2BADB002, EBX = physical address of the information structure.
    case multiboot32(entry: UInt32, information: UInt32)
    /// Xen, docs/misc/pvh.pandoc: 32-bit protected mode, flat segments, paging off, interrupts off, EBX = physical
    /// address of `struct hvm_start_info`.
    case pvh32(entry: UInt32, startInformation: UInt32)
    /// Linux, Documentation/x86/boot.rst, "32-bit Boot Protocol": flat segments 0x10 and 0x18 in the table at `gdt`,
    /// paging off, interrupts off, ESI = `struct boot_params`; EBX, EBP and EDI are 0.
    case linux32(entry: UInt32, parameters: UInt32, gdt: UInt64)
    /// The same document, "64-bit Boot Protocol": 64-bit mode with an identity mapping at `pageTables`, segments as
    /// above, interrupts off, RSI = `struct boot_params`.
    case linux64(entry: UInt64, parameters: UInt64, pageTables: UInt64, gdt: UInt64)
}

extension Machine {
    /// Puts processor 0 into a boot state, as firmware and a boot loader would have left it.
    public func setBootState(_ state: BootState) {
        let p = processors[0]
        p.reset(.powerUp)
        p.leaveVirtualWireMode()
        // GDTR, IDTR and ESP are undefined by most protocols; a limit of 0 makes every use of them a fault.
        p.system.gdtr = DescriptorTable(base: 0, limit: 0)
        p.system.idtr = DescriptorTable(base: 0, limit: 0)
        p.system.cr0 = CR0.protectionEnable | CR0.extensionType
        p.setGPR(GPR.rdx, 0)
        switch state {
        case .multiboot32(let entry, let information):
            p.setFlatSegments(code: 0x08, data: 0x10, is64: false)
            p.setGPR(GPR.rax, 0x2BAD_B002)
            p.setGPR(GPR.rbx, UInt64(information))
            p.cpu.pointee.rip = UInt64(entry)
        case .pvh32(let entry, let startInformation):
            p.setFlatSegments(code: 0x08, data: 0x10, is64: false)
            p.setGPR(GPR.rbx, UInt64(startInformation))
            p.cpu.pointee.rip = UInt64(entry)
        case .linux32(let entry, let parameters, let gdt):
            p.setFlatSegments(code: 0x10, data: 0x18, is64: false)
            p.system.gdtr = DescriptorTable(base: gdt, limit: 0x1F)
            p.setGPR(GPR.rsi, UInt64(parameters))
            p.cpu.pointee.rip = UInt64(entry)
        case .linux64(let entry, let parameters, let pageTables, let gdt):
            p.setFlatSegments(code: 0x10, data: 0x18, is64: true)
            p.system.gdtr = DescriptorTable(base: gdt, limit: 0x1F)
            p.system.cr0 |= CR0.paging
            p.system.cr3 = pageTables
            p.system.cr4 = CR4.physicalAddressExtension
            p.system.efer = EFER.longModeEnable | EFER.longModeActive
            p.setGPR(GPR.rsi, parameters)
            p.cpu.pointee.rip = entry
        }
        if case .multiboot32 = state {} else { leaveAsFirmware() }
        p.modeChanged()
        p.attend()
    }
}

extension Machine {
    /// As firmware leaves a PC that is to be used in real-address mode: memory is write-back, and the 8259 lets the
    /// timer's IRQ 0 pass, and the second chip, whose own inputs are masked. To be called after `setBootState`.
    public func startFirmwareTimer() {
        leaveAsFirmware()
        platform.devices.interruptControllers.write(0x21, 0xFA)
    }

    /// Channel 0 of the 8254 is a square wave of 65,536 ticks, 18.2 Hz, which the 8259 masks; memory is write-back
    /// (SDM 3A 12.11.2.1 "IA32_MTRR_DEF_TYPE MSR").
    private func leaveAsFirmware() {
        if configuration.model.has(.mtrr) { for p in processors { p.system.mtrr.defaultType = 0x806 } }
        _ = platform.devices.timer.control(0x36, at: 0)
        for _ in 0..<2 { _ = platform.devices.timer.write(channel: 0, 0, at: 0) }
        rearmIntervalTimer(at: 0)
    }
}

extension Processor {
    fileprivate func setFlatSegments(code: UInt16, data: UInt16, is64: Bool) {
        let size = is64 ? AccessRights.long : AccessRights.defaultBig
        for i in [SegmentIndex.es, SegmentIndex.ss, SegmentIndex.ds, SegmentIndex.fs, SegmentIndex.gs] {
            system.segments[i] = Segment(selector: data, base: 0, limit: 0xFFFF_FFFF,
                                         access: 0x93 | AccessRights.defaultBig | AccessRights.granularity)
        }
        system.segments[SegmentIndex.cs] = Segment(
            selector: code, base: 0, limit: 0xFFFF_FFFF, access: 0x9B | size | AccessRights.granularity)
    }

    /// Intel MultiProcessor Specification 1.4, 3.6.2.2 "Virtual Wire Mode": how firmware leaves the bootstrap
    /// processor's local APIC: enabled, LINT0 takes the 8259's INTR, LINT1 is NMI.
    fileprivate func leaveVirtualWireMode() {
        apic.spurious = 0x1FF
        apic[.lint0] = 0x700
        apic[.lint1] = 0x400
    }
}
