import Foundation
import Testing

/// The choices of the guest system: `lvdsim run --interrupts, --launch, --promote, --extended-state, --preemption`.
@Suite("Choices of the guest system") struct GuestOptionTests {
    private func run(_ arguments: String...) throws -> [String: Any] {
        let outcome = try Tool.run(
            list: ["run", "nullnet.ko", "--workload", "tx:500", "--timer", "10000", "--json"] + arguments)
        #expect(outcome.status == 0, "\(arguments) \(outcome.errors)")
        let run = try outcome.json()
        #expect(run.number("workload", "packets") == 500)
        #expect((run["findings"] as? [Any])?.isEmpty == true)
        return run
    }
    private func exits(_ run: [String: Any]) -> [String: Any] { run.object("vmExits").object("byReason") }

    @Test("interrupts cost no exit, one or two each, or one for each of the timer's and each sent", arguments: [1, 4])
    func interrupts(processors: Int) throws {
        let cpus = ["--cpus", "\(processors)"]
        let direct = try run("--interrupts", "direct", cpus[0], cpus[1])
        let exiting = try run("--interrupts", "exiting", cpus[0], cpus[1])
        let posted = try run("--interrupts", "posted", cpus[0], cpus[1])
        for mode in [direct, exiting, posted] {
            #expect(mode.number("interrupts", "delivered") > 50)
            #expect(mode.number("interrupts", "insideDomain") > 0)
        }
        #expect(exits(direct)["externalInterrupt"] == nil && exits(direct)["interruptWindow"] == nil)
        // The other processors are woken up once before there is a monitor.
        let woken = processors - 1
        #expect(exits(exiting).number("externalInterrupt") == exiting.number("interrupts", "delivered") - woken)
        #expect(exits(exiting).number("interruptWindow") > 0)
        #expect(exits(posted)["interruptWindow"] == nil)
        // Interprocessor interrupts are posted: the one that sends exits, the one that gets them does not.
        let vectors = try #require(posted.object("interrupts")["byVector"] as? [[String: Any]])
        let sent = vectors.filter { $0["vector"] as? Int != 0x40 }.reduce(0) { sum, entry in
            sum + entry.number("kernel") + entry.number("crossing") + entry.number("domain")
        }
        #expect(exits(posted).number("externalInterrupt") == posted.number("interrupts", "delivered") - sent)
        #expect(exits(posted).number("apicWrite") >= sent)
        #expect(processors == 1 || sent > 0)
    }

    @Test("launched early or late, with any way of interrupts, the monitor leaves again and every processor goes on")
    func promotion() throws {
        for launch in ["early", "late"] {
            for interrupts in ["direct", "exiting", "posted"] {
                let run = try run("--launch", launch, "--interrupts", interrupts, "--promote", "--cpus", "2")
                #expect(run.number("guestSystem", "promotedProcessors") == 2)
                // What kills a domain is done for the kernel, which looks at all of its state before and after.
                for reason in ["movDR", "xsetbv", "rdmsr", "gdtrOrIDTRAccess", "ldtrOrTRAccess"] {
                    #expect(exits(run).number(reason) > 0, "\(reason)")
                }
            }
        }
    }

    @Test("launched early the monitor is there before the other processors: the console's bytes exit")
    func early() throws {
        #expect(exits(try run("--launch", "early", "--cpus", "2")).number("ioInstruction") > 10)
        #expect(exits(try run("--launch", "late", "--cpus", "2")).number("ioInstruction") < 10)
    }

    @Test("extended state: lazy saves for who uses it, eager around every call, none never")
    func extendedState() throws {
        #expect(try run().number("guestSystem", "extendedStateSaves") == 0)
        let lazy = try run("--extended-use", "4")
        #expect(lazy.number("guestSystem", "extendedStateChecks") == 125)
        #expect(lazy.number("guestSystem", "extendedStateSaves") == 125)
        let eager = try run("--extended-state", "eager", "--extended-use", "4")
        #expect(eager.number("guestSystem", "extendedStateSaves") == eager.number("crossings", "calls"))
        let none = try run("--extended-state", "none")
        #expect(none.number("guestSystem", "extendedStateSaves") == 0)
        let outcome = try Tool.run("run", "nullnet.ko", "--extended-state", "none", "--extended-use", "4")
        #expect(outcome.status == 2 && outcome.errors.contains("nobody may use extended state"), "\(outcome.errors)")
    }

    @Test("full preemption switches threads inside the domain, between processors, too; the paper's never does")
    func preemption() throws {
        for state in ["lazy", "eager"] {
            let one = try run("--preemption", "full", "--extended-state", state, "--extended-use", "2")
            #expect(one.number("guestSystem", "switchesInsideDomain") > 0)
            #expect(one.number("guestSystem", "migrationsInsideDomain") == 0)
            let four = try run(
                "--preemption", "full", "--cpus", "4", "--extended-state", state, "--extended-use", "2")
            #expect(four.number("guestSystem", "migrationsInsideDomain") > 0)
            #expect(four.number("guestSystem", "extendedStateChecks") >= 250)
        }
        // Long enough for threads to meet in what the domain keeps for each processor.
        for driver in RunTests.drivers {
            let long = try Tool.run(
                "run", driver, "--workload", "tx:5000", "--timer", "10000", "--preemption", "full", "--cpus", "4",
                "--json"
            ).json()
            #expect(long.number("workload", "packets") == 5000)
            #expect(long.number("guestSystem", "switchesInsideDomain") > 100)
        }
        let paper = try run("--preemption", "paper", "--cpus", "4")
        #expect(paper.number("guestSystem", "switchesInsideDomain") == 0)
    }

    @Test(
        "choices that contradict what else is asked for are usage errors",
        arguments: [
            ["--native", "--interrupts", "exiting"], ["--native", "--launch", "early"], ["--native", "--promote"],
            ["--workload", "blk:10", "--preemption", "full"],
        ])
    func contradictions(options: [String]) throws {
        let outcome = try Tool.run(list: ["run", "nullnet.ko"] + options)
        #expect(outcome.status == 64 && outcome.output.isEmpty, "\(outcome.errors)")
        #expect(outcome.errors.contains(options.contains("--native") ? "with --native" : "--preemption full"))
    }
}
