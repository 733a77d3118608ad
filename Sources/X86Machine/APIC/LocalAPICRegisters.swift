import X86Architecture

/// Register file of the local APIC, by register number: offset >> 4 in the xAPIC page, MSR & 0xFF in x2APIC mode.
/// SDM 3A Table 11-1 "Local APIC Register Address Map", Table 11-6 "Local APIC Register Address Map Supported by
/// x2APIC".
enum APICRegister {
    static let id = 0x02, version = 0x03
    static let tpr = 0x08, apr = 0x09, ppr = 0x0A, eoi = 0x0B, rrd = 0x0C, ldr = 0x0D, dfr = 0x0E, svr = 0x0F
    static let isr = 0x10...0x17, tmr = 0x18...0x1F, irr = 0x20...0x27, esr = 0x28
    static let icrLow = 0x30, icrHigh = 0x31
    static let initialCount = 0x38, currentCount = 0x39, divide = 0x3E, selfIPI = 0x3F
    /// 0x10 or later: integrated; bits 23:16: highest LVT entry (six: CMCI present). No EOI-broadcast suppression.
    static let versionValue: UInt32 = 6 << 16 | 0x15

    static func lvt(_ register: Int) -> LocalAPIC.LVT? {
        switch register {
        case 0x2F: .cmci
        case 0x32: .timer
        case 0x33: .thermal
        case 0x34: .performance
        case 0x35: .lint0
        case 0x36: .lint1
        case 0x37: .error
        default: nil
        }
    }
}

extension Processor {
    var apicMode: APICMode { APICBase.mode(system.apicBase) }

    /// The value of a register; nil: reserved or write-only.
    func apicRead(_ register: Int) -> UInt32? {
        let x2 = apicMode == .x2APIC
        switch register {
        case APICRegister.id: return x2 ? apic.id : apic.id << 24
        case APICRegister.version: return APICRegister.versionValue
        case APICRegister.tpr: return UInt32(apic.tpr)
        case APICRegister.apr, APICRegister.rrd: return x2 ? nil : 0
        case APICRegister.ppr: return UInt32(apic.ppr)
        case APICRegister.eoi: return x2 ? nil : 0
        case APICRegister.ldr: return x2 ? apic.x2LogicalID : apic.logicalDestination
        case APICRegister.dfr: return x2 ? nil : apic.destinationFormat
        case APICRegister.svr: return apic.spurious
        case APICRegister.isr: return apic.isr.register(register - 0x10)
        case APICRegister.tmr: return apic.tmr.register(register - 0x18)
        case APICRegister.irr: return apic.irr.register(register - 0x20)
        case APICRegister.esr: return apic.errorStatus
        case APICRegister.icrLow: return UInt32(truncatingIfNeeded: apic.interruptCommand)
        case APICRegister.icrHigh: return x2 ? nil : UInt32(truncatingIfNeeded: apic.interruptCommand >> 32)
        case APICRegister.initialCount: return apic.timer.initialCount
        case APICRegister.currentCount: return apic.timer.currentCount(at: cpu.pointee.cycles, machine.timing)
        case APICRegister.divide: return apic.timer.divideConfiguration
        default: return APICRegister.lvt(register).map { apic[$0] }
        }
    }

    /// False: reserved or read-only.
    func apicWrite(_ register: Int, _ value: UInt32) throws(Interruption) -> Bool {
        let x2 = apicMode == .x2APIC
        switch register {
        case APICRegister.id where !x2: break // Read-only since the Pentium 4 family, without effect.
        case APICRegister.tpr:
            apic.tpr = UInt8(truncatingIfNeeded: value)
            attend()
        case APICRegister.eoi: endOfInterrupt()
        case APICRegister.ldr where !x2: apic.logicalDestination = value & 0xFF00_0000
        case APICRegister.dfr where !x2: apic.destinationFormat = value | 0x0FFF_FFFF
        case APICRegister.svr:
            apic.spurious = value & 0x3FF
            if !apic.softwareEnabled {
                // SDM 3A 11.4.7.2 "Local APIC State After It Has Been Software Disabled".
                for i in 0..<7 { apic.lvt[i] |= LocalAPIC.masked }
            }
        case APICRegister.esr:
            apic.errorStatus = apic.pendingErrors
            apic.pendingErrors = 0
        case APICRegister.icrLow:
            apic.interruptCommand = apic.interruptCommand & ~0xFFFF_FFFF | UInt64(value & 0x000C_CFFF)
            try sendInterruptCommand()
        case APICRegister.icrHigh where !x2:
            apic.interruptCommand = apic.interruptCommand & 0xFFFF_FFFF | UInt64(value & 0xFF00_0000) << 32
        case APICRegister.initialCount: writeInitialCount(value)
        case APICRegister.divide: writeDivideConfiguration(value)
        case APICRegister.selfIPI where x2:
            receive(vector: UInt8(truncatingIfNeeded: value), at: cpu.pointee.cycles)
        default:
            guard let entry = APICRegister.lvt(register) else { return false }
            writeLVT(entry, value)
        }
        return true
    }

    private func writeLVT(_ entry: LocalAPIC.LVT, _ value: UInt32) {
        let oldMode = apic.timerMode
        let forced = apic.softwareEnabled ? 0 : LocalAPIC.masked
        var writable = LocalAPIC.writableBits(entry)
        // SDM 3A 11.5.4.1 "TSC-Deadline Mode": without it, bit 18 is reserved.
        if entry == .timer && !machine.configuration.model.has(.tscDeadline) { writable &= ~(1 << 18) }
        apic[entry] = value & writable | forced
        if entry == .timer { timerModeChanged(from: oldMode) }
        if entry == .lint0 { attend() }
    }

    private func endOfInterrupt() {
        if let vector = apic.endOfInterrupt() {
            machine.broadcastEndOfInterrupt(vector: vector, at: cpu.pointee.cycles)
        }
        attend()
    }

    // MARK: The xAPIC page

    /// The page of this processor's APIC registers (xAPIC mode only).
    @inline(__always) func isLocalAPIC(_ address: PhysicalAddress) -> Bool {
        (address.rawValue ^ system.apicBase) & ~Page.offsetMask == 0
            && system.apicBase & (APICBase.enable | APICBase.x2apic) == APICBase.enable
    }

    /// SDM 3A 11.4.1 "The Local APIC Block Diagram": registers are 32 bits wide and 16-byte aligned. A narrower or
    /// unaligned load inside the four bytes returns that part of them; elsewhere zero.
    func apicLoad(offset: UInt64) -> UInt64 {
        guard offset < 0x400, offset & 15 < 4 else { return 0 }
        guard let value = apicRead(Int(offset >> 4)) else {
            reportError(APICError.illegalRegister)
            return 0
        }
        return UInt64(value) >> (8 * (offset & 3))
    }

    func apicStore(offset: UInt64, size: Int, _ value: UInt64) throws(Interruption) {
        guard size == 4, offset & 15 == 0 else {
            throw .notModelled(
                "a \(size)-byte store at offset \(hex(offset)) of the local APIC page (SDM 3A 11.4.1: undefined)")
        }
        if offset >= 0x400 { return }
        let exists = try apicWrite(Int(offset >> 4), UInt32(truncatingIfNeeded: value))
        if !exists { reportError(APICError.illegalRegister) }
    }

    /// SDM 3A 11.5.3 "Error Handling": the error interrupt comes when the first error since the last latch appears.
    func reportError(_ bit: UInt32) {
        let first = apic.pendingErrors == 0
        apic.pendingErrors |= bit
        if first { deliverLocal(.error, at: cpu.pointee.cycles) }
    }
}
