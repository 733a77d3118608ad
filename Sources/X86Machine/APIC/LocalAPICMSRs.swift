import X86Architecture

/// IA32_APIC_BASE and the x2APIC registers. SDM 3A 11.12 "Extended XAPIC (x2APIC)".
extension Processor {
    /// SDM 3A 11.12.5 "x2APIC State Transitions" and Figure 11-5: forbidden transitions and reserved bits are #GP(0).
    func writeAPICBase(_ value: UInt64) throws(Interruption) {
        let hasX2APIC = machine.configuration.model.has(.x2apic)
        let reserved = ~physicalMask | 0xFF | 1 << 9 | (hasX2APIC ? 0 : APICBase.x2apic)
        let leavesX2 = apicMode == .x2APIC && APICBase.mode(value) == .xAPIC
        let skipsXAPIC = apicMode == .disabled && APICBase.mode(value) == .x2APIC
        let extendedOnly = value & (APICBase.enable | APICBase.x2apic) == APICBase.x2apic
        if value & reserved != 0 || leavesX2 || skipsXAPIC || extendedOnly { throw .exception(.generalProtection()) }
        let old = apicMode
        let moved = (system.apicBase ^ value) & ~0x3FF != 0
        system.apicBase = value
        if apicMode == .disabled, old != .disabled {
            apic.reset()
            rearmTimer()
        }
        // What a page number reaches has changed: no fast entry may bypass the APIC page.
        if moved { translationContextChanged(); engine.dropEverything() }
        attend()
    }

    /// MSRs 0x800...0x8FF and IA32_TSC_DEADLINE (0x6E0). Outside x2APIC mode, and for reserved registers: #GP(0).
    func readAPICMSR(_ msr: UInt32) throws(Interruption) -> UInt64 {
        if msr == 0x6E0 { return tscDeadline }
        guard apicMode == .x2APIC else { throw .exception(.generalProtection()) }
        let register = Int(msr & 0xFF)
        if register == APICRegister.icrLow { return apic.interruptCommand }
        guard let value = apicRead(register) else { throw .exception(.generalProtection()) }
        return UInt64(value)
    }

    func writeAPICMSR(_ msr: UInt32, _ value: UInt64) throws(Interruption) {
        if msr == 0x6E0 { tscDeadline = value; return }
        guard apicMode == .x2APIC else { throw .exception(.generalProtection()) }
        let register = Int(msr & 0xFF)
        guard let reserved = Self.reservedX2Bits(register), value & reserved == 0 else {
            throw .exception(.generalProtection())
        }
        if register == APICRegister.icrLow {
            apic.interruptCommand = value
            return try sendInterruptCommand()
        }
        guard try apicWrite(register, UInt32(truncatingIfNeeded: value)) else { throw .exception(.generalProtection()) }
    }

    /// Reserved bits of each writable register in x2APIC mode (SDM 3A 11.12.1.3 "Reserved Bit Checking"); nil: not
    /// writable.
    private static func reservedX2Bits(_ register: Int) -> UInt64? {
        switch register {
        case APICRegister.tpr, APICRegister.selfIPI: ~0xFF
        case APICRegister.eoi, APICRegister.esr: ~0
        case APICRegister.svr: ~0x1FF
        case APICRegister.icrLow: 0xFFF3_2000 // bits 13, 17:16, 31:20; 12 is read-only zero
        case APICRegister.initialCount: ~0xFFFF_FFFF
        case APICRegister.divide: ~0xB
        default:
            if let entry = APICRegister.lvt(register) {
                ~UInt64(LocalAPIC.writableBits(entry) | 1 << 12)
            } else {
                nil
            }
        }
    }
}

extension LocalAPIC {
    /// SDM 3A 11.12.10.2 "Deriving Logical x2APIC ID from the Local x2APIC ID".
    var x2LogicalID: UInt32 { (id >> 4) << 16 | 1 << (id & 15) }
}
