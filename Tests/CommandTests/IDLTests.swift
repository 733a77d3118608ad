import Foundation
import Testing

@Suite("lvdsim idl")
struct IDLCommandTests {
    @Test("good files end with 0 and a line each")
    func good() throws {
        let names = ["driver", "two-modules"].map { "fixtures/idl/accepted/\($0).idl" }
        let outcome = try Tool.run(list: ["idl", "check", "--syntax-only"] + names)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(
            outcome.output.split(separator: "\n") == [
                "fixtures/idl/accepted/driver.idl: driver nullnet, good",
                "fixtures/idl/accepted/two-modules.idl: module kernel, module block, 2 functions, good"
            ])
    }

    @Test("a bad file ends with 65; the diagnostics are on standard error, or in the JSON object")
    func bad() throws {
        try Tool.withFolder { folder in
            let file = folder.appendingPathComponent("bad.idl")
            try Data("module m {\n    rpc intt f() {}\n}\n".utf8).write(to: file)
            let outcome = try Tool.run("idl", "check", "--syntax-only", "--json", file.path)
            #expect(outcome.status == 65)
            #expect(outcome.errors.contains("bad.idl:2:9: error: 'intt' is not a type of this language [unknown-type]"))
            let files = try outcome.json()["files"] as? [[String: Any]]
            let diagnostic = (files?.first?["diagnostics"] as? [[String: Any]])?.first
            #expect(diagnostic?["code"] as? String == "unknown-type" && diagnostic?["line"] as? Int == 2)
        }
    }

    @Test("a file that is not there ends with 66, contradicting options with 64")
    func misuse() throws {
        #expect(try Tool.run("idl", "check", "--syntax-only", "no-such.idl").status == 66)
        #expect(try Tool.run("idl", "check", "--syntax-only", "--btf", "vmlinux", "x.idl").status == 64)
    }

    @Test("generate writes a header and both sides of every module, and a driver's dispatch")
    func generate() throws {
        try Tool.withFolder { folder in
            let out = folder.appendingPathComponent("new/folder").path
            let names = ["driver", "two-modules"].map { "fixtures/idl/accepted/\($0).idl" }
            let outcome = try Tool.run(list: ["idl", "generate", "--syntax-only", "--out", out] + names)
            #expect(outcome.status == 0, "\(outcome.errors)")
            let expected = [
                "block.h", "block_domain.c", "block_kernel.c", "kernel.h", "kernel_domain.c", "kernel_kernel.c",
                "nullnet.h"
            ]
            #expect(try FileManager.default.contentsOfDirectory(atPath: out).sorted() == expected)
            #expect(outcome.output.split(separator: "\n").map(String.init).sorted() == expected.map { "\(out)/\($0)" })
        }
    }

    @Test("generate ends with 65 and writes nothing when one file is bad, or no glue can be made of it")
    func generateNothing() throws {
        try Tool.withFolder { folder in
            let out = folder.appendingPathComponent("out").path
            let bad = folder.appendingPathComponent("bad.idl")
            try Data("module m {\n    rpc intt f() {}\n}\n".utf8).write(to: bad)
            let good = "fixtures/idl/accepted/string.idl"
            let outcome = try Tool.run("idl", "generate", "--syntax-only", "--out", out, good, bad.path)
            #expect(outcome.status == 65)
            #expect(outcome.errors.contains("[unknown-type]"))
            let draft = "fixtures/idl/accepted/user-draft.idl"
            let second = try Tool.run("idl", "generate", "--syntax-only", "--out", out, good, draft)
            #expect(second.status == 65)
            #expect(second.errors.contains("user-draft.idl:2:20: error: the buffer's size is not given [no-glue]"))
            #expect(!FileManager.default.fileExists(atPath: out))
        }
    }
}
