import Boot
import Isolation
import LVD
import X86Architecture
import X86Machine

/// How a run ended and what it adds up to.
public struct RunResult: Sendable {
    public var stop: StopReason
    /// What the guest kernel left behind; nil when it did not get so far.
    public var guest: GuestResults?
    public var crossings: CrossingStatistics
    public var instructions: UInt64
    public var cycles: UInt64
    public var findings: [Finding]
    public var findingsDropped: UInt64
    /// Per rule: how often it was evaluated.
    public var coverage: [(id: String, statement: String, evaluations: UInt64)]
    public var events: Int
    public var digest: String
    public var requested: UInt64
    /// What the guest calls the messages that it sends.
    public var procedureNames: [ProcedureName]

    init(_ run: Run, stop: StopReason) {
        self.stop = stop
        guest = GuestResults(run.machine.view, layout: run.system.layout)
        crossings = run.statistics.statistics
        instructions = run.machine.statistics.instructions
        cycles = run.machine.statistics.cycles
        findings = run.checker.findings
        findingsDropped = run.checker.findingsDropped
        coverage = run.scenario.invariants.isEmpty ? [] : run.checker.coverage
        events = run.stream.count
        digest = run.digest
        procedureNames = run.system.layout.procedureNames
        requested = run.scenario.workload.operations &* UInt64(run.scenario.system.drivers.count)
    }

    public var completed: UInt64 { guest?.completed ?? 0 }
    /// Cycles of the workload's loop; 0 when there was none.
    public var workloadCycles: UInt64 { guest?.cycles ?? 0 }

    /// The verdict, gravest first: a broken rule explains a dead guest, not the other way round.
    public var status: ExitStatus {
        if !findings.isEmpty { return .violated }
        switch stop {
        case .notModelled: return .notModelled
        case .guestDied, .reset, .powerOff: return .guestDied
        case .limit, .requested: return .limit
        case .debugExit: return guest?.status == .ok && completed == requested ? .clean : .guestDied
        }
    }

    /// For a message that makes no sense or names a capability wrongly (lvd/causes.h, 17 and 21 to 24), its name: the
    /// detail is its first word.
    private func messageName(_ kill: GuestResults.Kill) -> String {
        guard kill.cause == 17 || (21...24).contains(kill.cause) else { return "" }
        let (kind, number) = (UInt32(truncatingIfNeeded: kill.detail >> 32), UInt32(truncatingIfNeeded: kill.detail))
        let name = procedureNames.first { $0.isCallback && $0.kind == kind && $0.number == number }?.name
        return name.map { ": " + $0.lowercased() } ?? ""
    }

    /// Why the run did not end clean, for a person; nil when it did.
    public var explanation: String? {
        switch stop {
        case .notModelled(let what): return "stopped at something that is not modelled: \(what)"
        case .guestDied(let why): return "the guest died: \(why)"
        case .reset: return "the guest asked for a reset"
        case .powerOff: return "the guest switched the machine off"
        case .limit: return "the limit of cycles was reached: inconclusive"
        case .requested: return "interrupted: inconclusive"
        case .debugExit(let value):
            guard let guest else { return "the guest ended with status \(value) before it set up its results" }
            if guest.status == .ok, completed == requested { return nil }
            var text = "the guest ended with status \(value): \(guest.status?.meaning ?? "unknown")"
            if guest.kill.cause != 0 {
                text +=
                    "; it \(guest.kill.meaning)\(messageName(guest.kill)) (processor \(guest.kill.processor), rip "
                    + "0x\(String(guest.kill.rip, radix: 16)), detail 0x\(String(guest.kill.detail, radix: 16)))"
            }
            if !guest.message.isEmpty { text += "; it says: \(guest.message)" }
            return text
        }
    }
}
