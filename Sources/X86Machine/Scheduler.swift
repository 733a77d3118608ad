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

extension Machine {
    /// A processor runs at most this many cycles before a slower one gets its turn: the skew between processors.
    static let quantum: UInt64 = 1000

    /// Runs until something ends the run. Deterministic: the processor with the smallest clock runs (ties: lowest index)
    /// for a quantum or up to the next event; events happen in (cycle, sequence) order between instructions.
    public func run(_ limit: RunLimit = .none) -> StopReason {
        let instructionTarget: UInt64
        let cycleTarget: UInt64
        switch limit {
        case .none: (instructionTarget, cycleTarget) = (.max, .max)
        case .instructions(let n):
            let (sum, overflow) = statistics.instructions.addingReportingOverflow(n)
            (instructionTarget, cycleTarget) = (overflow ? .max : sum, .max)
        case .cycle(let c): (instructionTarget, cycleTarget) = (.max, c)
        }
        pendingStop = nil
        while true {
            if let reason = pendingStop { pendingStop = nil; return reason }
            guard let next = nextProcessor() else {
                // Everybody waits: time passes until an event.
                guard let cycle = platform.events.isEmpty ? nil : platform.events.nextCycle else {
                    return .guestDied(deadlockDescription())
                }
                if cycle >= cycleTarget { return .limit }
                advanceClock(to: cycle)
                continue
            }
            let now = next.cpu.pointee.cycles
            if now >= platform.events.nextCycle { advanceClock(to: now); continue }
            if now >= cycleTarget { return .limit }
            let retired = statistics.instructions
            if retired >= instructionTarget { return .limit }
            _ = next.execute(until: min(now &+ Self.quantum, platform.events.nextCycle, cycleTarget),
                             instructions: instructionTarget - retired)
        }
    }

    /// Executes exactly one instruction, or delivers exactly one pending event, on `processor`; due timed events first.
    /// nil: the run may go on.
    public func step(processor index: Int) -> StopReason? {
        let processor = processors[index]
        if let reason = pendingStop { pendingStop = nil; return reason }
        if processor.cpu.pointee.cycles >= platform.events.nextCycle { advanceClock(to: processor.cpu.pointee.cycles) }
        if processor.system.activity == .active { processor.stepInstruction() }
        defer { pendingStop = nil }
        return pendingStop
    }

    /// The processor with the smallest clock among those that are not waiting.
    private func nextProcessor() -> Processor? {
        var chosen: Processor?
        for processor in processors where processor.isRunnable {
            if let c = chosen, c.cpu.pointee.cycles <= processor.cpu.pointee.cycles { continue }
            chosen = processor
        }
        return chosen
    }

    /// Lets every event up to `cycle` happen, in order.
    private func advanceClock(to cycle: UInt64) {
        while platform.events.nextCycle <= cycle, let entry = platform.events.popFirst() {
            platform.clock = max(platform.clock, entry.cycle)
            perform(entry.event, at: entry.cycle)
        }
    }

    private func deadlockDescription() -> String {
        let states = processors.map { "processor \($0.index) \($0.system.activity) at rip \(hex($0.cpu.pointee.rip))" }
        return "every processor waits and no event is due: " + states.joined(separator: ", ")
    }
}

extension Processor {
    /// Active, or halted with something that ends the wait at the next boundary.
    var isRunnable: Bool { system.activity == .active || boundaryWork && system.activity != .shutdown }
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
