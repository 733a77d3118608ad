import Testing
@testable import X86Machine

@Suite("SDM 3A 11.5.4 APIC Timer")
struct APICTimerTests {
    let machine = Machine(configuration())
    var p: Processor { machine.processors[0] }
    let tick = Timing.haswell.apicTimerTick

    init() throws {
        try p.apicStore(offset: 0xF0, size: 4, 0x1FF)
        try p.apicStore(offset: 0x3E0, size: 4, 0xB) // divide by 1
    }

    /// Lets time pass up to `cycle` as the scheduler does between instructions.
    private func pass(to cycle: UInt64) {
        p.cpu.pointee.cycles = cycle
        machine.advanceClock(to: cycle)
    }

    @Test("Figure 11-10: divide configuration", arguments: [
        (UInt32(0b0000), UInt64(2)), (0b0001, 4), (0b0010, 8), (0b0011, 16),
        (0b1000, 32), (0b1001, 64), (0b1010, 128), (0b1011, 1),
    ])
    func divisors(code: UInt32, divisor: UInt64) {
        var timer = APICTimer()
        timer.divideConfiguration = code
        #expect(timer.divisor == divisor)
    }

    @Test("One-shot: the count goes down to 0, interrupts once and stays 0")
    func oneShot() throws {
        try p.apicStore(offset: 0x320, size: 4, 0x40)
        try p.apicStore(offset: 0x380, size: 4, 100)
        pass(to: 40 * tick)
        #expect(p.apicLoad(offset: 0x390) == 60)
        pass(to: 100 * tick - 1)
        #expect(!p.apic.irr[0x40])
        pass(to: 100 * tick)
        #expect(p.apic.irr[0x40])
        #expect(p.apicLoad(offset: 0x390) == 0)
        #expect(machine.platform.events.isEmpty)
    }

    @Test("Periodic: the count reloads and interrupts every period")
    func periodic() throws {
        try p.apicStore(offset: 0x320, size: 4, 0x40 | 1 << 17)
        try p.apicStore(offset: 0x380, size: 4, 100)
        for period in 1...3 as ClosedRange<UInt64> {
            pass(to: 100 * tick * period)
            #expect(p.apic.acknowledge() == 0x40)
            _ = p.apic.endOfInterrupt()
        }
        pass(to: 330 * tick)
        #expect(p.apicLoad(offset: 0x390) == 70)
    }

    @Test("Writing an initial count of 0 stops the timer")
    func stop() throws {
        try p.apicStore(offset: 0x320, size: 4, 0x40)
        try p.apicStore(offset: 0x380, size: 4, 100)
        try p.apicStore(offset: 0x380, size: 4, 0)
        #expect(machine.platform.events.isEmpty)
        pass(to: 1000 * tick)
        #expect(!p.apic.irr[0x40])
    }

    @Test("A masked timer counts and does not interrupt")
    func masked() throws {
        try p.apicStore(offset: 0x320, size: 4, 0x10040)
        try p.apicStore(offset: 0x380, size: 4, 100)
        pass(to: 50 * tick)
        #expect(p.apicLoad(offset: 0x390) == 50)
        pass(to: 100 * tick)
        #expect(!p.apic.irr[0x40])
    }

    @Test("11.5.4.1: TSC-deadline interrupts when the TSC reaches the deadline, then reads 0")
    func deadline() throws {
        try p.apicStore(offset: 0x320, size: 4, 0x40 | 2 << 17)
        try p.writeAPICMSR(0x6E0, 5000)
        #expect(try p.readAPICMSR(0x6E0) == 5000)
        pass(to: 4999)
        #expect(!p.apic.irr[0x40])
        pass(to: 5000)
        #expect(p.apic.irr[0x40])
        #expect(try p.readAPICMSR(0x6E0) == 0)
    }

    @Test("11.5.4.1: a deadline in the past expires at once; 0 disarms")
    func pastDeadline() throws {
        try p.apicStore(offset: 0x320, size: 4, 0x40 | 2 << 17)
        p.cpu.pointee.cycles = 1000
        try p.writeAPICMSR(0x6E0, 500)
        #expect(machine.platform.events.nextCycle <= 1000)
        try p.writeAPICMSR(0x6E0, 0)
        #expect(machine.platform.events.isEmpty)
    }

    @Test("11.5.4.1: in other modes IA32_TSC_DEADLINE reads 0 and ignores writes; a change of mode disarms")
    func otherModes() throws {
        try p.writeAPICMSR(0x6E0, 5000)
        #expect(try p.readAPICMSR(0x6E0) == 0)
        try p.apicStore(offset: 0x320, size: 4, 0x40 | 2 << 17)
        try p.writeAPICMSR(0x6E0, 5000)
        try p.apicStore(offset: 0x320, size: 4, 0x40)
        #expect(machine.platform.events.isEmpty)
        try p.apicStore(offset: 0x320, size: 4, 0x40 | 2 << 17)
        try p.apicStore(offset: 0x380, size: 4, 100)
        #expect(p.apicLoad(offset: 0x390) == 0, "the initial count is ignored in TSC-deadline mode")
    }

    @Test("A deadline counts the TSC, which IA32_TSC_ADJUST moves")
    func adjustedDeadline() throws {
        try p.apicStore(offset: 0x320, size: 4, 0x40 | 2 << 17)
        p.system.tscAdjust = 1000
        try p.writeAPICMSR(0x6E0, 5000)
        #expect(machine.platform.events.nextCycle == 4000)
    }
}
