import Foundation
import InstructionTable
import X86Decoder

/// What was covered, and the first mismatch of each row and mode.
struct OracleReport {
    struct Mismatch {
        var c: OracleCase
        var verdict: HostOracle.Verdict
        var count = 1
    }
    let seed: UInt64
    let rows: [InstructionRow]
    private(set) var compared = 0
    private(set) var faults = 0
    /// By row and mode.
    private(set) var mismatches: [String: Mismatch] = [:]
    private var coveredRows: Set<UInt16> = []
    private var covered: Set<String> = []
    private var completed: Set<UInt16> = []
    private var stops: [String: Int] = [:]
    private var others: [String: Int] = [:]
    private var vendor: [String: Int] = [:]

    init(seed: UInt64, rows: [InstructionRow]) { self.seed = seed; self.rows = rows }

    mutating func add(
        _ c: OracleCase, _ plan: OraclePlan, _ verdict: HostOracle.Verdict, skip: (UInt16) -> String?
    ) {
        // Random prefixes may have made another instruction of it.
        if let i = verdict.instruction {
            if let reason = skip(i.row) { others[reason, default: 0] += 1; return }
            let name = InstructionInfo(i.row).semantics.description
            if let reason = VendorDifferences.reasonToSkip(i, name, c, hostTrap: verdict.hostTrap) {
                vendor[reason, default: 0] += 1
                return
            }
        }
        if verdict.instruction == nil, VendorDifferences.executes(undefined: c.bytes) {
            vendor["AMD: LOCK with VERR, VERW, MOV CR0", default: 0] += 1
            return
        }
        if let stopped = verdict.stopped {
            stops[stopped.split(separator: "(").first.map(String.init) ?? stopped, default: 0] += 1
            return
        }
        compared += 1
        if let i = verdict.instruction {
            coveredRows.insert(i.row)
            let prefixes = i.prefixes
            covered.insert("\(i.row) \(c.size) \(i.hasMemory) \(prefixes.lock) \(prefixes.rep) \(prefixes.repne)"
                + " \(prefixes.operandSize) \(i.addressSize) \(prefixes.rex != 0)")
        }
        if verdict.differences.isEmpty { return }
        let row = verdict.instruction.map { rows[Int($0.row)].text } ?? "undefined (\(plan.row.text))"
        let what = verdict.differences[0].split(separator: ":")[0]
        mismatches["\(row) \(c.size) \(what)", default: Mismatch(c: c, verdict: verdict, count: 0)].count += 1
    }

    static func describe(_ c: OracleCase, _ verdict: HostOracle.Verdict) -> [String] {
        let text = verdict.instruction.map { Formatter.format($0, at: c.rip) } ?? "(undefined)"
        return ["\(OracleCase.hex(c.bytes))  \(text)  (\(c.size))"] + verdict.differences
            + (verdict.stopped.map { [$0] } ?? [])
    }

    /// One file for each kind; at most 40. LVDSIM_ORACLE_KEEP=0 writes none.
    func writeRegressions(to folder: URL, environment: [String: String]) {
        guard environment["LVDSIM_ORACLE_KEEP"] != "0" else { return }
        let all = mismatches.sorted { $0.key < $1.key }
        for (key, m) in all.dropFirst(40) { print("\(key): \(m.count) cases, no file") }
        for (key, m) in all.prefix(40) {
            let name = key.lowercased().map { $0.isLetter || $0.isNumber ? String($0) : "-" }.joined() + ".case"
            try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let text = m.c.text(comment: Self.describe(m.c, m.verdict))
            try? text.write(to: folder.appending(path: name), atomically: true, encoding: .utf8)
            print("\(key): \(m.count) cases")
            for line in Self.describe(m.c, m.verdict) + [m.c.summary] { print("    \(line)") }
            print("    make oracle CASE=fixtures/regressions/\(name)")
        }
    }

    func summary(_ admitted: [InstructionRow], skipped: [String: Int]) -> String {
        var lines = [
            "host oracle, seed \(seed): \(compared) cases compared, \(coveredRows.count) of \(admitted.count) rows,"
                + " \(covered.count) encodings (row, mode, operand form, prefixes);"
                + " \(mismatches.count) kinds of mismatch",
        ]
        func list(_ title: String, _ counts: [String: Int], _ unit: String) {
            if counts.isEmpty { return }
            let items = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.key) (\($0.value))" }
            lines.append("  \(title), \(unit): \(items.joined(separator: "; "))")
        }
        list("not covered", skipped, "rows")
        list("random prefixes gave another row", others, "cases")
        list("vendor differences", vendor, "cases")
        list("stopped", stops, "cases")
        let never = admitted.filter { !coveredRows.contains(UInt16($0.number)) }.map(\.text)
        if !never.isEmpty { lines.append("  never compared: " + never.joined(separator: "; ")) }
        return lines.joined(separator: "\n")
    }
}
