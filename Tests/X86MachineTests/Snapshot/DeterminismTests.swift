import Testing
import X86Architecture
@testable import X86Machine

@Suite("Runs repeat exactly")
struct RunDeterminismTests {
    /// What a run leaves: why it stopped, the state, the events.
    struct Outcome: Equatable {
        var stop: StopReason
        var digest: MachineDigest
        var events: MachineDigest
        var statistics: Statistics

        init(_ machine: Machine, _ stop: StopReason) {
            self.stop = stop
            digest = machine.digest
            events = machine.eventDigest
            statistics = machine.statistics
        }
    }

    static let programs: [(name: String, bytes: [UInt8], processors: Int)] = [
        ("timer", GuestProgram.timer, 1), ("race", GuestProgram.race, 3),
    ]
    private func machine(_ program: Int) -> Machine {
        GuestProgram.machine(Self.programs[program].bytes, processors: Self.programs[program].processors)
    }
    private func whole(_ program: Int) -> Outcome {
        let machine = machine(program)
        return Outcome(machine, machine.run(.instructions(10_000_000)))
    }

    @Test("The programs do what they say: interrupts arrive, locked increments of three processors add up")
    func programs() {
        guard case .debugExit(let ticks) = whole(0).stop else { Issue.record("\(whole(0).stop)"); return }
        #expect(ticks > 2)
        #expect(whole(1).stop == .debugExit(value: 6000))
    }

    @Test("Two machines with the same configuration end in the same state", arguments: [0, 1])
    func twice(program: Int) {
        #expect(whole(program) == whole(program))
    }

    @Test("Where limits interrupt a run does not matter", arguments: [0, 1])
    func pieces(program: Int) {
        let expected = whole(program)
        for size in [1, 7, 1000] as [UInt64] {
            let machine = machine(program)
            var stop = StopReason.limit
            while stop == .limit { stop = machine.run(.instructions(size)) }
            #expect(Outcome(machine, stop) == expected, "in pieces of \(size) instructions")
        }
        let machine = machine(program)
        var stop = StopReason.limit, target: UInt64 = 0
        while stop == .limit {
            target += 333
            stop = machine.run(.cycle(target))
        }
        #expect(Outcome(machine, stop) == expected, "in pieces of 333 cycles")
    }

    @Test("Stepping one instruction at a time equals running")
    func stepping() {
        let machine = machine(0)
        var stop: StopReason?
        while stop == nil { stop = machine.step(processor: 0) }
        #expect(Outcome(machine, stop ?? .limit) == whole(0))
    }

    @Test("Restoring a snapshot and running again gives the same end, also nested and out of order", arguments: [0, 1])
    func restored(program: Int) {
        let expected = whole(program)
        let machine = machine(program)
        var snapshots = [machine.snapshot()]
        for _ in 0..<4 {
            #expect(machine.run(.instructions(2500)) == .limit)
            snapshots.append(machine.snapshot())
        }
        #expect(Outcome(machine, machine.run()) == expected)
        for i in [2, 0, 4, 4, 1, 3] {
            machine.restore(snapshots[i])
            #expect(Outcome(machine, machine.run()) == expected, "from snapshot \(i)")
        }
    }

    @Test("A fork at every instruction of a stretch leaves the base untouched")
    func forks() {
        let expected = whole(0)
        let machine = machine(0)
        #expect(machine.run(.instructions(2000)) == .limit)
        for _ in 0..<200 {
            #expect(machine.step(processor: 0) == nil)
            let fork = machine.snapshot()
            machine.injectInterrupt(vector: 0x40, processor: 0, atCycle: machine.statistics.cycles)
            #expect(machine.run(.instructions(50)) == .limit)
            machine.restore(fork)
        }
        #expect(Outcome(machine, machine.run()) == expected)
    }

    @Test("An observer changes nothing, even of every instruction")
    func observed() {
        final class Counter: Observer {
            let events: EventMask = [.all, .instruction]
            var instructions: UInt64 = 0
            func observe(_ event: Event, processor: Int, in machine: MachineView) {
                if case .instruction = event { instructions += 1 }
                _ = machine.registers(of: processor)
            }
        }
        let machine = machine(0), counter = Counter()
        machine.addObserver(counter)
        let outcome = Outcome(machine, machine.run())
        #expect(outcome == whole(0))
        #expect(counter.instructions == outcome.statistics.instructions)
    }

    @Test("Memory stays small: a run of a machine with gigabytes of RAM writes only the pages it uses")
    func pagesTouched() {
        var c = configuration(megabytes: 4096)
        c.hashesEvents = true
        let machine = Machine(c)
        machine.writePhysical(GuestProgram.timer, at: .init(0x10_0000))
        machine.setBootState(.multiboot32(entry: 0x10_0000, information: 0))
        _ = machine.run()
        #expect(machine.memory.writtenFrames.count < 20)
    }
}
