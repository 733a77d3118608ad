import Boot
import DriverImage
import Isolation
import LVD
import Traces
import X86Architecture
import X86Machine

/// One run of the guest system: builds the machine, watches it, and says how it ended.
public final class Run {
    public let scenario: Scenario
    public let system: LVDSystem
    public let machine: Machine
    public let stream = EventStream()
    public let statistics: StatisticsObserver
    public let checker: Checker
    /// The cycle at which the run was given up; nil when the guest ended it.
    public private(set) var limit: UInt64?

    /// - Throws: `ImageError` when an image cannot be used.
    public init(_ scenario: Scenario) throws(ImageError) {
        self.scenario = scenario
        let system = try LVDSystem(scenario.system)
        let machine = try system.makeMachine()
        self.system = system
        self.machine = machine
        let processors = scenario.system.processorCount
        statistics = StatisticsObserver(layout: system.layout, processors: processors)
        checker = Checker(
            layout: system.layout, machine: machine.view, processors: processors, invariants: scenario.invariants
        ) { [unowned machine] page in
            machine.watch(page: page)
        }
        machine.addObserver(stream)
        machine.addObserver(statistics)
        if !scenario.invariants.isEmpty { machine.addObserver(checker) }
        for event in scenario.interrupts.events {
            switch event.source {
            case .vector(let vector):
                machine.injectInterrupt(vector: vector, processor: event.processor, atCycle: event.cycle)
            case .nmi:
                machine.injectNMI(processor: event.processor, atCycle: event.cycle)
            }
        }
    }

    /// Runs to the end of the guest, to the scenario's limit, or until `isInterrupted`, at an instruction boundary.
    /// - Parameter progress: called between slices of the run, some times per second.
    public func run(isInterrupted: () -> Bool = { false }, progress: (Run) -> Void = { _ in }) -> RunResult {
        var stop = StopReason.limit
        var target: UInt64 = 0
        while true {
            target = min(scenario.cyclesMax, target + Self.sliceCycles)
            stop = machine.run(.cycle(target))
            if stop != .limit || target == scenario.cyclesMax { break }
            if isInterrupted() { stop = .requested; break }
            progress(self)
        }
        checker.finish()
        limit = stop == .limit || stop == .requested ? target : nil
        return RunResult(self, stop: stop)
    }
    /// Where a run pauses has no influence on it; a slice takes about a tenth of a second.
    private static let sliceCycles: UInt64 = 20_000_000

    /// Operations completed so far, as the guest counts them.
    public var completed: UInt64 { GuestResults(machine.view, layout: system.layout)?.progress ?? 0 }

    /// The state of the machine and every event up to now, in 32 hexadecimal digits.
    public var digest: String {
        var hash = StableHash()
        for value in [machine.digest.value, stream.hash.value] {
            hash.add(UInt64(truncatingIfNeeded: value))
            hash.add(UInt64(truncatingIfNeeded: value >> 64))
        }
        return MachineDigest(hash.value).description
    }
}
