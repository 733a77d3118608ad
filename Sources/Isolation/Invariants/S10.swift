import Boot
import LVD
import X86Architecture
import X86Machine

/// Memory that a domain has lost is lost on every processor: none translates by what was there before.
public struct S10: Invariant {
    public static let id = "S10"
    public static let statement =
        "While no revoke is under way, a processor's cached translations of a domain's view lead where the view leads, "
        + "with no more rights."
    public init() {}

    private var words = KernelWords()
    /// The structures have changed, and the caches have not been looked at since.
    private var due = false

    public mutating func check(_ event: Event, in situation: Situation, _ verdict: inout Verdict) {
        if situation.structuresChanged { due = true }
        guard due, !situation.censusIsStale, !isRevoking(situation) else { return }
        due = false
        verdict.evaluated()
        for entry in situation.census.entries where !entry.mappings.isEmpty { judge(entry, situation, &verdict) }
    }

    /// The kernel holds the tree of capabilities from the first entry it takes out to the last invalidation.
    private mutating func isRevoking(_ situation: Situation) -> Bool {
        guard let lock = situation.layout.kernel["capability_tree"],
            let kernel = situation.views.kernelEPTP[situation.processor]
        else { return false }
        let view = AddressView(cr3: situation.machine.cr3(of: situation.processor), eptp: kernel)
        guard let place = words.physical(lock.rawValue, in: view, situation.machine) else { return false }
        return situation.machine.readPhysical(place, as: UInt32.self) != 0
    }

    private func judge(_ entry: Census.Entry, _ situation: Situation, _ verdict: inout Verdict) {
        let root = EPTPointer(entry.domain.eptp).root, processor = entry.domain.processor
        for cached in situation.machine.cachedTranslations(under: root, processor: processor) {
            let mapping = entry.mapping(of: cached.page.rawValue)
            if let mapping, mapping.eptWritable || !cached.eptPermissions.contains(.write),
                mapping.physical.rawValue + (cached.page.rawValue - mapping.linear) == cached.frame.rawValue
            {
                continue
            }
            verdict.violated(
                "processor \(processor) still translates \(situation.describe(cached.page.rawValue)) of domain "
                    + "\(situation.name(entry.domain)) to physical \(hex(cached.frame.rawValue)), where its view "
                    + (mapping == nil ? "has nothing" : "leads elsewhere or forbids writes"), at: cached.page)
            return
        }
    }
}
