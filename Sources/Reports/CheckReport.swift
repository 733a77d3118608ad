import Simulation

/// A run as its rules see it: one row per rule, then the findings.
public struct CheckReport: Sendable {
    private let scenario: Scenario
    private let result: RunResult

    public init(_ scenario: Scenario, _ result: RunResult) {
        self.scenario = scenario
        self.result = result
    }

    private func count(_ id: String) -> UInt64 { UInt64(result.findings.filter { $0.id == id }.count) }

    public var text: String {
        var table = TextTable()
        table.heading(
            "\(scenario.system.drivers.map(baseName).joined(separator: " ")), workload \(scenario.workload): "
                + "\(grouped(result.completed)) of \(grouped(result.requested)) \(scenario.workload.operation)s")
        for rule in result.coverage {
            let verdict = count(rule.id) > 0 ? "VIOLATED" : rule.evaluations > 0 ? "held" : "never evaluated"
            table.add("\(rule.id)  \(verdict)", rule.evaluations, "evaluations")
        }
        table.line("digest  \(result.digest)")
        return table.text + result.findings.map { "\n" + $0.text }.joined()
    }

    public var json: JSONValue {
        .object([
            ("image", .string(scenario.system.drivers.map(baseName).joined(separator: " "))),
            ("workload", .string(scenario.workload.description)),
            ("completed", .count(result.completed)),
            (
                "rules",
                .array(
                    result.coverage.map { rule in
                        .object([
                            ("id", .string(rule.id)),
                            ("statement", .string(rule.statement)),
                            ("evaluations", .count(rule.evaluations)),
                            ("findings", .count(count(rule.id)))
                        ])
                    })
            ),
            ("findings", .array(result.findings.map(\.json))),
            ("digest", .string(result.digest))
        ])
    }
}
