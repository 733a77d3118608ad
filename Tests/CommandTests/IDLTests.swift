import Foundation
import Testing

@Suite("lvdsim idl")
struct IDLCommandTests {
    @Test("good files end with 0 and a line each")
    func good() throws {
        let names = ["driver", "two-modules"].map { "fixtures/idl/accepted/\($0).idl" }
        let outcome = try Tool.run(list: ["idl", "check", "--syntax-only"] + names)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.split(separator: "\n") == [
            "fixtures/idl/accepted/driver.idl: driver nullnet, good",
            "fixtures/idl/accepted/two-modules.idl: module kernel, module block, 2 functions, good",
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
}
