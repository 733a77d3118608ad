import LVD
import X86Architecture
import X86Machine

/// CR3 holds a guest-physical address, and a VMFUNC leaves it as it is: in a domain's view the root of every process
/// leads to the domain's own page table or nowhere.
public struct I3: Invariant {
    public static let id = "I3"
    public static let statement =
        "In a domain's EPT the root of a process leads to the domain's own page-table root, as it does for the one "
        + "that calls, or nowhere."
    public init() {}

    public mutating func check(_ event: Event, in situation: Situation, _ verdict: inout Verdict) {
        switch event {
        case .eptpSwitch(let rip, let index, _, _) where situation.views.isInDomain(situation.processor):
            // Whoever executes a VMFUNC of its own may come with a root that no view knows: the next fetch exits.
            let isOurs = situation.sites.crossing(rip: rip, index: index) != .rogue
            checkLoaded(situation.machine.cr3(of: situation.processor), isOurs, rip, situation, &verdict)
        case .controlRegisterWrite(3, _, let root, let rip) where situation.views.isInDomain(situation.processor):
            checkLoaded(root, false, rip, situation, &verdict)
        default:
            break
        }
        if situation.structuresChanged { checkAliases(situation, &verdict) }
    }

    /// What the processor takes for a page table from here on.
    private func checkLoaded(
        _ cr3: UInt64, _ mustLead: Bool, _ rip: LinearAddress, _ situation: Situation, _ verdict: inout Verdict
    ) {
        guard let domain = situation.views.domain(of: situation.processor),
            let entry = situation.census.entries.first(where: { $0.domain.eptp == domain.eptp }),
            let own = entry.ownRoot
        else { return }
        verdict.evaluated()
        var reader = TranslationReader(situation.machine)
        let place = reader.physical(cr3 & PagingEntry.address, under: domain.eptp)
        guard place == nil && mustLead || place != nil && place != own else { return }
        verdict.violated(
            "domain \(situation.name(domain)) runs with CR3 \(hex(cr3)), which leads to \(name(place)) in its view, "
                + "and its own page-table root is \(name(own))", at: rip)
    }

    private func checkAliases(_ situation: Situation, _ verdict: inout Verdict) {
        verdict.evaluated()
        for entry in situation.census.entries {
            guard let own = entry.ownRoot, let wrong = entry.aliases.first(where: { $0.physical != own }) else {
                continue
            }
            verdict.violated(
                "the process root \(hex(wrong.root)) leads to \(name(wrong.physical)) in domain "
                    + "\(situation.name(entry.domain))'s view on processor \(entry.domain.processor), and its own "
                    + "page-table root is \(name(own))", at: situation.machine.rip(of: situation.processor))
        }
    }

    private func name(_ place: PhysicalAddress?) -> String { place.map { "physical \(hex($0.rawValue))" } ?? "nothing" }
}
