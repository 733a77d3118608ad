import Foundation
import TestSupport
import Testing

@Suite("lvdsim run")
struct RunTests {
    /// Our own driver, and Debian's when it has been fetched.
    static let drivers = ["nullnet.ko"] + (DebianKernel.has("modules/dummy.ko") ? ["dummy.ko"] : [])

    @Test("an isolated driver completes its workload without a finding, two VMFUNCs per packet", arguments: drivers)
    func isolated(driver: String) throws {
        let outcome = try Tool.run("run", driver, "--workload", "tx:200", "--json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let run = try outcome.json()
        #expect(run.number("workload", "completed") == 200)
        #expect(run.number("workload", "packets") == 200)
        #expect((run["findings"] as? [Any])?.isEmpty == true)
        #expect(run.number("vmfunc") >= 2 * 200)
        #expect(run.number("crossings", "calls") >= 200)
        #expect(run.number("crossings", "callbacks") > 0)
        #expect(run.number("crossings", "rogue") == 0)
        #expect(run.number("vmExits", "total") > 0)
        let exits = run.object("vmExits").object("byReason")
        #expect(exits.keys.reduce(0) { $0 + exits.number($1) } == run.number("vmExits", "total"))
    }

    @Test("nullnet-1 crosses once a packet, nullnet-2 twice, and each counts all packets as natively")
    func crossingsPerPacket() throws {
        func run(_ more: String...) throws -> [String: Any] {
            let outcome = try Tool.run(list: ["run", "nullnet.ko", "--compare-native", "--json"] + more)
            #expect(outcome.status == 0, "\(outcome.errors)")
            return try outcome.json()
        }
        let one = try run("--workload", "tx:300:kept=1", "--param", "keep=0"), two = try run("--workload", "tx:300")
        for run in [one, two] {
            #expect(run.number("workload", "packets") == 300 && run.object("native").number("packets") == 300)
        }
        #expect(one.number("crossings", "calls") == two.number("crossings", "calls"))
        #expect(two.number("crossings", "callbacks") - one.number("crossings", "callbacks") == 300)
    }

    @Test("VM exits do not grow with the packets")
    func exitless() throws {
        func exits(_ packets: Int) throws -> Int {
            try Tool.run("run", "nullnet.ko", "--workload", "tx:\(packets)", "--timer", "0", "--json").json()
                .number("vmExits", "total")
        }
        // The console writes a byte per exit, and a larger number has more digits.
        #expect(try exits(500) - exits(50) < 45)
    }

    @Test("natively the same driver does the same work without a crossing or an exit", arguments: drivers)
    func native(driver: String) throws {
        let outcome = try Tool.run("run", driver, "--native", "--workload", "tx:200", "--json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let run = try outcome.json()
        #expect(run.number("workload", "packets") == 200)
        #expect(run.number("vmfunc") == 0)
        #expect(run.number("vmExits", "total") == 0)
    }

    @Test("interrupts arrive, some of them inside the domain")
    func interrupts() throws {
        let run = try Tool.run("run", "nullnet.ko", "--workload", "tx:2000", "--timer", "10000", "--json").json()
        #expect(run.number("interrupts", "delivered") > 100)
        #expect(run.number("interrupts", "insideDomain") > 10)
        #expect(run.number("interrupts", "insideDomain") < run.number("interrupts", "delivered"))
        #expect(run.number("workload", "completed") == 2000)
    }

    @Test("two processes give one digest, and every byte of the report is the same")
    func deterministic() throws {
        for arguments in [[], ["--cpus", "2"], ["--seed", "7", "--timer", "5000"]] {
            let command = ["run", "nullnet.ko", "--workload", "tx:100", "--json"] + arguments
            let first = try Tool.run(list: command)
            let second = try Tool.run(list: command)
            #expect(first.status == 0, "\(first.errors)")
            #expect(first.output == second.output)
            #expect(try first.json()["digest"] as? String != nil)
        }
    }

    @Test("the digest is that of the run: another workload has another one, watching or recording does not change it")
    func digestOfTheRun() throws {
        func digest(_ arguments: String...) throws -> String? {
            try Tool.run(list: ["run", "nullnet.ko", "--json"] + arguments).json()["digest"] as? String
        }
        let plain = try digest("--workload", "tx:20")
        #expect(plain?.count == 32)
        #expect(try digest("--workload", "tx:21") != plain)
        #expect(try digest("--workload", "tx:20", "--no-check") == plain)
        try Tool.withFolder { folder in
            let recorded = try digest("--workload", "tx:20", "--record", folder.path + "/run")
            #expect(recorded == plain)
        }
    }

    @Test("several processors share the work")
    func processors() throws {
        let run = try Tool.run("run", "nullnet.ko", "--workload", "tx:100", "--cpus", "2", "--json")
        #expect(run.status == 0, "\(run.errors)")
        let report = try run.json()
        #expect(report.number("workload", "completed") == 100)
        #expect((report["findings"] as? [Any])?.isEmpty == true)
    }

    @Test("the table names what the JSON counts")
    func table() throws {
        let outcome = try Tool.run("run", "nullnet.ko", "--workload", "tx:50")
        #expect(outcome.status == 0)
        for word in [
            "completed", "calls into the domain", "callbacks", "VMFUNC", "VM exits", "interrupts", "instructions",
            "cycles per packet", "findings", "digest"
        ] {
            #expect(outcome.output.contains(word), "\(word)")
        }
        #expect(outcome.errors.isEmpty)
    }

    @Test("a run that is interrupted stops, reports, and is inconclusive")
    func interrupted() throws {
        let outcome = try Tool.run(
            "run", "nullnet.ko", "--workload", "tx:100000000", "--max-cycles", "20000000000", "--json",
            interruptAfter: 5)
        #expect(outcome.status == 4)
        #expect(try outcome.json().object("outcome").number("exitCode") == 4)
        #expect(outcome.errors.contains("interrupted"))
    }

    @Test("a limit of cycles is inconclusive")
    func limit() throws {
        let outcome = try Tool.run("run", "nullnet.ko", "--workload", "tx:1000", "--max-cycles", "1000000", "--json")
        #expect(outcome.status == 4)
        #expect(try outcome.json().number("cycles", "total") < 1_100_000)
    }

    @Test("a trace is JSON Lines: a header, then events in order of each processor's clock")
    func trace() throws {
        try Tool.withFolder { folder in
            let file = folder.appendingPathComponent("trace.jsonl")
            #expect(try Tool.run("run", "nullnet.ko", "--workload", "tx:5", "--trace", file.path).status == 0)
            let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map {
                try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] ?? [:]
            }
            #expect(lines.first?["format"] as? String == "lvdsim-events")
            let cycles = lines.dropFirst().map { $0.number("cycle") }
            #expect(cycles == cycles.sorted())
            #expect(lines.filter { $0["crossing"] as? String == "call" }.count >= 5)
            #expect(lines.contains { ($0["at"] as? String)?.hasPrefix("kernel:vmfunc_trampoline") == true })
        }
    }
}

extension [String: Any] {
    func object(_ key: String) -> [String: Any] { self[key] as? [String: Any] ?? [:] }
    /// A number, along a path of members; -1 when there is none.
    func number(_ path: String...) -> Int {
        var here = self
        for key in path.dropLast() { here = here.object(key) }
        return (here[path[path.count - 1]] as? NSNumber)?.intValue ?? -1
    }
}
