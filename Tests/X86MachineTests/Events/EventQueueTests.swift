import Testing
import X86Architecture
@testable import X86Machine

@Suite("Event queue")
struct EventQueueTests {
    @Test("Events come by cycle, and in the order of scheduling within a cycle")
    func order() {
        var queue = EventQueue()
        let cycles: [UInt64] = [50, 10, 50, 30, 10, 50, 20, 10]
        for (i, cycle) in cycles.enumerated() { queue.schedule(.interrupt(vector: UInt8(i), processor: 0), at: cycle) }
        var popped: [(UInt64, Int)] = []
        while let entry = queue.popFirst() {
            guard case .interrupt(let vector, _) = entry.event else { continue }
            popped.append((entry.cycle, Int(vector)))
        }
        let expected = cycles.enumerated().map { ($0.element, $0.offset) }.sorted { $0 < $1 }
        #expect(popped.map(\.0) == expected.map(\.0) && popped.map(\.1) == expected.map(\.1))
    }

    @Test("A cancelled event does not happen; the others keep their order")
    func cancel() {
        var queue = EventQueue()
        for i in 0..<10 as Range<UInt64> {
            queue.schedule(i % 3 == 0 ? .intervalTimer : .nmi(processor: Int(i)), at: 100 - i)
        }
        queue.cancel(.intervalTimer)
        var last: UInt64 = 0
        while let entry = queue.popFirst() {
            #expect(entry.event != .intervalTimer && entry.cycle >= last)
            last = entry.cycle
        }
        #expect(last == 99)
    }

    @Test("An injected interrupt arrives at its cycle, not before; one in the past arrives at the next event time")
    func injection() throws {
        let machine = Machine(configuration())
        let p = machine.processors[0]
        defer { withExtendedLifetime(machine) {} }  // A processor does not keep its machine.
        try p.apicStore(offset: 0xF0, size: 4, 0x1FF)
        machine.injectInterrupt(vector: 0x60, processor: 0, atCycle: 500)
        machine.injectNMI(processor: 0, atCycle: 400)
        machine.advanceClock(to: 450)
        #expect(p.system.pendingNMI && !p.apic.irr[0x60])
        machine.advanceClock(to: 500)
        #expect(p.apic.irr[0x60])
        machine.injectInterrupt(vector: 0x61, processor: 0, atCycle: 3)
        #expect(machine.platform.events.nextCycle == 500)
    }

    @Test("Every processor halted and nothing in the queue: the guest died, and the text says where")
    func deadlock() {
        let machine = Machine(configuration())
        machine.processors[0].system.activity = .halted
        machine.processors[0].boundaryWork = false
        guard case .guestDied(let text) = machine.run() else { Issue.record("not a death"); return }
        #expect(text.contains("processor 0 halted at rip 0xfff0"))
    }

    @Test("Halted with IF = 0, a timer that raises maskable interrupts does not keep the run alive; an NMI does")
    func deadlockWithTimer() throws {
        let machine = Machine(configuration())
        let p = machine.processors[0]
        defer { withExtendedLifetime(machine) {} }  // A processor does not keep its machine.
        p.system.activity = .halted
        p.boundaryWork = false
        machine.injectInterrupt(vector: 0x60, processor: 0, atCycle: 500)
        #expect(!machine.canAnythingWake)
        machine.injectNMI(processor: 0, atCycle: 600)
        #expect(machine.canAnythingWake)
    }

    @Test("Halted with IF = 1 under a periodic timer that is masked: the guest died; an interrupt still to come counts")
    func deadlockWithMaskedTimer() throws {
        let machine = Machine(configuration())
        let p = machine.processors[0]
        defer { withExtendedLifetime(machine) {} }  // A processor does not keep its machine.
        try p.apicStore(offset: 0xF0, size: 4, 0x1FF)
        try p.apicStore(offset: 0x320, size: 4, 0x30040)
        try p.apicStore(offset: 0x380, size: 4, 10)
        p.system.flags |= RFLAGS.interrupt
        p.system.activity = .halted
        p.boundaryWork = false
        guard case .guestDied = machine.run(.cycle(1 << 40)) else { Issue.record("not a death"); return }
        machine.injectNMI(processor: 0, atCycle: 1 << 41)
        #expect(machine.canAnythingWake)
    }
}
