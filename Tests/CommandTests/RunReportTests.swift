import Foundation
import TestSupport
import Testing

@Suite("What lvdsim run reports")
struct RunReportTests {
    private func objects(_ value: Any?) -> [[String: Any]] { value as? [[String: Any]] ?? [] }

    @Test("every call and callback is answered and counted by its name, its cycles in order")
    func calls() throws {
        let run = try Tool.run("run", "nullnet.ko", "--workload", "tx:300", "--json").json()
        let calls = run.object("calls")
        #expect(calls.number("unanswered") == 0)
        let procedures = objects(calls["procedures"])
        func total(_ direction: String) -> Int {
            procedures.filter { $0["direction"] as? String == direction }.reduce(0) { $0 + $1.number("count") }
        }
        #expect(total("call") == run.number("crossings", "calls"))
        #expect(total("callback") == run.number("crossings", "callbacks"))
        #expect((calls["byDepth"] as? [Int])?.reduce(0, +) == run.number("crossings", "calls"))
        // register_netdevice, out of the domain's init, calls ndo_init.
        #expect((calls["byDepth"] as? [Int])?.count == 2)
        let xmit = try #require(procedures.first { $0["name"] as? String == "ndo_start_xmit" })
        #expect(xmit.number("count") == 300)
        for procedure in procedures {
            let cycles = procedure.object("cycles")
            let order = ["minimum", "median", "percentile99", "maximum"].map { cycles.number($0) }
            #expect(order == order.sorted() && order[0] > 0)
        }
        // A callback is part of the call that it happens in.
        let consume = try #require(procedures.first { $0["name"] as? String == "consume_skb" })
        #expect(xmit.object("cycles").number("minimum") > consume.object("cycles").number("minimum"))
    }

    @Test("exits by caller and interrupts by vector and place add up to their totals")
    func places() throws {
        let run = try Tool.run("run", "nullnet.ko", "--workload", "tx:1000", "--timer", "10007", "--json").json()
        let callers = objects(run.object("vmExits")["byCaller"])
        #expect(callers.reduce(0) { $0 + $1.number("count") } == run.number("vmExits", "total"))
        #expect(callers.contains { $0["caller"] as? String == "kernel:monitor_write" })
        let vectors = objects(run.object("interrupts")["byVector"])
        let all = ["kernel", "crossing", "domain"].map { place in vectors.reduce(0) { $0 + $1.number(place) } }
        #expect(all.reduce(0, +) == run.number("interrupts", "delivered") + run.number("interrupts", "nmis"))
        #expect(all[2] > 0 && all[2] <= run.number("interrupts", "insideDomain"))
    }

    @Test("beside the isolated run the native one gives the ratio, and does not change the digest")
    func native() throws {
        let plain = try Tool.run("run", "nullnet.ko", "--workload", "tx:200", "--json").json()
        let both = try Tool.run("run", "nullnet.ko", "--workload", "tx:200", "--compare-native", "--json").json()
        let alone = try Tool.run("run", "nullnet.ko", "--workload", "tx:200", "--native", "--json").json()
        #expect(both["digest"] as? String == plain["digest"] as? String && plain["native"] is NSNull)
        let native = both.object("native")
        #expect(native["digest"] as? String == alone["digest"] as? String)
        #expect(native.number("packets") == both.number("workload", "packets"))
        let isolatedCycles = try #require(both.object("cycles")["perOperation"] as? Double)
        let nativeCycles = try #require(native["cyclesPerOperation"] as? Double)
        let percent = try #require(native["percentOfNativeSpeed"] as? Double)
        #expect(abs(percent - 100 * nativeCycles / isolatedCycles) < 0.2)
    }

    @Test("--native and --compare-native together make no sense")
    func contradiction() throws {
        let outcome = try Tool.run("run", "nullnet.ko", "--native", "--compare-native")
        #expect(outcome.status == 64 && outcome.errors.contains("--compare-native"))
    }
}
