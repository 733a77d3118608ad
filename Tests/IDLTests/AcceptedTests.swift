import Foundation
import Testing

@testable import IDL

@Suite("Interfaces that are good")
struct AcceptedTests {
    static let files: [URL] =
        ((try? FileManager.default.contentsOfDirectory(
            at: Fixtures.folder.appending(path: "accepted"), includingPropertiesForKeys: nil)) ?? [])
        .filter { $0.pathExtension == "idl" }.sorted { $0.path < $1.path }

    @Test("there are thirty of them or more") func enough() { #expect(Self.files.count >= 30) }

    @Test("each parses and checks without an error", arguments: files)
    func accepted(file: URL) throws {
        let result = Interface.check(IDLSource(name: file.lastPathComponent, bytes: Array(try Data(contentsOf: file))))
        let errors = result.diagnostics.filter { $0.severity == .error }
        #expect(errors.isEmpty, "\(errors.map { $0.rendered(in: result.source) }.joined())")
    }

    @Test("the published interfaces parse, where their folder is known")
    func published() throws {
        guard let folder = ProcessInfo.processInfo.environment["LVDSIM_IDL_FILES"] else {
            print("published interfaces are not checked: LVDSIM_IDL_FILES names no folder of .idl files")
            return
        }
        let paths = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        for path in paths.sorted() where path.hasSuffix(".idl") {
            let bytes = Array(try Data(contentsOf: URL(filePath: folder + "/" + path)))
            let result = Interface.check(IDLSource(name: path, bytes: bytes))
            #expect(!result.hasErrors, "\(path)")
        }
    }
}

@Suite("Reading an interface")
struct SyntaxTests {
    private func module(_ text: String) throws -> ModuleDeclaration {
        let result = Interface.parse(IDLSource(name: "t", text: text))
        #expect(result.diagnostics.isEmpty)
        guard case .modules(let modules) = result.file else { throw Missing() }
        return try #require(modules.first)
    }
    private struct Missing: Error {}

    @Test("attributes belong to the star behind them; those behind the stars to the value")
    func attributePlaces() throws {
        let module = try module("module m { rpc void f(projection a [alloc(callee)] * [bind(caller)] * [out] x) {} }")
        let type = module.functions[0].arguments[0].type
        #expect(type.pointers.map { $0.attributes.map(\.keyword) } == [["alloc"], ["bind"]])
        #expect(type.attributes.map(\.keyword) == ["out"])
    }

    @Test(
        "widths and signs of C's integers are those of x86-64 Linux",
        arguments: [
            ("char", 1, true), ("unsigned char", 1, false), ("signed char", 1, true), ("short", 2, true),
            ("unsigned short", 2, false), ("int", 4, true), ("unsigned", 4, false), ("long", 8, true),
            ("long unsigned int", 8, false), ("unsigned long long", 8, false), ("long long int", 8, true),
            ("bool", 1, false), ("u16", 2, false), ("s64", 8, true)
        ])
    func integers(spelling: String, bytes: Int, isSigned: Bool) throws {
        let type = try #require(IntegerType(words: spelling.split(separator: " ").map(String.init)))
        #expect(type.bytes == bytes)
        #expect(type.isSigned == isSigned)
    }

    @Test("one run reports errors of several declarations, in the order of the text")
    func severalErrors() {
        let text = """
            module m {
                rpc int f(intt a) {}
                projection <struct a> a { int [inn] x; int y }
                rpc void g(projection a * a) {}
                rpc void h(,) {}
            }
            """
        let codes = Interface.check(IDLSource(name: "t", text: text)).diagnostics.map(\.code)
        #expect(codes == [.unknownType, .unknownAttribute, .syntax, .syntax])
    }

    @Test("after 50 errors one more says that the rest is not reported")
    func tooMany() {
        let fields = (0..<200).map { "integer x\($0);\n" }.joined()
        let result = Interface.check(IDLSource(name: "t", text: "module m { projection <struct a> a {\n\(fields)} }"))
        #expect(result.diagnostics.count == DiagnosticSink.limit + 1)
        #expect(result.diagnostics.last?.code == .tooManyErrors)
    }

    @Test("the caret is under the place, also behind tabs and letters of several bytes")
    func caret() {
        let source = IDLSource(name: "t.idl", text: "module m {\n\t/* ä */ rpc intt f() {}\n}")
        let text = Interface.parse(source).diagnostics[0].rendered(in: source)
        #expect(
            text == """
                t.idl:2:14: error: 'intt' is not a type of this language [unknown-type]
                    2 | \t/* ä */ rpc intt f() {}
                      | \t            ^~~~
                      | hint: did you mean 'int'?

                """)
    }

    @Test("a driver's imports are looked for among the modules given")
    func imports() {
        let source = IDLSource(name: "t", text: "driver d {\n    import kernal;\n}")
        let result = Interface.check(source, modules: ["kernel"])
        #expect(result.diagnostics.map(\.code) == [.unknownModule])
        #expect(result.diagnostics[0].hint == "did you mean 'kernel'?")
        #expect(Interface.check(source, modules: ["kernal"]).diagnostics.isEmpty)
    }
}
