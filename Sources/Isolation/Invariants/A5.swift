import Boot
import LVD
import X86Architecture
import X86Machine

/// What raises an exception in a domain does not run on.
public struct A5: Invariant {
    public static let id = "A5"
    public static let statement =
        "A vector below 32, NMIs aside, that is delivered in a domain ends the domain: what was interrupted does not "
        + "go on, nor does any call around it that is in this domain."
    public init() {}

    /// By processor: the domain that ought to be dead, and what it did.
    private var dead: [Int: (eptp: UInt64, vector: UInt8)] = [:]

    public mutating func check(_ event: Event, in situation: Situation, _ verdict: inout Verdict) {
        let processor = situation.processor
        switch event {
        case .delivered(let vector, let kind, let rip, _, _):
            guard vector < 32, kind != .nmi, situation.views.isInDomain(processor),
                let eptp = situation.views.activeEPTP[processor]
            else { return }
            verdict.evaluated()
            if let before = dead[processor], before.eptp == eptp {
                goesOn(before.vector, at: rip, situation, &verdict)
            }
            dead[processor] = (eptp, vector)
        case .interruptReturn(_, let to):
            guard let before = dead[processor], situation.views.activeEPTP[processor] == before.eptp else { return }
            goesOn(before.vector, at: to, situation, &verdict)
            dead[processor] = nil
        case .eptpSwitch(let rip, let index, _, let to):
            guard let before = dead[processor], to == before.eptp else { return }
            dead[processor] = nil
            // A new call is one into the domain that was loaded in its place.
            if situation.sites.crossing(rip: rip, index: index) != .call {
                goesOn(before.vector, at: rip, situation, &verdict)
            }
        default:
            break
        }
    }

    private func goesOn(_ vector: UInt8, at rip: LinearAddress, _ situation: Situation, _ verdict: inout Verdict) {
        let domain = situation.views.domain(of: situation.processor).map(situation.name) ?? "a domain"
        verdict.violated("\(domain) goes on after vector \(vector) was delivered in it", at: rip)
    }
}
