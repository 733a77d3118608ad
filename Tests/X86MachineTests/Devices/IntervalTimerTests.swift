import Testing
@testable import X86Machine

@Suite("8254 timer (data sheet 231164)")
struct IntervalTimerTests {
    let machine = Machine(configuration())
    var p: Processor { machine.processors[0] }

    private func write(_ port: UInt16, _ values: UInt8...) throws {
        for value in values { try machine.portWrite(port, size: 1, UInt32(value), from: p) }
    }
    private func read(_ port: UInt16) throws -> UInt8 { UInt8(try machine.portRead(port, size: 1, from: p)) }
    private func pass(ticks: UInt64) {
        let cycle = machine.platform.devices.timer.cycle(ofTick: ticks)
        p.cpu.pointee.cycles = cycle
        machine.advanceClock(to: cycle)
    }
    private var requests: Bool {
        var pic = machine.platform.devices.interruptControllers
        pic.write(0x21, 0)
        return pic.output
    }

    @Test("A tick is 1/1,193,182 s of core cycles")
    func ticks() {
        let timer = machine.platform.devices.timer
        #expect(timer.tick(at: 2_600_000_000) == 1_193_182)
        #expect(timer.tick(at: timer.cycle(ofTick: 12_345)) == 12_345)
        #expect(timer.tick(at: timer.cycle(ofTick: 12_345) - 1) == 12_344)
    }

    @Test("Mode 2: IRQ 0 at every period; the count runs from the reload value to 1")
    func mode2() throws {
        try write(0x43, 0x34)
        try write(0x40, 0xE8, 0x03) // 1000
        pass(ticks: 301)
        try write(0x43, 0x00)
        #expect(try UInt16(read(0x40)) | UInt16(read(0x40)) << 8 == 700)
        pass(ticks: 1000)
        #expect(!requests)
        pass(ticks: 1001)
        #expect(requests)
        _ = machine.platform.devices.interruptControllers.acknowledge()
        #expect(machine.platform.events.nextCycle == machine.platform.devices.timer.cycle(ofTick: 2001))
    }

    @Test("Mode 0: one interrupt at terminal count")
    func mode0() throws {
        try write(0x43, 0x30)
        try write(0x40, 100, 0)
        #expect(!requests)
        pass(ticks: 101)
        #expect(requests)
        #expect(machine.platform.events.isEmpty)
    }

    @Test("Mode 4: OUT is low for one tick after the count; the interrupt comes when it rises, once")
    func mode4() throws {
        try write(0x43, 0x38)
        try write(0x40, 100, 0)
        pass(ticks: 51)
        try write(0x43, 0x00)
        #expect(try UInt16(read(0x40)) | UInt16(read(0x40)) << 8 == 50)
        // Status: OUT high before and after, low at terminal count; mode 4, low byte then high.
        for (ticks, status) in [(100, 0xB8), (101, 0x38), (102, 0xB8)] as [(UInt64, UInt8)] {
            #expect(!requests)
            pass(ticks: ticks)
            try write(0x43, 0xE2)
            #expect(try read(0x40) == status)
        }
        #expect(requests && machine.platform.events.isEmpty)
        // Written anew, it counts anew.
        machine.platform.devices.interruptControllers.write(0x21, 0)
        _ = machine.platform.devices.interruptControllers.acknowledge()
        machine.platform.devices.interruptControllers.write(0x20, 0x20)
        try write(0x40, 10, 0)
        pass(ticks: 113)
        #expect(!requests)
        pass(ticks: 114)
        #expect(requests)
    }

    @Test("Channel 2 is gated by port 61H bit 0 and its output is bit 5")
    func channel2() throws {
        try write(0x43, 0xB0)
        try write(0x61, 1)
        try write(0x42, 100, 0)
        #expect(try read(0x61) & 0x20 == 0)
        pass(ticks: 101)
        #expect(try read(0x61) & 0x20 == 0x20)
    }

    @Test("Read-back latches status: output, null count, access, mode")
    func readBack() throws {
        try write(0x43, 0x36)
        try write(0x43, 0xE2)
        #expect(try read(0x40) == 0x80 | 0x40 | 0x36)
    }

    @Test("Modes that are not modelled stop the run by name")
    func unknownMode() {
        // 1 and 5, which the gate triggers.
        #expect(throws: Interruption.self) { try write(0x43, 0x32) }
        #expect(throws: Interruption.self) { try write(0x43, 0x3A) }
    }
}
