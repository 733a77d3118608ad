import Boot
import DriverImage
import Isolation
import LVD
import Traces
import X86Architecture
import X86Machine

/// One interrupt at every instruction boundary of one kernel-to-domain call and its return, each tried from a snapshot.
///
/// The boundaries are those before each instruction of the undisturbed call: boundary 0 is before the first one of the
/// trampoline's entry, the last one before its RET. Other processors stand still meanwhile.
public struct Explorer {
    public struct Plan: Sendable {
        /// Which call, from 1 in the order of the run; nil: the first one of the workload's second operation.
        public var call: UInt64?
        /// Try these boundaries only; nil: all.
        public var boundaries: ClosedRange<Int>?
        /// Of those, every n-th only, from which on: parts of a long call, to be tried in runs of their own.
        public var part: (first: Int, stride: Int) = (0, 1)
        /// Vector for interrupts; nil: the one that the guest's own timer raised, else 0x20.
        public var vector: UInt8?
        public var injectsInterrupt = true
        public var injectsNMI = false
        public init() {}
    }

    /// What came of one injection.
    public enum Outcome: Sendable, Equatable {
        /// Delivered in the kernel's view, and the call returned as it does undisturbed.
        case inKernel
        /// Delivered in the domain's view, and the call returned as it does undisturbed.
        case inDomain
        /// Interrupts were off: delivered after the call or not at all; the call returned as undisturbed.
        case deferred
        /// The call returned with other registers than undisturbed: their names.
        case registersDiffer(String)
        /// The domain was terminated, or the call did not return: why.
        case lost(String)
        case guestDied(String)
        case notModelled(String)

        public var name: String {
            switch self {
            case .inKernel: "taken in the kernel's view, call returned"
            case .inDomain: "taken in the domain's view, call returned"
            case .deferred: "not taken before the return"
            case .registersDiffer: "call returned with other registers"
            case .lost: "call did not return"
            case .guestDied: "guest died"
            case .notModelled: "not modelled"
            }
        }
        public var isExpected: Bool {
            switch self {
            case .inKernel, .inDomain, .deferred: true
            default: false
            }
        }
    }

    public struct Trial: Sendable {
        public var boundary: Int
        public var source: InterruptTrace.Source
        public var rip: LinearAddress
        public var location: String?
        public var outcome: Outcome
        public var findings: [Finding]
    }

    public let scenario: Scenario
    public let plan: Plan
    public let run: Run

    public init(_ scenario: Scenario, _ plan: Plan) throws(ImageError) {
        self.scenario = scenario
        self.plan = plan
        run = try Run(scenario)
    }

    // MARK: Finding the call

    /// Where the chosen call is, from a run that only looks.
    public struct Window: Sendable {
        public var call: UInt64
        /// Clock of the processor at the call's VMFUNC.
        public var cycle: UInt64
        public var processor: Int
        public var vector: UInt8
    }

    /// - Throws: what to do when there is no such call.
    public func findWindow() throws -> Window {
        let scout = try Run(scenario)
        let counter = CallCounter(layout: scout.system.layout, call: plan.call) { [unowned machine = scout.machine] in
            machine.requestStop()
        }
        scout.machine.addObserver(counter)
        _ = scout.machine.run(.cycle(scenario.cyclesMax))
        guard let found = counter.found else {
            let what = plan.call.map { "call \($0)" } ?? "a call of the workload"
            throw UserError(
                .badData,
                "explore: found \(counter.calls) calls into a domain, expected \(what); "
                    + "is the driver isolated and the workload long enough?")
        }
        return Window(
            call: found.call, cycle: found.cycle, processor: found.processor,
            vector: plan.vector ?? counter.vector ?? 0x20)
    }

    // MARK: Trying

    /// Tries every boundary; `begin` is told how many there are, `report` gets each trial and returns false to stop.
    /// - Returns: the number of boundaries of the call.
    public func explore(_ window: Window, begin: (Int) -> Void = { _ in }, report: (Trial) -> Bool) throws -> Int {
        let machine = run.machine
        let entry = try entrySymbol()
        try approach(window, entry)
        let returnTo = machine.view.readLinear(
            LinearAddress(stackPointer(window)), as: UInt64.self, processor: window.processor)
        let goal = Goal(processor: window.processor, rip: returnTo ?? 0, rsp: stackPointer(window) &+ 8)
        let undisturbed = try undisturbedCall(goal, window)
        let sources = sources(window)
        begin(undisturbed.steps)
        for boundary in 0..<undisturbed.steps {
            if plan.boundaries?.contains(boundary) ?? (boundary % plan.part.stride == plan.part.first) {
                for source in sources {
                    let trial = trial(boundary, source, goal, undisturbed, window)
                    guard report(trial) else { return undisturbed.steps }
                }
            }
            if let last = plan.boundaries?.upperBound, boundary >= last { break }
            _ = machine.step(processor: window.processor)
        }
        return undisturbed.steps
    }

    private func sources(_ window: Window) -> [InterruptTrace.Source] {
        (plan.injectsInterrupt ? [.vector(window.vector)] : []) + (plan.injectsNMI ? [.nmi] : [])
    }

    private struct Goal {
        var processor: Int
        var rip: UInt64
        var rsp: UInt64
        func isReached(_ machine: MachineView) -> Bool {
            machine.rip(of: processor).rawValue == rip && machine.general(4, of: processor) == rsp
        }
    }

    private struct Undisturbed {
        /// Instructions from the entry to the return.
        var steps: Int
        /// RAX to R15 at the return.
        var registers: [UInt64]
    }

    private func stackPointer(_ window: Window) -> UInt64 { run.machine.view.general(4, of: window.processor) }

    private func entrySymbol() throws -> LinearAddress {
        if let entry = run.system.layout.kernel["vmfunc_trampoline_entry"] { return entry }
        throw UserError(
            .badData,
            "explore: found no symbol vmfunc_trampoline_entry in the guest kernel, expected the entry of "
                + "its kernel-to-domain calls")
    }

    /// Brings the machine to the last arrival at the trampoline's entry before the window's VMFUNC.
    private func approach(_ window: Window, _ entry: LinearAddress) throws {
        let machine = run.machine
        _ = machine.run(.cycle(window.cycle > Self.approachCycles ? window.cycle - Self.approachCycles : 0))
        var start: (MachineSnapshot, Checker.Memory)?
        while machine.view.cycles(of: window.processor) < window.cycle {
            if machine.view.rip(of: window.processor) == entry { start = (machine.snapshot(), run.checker.memory) }
            guard machine.step(processor: window.processor) == nil else { break }
        }
        guard let (snapshot, memory) = start else {
            throw UserError(
                .ourBug,
                "explore: the entry of call \(window.call) was not seen within \(Self.approachCycles) cycles "
                    + "before its VMFUNC")
        }
        machine.restore(snapshot)
        run.checker.memory = memory
    }
    /// More than any way from the trampoline's entry to its VMFUNC takes.
    private static let approachCycles: UInt64 = 5000
    /// More than any call, with an interrupt and what the kernel does about it, takes.
    private static let stepsMax = 200_000

    private func undisturbedCall(_ goal: Goal, _ window: Window) throws -> Undisturbed {
        let machine = run.machine
        let (snapshot, memory) = (machine.snapshot(), run.checker.memory)
        var steps = 0
        while !goal.isReached(machine.view) {
            guard steps < Self.stepsMax, machine.step(processor: goal.processor) == nil else {
                throw UserError(.guestDied, "explore: call \(window.call) does not return even without an interrupt")
            }
            steps += 1
        }
        let registers = machine.view.registers(of: goal.processor).general
        machine.restore(snapshot)
        run.checker.memory = memory
        return Undisturbed(steps: steps, registers: registers)
    }

    private func trial(
        _ boundary: Int, _ source: InterruptTrace.Source, _ goal: Goal, _ undisturbed: Undisturbed, _ window: Window
    ) -> Trial {
        let machine = run.machine
        let (snapshot, memory) = (machine.snapshot(), run.checker.memory)
        defer {
            machine.restore(snapshot)
            run.checker.memory = memory
        }
        let rip = machine.view.rip(of: goal.processor)
        let deliveries = DeliveryWatch(source, views: memory.views)
        machine.addObserver(deliveries)
        defer { machine.removeObserver(deliveries) }
        let now = machine.view.cycles(of: goal.processor)
        switch source {
        case .vector(let vector): machine.injectInterrupt(vector: vector, processor: goal.processor, atCycle: now)
        case .nmi: machine.injectNMI(processor: goal.processor, atCycle: now)
        }
        let outcome = outcome(goal, undisturbed, deliveries)
        run.checker.finish()
        let findings = Array(run.checker.findings.dropFirst(memory.findingCount))
        return Trial(
            boundary: boundary, source: source, rip: rip, location: run.system.layout.describe(rip),
            outcome: outcome, findings: findings)
    }

    private func outcome(_ goal: Goal, _ undisturbed: Undisturbed, _ deliveries: DeliveryWatch) -> Outcome {
        let machine = run.machine
        for _ in 0..<Self.stepsMax {
            if goal.isReached(machine.view) { break }
            switch machine.step(processor: goal.processor) {
            case nil: continue
            case .notModelled(let what): return .notModelled(what)
            case .debugExit(let value): return .lost("the guest ended the run with status \(value)")
            case .some(let other): return .guestDied("\(other)")
            }
        }
        guard goal.isReached(machine.view) else {
            return .lost("not back at \(hex(goal.rip)) after \(Self.stepsMax) instructions")
        }
        let registers = machine.view.registers(of: goal.processor).general
        let different = zip(zip(registers, undisturbed.registers), Self.names).filter { $0.0.0 != $0.0.1 }.map(\.1)
        if !different.isEmpty { return .registersDiffer(different.joined(separator: ", ")) }
        return switch deliveries.delivered {
        case nil: .deferred
        case .some(let inDomain): inDomain ? .inDomain : .inKernel
        }
    }
    private static let names = [
        "RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI", "R8", "R9", "R10", "R11", "R12",
        "R13", "R14", "R15"
    ]
}

func hex(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }
