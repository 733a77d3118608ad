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
    public let events: EventMask = [.eptpSwitch, .vmTransition, .delivery, .watch]
    public private(set) var findings: [Finding] = []
    /// Findings beyond this number are counted and not kept.
    public static let findingsMax = 100
    public private(set) var findingsDropped: UInt64 = 0

    fileprivate struct Rule: Sendable {
        var invariant: any Invariant
        var verdict = Verdict()
    }
    private var rules: [Rule]
    private let layout: GuestLayout
    private let sites: CrossingSites
    private var views: Views
    private var census = Census()
    private var structuresStale = false
    /// Pages are watched for good: one that no longer matters costs a comparison when it is written.
    private var watched: Set<UInt64> = []
    private let watch: (PhysicalAddress) -> Void

    /// What the checker knows at one moment: goes with a snapshot of the machine.
    public struct Memory: Sendable {
        fileprivate var rules: [Rule]
        public fileprivate(set) var views: Views
        fileprivate var census: Census
        fileprivate var structuresStale: Bool
        fileprivate var findings: [Finding]
        public var findingCount: Int { findings.count }
    }
    public var memory: Memory {
        get { Memory(rules: rules, views: views, census: census, structuresStale: structuresStale, findings: findings) }
        set {
            (rules, views, census) = (newValue.rules, newValue.views, newValue.census)
            (structuresStale, findings) = (newValue.structuresStale, newValue.findings)
        }
    }

    /// - Parameter watch: asks the machine to report writes to a page (`Machine.watch`).
    public init(
        layout: GuestLayout, processors: Int, invariants: [any Invariant.Type] = Registry.invariants,
        watch: @escaping (PhysicalAddress) -> Void
    ) {
        self.layout = layout
        self.watch = watch
        sites = CrossingSites(layout)
        views = Views(processors: processors)
        rules = invariants.map { Rule(invariant: $0.init()) }
    }

    /// Id, statement and number of evaluations of every rule, in registry order.
    public var coverage: [(id: String, statement: String, evaluations: UInt64)] {
        rules.map { (type(of: $0.invariant).id, type(of: $0.invariant).statement, $0.verdict.evaluations) }
    }

    public func observe(_ event: Event, processor: Int, in machine: MachineView) {
        if views.follow(event, processor: processor, machine: machine, layout: layout) { structuresStale = true }
        if case .watchedWrite(let address, let size, _) = event, census.isTable(address) {
            // Accessed and dirty flags, set by the walks themselves, change no meaning.
            guard census.isChange(address, size: size, machine: machine) else { return }
            structuresStale = true
        }
        let judged = structuresStale && views.anyInDomain
        if judged { takeCensus(machine) }
        judge(event, processor, machine, structuresChanged: judged)
    }

    /// The run is over: rules that wait for a next step say what they think of there being none.
    public func finish(in machine: MachineView) {
        for index in rules.indices {
            var rule = rules[index]
            rule.invariant.finish(in: situation(0, machine, structuresChanged: false), &rule.verdict)
            collect(&rule, processor: 0, machine)
            rules[index] = rule
        }
    }

    // MARK: Structures

    private func takeCensus(_ machine: MachineView) {
        structuresStale = false
        for page in census.take(views, machine: machine) { watchOnce(page) }
        for processor in 0..<machine.processorCount {
            if let list = machine.vmx(of: processor).eptpList { watchOnce(list.rawValue & ~Page.offsetMask) }
        }
        // The flag that tells the views apart, in each of them.
        guard let statePage = layout.statePage else { return }
        for domain in views.domains {
            var reader = TranslationReader(machine)
            for eptp in [domain.eptp, views.kernelEPTP[domain.processor]] {
                guard let eptp else { continue }
                let view = AddressView(cr3: domain.cr3, eptp: eptp)
                if let page = reader.translate(statePage.rawValue, in: view) { watchOnce(page.physical.rawValue) }
            }
        }
    }

    private func watchOnce(_ page: UInt64) {
        if watched.insert(page).inserted { watch(PhysicalAddress(page)) }
    }

    // MARK: Judging

    private func judge(_ event: Event, _ processor: Int, _ machine: MachineView, structuresChanged: Bool) {
        let now = situation(processor, machine, structuresChanged: structuresChanged)
        for index in rules.indices {
            var rule = rules[index]
            rule.invariant.check(event, in: now, &rule.verdict)
            collect(&rule, processor: processor, machine)
            rules[index] = rule
        }
    }

    private func situation(_ processor: Int, _ machine: MachineView, structuresChanged: Bool) -> Situation {
        Situation(
            layout: layout, sites: sites, machine: machine, processor: processor, views: views, census: census,
            structuresChanged: structuresChanged)
    }

    private func collect(_ judged: inout Rule, processor: Int, _ machine: MachineView) {
        if judged.verdict.violations.isEmpty { return }
        let violations = judged.verdict.violations
        judged.verdict.violations = []
        let rule = type(of: judged.invariant)
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
                    location: layout.describe(rip),
                    cycle: machine.cycles(of: processor), processor: processor))
        }
    }
}
