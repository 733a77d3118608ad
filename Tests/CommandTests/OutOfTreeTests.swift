import Foundation
import TestSupport
import Testing

/// Modules that a user builds with `linux-headers`, as docs/recipes/bring-a-driver.md says: fixtures/out-of-tree.
@Suite(
    "Modules built with Linux's headers",
    .enabled(if: OutOfTreeModules.folder != nil, "no headers of the fetched kernel: scripts/bootstrap.sh test"))
struct OutOfTreeTests {
    static let runs: [[String]] = [
        ["tallynet.ko", "--workload", "tx:150"], ["tallynet.ko", "--workload", "tx:150", "--cpus", "2"],
        ["tallyblk.ko", "--workload", "blk:150:depth=4"],
        ["tallyblk.ko", "--workload", "blk:150:depth=4", "--param", "delay_ns=8000", "--cpus", "2"],
        ["tallyblk.ko", "--workload", "blk:150:depth=4", "--param", "queues=2", "--cpus", "2"]
    ]

    @Test("each does its work in a domain as it does natively, without a finding", arguments: runs)
    func isolated(arguments: [String]) throws {
        let folder = try #require(OutOfTreeModules.folder)
        var arguments = arguments
        arguments[0] = folder + "/" + arguments[0]
        let outcome = try Tool.run(list: ["run"] + arguments + ["--compare-native", "--json"])
        #expect(outcome.status == 0, "\(outcome.errors)")
        let run = try outcome.json(), native = run.object("native")
        #expect(run.number("workload", "packets") == 150 && native.number("packets") == 150)
        #expect(run.number("workload", "bytes") == native.number("bytes"))
        #expect((run["findings"] as? [Any])?.isEmpty == true)
    }
}
