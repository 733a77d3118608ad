import Boot
import LVD
import X86Architecture
import X86Machine

/// Evaluates the invariants while a run runs.
///
/// Rules about single steps (a VMFUNC, a delivery) are judged at that step. Rules about mappings and lists are judged
/// when a page that holds them is written while some processor runs in a domain, and otherwise before a domain runs
/// again: in between the kernel is editing, and nobody can use what it has not finished.
public final class Checker: Observer {
    public let events: EventMask = [.eptpSwitch, .vmTransition, .delivery, .controlRegister, .watch]
    public private(set) var findings: [Finding] = []
    /// Findings beyond this number are counted and not kept.
    public static let findingsMax = 100
    public private(set) var findingsDropped: UInt64 = 0

    fileprivate struct Rule: Sendable {
        var invariant: any Invariant
        var verdict = Verdict()

        mutating func check(_ event: Event, in situation: Situation) {
            invariant.check(event, in: situation, &verdict)
        }
        mutating func finish(in situation: Situation) { invariant.finish(in: situation, &verdict) }
    }
    private var rules: [Rule]
    private let situation: Situation
    /// Pages are watched for good: one that no longer matters costs a comparison when it is written.
    private var watched: Set<UInt64> = []
    private let watch: (PhysicalAddress) -> Void

    /// What the checker knows at one moment: goes with a snapshot of the machine.
    public struct Memory: Sendable {
        fileprivate var rules: [Rule]
        public fileprivate(set) var views: Views
        fileprivate var census: Census
        fileprivate var censusIsStale: Bool
        fileprivate var findings: [Finding]
        public var findingCount: Int { findings.count }
    }
    public var memory: Memory {
        get {
            Memory(rules: rules, views: situation.views, census: situation.census,
                   censusIsStale: situation.censusIsStale, findings: findings)
        }
        set {
            (rules, findings) = (newValue.rules, newValue.findings)
            (situation.views, situation.census) = (newValue.views, newValue.census)
            situation.censusIsStale = newValue.censusIsStale
        }
    }

    /// - Parameter watch: asks the machine to report writes to a page (`Machine.watch`).
    public init(
        layout: GuestLayout, machine: MachineView, processors: Int,
        invariants: [any Invariant.Type] = Registry.invariants, watch: @escaping (PhysicalAddress) -> Void
    ) {
        self.watch = watch
        situation = Situation(layout: layout, machine: machine, processors: processors)
        rules = invariants.map { Rule(invariant: $0.init()) }
    }

    /// Id, statement and number of evaluations of every rule, in registry order.
    public var coverage: [(id: String, statement: String, evaluations: UInt64)] {
        rules.map { (type(of: $0.invariant).id, type(of: $0.invariant).statement, $0.verdict.evaluations) }
    }

    public func observe(_ event: Event, processor: Int, in machine: MachineView) {
        situation.processor = processor
        if situation.views.follow(event, processor: processor, machine: machine, layout: situation.layout) {
            situation.censusIsStale = true
        }
        if case .watchedWrite(let address, let size, _) = event, situation.census.isTable(address) {
            // Accessed and dirty flags, set by the walks themselves, change no meaning.
            guard situation.census.isChange(address, size: size, machine: machine) else { return }
            situation.censusIsStale = true
        }
        situation.structuresChanged = situation.censusIsStale && situation.views.anyInDomain
        if situation.structuresChanged { takeCensus(machine) }
        for index in rules.indices {
            rules[index].check(event, in: situation)
            collect(index)
        }
    }

    /// The run is over: rules that wait for a next step say what they think of there being none.
    public func finish() {
        situation.structuresChanged = false
        for index in rules.indices {
            rules[index].finish(in: situation)
            collect(index)
        }
    }

    private func takeCensus(_ machine: MachineView) {
        situation.censusIsStale = false
        for page in situation.census.take(situation.views, machine: machine, layout: situation.layout) {
            watchOnce(page)
        }
        for page in situation.census.statePageCopies { watchOnce(page) }
        for processor in 0..<machine.processorCount {
            if let list = machine.vmx(of: processor).eptpList { watchOnce(list.page.rawValue) }
        }
    }

    private func watchOnce(_ page: UInt64) {
        if watched.insert(page).inserted { watch(PhysicalAddress(page)) }
    }

    private func collect(_ index: Int) {
        if rules[index].verdict.violations.isEmpty { return }
        let violations = rules[index].verdict.violations
        rules[index].verdict.violations = []
        let rule = type(of: rules[index].invariant)
        for (evidence, rip) in violations {
            if let known = findings.firstIndex(where: { $0.id == rule.id && $0.evidence == evidence && $0.rip == rip })
            {
                findings[known].occurrences += 1
                continue
            }
            guard findings.count < Self.findingsMax else { findingsDropped += 1; continue }
            findings.append(
                Finding(
                    id: rule.id, statement: rule.statement, evidence: evidence, rip: rip,
                    location: situation.layout.describe(rip),
                    cycle: situation.machine.cycles(of: situation.processor), processor: situation.processor))
        }
    }
}
