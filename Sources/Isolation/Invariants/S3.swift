import Boot
import LVD
import X86Architecture
import X86Machine

/// The flag by which the interrupt path learns which view is active tells the truth, and no domain can write it.
public struct S3: Invariant {
    public static let id = "S3"
    public static let statement =
        "vmfunc_state_page.in_kernel reads 1 in the kernel's view and 0 in a domain's on every processor, and no "
        + "domain can write it."
    public init() {}

    public mutating func check(_ event: Event, in situation: Situation, _ verdict: inout Verdict) {
        guard let statePage = situation.layout.statePage else { return }
        switch event {
        case .eptpSwitch(let rip, _, _, _), .delivered(_, _, let rip, _, _):
            checkFlag(of: situation.processor, statePage, at: rip, situation, &verdict)
        case .watchedWrite(let address, _, let rip) where address.rawValue & Page.offsetMask < 8:
            for processor in 0..<situation.machine.processorCount {
                checkFlag(of: processor, statePage, at: rip, situation, &verdict)
            }
        default:
            break
        }
        if situation.structuresChanged { checkWritability(statePage, situation, &verdict) }
    }

    private func checkFlag(
        of processor: Int, _ statePage: LinearAddress, at rip: LinearAddress, _ situation: Situation,
        _ verdict: inout Verdict
    ) {
        guard situation.views.domains.contains(where: { $0.processor == processor }),
            situation.machine.vmx(of: processor).inNonRoot
        else { return }
        verdict.evaluated()
        let inDomain = situation.views.isInDomain(processor)
        guard let page = situation.statePage(of: processor, at: statePage) else {
            // A root that the view does not know, brought along by a VMFUNC of a process: the next fetch exits.
            if inDomain, situation.rootLeadsNowhere(processor) { return }
            verdict.violated(
                "vmfunc_state_page is not mapped in \(inDomain ? "a domain's" : "the kernel's") view on processor "
                    + "\(processor)", at: rip)
            return
        }
        let flag = situation.machine.word(at: page)
        if flag != (inDomain ? 0 : 1) {
            verdict.violated(
                "in_kernel reads \(flag) in \(inDomain ? "a domain's" : "the kernel's") view on processor \(processor)",
                at: rip)
        }
    }

    private func checkWritability(_ statePage: LinearAddress, _ situation: Situation, _ verdict: inout Verdict) {
        verdict.evaluated()
        for entry in situation.census.entries {
            var reader = TranslationReader(situation.machine)
            // By whatever address: what counts is the memory behind the domain's own copy of the page.
            guard let own = reader.translate(statePage.rawValue, in: entry.domain.view) else { continue }
            if let mapping = entry.mappings.first(where: {
                $0.writable && $0.physicalRange.contains(own.physical.rawValue)
            }) {
                verdict.violated(
                    "the flag of domain \(situation.name(entry.domain)) is writable there at "
                        + situation.describe(mapping.linear), at: LinearAddress(mapping.linear))
            }
        }
    }
}
