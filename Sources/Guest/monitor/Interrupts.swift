import CMonitor

/// The two ways of external interrupts that the paper's is compared with: injected after an exit, or posted.
extension VMExit {
    /// SDM 3C 30.2.2 "Information for VM Exits Due to Vectored Events": acknowledged, so the vector is here.
    func handleExternalInterrupt() {
        let vector = VMCS[.exitInterruptionInformation] & 0xFF
        if cpu.pointee.interrupts == UInt64(LVD_INTERRUPTS_POSTED) {
            // Taken from the APIC by the monitor, so acknowledged to it by the monitor; the guest has its own.
            if vector != UInt64(LocalAPIC.read(LocalAPIC.spurious) & 0xFF) {
                LocalAPIC.write(LocalAPIC.endOfInterrupt, 0)
            }
            VirtualAPIC.request(vector, cpu)
        } else {
            set_pending(cpu, vector)
        }
    }

    /// Before each entry: injects what waits if the guest would take it now, else asks to be told when it would.
    func deliverPendingInterrupt() {
        if cpu.pointee.interrupts != UInt64(LVD_INTERRUPTS_EXITING) { return }
        let blocked = UInt64((InterruptibilityState.blockingBySTI | .blockingByMOVSS).rawValue)
        let window = UInt64(ProcessorBasedControls.interruptWindowExiting.rawValue)
        if has_pending(cpu) && VMCS[.guestRFLAGS] & 1 << 9 != 0 && VMCS[.guestInterruptibilityState] & blocked == 0
            && VMCS[.entryInterruptionInformation] & 1 << 31 == 0
        {
            let vector = take_pending(cpu)
            VMCS[.entryInterruptionInformation] =
                UInt64(
                    InterruptionInformation(vector: UInt8(truncatingIfNeeded: vector), type: .externalInterrupt)
                        .rawValue)
        }
        let controls = VMCS[.processorBasedControls] & ~window
        VMCS[.processorBasedControls] = controls | (has_pending(cpu) ? window : 0)
    }

    /// SDM 3C 32.4.3.3 "APIC-Write VM Exits": the value is in the virtual-APIC page already, the instruction done.
    func handleAPICWrite() {
        let offset = VMCS[.exitQualification] & 0xFFF
        let value = VirtualAPIC.read(offset, cpu)
        if offset == LocalAPIC.commandLow {
            sendInterrupt(value, destination: VirtualAPIC.read(LocalAPIC.commandHigh, cpu))
        } else {
            LocalAPIC.write(offset, value)
        }
    }

    /// Fixed interrupts to one processor beneath this monitor are posted; all else is the local APIC's business.
    private func sendInterrupt(_ command: UInt32, destination: UInt32) {
        let isFixed = command & 0x700 == 0, isPhysical = command & 1 << 11 == 0, noShorthand = command & 0xC0000 == 0
        let descriptor = posted_descriptor(UInt64(destination >> 24))
        guard isFixed, isPhysical, noShorthand, descriptor != 0 else {
            LocalAPIC.write(LocalAPIC.commandHigh, destination)
            LocalAPIC.write(LocalAPIC.commandLow, command)
            return
        }
        // SDM 3C 32.6 "Posted-Interrupt Processing": the request, then, if none was outstanding, the notification.
        _ = atomic_set_bit(descriptor, UInt64(command & 0xFF))
        if !atomic_set_bit(descriptor, 256) {
            LocalAPIC.write(LocalAPIC.commandHigh, destination)
            LocalAPIC.write(LocalAPIC.commandLow, UInt32(Policy.notificationVector) | 1 << 14)
        }
    }
}

/// This processor's own, by physical address: the monitor's memory is mapped one to one.
enum LocalAPIC {
    static let endOfInterrupt: UInt64 = 0xB0, spurious: UInt64 = 0xF0
    static let commandLow: UInt64 = 0x300, commandHigh: UInt64 = 0x310
    static let base: UInt64 = 0xFEE0_0000

    static func read(_ offset: UInt64) -> UInt32 { memory_read32(base + offset) }
    static func write(_ offset: UInt64, _ value: UInt32) { memory_write32(base + offset, value) }
    static func sendToSelf(_ vector: UInt64) { write(commandLow, UInt32(vector) | 1 << 18) }
}

/// SDM 3C 32.1 "Virtual APIC State".
enum VirtualAPIC {
    private static let requests: UInt64 = 0x200

    static func read(_ offset: UInt64, _ cpu: CPU) -> UInt32 { memory_read32(cpu.pointee.virtual_apic + offset) }

    /// SDM 3C 32.2.1 "Evaluation of Pending Virtual Interrupts": the bit in VIRR, and RVI at least its vector.
    static func request(_ vector: UInt64, _ cpu: CPU) {
        let word = cpu.pointee.virtual_apic + requests + (vector >> 5) * 0x10
        memory_write32(word, memory_read32(word) | 1 << UInt32(vector & 31))
        let status = VMCS[.guestInterruptStatus]
        if status & 0xFF < vector { VMCS[.guestInterruptStatus] = status & 0xFF00 | vector }
    }

    static func isRequested(_ vector: UInt64, _ cpu: CPU) -> Bool {
        memory_read32(cpu.pointee.virtual_apic + requests + (vector >> 5) * 0x10) & 1 << UInt32(vector & 31) != 0
    }

    /// The guest's local APIC as the processor's own is now; the two write-only registers cannot be copied.
    static func start(_ cpu: CPU) {
        let page = PagePool.page(), descriptor = PagePool.page()
        var offset: UInt64 = 0x20
        while offset < 0x3F0 {
            let isRegister =
                offset == 0x20 || offset == 0x30 || offset == 0xD0 || offset == 0xE0 || offset == 0xF0
                || offset >= 0x320 && offset < 0x390 || offset == 0x3E0
            if isRegister { memory_write32(page + offset, LocalAPIC.read(offset)) }
            offset += 0x10
        }
        cpu.pointee.virtual_apic = page
        set_posted_descriptor(UInt64(LocalAPIC.read(0x20) >> 24), descriptor)
        VMCS[.virtualAPICAddress] = page
        VMCS[.apicAccessAddress] = accessPage()
        VMCS[.postedInterruptDescriptorAddress] = descriptor
        VMCS[.postedInterruptNotificationVector] = Policy.notificationVector
        VMCS[.guestInterruptStatus] = 0
        VMCS[.tprThreshold] = 0
        VMCS[.eoiExitBitmap0] = 0
        VMCS[.eoiExitBitmap1] = 0
        VMCS[.eoiExitBitmap2] = 0
        VMCS[.eoiExitBitmap3] = 0
        // SDM 3C 32.4 "Virtualizing Memory-Mapped APIC Accesses": found by physical address, in a 4 KiB page.
        if !KernelView.map(eptp: cpu.pointee.kernel_eptp, guest: LocalAPIC.base, to: accessPage()) {
            fatal("the local APIC's page is not in the kernel's view")
        }
    }

    nonisolated(unsafe) private static var sharedAccessPage: UInt64 = 0
    /// Nothing ever reads or writes it; one for all processors.
    private static func accessPage() -> UInt64 {
        if sharedAccessPage == 0 { sharedAccessPage = PagePool.page() }
        return sharedAccessPage
    }
}
