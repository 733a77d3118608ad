import X86Architecture

/// What instructions and the instruction boundary ask of the interrupt controllers.
extension Processor {
    /// The INTR pin of the 8259 pair reaches this processor: LINT0 in ExtINT mode, or the APIC is off
    /// (SDM 3A 11.4.3 "Enabling or Disabling the Local APIC": then LINT0 is INTR).
    private var seesExtINT: Bool {
        guard index == 0, machine.platform.devices.interruptControllers.output else { return false }
        if apicMode == .disabled { return true }
        return apic[.lint0] & (LocalAPIC.masked | 0x700) == 0x700
    }

    /// An external interrupt waits: above PPR in the local APIC, or from the 8259 pair. IF is not considered.
    var hasPendingInterrupt: Bool { seesExtINT || apicMode != .disabled && apic.highestPending != nil }

    /// The interrupt-acknowledge cycle: the vector to deliver. Only after `hasPendingInterrupt`.
    /// ExtINT interrupts bypass IRR and ISR (SDM 3A 11.8.1 "Interrupt Handling with the Pentium 4 and Intel Xeon
    /// Processors").
    func acknowledgeInterrupt() -> UInt8 {
        seesExtINT ? machine.platform.devices.interruptControllers.acknowledge() : apic.acknowledge()
    }

    /// MOV to CR8: may unmask a pending interrupt.
    func writeTaskPriority(class c: UInt64) {
        apic.cr8 = c
        attend()
    }
}
