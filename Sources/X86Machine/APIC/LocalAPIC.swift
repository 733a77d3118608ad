import X86Architecture

/// One bit per vector (IRR, ISR, TMR).
struct VectorSet: Equatable {
    private(set) var words: InlineArray<4, UInt64> = .init(repeating: 0)
    static func == (a: Self, b: Self) -> Bool { (0..<4).allSatisfy { a.words[$0] == b.words[$0] } }
    subscript(_ vector: UInt8) -> Bool {
        get { words[Int(vector >> 6)] >> UInt64(vector & 63) & 1 != 0 }
        set {
            let bit: UInt64 = 1 << UInt64(vector & 63)
            words[Int(vector >> 6)] = newValue ? words[Int(vector >> 6)] | bit : words[Int(vector >> 6)] & ~bit
        }
    }
    var highest: UInt8? {
        for i in [3, 2, 1, 0] where words[i] != 0 { return UInt8(i * 64 + 63 - words[i].leadingZeroBitCount) }
        return nil
    }
    /// 32 bits at a time, as the registers show them (index 0...7).
    func register(_ index: Int) -> UInt32 { UInt32(truncatingIfNeeded: words[index >> 1] >> UInt64(32 * (index & 1))) }
}

/// SDM 3A chapter 11 "Advanced Programmable Interrupt Controller (APIC)". A plain value.
struct LocalAPIC {
    var id: UInt32
    /// SDM 3A 11.8.3.1 "Task and Processor Priorities".
    var tpr: UInt8 = 0
    var irr = VectorSet(), isr = VectorSet(), tmr = VectorSet()
    /// SDM 3A 11.9 "Spurious Interrupt": vector and software enable (bit 8).
    var spurious: UInt32 = 0xFF
    init(id: UInt32) { self.id = id }

    var softwareEnabled: Bool { spurious & 0x100 != 0 }

    /// CR8 is the task-priority class (SDM 3A 11.8.6 "Task Priority in IA-32e Mode").
    var cr8: UInt64 { get { UInt64(tpr >> 4) } set { tpr = UInt8(truncatingIfNeeded: newValue) << 4 } }

    /// SDM 3A 11.8.3.1: class of PPR is the higher one of TPR's and of the highest vector in service.
    var ppr: UInt8 {
        let inService = isr.highest ?? 0
        return tpr >> 4 >= inService >> 4 ? tpr : inService & 0xF0
    }

    /// The vector that would be delivered now, if interrupts were enabled: highest in IRR whose class exceeds PPR's.
    var highestPending: UInt8? {
        guard let vector = irr.highest, vector >> 4 > ppr >> 4 else { return nil }
        return vector
    }

    /// Moves the highest pending vector from IRR to ISR. SDM 3A 11.8.4 "Interrupt Acceptance for Fixed Interrupts".
    mutating func acknowledge() -> UInt8 {
        guard let vector = highestPending else { return UInt8(truncatingIfNeeded: spurious) }
        irr[vector] = false
        isr[vector] = true
        return vector
    }
}

/// What instructions and the boundary ask of the interrupt controllers.
extension Processor {
    /// An external interrupt waits (local APIC above PPR, or the 8259 pair through LINT0 as ExtINT); IF not considered.
    var hasPendingInterrupt: Bool { apic.highestPending != nil }
    /// The interrupt-acknowledge cycle: the vector to deliver. Only after `hasPendingInterrupt`.
    func acknowledgeInterrupt() -> UInt8 { apic.acknowledge() }

    /// A fixed interrupt message arrives.
    func receive(vector: UInt8, at cycle: UInt64) {
        guard vector >= 16, apic.softwareEnabled else { return }
        apic.irr[vector] = true
        wake(at: cycle)
    }
    func receiveNMI(at cycle: UInt64) {
        system.pendingNMI = true
        wake(at: cycle)
    }
    /// Time has passed for a waiting processor; a running one looks at its next boundary.
    func wake(at cycle: UInt64) {
        if system.activity != .active { cpu.pointee.cycles = max(cpu.pointee.cycles, cycle) }
        attend()
    }

    /// CR8 / TPR write: may unmask a pending interrupt.
    func writeTaskPriority(class c: UInt8) {
        apic.tpr = c << 4
        attend()
    }
    /// IA32_APIC_BASE (0x1B). Reserved bits and forbidden transitions: #GP (SDM 3A 11.12.5).
    func writeAPICBase(_ value: UInt64) throws(Interruption) { system.apicBase = value }
    /// x2APIC registers, MSRs 0x800...0x8FF, and IA32_TSC_DEADLINE (0x6E0).
    func readAPICMSR(_ msr: UInt32) throws(Interruption) -> UInt64 { throw .exception(.generalProtection()) }
    func writeAPICMSR(_ msr: UInt32, _ value: UInt64) throws(Interruption) { throw .exception(.generalProtection()) }

    /// The page of this processor's APIC registers (xAPIC mode only).
    @inline(__always) func isLocalAPIC(_ address: PhysicalAddress) -> Bool {
        (address.rawValue ^ system.apicBase) & ~Page.offsetMask == 0 && system.apicBase & 0xC00 == 0x800
    }
    func apicLoad(offset: UInt64, size: Int) throws(Interruption) -> UInt64 { 0 }
    func apicStore(offset: UInt64, size: Int, _ value: UInt64) throws(Interruption) {}
}
