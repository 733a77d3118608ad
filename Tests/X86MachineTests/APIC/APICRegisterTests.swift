import Testing
@testable import X86Machine

@Suite("SDM 3A chapter 11: registers of the local APIC")
struct APICRegisterTests {
    let machine = Machine(MachineConfiguration())
    var p: Processor { machine.processors[0] }

    private func read(_ offset: UInt64) -> UInt32 { UInt32(p.apicLoad(offset: offset)) }
    private func write(_ offset: UInt64, _ value: UInt32) throws {
        try p.apicStore(offset: offset, size: 4, UInt64(value))
    }

    @Test("11.4.7.1: state after power-up: LVT masked, SVR FFH, DFR all ones, software disabled")
    func powerUp() {
        #expect(read(0x320) == 0x10000 && read(0x350) == 0x10000 && read(0x370) == 0x10000)
        #expect(read(0x0F0) == 0xFF)
        #expect(read(0x0E0) == 0xFFFF_FFFF)
        #expect(read(0x080) == 0)
    }

    @Test("11.4.7.2: software disabling masks every LVT entry, and they stay masked")
    func softwareDisable() throws {
        try write(0x0F0, 0x1FF)
        try write(0x320, 0x40)
        #expect(read(0x320) == 0x40)
        try write(0x0F0, 0xFF)
        #expect(read(0x320) == 0x10040)
        try write(0x320, 0x41)
        #expect(read(0x320) == 0x10041)
    }

    @Test("11.5.3: ESR shows errors only once it has been written; receiving vectors 0 to 15 is an error")
    func errorStatus() throws {
        try write(0x0F0, 0x1FF)
        p.receive(vector: 5, at: 0)
        #expect(read(0x280) == 0)
        try write(0x280, 0)
        #expect(read(0x280) == APICError.receiveIllegalVector)
        try write(0x280, 0)
        #expect(read(0x280) == 0)
    }

    @Test("11.5.3: the first error raises the LVT error interrupt")
    func errorInterrupt() throws {
        try write(0x0F0, 0x1FF)
        try write(0x370, 0xFE)
        p.receive(vector: 3, at: 0)
        #expect(p.apic.irr[0xFE])
    }

    @Test("A store that is not 32 bits wide and aligned is undefined: a named stop, not a guess")
    func narrowStore() {
        #expect(throws: Interruption.self) { try p.apicStore(offset: 0x80, size: 1, 0x20) }
        #expect(p.apic.tpr == 0)
    }

    @Test("The page answers at IA32_APIC_BASE, for the processor that accesses it")
    func memoryMapped() throws {
        let two = Machine(configuration(processors: 2))
        for p in two.processors {
            #expect(try two.physicalLoad(.init(0xFEE0_0020), as: UInt32.self, from: p) == UInt32(p.index) << 24)
        }
    }

    @Test("11.12.5: forbidden transitions of IA32_APIC_BASE are #GP(0)")
    func baseTransitions() throws {
        func rejected(_ value: UInt64) -> Bool {
            do throws(Interruption) { try p.writeAPICBase(value); return false } catch { return true }
        }
        let base: UInt64 = 0xFEE0_0000
        #expect(rejected(base | APICBase.x2apic), "EXTD without EN")
        #expect(rejected(base | 1 << 46 | APICBase.enable), "beyond MAXPHYADDR")
        #expect(rejected(base | APICBase.enable | 1), "reserved bit")
        try p.writeAPICBase(base)
        #expect(rejected(base | APICBase.enable | APICBase.x2apic), "disabled to x2APIC")
        try p.writeAPICBase(base | APICBase.enable)
        try p.writeAPICBase(base | APICBase.enable | APICBase.x2apic)
        #expect(rejected(base | APICBase.enable), "x2APIC to xAPIC")
        try p.writeAPICBase(base)
    }

    @Test("11.4.7.3 and KVM-UNIT-TESTS: clearing EN and setting it again gives back a reset APIC in xAPIC mode")
    func reenable() throws {
        try write(0x0F0, 0x1FF)
        try write(0x320, 0x40)
        try p.writeAPICBase(0xFEE0_0000)
        #expect(try machine.physicalLoad(.init(0xFEE0_0020), as: UInt32.self, from: p) == .max)
        try p.writeAPICBase(0xFEE0_0000 | APICBase.enable)
        #expect(read(0x0F0) == 0xFF && read(0x320) == 0x10000)
    }

    @Test("11.12.1.2: in x2APIC mode the registers are MSRs and the page is gone; otherwise the MSRs are #GP(0)")
    func x2apicAccess() throws {
        #expect(throws: Interruption.self) { try p.readAPICMSR(0x802) }
        try p.writeAPICBase(0xFEE0_0000 | APICBase.enable | APICBase.x2apic)
        #expect(try p.readAPICMSR(0x802) == 0)
        #expect(try p.readAPICMSR(0x80D) == 1)
        #expect(!p.isLocalAPIC(.init(0xFEE0_0000)))
    }

    @Test("11.12.1.3: reserved bits and read-only or absent x2APIC registers are #GP(0)", arguments: [
        (UInt32(0x808), UInt64(0x100)), (0x80B, 1), (0x802, 0), (0x80E, 0), (0x831, 0), (0x828, 1), (0x80F, 1 << 12),
        (0x83E, 4), (0x8FF, 0),
    ])
    func x2apicReserved(msr: UInt32, value: UInt64) throws {
        try p.writeAPICBase(0xFEE0_0000 | APICBase.enable | APICBase.x2apic)
        #expect(throws: Interruption.self) { try p.writeAPICMSR(msr, value) }
    }
}

func configuration(processors: Int = 1, megabytes: UInt64 = 16) -> MachineConfiguration {
    var c = MachineConfiguration()
    c.processorCount = processors
    c.memoryBytes = megabytes << 20
    return c
}
