import ArgumentParser
import Isolation
import Reports
import Simulation

/// `lvdsim check`: a run for its findings.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Run driver images and report, rule by rule, whether the isolation held.",
        discussion: "Rules (docs/invariants.md):\n"
            + Registry.invariants.map { "\($0.id)  \($0.statement)" }
            .joined(separator: "\n"))

    @OptionGroup var options: RunOptions

    @Option(help: ArgumentHelp("Check these rules only, as I1,A2.", valueName: "ids"))
    var only: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        let scenario = try options.scenario(invariants: try invariants())
        let run = try Run(scenario)
        let result = Running.execute(run)
        let report = CheckReport(scenario, result)
        try Console.output(json ? report.json.text() + "\n" : report.text)
        if let explanation = result.explanation { Console.message("lvdsim: " + explanation) }
        if result.status != .clean { throw ExitCode(result.status.rawValue) }
    }

    private func invariants() throws(UserError) -> [any Invariant.Type] {
        guard let only else { return Registry.invariants }
        let ids = only.split(separator: ",").map(String.init)
        for id in ids where !Registry.ids.contains(id) {
            throw UserError(
                .usage, "--only \(only): found \"\(id)\", expected rules from \(Registry.ids.joined(separator: ", "))")
        }
        guard !ids.isEmpty else { throw UserError(.usage, "--only: expected rules, as I1,A2") }
        return Registry.invariants.filter { ids.contains($0.id) }
    }
}
