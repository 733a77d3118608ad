import Foundation
import Testing

/// One hostile driver for each forbidden thing (Sources/Guest/attacks/forbidden.c). It strikes at packet 8: the
/// domain ends, by the defence that is meant for it, and the kernel goes on to the end of its run.
@Suite("Hostile drivers")
struct HostileDriverTests {
    static let defences: [(driver: String, words: String)] = [
        ("apic", "raised an exception"), ("cli", "changed the interrupt flag across a crossing"),
        ("cr0", "accessed a control register"), ("cr3", "accessed a control register"),
        ("dr7", "accessed a debug register"), ("free", "sent a message that makes no sense"),
        ("give-up", "asked to be terminated"),
        ("hlt", "kept the processor without making progress"), ("hypercall", "called the monitor"),
        ("int14", "raised an exception"), ("int3", "raised an exception"),
        ("invd", "caused an exit that has no business in a domain"),
        ("lidt", "accessed a descriptor-table register"),
        ("message", "named a capability that nobody was ever given"), ("out", "accessed an I/O port"),
        ("rdmsr", "accessed a model-specific register"), ("recurse", "nested calls until the kernel stack ran short"),
        ("spin", "kept the processor without making progress"),
        ("spin-open", "kept the processor without making progress"),
        ("sti", "changed the interrupt flag across a crossing"),
        ("stray-heap", "touched memory outside its view"), ("stray-read", "raised an exception"),
        ("stray-write", "raised an exception"), ("trap", "raised an exception"), ("ud", "raised an exception"),
        ("uninit", "raised an exception"), ("unregister", "sent a message that makes no sense"),
        ("vmcall", "executed a VMX instruction"), ("wrmsr", "accessed a model-specific register"),
        ("xsetbv", "executed XSETBV"),
    ]
    private static let folder = "fixtures/images/attacks/"

    @Test("each is terminated for what it did, no rule broken, and the kernel does not panic", arguments: defences)
    func terminated(driver: String, words: String) throws {
        let outcome = try Tool.run("run", Self.folder + driver + ".ko", "--workload", "tx:50")
        #expect(outcome.status == 2, "\(outcome.errors)")
        #expect(outcome.errors.contains("the domain broke a rule and was terminated; it \(words)"), "\(outcome.errors)")
        #expect(outcome.output.contains("findings") && !outcome.errors.contains("panic"))
    }

    @Test("what a domain leaves in GS and the flags does not reach the kernel", arguments: ["gs", "flags"])
    func harmless(driver: String) throws {
        let outcome = try Tool.run("run", Self.folder + driver + ".ko", "--workload", "tx:50", "--console")
        #expect(outcome.status == 0 && outcome.errors.contains("attack: still here"), "\(outcome.errors)")
    }

    @Test("a domain that takes its time, calling the kernel within each of the watchdog's periods, is left alone")
    func slow() throws {
        let outcome = try Tool.run("run", Self.folder + "slow.ko", "--workload", "tx:50", "--console", "--json")
        #expect(outcome.status == 0 && outcome.errors.contains("attack: still here"), "\(outcome.errors)")
        // More expirations than a domain without progress lives through, all within one call.
        #expect(try outcome.json().object("vmExits").object("byReason").number("preemptionTimerExpired") > 4)
    }

    @Test("a domain that loads another process's root, which exits nowhere, is terminated, and the kernel has its own")
    func anotherProcess() throws {
        let outcome = try Tool.run(
            "run", Self.folder + "cr3-root.ko", "nullnet.ko", "--workload", "tx:50", "--processes", "3", "--json")
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains("was terminated; it accessed a control register"), "\(outcome.errors)")
        let run = try outcome.json(), drivers = try #require(run["drivers"] as? [[String: Any]])
        #expect(drivers[1]["completed"] as? Int == 50)
        // The kernel's own switches: its first load and one for each process; none for what the domain did.
        #expect(run.object("vmExits").object("byReason").number("controlRegisterAccess") == 4)
        #expect((run["findings"] as? [Any])?.isEmpty == true)
    }

    @Test("what a domain leaves in x87, MXCSR and XMM registers does not reach the kernel, which uses them, too")
    func extendedState() throws {
        let outcome = try Tool.run(
            "run", Self.folder + "extended.ko", "--workload", "tx:50", "--extended-use", "1", "--console", "--json")
        #expect(outcome.status == 0 && outcome.errors.contains("attack: still here"), "\(outcome.errors)")
        #expect(try outcome.json().number("guestSystem", "extendedStateChecks") == 50)
    }

    @Test("where nobody may use extended state, a domain that does is terminated")
    func extendedStateForbidden() throws {
        let outcome = try Tool.run(
            "run", Self.folder + "extended.ko", "--workload", "tx:50", "--extended-state", "none")
        #expect(outcome.status == 2 && outcome.errors.contains("raised an exception"), "\(outcome.errors)")
    }

    @Test("a device that cannot transmit is an error of the driver, in a domain and without", arguments: [true, false])
    func cannotTransmit(native: Bool) throws {
        let more = native ? ["--native"] : []
        let outcome = try Tool.run(list: ["run", Self.folder + "no-xmit.ko", "--workload", "tx:50"] + more)
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains("it has no ndo_start_xmit"), "\(outcome.errors)")
    }

    @Test("a driver that dies is loaded again and finishes; the other's work is complete", arguments: [1, 4])
    func loadedAgain(processors: Int) throws {
        let outcome = try Tool.run(
            "run", Self.folder + "once.ko", "nullnet.ko", "--workload", "tx:400", "--cpus", "\(processors)",
            "--restart", "1", "--json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let report = try outcome.json()
        let drivers = try #require(report["drivers"] as? [[String: Any]])
        #expect(drivers.map { $0["completed"] as? Int } == [400, 400])
        #expect(drivers.map { $0["kills"] as? Int } == [1, 0])
        #expect(drivers.map { $0["restarts"] as? Int } == [1, 0])
        #expect(drivers[1]["packets"] as? Int == 400)
        #expect((report["findings"] as? [Any])?.isEmpty == true)
    }

    @Test("without --restart the other driver finishes all the same, and the run says what ended the first")
    func otherFinishes() throws {
        let outcome = try Tool.run("run", Self.folder + "once.ko", "nullnet.ko", "--workload", "tx:400", "--json")
        #expect(outcome.status == 2 && outcome.errors.contains("raised an exception"))
        let drivers = try #require(try outcome.json()["drivers"] as? [[String: Any]])
        #expect(drivers[0]["completed"] as? Int ?? 400 < 400)
        #expect(drivers[1]["packets"] as? Int == 400)
    }

    /// Sources/Guest/include/lvd/causes.h; MonitorTests bring about by hand what no driver can.
    @Test("for every cause that the kernel can name there is somebody who is ended for it")
    func everyCause() throws {
        let header = try String(
            contentsOf: Tool.root.appendingPathComponent("Sources/Guest/include/lvd/causes.h"), encoding: .utf8)
        let causes = header.split(separator: "\n").filter { $0.hasPrefix("    X(") }.map {
            String($0.split(separator: "\"")[1])
        }
        #expect(causes.count >= 20)
        let byHand = ["met a broken EPT entry", "caused a triple fault"]
        let named = Self.defences.map(\.words) + AttackTests.defences.compactMap(\.words)
            + CapabilityTests.names.map(\.words) + byHand
        for cause in causes { #expect(named.contains { $0.hasPrefix(cause) }, "\(cause)") }
    }

    @Test("every hostile driver in the folder is in one of these lists")
    func complete() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: Tool.root.path + "/" + Self.folder)
        let rules = AttackTests.rules.map { $0.lowercased() }
        let block = BlockTests.attacks.map(\.driver) + BlockTests.idle.map(\.driver) + ["blk-once", "blk-foreign-set"]
        let capabilities = CapabilityTests.names.map(\.driver) + CapabilityTests.pairs
        let known = Set(
            Self.defences.map(\.driver) + rules + block + capabilities
                + ["no-xmit", "once", "gs", "flags", "extended", "slow", "cr3-root"])
        #expect(Set(files.filter { $0.hasSuffix(".ko") }.map { String($0.dropLast(3)) }) == known)
    }
}
