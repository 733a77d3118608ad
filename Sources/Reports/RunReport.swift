import LVD
import Simulation
import X86Architecture

/// What a run adds up to, as a table for a person and as one JSON object for a program (docs/reference/run-json.md).
public struct RunReport: Sendable {
    public var scenario: Scenario
    public var result: RunResult
    /// The same workload without isolation, to compare with.
    public var native: RunResult?

    public init(_ scenario: Scenario, _ result: RunResult, native: RunResult? = nil) {
        self.scenario = scenario
        self.result = result
        self.native = native
    }

    private var calls: CallReport { CallReport(result.crossings.calls, names: result.procedureNames) }

    /// File names without folders: what ran, not where it lay.
    private var images: [String] { scenario.system.drivers.map(baseName) }

    // MARK: JSON

    public var json: JSONValue {
        let crossings = result.crossings
        return .object([
            ("image", .string(images.joined(separator: " "))),
            ("isolation", .string(scenario.isIsolated ? "isolated" : "native")),
            (
                "workload",
                .object([
                    ("name", .string(scenario.workload.name)),
                    ("requested", .count(result.requested)),
                    ("completed", .count(result.completed)),
                    ("packets", .count(result.guest?.txPackets ?? 0)),
                    ("bytes", .count(result.guest?.txBytes ?? 0))
                ])
            ),
            ("drivers", .array((result.guest?.drivers ?? []).map(json))),
            ("processors", .count(scenario.system.processorCount)),
            ("seed", .count(scenario.system.seed)),
            (
                "crossings",
                .object([
                    ("calls", .count(crossings.count(.call))),
                    ("callbacks", .count(crossings.count(.callback))),
                    ("interrupts", .count(crossings.count(.interruptEntry))),
                    ("rogue", .count(crossings.count(.rogue)))
                ])
            ),
            ("vmfunc", .count(crossings.vmfunc)),
            ("calls", calls.json),
            (
                "vmExits",
                .object([
                    ("total", .count(crossings.exits)),
                    ("byReason", .object(crossings.exitsByReason.map { (exitName($0.reason), .count($0.count)) })),
                    ("byCaller", .array(crossings.exitsByCaller.map(CallReport.json)))
                ])
            ),
            (
                "interrupts",
                .object([
                    ("delivered", .count(crossings.interrupts)),
                    ("insideDomain", .count(crossings.interruptsInsideDomain)),
                    ("nmis", .count(crossings.nmis)),
                    ("nmisInsideDomain", .count(crossings.nmisInsideDomain)),
                    ("byVector", .array(crossings.interruptsByVector.map(CallReport.json)))
                ])
            ),
            ("guestSystem", json(result.guest?.counters ?? .init())),
            ("instructions", .count(result.instructions)),
            (
                "cycles",
                .object([
                    ("total", .count(result.cycles)),
                    ("workload", .count(result.workloadCycles)),
                    ("perOperation", tenths(result.workloadCycles, result.completed).map { .tenths($0) } ?? .null)
                ])
            ),
            ("native", native.map { json(native: $0) } ?? .null),
            ("findings", .array(result.findings.map(\.json))),
            (
                "outcome",
                .object([
                    ("exitCode", .integer(Int64(result.status.rawValue))),
                    ("explanation", .optional(result.explanation))
                ])
            ),
            ("digest", .string(result.digest))
        ])
    }

    private func json(_ counters: GuestResults.Counters) -> JSONValue {
        .object([
            ("promotedProcessors", .count(counters.promoted)),
            ("extendedStateSaves", .count(counters.extendedSaves)),
            ("extendedStateChecks", .count(counters.extendedChecks)),
            ("switchesInsideDomain", .count(counters.switchesInside)),
            ("migrationsInsideDomain", .count(counters.migrationsInside)),
            ("capabilitiesMade", .count(counters.capabilitiesMade)),
            ("capabilitiesGranted", .count(counters.capabilitiesGranted)),
            ("capabilitiesRevoked", .count(counters.capabilitiesRevoked)),
            ("capabilitiesLeft", .count(counters.capabilitiesLeft)),
            ("processes", .count(counters.processes)),
            ("processesKilled", .count(counters.processesKilled)),
        ])
    }

    private func json(native: RunResult) -> JSONValue {
        .object([
            ("completed", .count(native.completed)),
            ("packets", .count(native.guest?.txPackets ?? 0)),
            ("bytes", .count(native.guest?.txBytes ?? 0)),
            ("cyclesPerOperation", tenths(native.workloadCycles, native.completed).map { .tenths($0) } ?? .null),
            ("percentOfNativeSpeed", percentOfNative(native).map { .tenths($0) } ?? .null),
            ("exitCode", .integer(Int64(native.status.rawValue))),
            ("digest", .string(native.digest))
        ])
    }

    /// Operations per cycle here over operations per cycle natively, in tenths of a percent.
    private func percentOfNative(_ native: RunResult) -> UInt64? {
        guard result.completed > 0, native.completed > 0 else { return nil }
        let here = result.workloadCycles.multipliedFullWidth(by: native.completed)
        guard here.high == 0, here.low > 0 else { return nil }
        let there = UInt128(native.workloadCycles) * UInt128(result.completed) * 1000
        return UInt64(exactly: (there + UInt128(here.low) / 2) / UInt128(here.low))
    }

    private func json(_ driver: GuestResults.Driver) -> JSONValue {
        .object([
            ("name", .string(driver.name)),
            ("requested", .count(driver.requested)),
            ("completed", .count(driver.completed)),
            ("packets", .count(driver.txPackets)),
            ("bytes", .count(driver.txBytes)),
            ("kills", .count(UInt64(driver.kills))),
            ("restarts", .count(UInt64(driver.restarts)))
        ])
    }

    // MARK: Text

    public var text: String {
        var table = TextTable()
        let crossings = result.crossings
        table.heading(
            "\(images.joined(separator: " ")), \(scenario.isIsolated ? "isolated" : "native"), "
                + "workload \(scenario.workload)"
                + (scenario.system.processorCount > 1 ? ", \(scenario.system.processorCount) processors" : ""))
        let operation = scenario.workload.operation
        table.add("completed", result.completed, "of \(grouped(result.requested)) \(operation)s")
        if let guest = result.guest, guest.txPackets > 0 {
            let who = scenario.workload.name == "tx" ? "  counted by the driver" : "  counted for the disks"
            table.add(who, guest.txPackets, "\(operation)s, \(grouped(guest.txBytes)) bytes")
        }
        let drivers = result.guest?.drivers ?? []
        for driver in drivers where drivers.count > 1 || driver.kills > 0 {
            var note = "of \(grouped(driver.requested))"
            if driver.kills > 0 {
                note += ", terminated \(times(driver.kills)), loaded again \(times(driver.restarts))"
            }
            table.add("  by \(driver.name)", driver.completed, note)
        }
        if scenario.isIsolated {
            table.add("calls into the domain", crossings.count(.call), perOperation(crossings.count(.call)))
            table.add("callbacks to the kernel", crossings.count(.callback), perOperation(crossings.count(.callback)))
            table.add("VMFUNC", crossings.vmfunc, perOperation(crossings.vmfunc))
            if crossings.count(.rogue) > 0 { table.add("  not at a crossing", crossings.count(.rogue)) }
            table.add("VM exits", crossings.exits, perOperation(crossings.exits))
            for (reason, count) in crossings.exitsByReason {
                let callers = crossings.exitsByCaller.filter { $0.reason == reason }.map {
                    "\($0.caller) \(grouped($0.count))"
                }
                let shown = callers.prefix(3).joined(separator: ", ")
                table.add("  \(exitName(reason))", count, callers.count > 3 ? shown + ", ..." : shown)
            }
        }
        table.add("interrupts", crossings.interrupts)
        if scenario.isIsolated { table.add("  inside the domain", crossings.interruptsInsideDomain) }
        for (vector, places) in crossings.interruptsByVector where vector != 2 {
            table.add("  vector 0x\(String(vector, radix: 16))", places.total, places.text)
        }
        if crossings.nmis > 0 {
            table.add("NMIs", crossings.nmis)
            table.add("  inside the domain", crossings.nmisInsideDomain)
        }
        addCounters(to: &table)
        table.add("instructions", result.instructions)
        table.add("cycles", result.cycles)
        if result.completed > 0 {
            table.add(
                "cycles per \(operation)", ratio(result.workloadCycles, result.completed), "in the workload's loop")
        }
        if let native {
            table.add(
                "  natively", ratio(native.workloadCycles, native.completed),
                percentOfNative(native).map {
                    "\($0 / 10).\($0 % 10) % of the native speed"
                } ?? "did not complete")
        }
        table.add("findings", UInt64(result.findings.count), coverage)
        table.line("digest  \(result.digest)")
        var text = table.text
        if scenario.isIsolated { text += calls.text }
        for finding in result.findings { text += "\n" + finding.text }
        if result.findingsDropped > 0 { text += "\nand \(grouped(result.findingsDropped)) more findings\n" }
        return text
    }

    private func addCounters(to table: inout TextTable) {
        guard let counters = result.guest?.counters else { return }
        if counters.switchesInside > 0 {
            table.add(
                "threads switched inside", counters.switchesInside,
                "\(grouped(counters.migrationsInside)) went on elsewhere")
        }
        if counters.extendedSaves > 0 { table.add("extended state saved", counters.extendedSaves) }
        if counters.processes > 0 {
            table.add(
                "processes", counters.processes,
                "\(grouped(counters.processesKilled)) ended for what they did in ring 3")
        }
        if counters.promoted > 0 { table.add("processors native again", counters.promoted) }
    }

    private func perOperation(_ count: UInt64) -> String {
        result.completed == 0 ? "" : "\(ratio(count, result.completed)) per \(scenario.workload.operation)"
    }
    private func times(_ count: UInt32) -> String {
        switch count {
        case 0: "never"
        case 1: "once"
        default: "\(count) times"
        }
    }
    private var coverage: String {
        if result.coverage.isEmpty { return "no rule was checked" }
        return result.coverage.map { "\($0.id) \(grouped($0.evaluations))" }.joined(separator: ", ") + " evaluations"
    }
}

func baseName(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

/// SDM 3D appendix C "VMX Basic Exit Reasons", in the names of `ExitReason`; a number where there is none.
func exitName(_ reason: UInt16) -> String { ExitReason(rawValue: reason).map { "\($0)" } ?? "\(reason)" }
