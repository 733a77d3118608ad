import LVD
import X86Architecture
import X86Machine

/// A domain gets control with nothing of the kernel's in the registers, and nothing of it on the interrupt stacks that
/// it can read.
public struct S11: Invariant {
    public static let id = "S11"
    public static let statement =
        "When a view becomes a domain's, no register but the message's holds a value of the kernel's, and no interrupt "
        + "stack in that view holds what an interrupt in the kernel pushed."
    public init() {}

    /// What a delivery in the kernel's view pushed: by processor, where, and the interrupted RIP and RSP.
    private struct Pushed {
        var frame: LinearAddress
        var rip: UInt64
        var rsp: UInt64
    }
    private var pushed: [Int: [Pushed]] = [:]

    /// RAX to RDI as encoded: RBX, RBP and R13 to R15 carry nothing in any crossing; the others may carry the message.
    private static let idle = [3, 5, 13, 14, 15]
    private static let message = [2, 6, 7, 8, 9, 10, 11, 12]

    public mutating func check(_ event: Event, in situation: Situation, _ verdict: inout Verdict) {
        let processor = situation.processor
        switch event {
        case .delivered(_, _, let rip, let rsp, let frame) where !situation.views.isInDomain(processor):
            let entry = Pushed(frame: frame, rip: rip.rawValue, rsp: rsp)
            if let known = pushed[processor]?.firstIndex(where: { $0.frame == frame }) {
                pushed[processor]![known] = entry
            } else {
                pushed[processor, default: []].append(entry)
            }
        case .eptpSwitch(let rip, let index, _, _) where situation.views.isInDomain(processor):
            verdict.evaluated()
            checkRegisters(situation.sites.crossing(rip: rip, index: index), rip, situation, &verdict)
            checkStacks(rip, situation, &verdict)
        default:
            break
        }
    }

    private func checkRegisters(
        _ crossing: Crossing, _ rip: LinearAddress, _ situation: Situation, _ verdict: inout Verdict
    ) {
        // A VMFUNC of the domain's own choosing brings along what the domain chose.
        guard crossing == .call || crossing == .callbackReturn || crossing == .interruptReturn else { return }
        let numbers = crossing == .interruptReturn ? Self.idle + Self.message : Self.idle
        for number in numbers {
            let value = situation.machine.general(number, of: situation.processor)
            if value != 0 {
                verdict.violated("\(Self.names[number]) holds \(situation.describe(value)) on the way in", at: rip)
            }
        }
    }

    /// SDM 3A 6.14.2 "64-Bit Mode Stack Frame": RIP, CS, RFLAGS, RSP, SS from the frame's address upwards.
    private mutating func checkStacks(_ rip: LinearAddress, _ situation: Situation, _ verdict: inout Verdict) {
        guard let frames = pushed[situation.processor], !frames.isEmpty,
            let domain = situation.views.domain(of: situation.processor)
        else { return }
        pushed[situation.processor] = []
        var reader = TranslationReader(situation.machine)
        for frame in frames {
            guard let page = reader.translate(frame.frame.rawValue, in: domain.view) else { continue }
            let words = (situation.machine.word(at: page.physical), situation.machine.word(at: page.physical + 24))
            if words.0 == frame.rip || words.1 == frame.rsp {
                verdict.violated(
                    "domain \(situation.name(domain)) can read the frame of an interrupt in the kernel at "
                        + situation.describe(frame.frame.rawValue), at: rip)
            }
        }
    }

    private static let names = [
        "RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI", "R8", "R9", "R10", "R11", "R12", "R13", "R14", "R15",
    ]
}
