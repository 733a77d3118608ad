import Foundation
import Testing

@Suite("lvdsim disassemble")
struct DisassembleTests {
    @Test("one function of an image, its calls by name")
    func oneFunction() throws {
        let outcome = try Tool.run("disassemble", "kernel.elf", "--symbol", "vmfunc_trampoline")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let lines = outcome.output.split(separator: "\n")
        #expect(lines.contains("vmfunc_trampoline:"))
        #expect(lines.contains { $0.hasSuffix("vmfunc") } && !outcome.output.contains("(bad)"))
    }

    @Test("a module's references are its relocations")
    func relocations() throws {
        let outcome = try Tool.run("disassemble", "nullnet.ko", "--json")
        let sections = try outcome.json()["sections"] as? [[String: Any]] ?? []
        let instructions = sections.flatMap { $0["instructions"] as? [[String: Any]] ?? [] }
        let calls = instructions.filter { ($0["text"] as? String)?.hasPrefix("call ") == true }
        #expect(!calls.isEmpty && calls.allSatisfy { $0["reference"] is String })
        #expect(!instructions.contains { $0["text"] as? String == "(bad)" })
    }

    @Test("a section or symbol that is not there is missing input, named")
    func missing() throws {
        let symbol = try Tool.run("disassemble", "kernel.elf", "--symbol", "no_such_function")
        #expect(symbol.status == 66 && symbol.errors.contains("no_such_function") && symbol.output.isEmpty)
        let section = try Tool.run("disassemble", "kernel.elf", "--section", ".nothing")
        #expect(section.status == 66 && section.errors.contains(".nothing"))
    }
}
