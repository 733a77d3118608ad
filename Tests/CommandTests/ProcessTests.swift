import Foundation
import Testing

/// Processes in ring 3, each with a page-table root of its own: `lvdsim run --processes`.
@Suite("Processes") struct ProcessTests {
    private func run(_ arguments: String...) throws -> (run: [String: Any], console: String) {
        let outcome = try Tool.run(list: ["run", "nullnet.ko", "--console", "--json"] + arguments)
        #expect(outcome.status == 0, "\(arguments) \(outcome.errors)")
        let run = try outcome.json()
        #expect((run["findings"] as? [Any])?.isEmpty == true)
        #expect(run.number("workload", "packets") == run.number("workload", "requested"))
        return (run, outcome.errors)
    }

    /// What ring 3 tries, what becomes of it by the console, and the exit by which the monitor learns of it.
    static let attacks: [(name: String, words: String, exit: String?)] = [
        ("vmcall", "process 1: exception 6,", "vmcall"),
        ("hypercall", "process 1: the monitor has answered none of its calls", "cpuid"),
        ("vmfunc", "process 1: left the kernel's view by itself (cause 1,", nil),
        ("vmfunc-index", "process 1: exception 6,", "vmfunc"),
        ("vmfunc-function", "process 1: exception 6,", "vmfunc"),
        ("sgdt", "process 1: exception 13,", "gdtrOrIDTRAccess"),
    ]

    @Test("ring 3 gets a fault from the monitor and nothing else, and all others go on", arguments: attacks)
    func refused(name: String, words: String, exit: String?) throws {
        let (run, console) = try run("--workload", "tx:60", "--processes", "2", "--process-attack", name)
        #expect(console.contains(words), "\(console)")
        let ended = name == "hypercall" ? 0 : 1
        #expect(run.number("guestSystem", "processesKilled") == ended)
        #expect(run.number("guestSystem", "processes") == 2 + ended)
        let callers = run.object("vmExits")["byCaller"] as? [[String: Any]] ?? []
        let fromRing3 = callers.filter { $0["caller"] as? String == "process" }
        #expect(fromRing3.map { $0["reason"] as? String } == (exit.map { [$0] } ?? []))
        if name == "hypercall" { #expect(fromRing3[0].number("count") == 2 * 9) }
    }

    @Test("a root that never called a domain is not known in its view: VMFUNC by its process ends that process alone")
    func strangerInView() throws {
        // The second driver's domain is the one in the list, and packets go to the first one in turn.
        let outcome = try Tool.run(
            "run", "nullnet.ko", "nullnet.ko", "--workload", "tx:60", "--processes", "2", "--process-attack", "vmfunc",
            "--console")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.errors.contains("process 1: left the kernel's view by itself"))
    }

    /// The kernel's root and those of up to three processes are CR3-target values at the same time; four processes push
    /// the kernel's out, which comes back at the end; five in turn push out each other.
    @Test(
        "switching processes exits once for each root that is not among the latest four",
        arguments: [(1, 2), (2, 3), (3, 4), (4, 1 + 4 + 1), (5, 1 + 100 + 1), (8, 1 + 100 + 1)])
    func targetValues(processes: Int, exits: Int) throws {
        let (run, _) = try run("--workload", "tx:100", "--processes", "\(processes)")
        #expect(run.object("vmExits").object("byReason").number("controlRegisterAccess") == exits)
        #expect(run.number("guestSystem", "processes") == processes)
    }

    @Test("processes come and go while a domain is called from all of them", arguments: ["direct", "exiting", "posted"])
    func turnover(interrupts: String) throws {
        let (run, _) = try run(
            "--workload", "tx:2000", "--processes", "3", "--process-packets", "50", "--cpus", "4", "--timer", "20000",
            "--interrupts", interrupts)
        // On each processor three of each of three generations, and of the fourth, which is there at the end.
        #expect(run.number("guestSystem", "processes") == 4 * 3 * 4)
        #expect(run.number("guestSystem", "processesKilled") == 0)
    }

    @Test(
        "what processes cannot be combined with is a usage error",
        arguments: [
            ["--processes", "9"], ["--processes", "2", "--native"], ["--processes", "2", "--preemption", "full"],
            ["--processes", "2", "--workload", "blk:10"], ["--process-packets", "4"], ["--process-attack", "vmcall"],
        ])
    func contradictions(options: [String]) throws {
        let outcome = try Tool.run(list: ["run", "nullnet.ko"] + options)
        #expect(outcome.status == 64 && outcome.output.isEmpty, "\(outcome.errors)")
        #expect(outcome.errors.contains("--process"))
    }
}
