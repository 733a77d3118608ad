import LVD
import X86Architecture
import X86Machine

/// A domain cannot write its own page tables: only the processor's walks may, to set accessed and dirty flags.
public struct I2: Invariant {
    public static let id = "I2"
    public static let statement =
        "Through a domain's page table and EPT no writable address leads to a page of a domain's page table, "
        + "and CR0.WP is 1 while a domain runs."
    public init() {}

    public mutating func check(_ event: Event, in situation: Situation, _ verdict: inout Verdict) {
        if case .eptpSwitch(let rip, _, _, _) = event, situation.views.isInDomain(situation.processor) {
            verdict.evaluated()
            // Without WP, supervisor writes ignore R/W (SDM 3A 4.6.1 "Determination of Access Rights").
            if situation.registers.cr0 & 1 << 16 == 0 {
                verdict.violated("CR0.WP is 0 when a domain is entered: read-only pages do not bind ring 0", at: rip)
            }
        }
        guard situation.structuresChanged else { return }
        verdict.evaluated()
        for entry in situation.census.entries {
            for mapping in entry.mappings where mapping.writable {
                guard let owner = situation.census.entries.first(where: { $0.holdsTable(mapping.physicalRange) }) else {
                    continue
                }
                verdict.violated(
                    "\(situation.describe(mapping.linear)) is writable in domain \(situation.name(entry.domain)) and "
                        + "leads to physical \(hex(mapping.physical.rawValue)), a page of the page table of domain "
                        + situation.name(owner.domain),
                    at: LinearAddress(mapping.linear))
                break
            }
        }
    }
}
