import LVD
import X86Architecture
import X86Machine

/// A domain cannot let interrupts into a part of the kernel that keeps them out, nor keep them out for good.
public struct A8: Invariant {
    public static let id = "A8"
    public static let statement =
        "A call that leaves its domain with another RFLAGS.IF than it came in with does not return to it, and neither "
        + "does an external interrupt that is delivered in a domain that was entered with interrupts off."
    public init() {}

    /// RFLAGS.IF at every open call, by its stack.
    private var open = OpenCalls<Bool>()
    /// The same of the call that the domain on a processor is in; nil where it is not known.
    private var entered: [Int: Bool] = [:]
    /// By processor: the domain that changed its flag.
    private var changed: [Int: UInt64] = [:]
    private var inNMI: Set<Int> = []

    public mutating func check(_ event: Event, in situation: Situation, _ verdict: inout Verdict) {
        let processor = situation.processor
        switch event {
        case .delivered(_, .nmi, _, _, _) where situation.views.isInDomain(processor):
            inNMI.insert(processor)
        case .delivered(_, .external, _, _, _) where situation.views.isInDomain(processor):
            verdict.evaluated()
            if entered[processor] == false { changed[processor] = situation.views.activeEPTP[processor] }
        case .eptpSwitch(let rip, let index, let from, let to):
            follow(situation.sites.crossing(rip: rip, index: index), rip, from, to, situation, &verdict)
        default:
            break
        }
    }

    private mutating func follow(
        _ crossing: Crossing, _ rip: LinearAddress, _ from: UInt64, _ to: UInt64, _ situation: Situation,
        _ verdict: inout Verdict
    ) {
        let processor = situation.processor, machine = situation.machine
        let rsp = machine.general(4, of: processor)
        let flag = machine.rflags(of: processor) & RFLAGS.interrupt != 0
        switch crossing {
        case .call:
            if changed[processor] == to { changed[processor] = nil }  // what was loaded in its place
            _ = open.begin(.domain, rsp: rsp, flag)
            entered[processor] = flag
            return
        case .callback, .callReturn:
            verdict.evaluated()
            if let before = open.innermost(.domain, rsp: rsp), before != flag, crossing == .callback {
                changed[processor] = from
            }
            if crossing == .callback {
                _ = open.begin(.kernel, rsp: rsp, flag)
            } else {
                _ = open.end(.domain, rsp: rsp)
            }
            entered[processor] = nil
            return
        case .callbackReturn:
            _ = open.end(.kernel, rsp: rsp)
            entered[processor] = open.innermost(.domain, rsp: rsp)
        case .interruptReturn:
            // An interrupt may have come back on another processor; that it came at all says that interrupts were on.
            if inNMI.remove(processor) == nil { entered[processor] = true }
        case .interruptEntry, .rogue:
            return
        }
        guard changed[processor] == to else { return }
        changed[processor] = nil
        verdict.violated("a domain that changed RFLAGS.IF is returned to on processor \(processor)", at: rip)
    }
}
