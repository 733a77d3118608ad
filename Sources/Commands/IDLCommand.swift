import ArgumentParser
import DriverImage
import IDL
import Reports
import Simulation

/// `lvdsim idl`: interface definitions.
struct IDLCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "idl", abstract: "Check interface definitions of isolated drivers, and make glue from them.",
        subcommands: [IDLCheckCommand.self, IDLGenerateCommand.self])
}

/// `lvdsim idl check`: everything that is wrong with interface files, at once.
struct IDLCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Parse interface files and hold them against a kernel's types.",
        discussion: """
            Says what is wrong with file, line, column and a caret, several errors in one run, on standard error. Exit \
            0 when every file is good, 65 when one is not. docs/reference/idl.md has the language.
            """)

    @OptionGroup var interfaces: InterfaceOptions

    @Flag(help: "Print one JSON object on standard output.")
    var json = false

    func run() throws {
        let results = try InterfaceFiles.check(interfaces.files, try interfaces.kernelTypes())
        for result in results { InterfaceFiles.show(result.diagnostics, result) }
        let report = IDLCheckReport(results)
        try Console.output(json ? report.json.text() + "\n" : report.text)
        try InterfaceFiles.refuse(results.filter(\.hasErrors), "not a valid interface")
    }
}

/// Which files, and which kernel they are held against.
struct InterfaceOptions: ParsableArguments {
    @Argument(
        help: ArgumentHelp(
            "Interface files. Imports of a driver's file are looked for in the others.", valueName: "file"))
    var files: [String]

    @Option(
        help: ArgumentHelp(
            "A kernel with type information (vmlinux), or its BTF alone. Left out: the fetched Debian kernel.",
            valueName: "vmlinux"))
    var btf: String?

    @Flag(help: "Without a kernel: the files by themselves, structures as far as they name them.")
    var syntaxOnly = false

    func validate() throws {
        if syntaxOnly, btf != nil { throw ValidationError("--syntax-only and --btf contradict each other") }
    }

    func kernelTypes() throws -> KernelTypes? {
        if syntaxOnly { return nil }
        if let btf { return KernelTypes(try BTF(path: btf)) }
        guard let folder = DebianModules.folder else {
            throw UserError(
                .noInput,
                "no kernel to hold the files against: give --btf VMLINUX, run `make debian`, or use --syntax-only")
        }
        return KernelTypes(try BTF(path: folder + "/../vmlinux"))
    }
}

/// What the subcommands do with the files.
enum InterfaceFiles {
    static func check(_ files: [String], _ kernel: KernelTypes?) throws -> [Interface.Result] {
        let sources = try files.map { IDLSource(name: $0, bytes: try Files.read($0)) }
        var modules: Set<String> = []
        for source in sources {
            if case .modules(let list) = Interface.parse(source).file { modules.formUnion(list.map(\.name.text)) }
        }
        return sources.map { Interface.check($0, kernel: kernel, modules: files.count > 1 ? modules : nil) }
    }

    static func show(_ diagnostics: [Diagnostic], _ result: Interface.Result) {
        for diagnostic in diagnostics { Console.message(String(diagnostic.rendered(in: result.source).dropLast())) }
    }

    static func refuse(_ bad: [Interface.Result], _ what: String) throws {
        guard let first = bad.first else { return }
        let more = bad.count > 1 ? " and \(bad.count - 1) more file\(bad.count > 2 ? "s" : "")" : ""
        throw UserError(.badData, "\(first.source.name)\(more): \(what)")
    }
}
