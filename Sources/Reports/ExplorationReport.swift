import Isolation
import LVD
import Simulation
import Traces
import X86Architecture

/// What injecting at every boundary of a call came to.
public struct ExplorationReport: Sendable {
    private let scenario: Scenario
    private let window: Explorer.Window
    private let commandLine: String
    /// Instruction boundaries of the call.
    public var boundaries = 0
    public var isComplete = true
    /// Count per outcome, in order of first appearance.
    private var outcomes: [(name: String, count: UInt64)] = []
    /// Trials that went wrong or broke a rule.
    private var bad: [Explorer.Trial] = []
    private var trials: UInt64 = 0
    private var notModelled: UInt64 = 0

    /// - Parameter commandLine: tries the same call again when `--inject` and `--only-boundary` are added.
    public init(_ scenario: Scenario, _ window: Explorer.Window, commandLine: String) {
        self.scenario = scenario
        self.window = window
        self.commandLine = commandLine
    }

    public mutating func add(_ trial: Explorer.Trial) {
        trials += 1
        if let known = outcomes.firstIndex(where: { $0.name == trial.outcome.name }) {
            outcomes[known].count += 1
        } else {
            outcomes.append((trial.outcome.name, 1))
        }
        if case .notModelled = trial.outcome { notModelled += 1 }
        if !trial.outcome.isExpected || !trial.findings.isEmpty { bad.append(trial) }
    }

    public var status: ExitStatus {
        if bad.contains(where: { if case .notModelled = $0.outcome { !$0.findings.isEmpty } else { true } }) {
            return .violated
        }
        if notModelled > 0 { return .notModelled }
        return isComplete ? .clean : .limit
    }

    private func source(_ trial: Explorer.Trial) -> String {
        switch trial.source {
        case .vector: "irq"
        case .nmi: "nmi"
        }
    }
    private func reproduction(_ trial: Explorer.Trial) -> String {
        "\(commandLine) --inject \(source(trial)) --only-boundary \(trial.boundary)"
    }
    private func detail(_ outcome: Explorer.Outcome) -> String? {
        switch outcome {
        case .registersDiffer(let names): names
        case .lost(let why), .guestDied(let why), .notModelled(let why): why
        default: nil
        }
    }

    public var text: String {
        var table = TextTable()
        table.heading(
            "\(scenario.system.drivers.map(baseName).joined(separator: " ")), call \(grouped(window.call)) "
                + "of workload \(scenario.workload), "
                + "vector 0x\(String(window.vector, radix: 16))")
        table.add("boundaries", UInt64(boundaries), isComplete ? "" : "interrupted before the last one")
        table.add("injections", trials)
        for (name, count) in outcomes { table.add("  " + name, count) }
        table.add("findings", UInt64(bad.reduce(0) { $0 + $1.findings.count }))
        var text = table.text
        for trial in bad {
            text += "\nboundary \(trial.boundary), \(source(trial)) at 0x\(String(trial.rip.rawValue, radix: 16))"
            if let location = trial.location { text += " (\(location))" }
            text += ": \(trial.outcome.name)"
            if let detail = detail(trial.outcome) { text += ": \(detail)" }
            text += "\n"
            for finding in trial.findings { text += finding.text }
            text += "    again: \(reproduction(trial))\n"
        }
        return text
    }

    public var json: JSONValue {
        .object([
            ("image", .string(scenario.system.drivers.map(baseName).joined(separator: " "))),
            ("workload", .string(scenario.workload.description)),
            ("call", .count(window.call)),
            ("vector", .count(UInt64(window.vector))),
            ("boundaries", .count(boundaries)),
            ("complete", .bool(isComplete)),
            ("injections", .count(trials)),
            ("outcomes", .object(outcomes.map { ($0.name, .count($0.count)) })),
            (
                "failures",
                .array(
                    bad.map { trial in
                        .object([
                            ("boundary", .count(trial.boundary)),
                            ("inject", .string(source(trial))),
                            ("rip", .hex(trial.rip.rawValue)),
                            ("location", .optional(trial.location)),
                            ("outcome", .string(trial.outcome.name)),
                            ("detail", .optional(detail(trial.outcome))),
                            ("findings", .array(trial.findings.map(\.json))),
                            ("again", .string(reproduction(trial)))
                        ])
                    })
            )
        ])
    }
}
