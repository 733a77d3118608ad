import TestSupport
import Testing

@Suite("A hundred thousand operations")
struct LongRunTests {
    @Test(
        "Debian's dummy.ko, isolated: all complete, the native run's statistics, no finding, exits far below VMFUNCs",
        .enabled(if: DebianKernel.has("modules/dummy.ko"), "no dummy.ko here: scripts/fetch-debian.sh dummy"),
        arguments: [1, 4])
    func dummy(processors: Int) throws {
        try check(["dummy.ko", "--workload", "tx:100000", "--cpus", "\(processors)"])
    }

    @Test(
        "Debian's null_blk.ko, isolated, 16 requests at a time, completed by deferred work and by timers: the same",
        .enabled(if: DebianKernel.has("modules/null_blk.ko"), "no null_blk.ko here: scripts/fetch-debian.sh null_blk"),
        arguments: [(1, 1), (4, 2)])
    func nullBlock(processors: Int, mode: Int) throws {
        try check([
            "null_blk.ko", "--workload", "blk:100000:depth=16", "--cpus", "\(processors)", "--param",
            "irqmode=\(mode)"
        ])
    }

    private func check(_ arguments: [String]) throws {
        let operations = 100_000, processors = arguments.contains("4") ? 4 : 1
        let outcome = try Tool.run(list: ["run"] + arguments + ["--timer", "30011", "--compare-native", "--json"])
        #expect(outcome.status == 0, "\(outcome.errors)")
        let run = try outcome.json(), native = run.object("native")
        #expect(run.number("workload", "completed") == operations && native.number("completed") == operations)
        #expect(run.number("workload", "packets") == native.number("packets"))
        #expect(run.number("workload", "bytes") == native.number("bytes"))
        #expect((run["findings"] as? [Any])?.isEmpty == true)
        #expect(run.number("vmfunc") > 1000 * run.number("vmExits", "total"))
        #expect(run.object("calls").number("unanswered") == 0)
        // Timer interrupts and, from processor to processor, IPIs, all through the run and in every kind of place.
        let vectors = run.object("interrupts")["byVector"] as? [[String: Any]] ?? []
        let expected = processors > 1 ? [0x40, 0x44] : [0x40]
        for vector in expected {
            let places = try #require(vectors.first { $0.number("vector") == vector })
            for place in ["kernel", "crossing", "domain"] { #expect(places.number(place) > 50, "\(vector) \(place)") }
        }
    }
}
