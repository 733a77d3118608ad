import Foundation
import Testing

/// Capabilities in the running system (docs/capabilities.md): names that a driver does not hold
/// (Sources/Guest/attacks/capability.c), and memory that one domain grants another (grants.c).
@Suite("Capabilities") struct CapabilityTests {
    static let names: [(driver: String, words: String)] = [
        ("cap-forged-slot", "named a capability that nobody was ever given: consume_skb "),
        ("cap-forged-generation", "named a capability that nobody was ever given: consume_skb "),
        ("cap-guessed", "named a capability that nobody was ever given: consume_skb "),
        ("cap-foreign", "named a capability of another domain: consume_skb "),
        ("cap-type", "named a capability of another type: consume_skb "),
        ("cap-twice", "named a capability that it no longer holds: consume_skb "),
        ("cap-no-memory", "named a capability of another type: cap_map "),
        ("cap-no-domain", "named a capability of another type: cap_grant "),
    ]
    static let pairs = [
        "grant-revokes", "grant-dies", "take", "take-after", "take-writes", "take-grants", "grant-storm"
    ]
    private static let folder = "fixtures/images/attacks/"

    /// Processors: on one the domains take turns packet by packet; on two and four also at the same time.
    private func run(_ first: String, _ second: String, _ processors: Int, _ more: String...) throws -> Tool.Outcome {
        try Tool.run(
            list: [
                "run", Self.folder + first + ".ko", Self.folder + second + ".ko", "--workload", "tx:100", "--cpus",
                "\(processors)", "--console", "--json"
            ] + more)
    }
    private func drivers(_ outcome: Tool.Outcome) throws -> [[String: Any]] {
        let report = try outcome.json()
        #expect((report["findings"] as? [Any])?.isEmpty == true)
        #expect(report.number("guestSystem", "capabilitiesLeft") == 0)
        #expect(outcome.errors.contains("; 0 held, 0 pages of memory, 0 blocks of the heap left"), "\(outcome.errors)")
        return try #require(report["drivers"] as? [[String: Any]])
    }

    @Test("a name that is not the domain's ends it, says why, and the other domain finishes", arguments: names)
    func wrongName(driver: String, words: String) throws {
        let outcome = try Tool.run(
            "run", Self.folder + driver + ".ko", "nullnet.ko", "--workload", "tx:50", "--json", "--console")
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains("was terminated; it " + words), "\(outcome.errors)")
        let drivers = try drivers(outcome)
        #expect(drivers.map { $0["completed"] as? Int } == [7, 50])
        #expect(drivers[1]["packets"] as? Int == 50)
    }

    @Test(
        "on a kernel that looks at the slot alone, names of others and of later work, and S19 finds it",
        arguments: ["cap-foreign", "cap-forged-generation"])
    func weakNames(driver: String) throws {
        let outcome = try Tool.run(
            "check", Self.folder + driver + ".ko", "nullnet.ko", "--workload", "tx:50", "--kernel",
            "kernel-weak-s19.elf")
        #expect(outcome.status == 1 && outcome.output.contains("S19  VIOLATED"), "\(outcome.output)")
    }

    @Test("memory is granted read-only, read, taken back, and both domains run on", arguments: [1, 2, 4])
    func revoked(processors: Int) throws {
        let outcome = try run("grant-revokes", "take", processors)
        #expect(outcome.status == 0, "\(outcome.errors)")
        for line in [
            "grantee: rights 1, read 5ec4e7", " taken back", "grantee: gone; mapping it again: 0, revoking it: -9"
        ] { #expect(outcome.errors.contains(line), "\(outcome.errors)") }
        let drivers = try drivers(outcome)
        #expect(drivers.map { $0["packets"] as? Int } == [100, 100])
        #expect(try outcome.json().number("guestSystem", "capabilitiesRevoked") >= 1)
    }

    @Test("a domain that has not connected is granted nothing")
    func notAsked() throws {
        let outcome = try Tool.run(
            "run", Self.folder + "grant-revokes.ko", "nullnet.ko", "--workload", "tx:100", "--json", "--console")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try drivers(outcome).map { $0["packets"] as? Int } == [100, 100])
        // The pools of both, and the granter's connection.
        #expect(try outcome.json().number("guestSystem", "capabilitiesGranted") == 3)
    }

    @Test("the granter dies: what was derived is gone, and the grantee runs on", arguments: [1, 2, 4])
    func granterDies(processors: Int) throws {
        let outcome = try run("grant-dies", "take", processors)
        #expect(outcome.status == 2 && outcome.errors.contains("it raised an exception"), "\(outcome.errors)")
        #expect(outcome.errors.contains("grantee: rights 3, read 5ec4e7"))
        #expect(outcome.errors.contains("grantee: gone; mapping it again: 0, revoking it: -9"))
        let drivers = try drivers(outcome)
        #expect(drivers.map { $0["kills"] as? Int } == [1, 0])
        #expect(drivers[1]["packets"] as? Int == 100)
    }

    @Test("a granter that died is loaded again at once, and both finish", arguments: [1, 2])
    func granterReloaded(processors: Int) throws {
        let outcome = try run("grant-dies", "take", processors, "--restart", "1")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let drivers = try drivers(outcome)
        #expect(drivers.map { $0["completed"] as? Int } == [100, 100])
        #expect(drivers.map { $0["restarts"] as? Int } == [1, 0])
    }

    @Test(
        "memory that was taken back, or whose granter died, ends who reads it",
        arguments: ["grant-revokes", "grant-dies"], [1, 2, 4])
    func usedAfter(granter: String, processors: Int) throws {
        let outcome = try run(granter, "take-after", processors)
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains("domain 1: nullnet touched memory outside its view"), "\(outcome.errors)")
        let drivers = try drivers(outcome)
        #expect(drivers[1]["kills"] as? Int == 1)
        #expect(drivers[0]["completed"] as? Int == (granter == "grant-revokes" ? 100 : 19) || processors > 1)
    }

    @Test("without invalidation it could be read on: S10 finds that", arguments: [1, 2, 4])
    func weakRevoke(processors: Int) throws {
        let outcome = try Tool.run(
            "check", Self.folder + "grant-revokes.ko", Self.folder + "take-after.ko", "--workload", "tx:100", "--cpus",
            "\(processors)", "--kernel", "kernel-weak-s10.elf")
        #expect(outcome.status == 1 && outcome.output.contains("S10  VIOLATED"), "\(outcome.output)")
    }

    /// With every rule on two processors; without, as reading all views again at each write takes its time, on more.
    @Test(
        "two domains that grant, map and take back at once on all processors: no deadlock, nothing is left",
        arguments: [
            (2, "tx:60", []), (2, "tx:60", ["--preemption", "full"]), (4, "tx:2000", ["--no-check"]),
            (8, "tx:2000", ["--no-check"]), (4, "tx:1000", ["--no-check", "--preemption", "full"]),
            (4, "tx:1000", ["--no-check", "--interrupts", "posted", "--timer", "7919"]),
        ] as [(Int, String, [String])])
    func storm(processors: Int, workload: String, more: [String]) throws {
        let storm = Self.folder + "grant-storm.ko"
        let outcome = try Tool.run(
            list: [
                "run", storm, storm, "--workload", workload, "--cpus", "\(processors)", "--console", "--json",
                "--max-cycles", "2000000000"
            ] + more)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try drivers(outcome).allSatisfy { $0["completed"] as? Int == $0["packets"] as? Int })
        let revoked = try outcome.json().number("guestSystem", "capabilitiesRevoked")
        #expect(revoked >= processors, "grants were taken back while they were in use")
    }

    @Test("a domain that dies while its caller keeps interrupts off is revoked then, too", arguments: [1, 4])
    func interruptsOff(processors: Int) throws {
        let outcome = try Tool.run(
            "run", Self.folder + "sti.ko", "--workload", "tx:40", "--cpus", "\(processors)", "--console", "--json")
        #expect(outcome.status == 2 && outcome.errors.contains("changed the interrupt flag across a crossing"))
        #expect(try drivers(outcome).map { $0["kills"] as? Int } == [1])
    }

    @Test("what was granted to be read ends who writes it, and is not granted on")
    func rights() throws {
        let writes = try run("grant-revokes", "take-writes", 1)
        #expect(writes.errors.contains("domain 1: nullnet touched memory outside its view"), "\(writes.errors)")
        #expect(try drivers(writes)[0]["packets"] as? Int == 100)
        let grants = try run("grant-revokes", "take-grants", 1)
        #expect(grants.status == 0 && grants.errors.contains("grantee: granting it on: -1"), "\(grants.errors)")
    }
}
