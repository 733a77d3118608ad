import X86Architecture

/// SDM 3A chapter 11 "Advanced Programmable Interrupt Controller (APIC)": the state of one, and its priority rules.
/// A plain value; what needs the machine (sending, timer events) is in extensions of `Processor` and `Machine`.
struct LocalAPIC {
    /// xAPIC ID (8 bits) and x2APIC ID are the same number here.
    let id: UInt32
    /// SDM 3A 11.8.3.1 "Task and Processor Priorities".
    var tpr: UInt8 = 0
    var irr = VectorSet(), isr = VectorSet(), tmr = VectorSet()
    /// SVR, SDM 3A 11.9 "Spurious Interrupt": vector, and software enable in bit 8.
    var spurious: UInt32 = 0xFF
    /// LDR (xAPIC: bits 31:24) and DFR, SDM 3A 11.6.2.2 "Logical Destination Mode". In x2APIC mode LDR is derived from
    /// the ID.
    var logicalDestination: UInt32 = 0
    var destinationFormat: UInt32 = .max
    var interruptCommand: UInt64 = 0
    /// SDM 3A 11.5.3 "Error Handling": errors since the last write to ESR, and what that write latched.
    var pendingErrors: UInt32 = 0
    var errorStatus: UInt32 = 0
    var lvt: InlineArray<7, UInt32> = .init(repeating: LocalAPIC.masked)
    var timer = APICTimer()

    static let masked: UInt32 = 1 << 16
    init(id: UInt32) { self.id = id }

    /// INIT and re-enabling leave the power-up state, except for the ID (SDM 3A 11.4.7.3).
    mutating func reset() { self = LocalAPIC(id: id) }

    // MARK: Priority

    var softwareEnabled: Bool { spurious & 0x100 != 0 }

    /// CR8 is the task-priority class (SDM 3A 11.8.6 "Task Priority in IA-32e Mode").
    var cr8: UInt64 {
        get { UInt64(tpr >> 4) }
        set { tpr = UInt8(truncatingIfNeeded: newValue & 15) << 4 }
    }

    /// SDM 3A 11.8.3.1: TPR, or the class of the highest vector in service when that is higher.
    var ppr: UInt8 {
        let inService = isr.highest ?? 0
        return tpr >> 4 >= inService >> 4 ? tpr : inService & 0xF0
    }

    /// What would be delivered now if interrupts were enabled: the highest in IRR, when its class exceeds that of PPR.
    /// Independent of the software enable: requests held in IRR stay deliverable (SDM 3A 11.4.7.2).
    var highestPending: UInt8? {
        guard let vector = irr.highest, vector >> 4 > ppr >> 4 else { return nil }
        return vector
    }

    /// The acknowledge cycle: from IRR to ISR (SDM 3A 11.8.4 "Interrupt Acceptance for Fixed Interrupts").
    /// The spurious vector, without an ISR bit, when nothing exceeds PPR any more (SDM 3A 11.9).
    mutating func acknowledge() -> UInt8 {
        guard let vector = highestPending else { return UInt8(truncatingIfNeeded: spurious) }
        irr[vector] = false
        isr[vector] = true
        return vector
    }

    /// A fixed interrupt is accepted. SDM 3A 11.8.4: a further one of the same vector merges with the waiting one.
    mutating func accept(vector: UInt8, levelTriggered: Bool) {
        irr[vector] = true
        tmr[vector] = levelTriggered
    }

    /// SDM 3A 11.8.5 "Signaling Interrupt Servicing Completion": returns the vector if I/O APICs have to hear of it.
    mutating func endOfInterrupt() -> UInt8? {
        guard let vector = isr.highest else { return nil }
        isr[vector] = false
        return tmr[vector] ? vector : nil
    }

    // MARK: Local vector table

    /// SDM 3A 11.5.1 "Local Vector Table".
    enum LVT: Int { case timer, thermal, performance, lint0, lint1, error, cmci }
    subscript(_ entry: LVT) -> UInt32 {
        get { lvt[entry.rawValue] }
        set { lvt[entry.rawValue] = newValue }
    }
    func isMasked(_ entry: LVT) -> Bool { self[entry] & Self.masked != 0 }

    /// Writable bits of each entry, SDM 3A Figure 11-8.
    static func writableBits(_ entry: LVT) -> UInt32 {
        switch entry {
        case .timer: 0x7_00FF
        case .thermal, .performance, .cmci: 0x1_07FF
        case .lint0, .lint1: 0x1_A7FF
        case .error: 0x1_00FF
        }
    }
}

/// ESR bits, SDM 3A 11.5.3 "Error Handling".
enum APICError {
    static let sendIllegalVector: UInt32 = 1 << 5
    static let receiveIllegalVector: UInt32 = 1 << 6
    static let illegalRegister: UInt32 = 1 << 7
}

/// Mode of the local APIC, by IA32_APIC_BASE bits 11 (EN) and 10 (EXTD). SDM 3A 11.12.1 "Detecting and Enabling x2APIC
/// Mode".
enum APICMode { case disabled, xAPIC, x2APIC }

/// IA32_APIC_BASE, SDM 3A 11.4.4 "Local APIC Status and Location".
enum APICBase {
    static let bsp: UInt64 = 1 << 8, x2apic: UInt64 = 1 << 10, enable: UInt64 = 1 << 11
    static let reset: UInt64 = 0xFEE0_0000 | enable

    static func mode(_ value: UInt64) -> APICMode {
        value & enable == 0 ? .disabled : value & x2apic == 0 ? .xAPIC : .x2APIC
    }
}
