import IDL

/// What `lvdsim idl check` found, for programs and for people.
public struct IDLCheckReport: Sendable {
    private let results: [Interface.Result]
    public init(_ results: [Interface.Result]) { self.results = results }

    private func count(_ result: Interface.Result, _ severity: Diagnostic.Severity) -> Int {
        result.diagnostics.count { $0.severity == severity }
    }

    /// One line a file.
    public var text: String {
        results.map { result in
            var parts: [String] = []
            switch result.file {
            case .driver(let driver): parts.append("driver \(driver.name.text)")
            case .modules(let modules):
                let functions = modules.reduce(0) { $0 + $1.functions.count }
                parts.append(modules.map { "module \($0.name.text)" }.joined(separator: ", "))
                parts.append("\(functions) function\(functions == 1 ? "" : "s")")
            }
            let errors = count(result, .error), warnings = count(result, .warning)
            parts.append(errors == 0 ? "good" : "\(errors) error\(errors == 1 ? "" : "s")")
            if warnings > 0 { parts.append("\(warnings) warning\(warnings == 1 ? "" : "s")") }
            return "\(result.source.name): " + parts.filter { !$0.isEmpty }.joined(separator: ", ") + "\n"
        }.joined()
    }

    public var json: JSONValue {
        .object([
            ("files", .array(results.map { result in
                .object([
                    ("file", .string(result.source.name)),
                    ("good", .bool(!result.hasErrors)),
                    ("diagnostics", .array(result.diagnostics.map { json($0, in: result.source) })),
                ])
            }))
        ])
    }

    private func json(_ diagnostic: Diagnostic, in source: IDLSource) -> JSONValue {
        let (line, column) = source.position(of: diagnostic.span.start)
        return .object([
            ("severity", .string(diagnostic.severity.rawValue)),
            ("code", .string(diagnostic.code.rawValue)),
            ("line", .integer(Int64(line))),
            ("column", .integer(Int64(column))),
            ("message", .string(diagnostic.message)),
            ("hint", diagnostic.hint.map(JSONValue.string) ?? .null),
        ])
    }
}
