import Foundation
import Testing

@Suite("lvdsim explore")
struct ExploreTests {
    @Test(
        "an interrupt at every boundary: every call returns as undisturbed, both views are hit, nothing is found",
        arguments: ["irq", "nmi"])
    func everyBoundary(kind: String) throws {
        let outcome = try Tool.run("explore", "nullnet.ko", "--workload", "tx:10", "--inject", kind, "--json")
        #expect(outcome.status == 0, "\(outcome.errors)\n\(outcome.output)")
        let report = try outcome.json()
        let outcomes = report.object("outcomes")
        #expect(report.number("boundaries") > 50)
        #expect(report.number("injections") == report.number("boundaries"))
        #expect((report["failures"] as? [Any])?.isEmpty == true)
        #expect(outcomes.number("taken in the kernel's view, call returned") > 0)
        #expect(outcomes.number("taken in the domain's view, call returned") > 0)
        #expect(outcomes.keys.reduce(0) { $0 + outcomes.number($1) } == report.number("injections"))
    }

    @Test("one boundary alone gives what it gives among all")
    func oneBoundary() throws {
        let one = try Tool.run("explore", "nullnet.ko", "--workload", "tx:10", "--only-boundary", "20", "--json").json()
        #expect(one.number("injections") == 1)
        #expect(one.number("boundaries") > 50)
    }

    @Test("a long call, the driver's init with its console output, is explored in parts, whose sum is all boundaries")
    func inParts() throws {
        func explore(_ part: String) throws -> [String: Any] {
            let outcome = try Tool.run("explore", "nullnet.ko", "--call", "1", "--part", part, "--json")
            #expect(outcome.status == 0, "\(outcome.errors)")
            return try outcome.json()
        }
        let parts = try [explore("1/1000"), explore("1000/1000")]
        let boundaries = parts[0].number("boundaries")
        #expect(boundaries > 10_000 && parts[1].number("boundaries") == boundaries)
        #expect(parts[0].number("injections") == (boundaries + 999) / 1000)
        #expect(parts[1].number("injections") == boundaries / 1000)
        for part in ["0/3", "4/3", "1", "a/b"] {
            #expect(try Tool.run("explore", "nullnet.ko", "--part", part).status == 64, "\(part)")
        }
    }

    @Test("a boundary or a call that does not exist is refused")
    func refused() throws {
        #expect(try Tool.run("explore", "nullnet.ko", "--workload", "tx:10", "--only-boundary", "1000000").status == 64)
        #expect(try Tool.run("explore", "nullnet.ko", "--workload", "tx:10", "--call", "1000000").status == 65)
    }
}
