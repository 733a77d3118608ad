import CEngineState
import X86Architecture

/// Why `Processor.execute` returned. Always at an instruction boundary, with `cpu.rip`, `cpu.cycles` and
/// `cpu.instructions` exact.
enum ExecutionExit {
    /// `cpu.cycles` has reached the given cycle.
    case cycleReached
    /// The given number of instructions has retired.
    case instructionsRetired
    /// `mustYield` was set: the queue changed, or the run is to stop (`Machine.pendingStop`).
    case yielded
    /// The activity state is no longer active.
    case inactive
}

extension Processor {
    /// Makes `execute` return at the next instruction boundary, after its boundary work.
    func yieldSoon() {
        mustYield = true
        cpu.pointee.nextEvent = 0
    }
    /// Makes `execute` look for pending interrupts and other boundary work before the next instruction.
    func attend() {
        boundaryWork = true
        cpu.pointee.nextEvent = 0
    }
}

/// The turn of one processor: it stays the running one until its clock reaches `end`. State, not a local variable, so
/// that a run that is interrupted by a limit and goes on interleaves the processors as an uninterrupted one.
struct Slice {
    var processor: Int
    var end: UInt64
}

/// Which timers have fired since every processor began to wait, and how often.
struct IdleTimers {
    var firings: [(event: TimedEvent, count: Int)] = []

    mutating func note(_ event: TimedEvent) {
        guard event.isTimer else { return }
        if let i = firings.firstIndex(where: { $0.event == event }) {
            firings[i].count += 1
        } else {
            firings.append((event, 1))
        }
    }
    func hasSettled(_ event: TimedEvent) -> Bool { firings.contains { $0.event == event && $0.count >= 2 } }
}

extension Machine {
    /// A processor runs at most this many cycles before a slower one gets its turn: the skew between processors.
    static let quantum: UInt64 = 1000

    /// Runs until something ends the run. Deterministic: the processor with the smallest clock runs (ties: lowest
    /// index) for a quantum or up to the next event; events happen in (cycle, sequence) order between instructions.
    /// Where limits fall does not change what happens: runs of 10 and 20 instructions equal one of 30.
    public func run(_ limit: RunLimit = .none) -> StopReason {
        precondition(!isRunning, "an observer cannot run the machine")
        isRunning = true
        defer { isRunning = false }
        var instructionTarget = UInt64.max, cycleTarget = UInt64.max
        switch limit {
        case .none: break
        case .instructions(let n):
            let (sum, overflow) = statistics.instructions.addingReportingOverflow(n)
            instructionTarget = overflow ? .max : sum
        case .cycle(let c): cycleTarget = c
        }
        while true {
            turns &+= 1
            if let reason = pendingStop { pendingStop = nil; return reason }
            guard let processor = runningProcessor() else {
                // Everybody waits: time passes until an event.
                let cycle = platform.events.nextCycle
                guard cycle != .max, canAnythingWake else { return .guestDied(deadlockDescription()) }
                if cycle >= cycleTarget { return .limit }
                if let entry = platform.events.heap.first { platform.idle.note(entry.event) }
                advanceClock(to: cycle)
                continue
            }
            platform.idle.firings.removeAll(keepingCapacity: true)
            let now = processor.cpu.pointee.cycles
            if now >= platform.events.nextCycle { advanceClock(to: now); continue }
            if now >= cycleTarget { return .limit }
            let retired = statistics.instructions
            if retired >= instructionTarget { return .limit }
            let end = min(platform.slice?.end ?? now, platform.events.nextCycle, cycleTarget)
            let exit = processor.execute(until: end, instructions: instructionTarget - retired)
            if case .inactive = exit { processor.boundaryWork = false }
        }
    }

    /// Executes exactly one instruction, or delivers exactly one pending event, on one processor; events that are due
    /// come first. nil: the run may go on. Chooses the processor itself, outside the schedule that `run` follows.
    public func step(processor index: Int) -> StopReason? {
        precondition(!isRunning, "an observer cannot run the machine")
        isRunning = true
        defer { isRunning = false }
        let processor = processors[index]
        if processor.cpu.pointee.cycles >= platform.events.nextCycle { advanceClock(to: processor.cpu.pointee.cycles) }
        if pendingStop == nil, processor.isRunnable { processor.stepInstruction() }
        defer { pendingStop = nil }
        return pendingStop
    }

    /// Whose turn it is: the one that has it while its slice lasts, otherwise the one with the smallest clock.
    private func runningProcessor() -> Processor? {
        if let slice = platform.slice {
            let current = processors[slice.processor]
            let end = min(slice.end, platform.events.nextCycle)
            if current.isRunnable, current.cpu.pointee.cycles < end { return current }
            platform.slice = nil
        }
        var chosen: Processor?
        for processor in processors where processor.isRunnable {
            if let c = chosen, c.cpu.pointee.cycles <= processor.cpu.pointee.cycles { continue }
            chosen = processor
        }
        if let chosen {
            let end = processors.count == 1 ? .max : chosen.cpu.pointee.cycles &+ Self.quantum
            platform.slice = Slice(processor: chosen.index, end: end)
        }
        return chosen
    }

    /// Lets every event up to `cycle` happen, in order.
    func advanceClock(to cycle: UInt64) {
        while platform.events.nextCycle <= cycle, let entry = platform.events.popFirst() {
            platform.clock = max(platform.clock, entry.cycle)
            perform(entry.event, at: entry.cycle)
        }
    }

    /// While every processor waits: whether what is in the queue can wake one. A timer that only raises maskable
    /// interrupts cannot wake a processor that halted with IF = 0, and timers that all have fired twice without
    /// waking anybody (masked, or below the task priority) will never do.
    var canAnythingWake: Bool {
        if platform.events.heap.allSatisfy({ platform.idle.hasSettled($0.event) }) { return false }
        let wakesByNMI = platform.events.heap.contains { if case .nmi = $0.event { true } else { false } }
        return processors.contains { processor in
            processor.system.activity == .shutdown && processor.vmx.inNonRoot
                || processor.system.activity == .halted
                && (wakesByNMI || processor.vmx.inNonRoot || processor.system.flags & RFLAGS.interrupt != 0)
        }
    }

    private func deadlockDescription() -> String {
        let states = processors.map { processor in
            let flag = processor.system.flags & RFLAGS.interrupt != 0 ? "enabled" : "disabled"
            return "processor \(processor.index) \(processor.system.activity) at rip \(hex(processor.cpu.pointee.rip))"
                + " with interrupts \(flag)"
        }
        return "every processor waits and nothing can wake one: " + states.joined(separator: ", ")
    }
}

extension Processor {
    /// Active, or halted with something that ends the wait at the next boundary.
    var isRunnable: Bool {
        system.activity == .active || boundaryWork && (system.activity != .shutdown || vmx.inNonRoot)
    }
}

/// Lower-case hexadecimal with 0x.
func hex(_ value: some BinaryInteger) -> String { "0x" + String(value, radix: 16) }

/// Counters of a run so far.
public struct Statistics: Sendable, Equatable {
    /// Retired instructions, all processors together.
    public var instructions: UInt64 = 0
    /// The furthest processor clock.
    public var cycles: UInt64 = 0
}

extension Machine {
    public var statistics: Statistics {
        var s = Statistics()
        for processor in processors {
            s.instructions &+= processor.cpu.pointee.instructions
            s.cycles = max(s.cycles, processor.cpu.pointee.cycles)
        }
        return s
    }
}
