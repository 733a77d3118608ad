import DriverImage

/// Reads interface files: text to syntax, and everything that can be said about it.
public enum Interface {
    public struct Result: Sendable {
        public var source: IDLSource
        public var file: InterfaceFile
        /// In the order of the text.
        public var diagnostics: [Diagnostic]
        public var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }
    }

    /// Never fails: what is wrong is in the diagnostics.
    public static func parse(_ source: IDLSource) -> Result {
        var parser = Parser(source)
        let file = parser.file()
        return Result(source: source, file: file, diagnostics: parser.sink.list)
    }

    /// Parses, then checks what parsed: names, types, attributes, expressions; with `kernel`, against its types.
    /// - Parameter modules: names of modules in other files, for a driver's imports; nil: imports are not checked.
    public static func check(_ source: IDLSource, kernel: KernelTypes? = nil, modules: Set<String>? = nil) -> Result {
        var result = parse(source)
        guard !result.hasErrors else { return result }
        switch result.file {
        case .driver(let driver):
            guard let modules else { break }
            for name in driver.imports where !modules.contains(name.text) {
                result.diagnostics.append(
                    Diagnostic(
                        severity: .error, code: .unknownModule, span: name.span,
                        message: "no module '\(name.text)' in the files given",
                        hint: suggestion(for: name.text, among: modules.sorted())))
            }
        case .modules(let modules):
            for module in modules {
                var checker = Checker(module, kernel: kernel)
                checker.check()
                result.diagnostics += checker.sink.list
            }
        }
        result.diagnostics.sort { ($0.span.start, $0.span.end) < ($1.span.start, $1.span.end) }
        return result
    }
}
