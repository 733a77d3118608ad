/// A file that the generator makes.
public struct GeneratedFile: Sendable, Equatable {
    public var name: String
    public var text: String
}

extension Interface {
    /// C for both sides of every module in `results`, and for each driver the dispatch over what it imports.
    /// - Parameters:
    ///   - kernel: where members are; nil: structures are what the files name of them.
    ///   - usesSlots: structures are reached through lvd/abi.h instead.
    ///   - firstNumber: of the first module's first function.
    /// - Returns: the files, and per result what glue cannot be made for. With any problem the files are of no use.
    public static func generate(
        _ results: [Result], kernel: KernelTypes? = nil, usesSlots: Bool = false, firstNumber: Int = 0
    ) -> (files: [GeneratedFile], problems: [[Diagnostic]]) {
        var files: [GeneratedFile] = [], problems: [[Diagnostic]] = results.map { _ in [] }
        var next = firstNumber
        var names: Set<String> = []
        for (index, result) in results.enumerated() {
            guard case .modules(let modules) = result.file else { continue }
            for module in modules {
                let generator = ModuleGenerator(
                    module, result.source, kernel: kernel, usesSlots: usesSlots, firstNumber: next)
                if !names.insert(module.name.text).inserted {
                    generator.problem(module.name.span, "a second module '\(module.name.text)'")
                }
                files += generator.files()
                next += generator.numbersUsed
                problems[index] += generator.problems
            }
        }
        for (index, result) in results.enumerated() {
            guard case .driver(let driver) = result.file else { continue }
            var found: [Diagnostic] = []
            if names.contains(driver.name.text) {
                found.append(
                    Diagnostic(
                        severity: .error, code: .noGlue, span: driver.name.span,
                        message: "driver '\(driver.name.text)' has the name of a module"))
            }
            for name in driver.imports where !names.contains(name.text) {
                found.append(
                    Diagnostic(
                        severity: .error, code: .unknownModule, span: name.span,
                        message: "no module '\(name.text)' in the files given",
                        hint: suggestion(for: name.text, among: names.sorted())))
            }
            problems[index] += found
            files.append(dispatch(driver, result.source))
        }
        for index in problems.indices { problems[index].sort { $0.span.start < $1.span.start } }
        return (files, problems)
    }

    /// One function per side that asks every module.
    private static func dispatch(_ driver: DriverDeclaration, _ source: IDLSource) -> GeneratedFile {
        let text = CText()
        let name = driver.name.text
        text.line("/*")
        text.line(
            " * Driver \"\(name)\" of \(source.name). Made by `lvdsim idl generate`; change the interface, not this.")
        text.line(" */")
        text.line("#ifndef GLUE_\(name.uppercased())_H")
        text.line("#define GLUE_\(name.uppercased())_H")
        for module in driver.imports { text.line("#include \"\(module.text).h\"") }
        for home in ["kernel", "domain"] {
            text.line("")
            text.block(
                "static inline bool \(name)_driver_\(home)_dispatch(struct lvd_peer *peer, struct lvd_message *message)"
            ) {
                text.line("u32 number = (u32)message->words[0];")
                text.line("(void)number, (void)peer;")
                for module in driver.imports {
                    let prefix = "\(module.text.uppercased())_IN_\(home.uppercased())"
                    text.line("if (number > (u32)\(prefix)_BEFORE && number < (u32)\(prefix)_END)")
                    text.line("    return \(module.text)_\(home)_dispatch(peer, message);")
                }
                text.line("return false;")
            }
        }
        text.line("#endif")
        return GeneratedFile(name: name + ".h", text: text.text)
    }
}
