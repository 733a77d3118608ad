import LVD
import X86Architecture
import X86Machine

/// A domain that keeps the processor to itself loses it.
public struct A7: Invariant {
    public static let id = "A7"
    public static let statement =
        "While a domain runs the VMX-preemption timer is on, and a domain that neither returns nor calls is terminated "
        + "after \(patience) of its expirations."
    /// More than any monitor of ours allows.
    static let patience = 8
    public init() {}

    /// Expirations by processor since the last crossing of a call, both ways.
    private var expirations: [Int: Int] = [:]

    public mutating func check(_ event: Event, in situation: Situation, _ verdict: inout Verdict) {
        let processor = situation.processor
        switch event {
        case .eptpSwitch(let rip, let index, _, _):
            switch situation.sites.crossing(rip: rip, index: index) {
            case .call, .callback, .callReturn, .callbackReturn: expirations[processor] = 0
            default: break
            }
            guard situation.views.isInDomain(processor) else { return }
            verdict.evaluated()
            let controls = situation.machine.vmcsField(.pinBasedControls, of: processor) ?? 0
            if controls & UInt64(PinBasedControls.activatePreemptionTimer.rawValue) == 0 {
                verdict.violated("a domain is entered on processor \(processor) with the preemption timer off", at: rip)
            }
        case .vmExit(ExitReason.preemptionTimerExpired.rawValue, _, let rip)
        where situation.views.isInDomain(processor):
            expirations[processor, default: 0] += 1
            if expirations[processor] == Self.patience + 1 {
                verdict.violated("a domain goes on after \(Self.patience) expirations without a crossing", at: rip)
            }
        default:
            break
        }
    }
}
