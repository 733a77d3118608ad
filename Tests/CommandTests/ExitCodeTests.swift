import Foundation
import Testing

@Suite("Exit codes and messages (docs/reference/exit-codes.md)")
struct ExitCodeTests {
    @Test("help is data: exit 0, on standard output, and lists every exit code")
    func help() throws {
        let help = try Tool.run("help", "exit-codes")
        #expect(help.status == 0)
        for code in ["0", "1", "2", "3", "4", "5", "64", "65", "66", "70", "74"] {
            #expect(help.output.contains("\n" + String(repeating: " ", count: 3 - code.count) + code + "  "), "\(code)")
        }
        #expect(help.errors.isEmpty)
        #expect(try Tool.run("exit-codes").output.contains("66  "))
    }

    @Test("the document lists the same codes as the tool")
    func document() throws {
        let text = try String(
            contentsOf: Tool.root.appendingPathComponent("docs/reference/exit-codes.md"), encoding: .utf8)
        for line in try Tool.run("exit-codes").output.split(separator: "\n") {
            let words = line.split(separator: " ")
            if let code = words.first.flatMap({ Int($0) }) { #expect(text.contains("| \(code) |"), "\(code)") }
        }
    }

    @Test(
        "a wrong command line is 64, on standard error, with nothing on standard output",
        arguments: [
            ["frobnicate"], ["run"], ["run", "nullnet.ko", "--workload", "rx:1"],
            ["run", "nullnet.ko", "--workload", "tx:0"],
            ["run", "nullnet.ko", "--workload", "tx:many"], ["run", "nullnet.ko", "--cpus", "9"],
            ["run", "nullnet.ko", "--cpus", "0"], ["run", "nullnet.ko", "--memory", "lots"],
            ["run", "nullnet.ko", "--memory", "1"], ["run", "nullnet.ko", "--seed", "-1"],
            ["check", "nullnet.ko", "--only", "I9"], ["explore", "nullnet.ko", "--native"],
            ["explore", "nullnet.ko", "--inject", "smi"], ["explore", "nullnet.ko", "--vector", "3"],
            ["boot", "fixtures/images/kernel.elf", "--cpus", "99"], ["boot"], ["replay"]
        ])
    func usage(arguments: [String]) throws {
        let outcome = try Tool.run(list: arguments)
        #expect(outcome.status == 64, "\(outcome.errors)")
        #expect(outcome.output.isEmpty)
        #expect(!outcome.errors.isEmpty)
    }

    @Test(
        "a file that is not there is 66 and named",
        arguments: [
            ["run", "nosuch.ko"], ["run", "some/nosuch.ko"], ["check", "nosuch.ko"], ["explore", "nosuch.ko"],
            ["replay", "nosuch.run"], ["boot", "nosuch.elf"], ["inspect", "nosuch.ko"],
            ["boot", "fixtures/images/kernel.elf", "--initrd", "nosuch.img"], ["boot", "fixtures"]
        ])
    func missing(arguments: [String]) throws {
        let outcome = try Tool.run(list: arguments)
        #expect(outcome.status == 66, "\(outcome.errors)")
        #expect(outcome.errors.contains("nosuch") || outcome.errors.contains("fixtures"))
        #expect(outcome.output.isEmpty)
    }

    @Test(
        "a file that is not what it should be is 65: file, what was found, what was expected",
        arguments: [
            ["run", "Makefile"], ["boot", "Makefile"], ["inspect", "Makefile"], ["replay", "Makefile"],
            ["run", "fixtures/images/kernel.elf"], ["replay", "fixtures/images/nullnet.ko"]
        ])
    func badData(arguments: [String]) throws {
        let outcome = try Tool.run(list: arguments)
        #expect(outcome.status == 65, "\(outcome.errors)")
        #expect(outcome.errors.contains(arguments[1]))
        #expect(outcome.errors.contains("found") && outcome.errors.contains("expected"))
        #expect(outcome.output.isEmpty)
    }

    @Test("an output file that cannot be written is 74")
    func unwritable() throws {
        let outcome = try Tool.run("run", "nullnet.ko", "--record", "/proc/nothing/here")
        #expect(outcome.status == 74)
        #expect(outcome.errors.contains("/proc/nothing/here"))
    }

    @Test("no word of it depends on whether somebody watches: no progress and no colour in a file")
    func plain() throws {
        let outcome = try Tool.run("inspect", "nullnet.ko")
        #expect(outcome.status == 0)
        #expect(!outcome.output.contains("\u{1b}") && !outcome.errors.contains("\u{1b}"))
    }
}
