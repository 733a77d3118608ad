import Boot
import LVD

/// Who called whom across the boundary, how often, and in how many cycles.
struct CallReport {
    private let statistics: CallStatistics
    private let names: [ProcedureName]

    init(_ statistics: CallStatistics, names: [ProcedureName]) {
        self.statistics = statistics
        self.names = names
    }

    private static let shares: [UInt64] = [0, 50, 99, 100]

    private func name(_ procedure: RemoteProcedure) -> String {
        names.first {
            $0.isCallback == (procedure.side == .kernel) && $0.kind == procedure.kind && $0.number == procedure.number
        }?.name.lowercased() ?? "\(procedure.kind):\(procedure.number)"
    }

    var json: JSONValue {
        .object([
            (
                "procedures",
                .array(
                    statistics.procedures.map { procedure, cycles in
                        let quantiles = cycles.percentiles(Self.shares) ?? [0, 0, 0, 0]
                        return .object([
                            ("name", .string(name(procedure))),
                            ("direction", .string(procedure.side == .domain ? "call" : "callback")),
                            ("count", .count(cycles.count)),
                            (
                                "cycles",
                                .object([
                                    ("minimum", .count(quantiles[0])), ("median", .count(quantiles[1])),
                                    ("percentile99", .count(quantiles[2])), ("maximum", .count(quantiles[3]))
                                ])
                            )
                        ])
                    })
            ),
            ("byDepth", .array(statistics.callsByDepth.map { .count($0) })),
            ("unanswered", .count(statistics.unanswered))
        ])
    }

    /// A table of its own: its columns are not those of the rest.
    var text: String {
        let header = ["crossing and back", "count", "min", "median", "99 %", "max"]
        let rows = statistics.procedures.map { procedure, cycles in
            [(procedure.side == .domain ? "call " : "callback ") + name(procedure), grouped(cycles.count)]
                + (cycles.percentiles(Self.shares) ?? []).map(grouped)
        }
        guard !rows.isEmpty else { return "" }
        let widths = header.indices.map { column in ([header] + rows).map { $0[column].count }.max()! }
        var text = ""
        for row in [header] + rows {
            text += row[0] + blanks(widths[0] - row[0].count)
            for (cell, width) in zip(row, widths).dropFirst() { text += "  " + blanks(width - cell.count) + cell }
            text += row == header ? "  cycles\n" : "\n"
        }
        let depths = statistics.callsByDepth.enumerated().map { "\($0.offset + 1): \(grouped($0.element))" }
        text += "calls by depth  " + depths.joined(separator: ", ") + "\n"
        if statistics.unanswered > 0 { text += "never answered  \(grouped(statistics.unanswered))\n" }
        return text
    }

    static func json(_ exit: (reason: UInt16, caller: String, count: UInt64)) -> JSONValue {
        .object([
            ("reason", .string(exitName(exit.reason))), ("caller", .string(exit.caller)), ("count", .count(exit.count))
        ])
    }

    static func json(_ interrupt: (vector: UInt8, places: InterruptPlaces)) -> JSONValue {
        .object([
            ("vector", .count(Int(interrupt.vector))), ("kernel", .count(interrupt.places.kernel)),
            ("crossing", .count(interrupt.places.crossing)), ("domain", .count(interrupt.places.domain))
        ])
    }
}

extension InterruptPlaces {
    var total: UInt64 { kernel + crossing + domain }
    var text: String {
        "\(grouped(kernel)) in the kernel, \(grouped(crossing)) in crossing code, \(grouped(domain)) in a domain"
    }
}
