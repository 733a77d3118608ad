import Boot
import LVD
import X86Architecture
import X86Machine

/// One rule of the isolation, with an id that never changes (docs/invariants.md). Evaluated on every event that can
/// break it; sees values and read-only views, so it can never disturb what it judges.
public protocol Invariant: Sendable {
    static var id: String { get }
    /// The rule in one sentence.
    static var statement: String { get }
    init()
    /// Reports through `verdict.violated` whatever `event` has broken.
    mutating func check(_ event: Event, in situation: Situation, _ verdict: inout Verdict)
    /// The run is over.
    mutating func finish(in situation: Situation, _ verdict: inout Verdict)
}

extension Invariant {
    public mutating func finish(in situation: Situation, _ verdict: inout Verdict) {}
}

/// What an invariant may look at: the state right after an event. One object for a whole run, brought up to date by the
/// checker before the rules see it.
public final class Situation {
    public let layout: GuestLayout
    public let sites: CrossingSites
    public internal(set) var machine: MachineView
    /// The processor on which the event happened.
    public internal(set) var processor = 0
    public internal(set) var views: Views
    public internal(set) var census = Census()
    /// The translation structures, or the set of views, are not what they were when last judged.
    public internal(set) var structuresChanged = false
    /// Structures have been written since the census was taken, and no domain has run since.
    public internal(set) var censusIsStale = false

    init(layout: GuestLayout, machine: MachineView, processors: Int) {
        self.layout = layout
        self.machine = machine
        sites = CrossingSites(layout)
        views = Views(processors: processors)
    }

    public var registers: ProcessorRegisters { machine.registers(of: processor) }

    /// Where a linear address leads in the view that a processor runs in; nil where nothing is mapped.
    func statePage(of processor: Int, at linear: LinearAddress) -> PhysicalAddress? {
        guard let eptp = views.activeEPTP[processor] else { return nil }
        let view = AddressView(cr3: machine.cr3(of: processor), eptp: eptp)
        if !censusIsStale, let known = census.statePage(in: view) { return known }
        var reader = TranslationReader(machine)
        return reader.translate(linear.rawValue, in: view)?.physical
    }

    /// Whether the view that a processor runs in has nothing where CR3 points.
    func rootLeadsNowhere(_ processor: Int) -> Bool {
        guard let eptp = views.activeEPTP[processor] else { return false }
        var reader = TranslationReader(machine)
        return reader.physical(machine.cr3(of: processor) & PagingEntry.address, under: eptp) == nil
    }

    public func describe(_ address: UInt64) -> String {
        let digits = hex(address)
        guard let name = layout.describe(LinearAddress(address)) else { return digits }
        return "\(digits) (\(name))"
    }
    /// A domain by the name of its driver.
    public func name(_ domain: Views.DomainView) -> String {
        domain.driver.map { layout.drivers[$0].name } ?? "an unknown domain"
    }
}

/// Collects what one invariant finds during one event.
public struct Verdict: Sendable {
    /// How often the rule was evaluated: a rule that was never looked at proves nothing.
    public internal(set) var evaluations: UInt64 = 0
    var violations: [(evidence: String, rip: LinearAddress)] = []

    public mutating func evaluated() { evaluations += 1 }
    /// - Parameter evidence: what was seen, with names and numbers, without times: equal words are one finding.
    public mutating func violated(_ evidence: String, at rip: LinearAddress) { violations.append((evidence, rip)) }
}

func hex(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }
