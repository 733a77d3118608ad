import LVD
import X86Architecture
import X86Machine

/// A VMFUNC of the kernel's crossings, jumped to with another list index than its own, ends in the monitor's abort.
public struct A1: Invariant {
    public static let id = "A1"
    public static let statement =
        "Right after each VMFUNC of the crossings ECX equals the list index of that place, or the crossing aborts."
    public init() {}

    private struct Mismatch {
        var processor: Int
        var rip: LinearAddress
        var index: UInt32
        var expected: UInt32
        /// Interrupts that came between and have not returned.
        var suspended = 0
    }
    private var open: [Mismatch] = []

    public mutating func check(_ event: Event, in situation: Situation, _ verdict: inout Verdict) {
        let processor = situation.processor
        if let place = open.firstIndex(where: { $0.processor == processor }) {
            resolve(place, event, situation, &verdict)
        }
        if case .eptpSwitch(let rip, let index, _, _) = event, situation.sites.isDeclared(rip) {
            verdict.evaluated()
            if let expected = situation.sites.expectedIndex(rip), expected != index {
                open.append(Mismatch(processor: processor, rip: rip, index: index, expected: expected))
            }
        }
    }

    public mutating func finish(in situation: Situation, _ verdict: inout Verdict) {
        for mismatch in open { report(mismatch, "the run ended without an abort", situation, &verdict) }
        open = []
    }

    /// CPUID with the monitor's abort leaf (SYSTEM 1.5) is the only way on; what comes asynchronously does not count.
    private mutating func resolve(_ place: Int, _ event: Event, _ situation: Situation, _ verdict: inout Verdict) {
        let mismatch = open[place]
        switch event {
        case .vmExit(let reason, _, _):
            let asynchronous: [ExitReason] = [.externalInterrupt, .preemptionTimerExpired, .interruptWindow, .nmiWindow]
            if let known = ExitReason(rawValue: reason), asynchronous.contains(known) { return }
            if mismatch.suspended > 0 { return }
            open.remove(at: place)
            let leaf = UInt32(truncatingIfNeeded: situation.machine.general(0, of: situation.processor))
            if reason == ExitReason.cpuid.rawValue, leaf == Self.abortLeaf { return }
            let name = ExitReason(rawValue: reason).map { "\($0)" } ?? "\(reason)"
            report(mismatch, "the next step was a VM exit (\(name)) and not an abort", situation, &verdict)
        case .delivered(_, let kind, _, _, _):
            if kind == .external || kind == .nmi { open[place].suspended += 1; return }
            if mismatch.suspended > 0 { return }
            open.remove(at: place)
            report(mismatch, "the next step was an exception and not an abort", situation, &verdict)
        case .interruptReturn:
            if mismatch.suspended > 0 { open[place].suspended -= 1 }
        case .eptpSwitch(let rip, _, _, _):
            if mismatch.suspended > 0 { return }
            open.remove(at: place)
            report(
                mismatch, "execution went on to the VMFUNC at \(situation.describe(rip.rawValue))", situation, &verdict)
        default:
            break
        }
    }
    private static let abortLeaf: UInt32 = 0x4BF0_0033

    private func report(_ mismatch: Mismatch, _ what: String, _ situation: Situation, _ verdict: inout Verdict) {
        verdict.violated(
            "the VMFUNC at \(situation.describe(mismatch.rip.rawValue)) was executed with ECX \(mismatch.index), "
                + "its check "
                + "wants \(mismatch.expected), and \(what)", at: mismatch.rip)
    }
}
