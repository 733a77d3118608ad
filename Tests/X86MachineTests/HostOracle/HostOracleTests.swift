import CHostProcessor
import Foundation
import InstructionTable
import Testing
import X86Decoder

/// `make oracle` sets the environment: LVDSIM_ORACLE_CASES, LVDSIM_ORACLE_SEED, LVDSIM_ORACLE_ROWS (a part of the
/// instruction column, as in the tables), LVDSIM_ORACLE_FILE (one file of fixtures/regressions).
@Suite("Instructions against the host's processor", .serialized) struct HostOracleTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let root = URL(filePath: #filePath).appending(path: "../../../..").standardized
    private static let regressions = root.appending(path: "fixtures/regressions")

    @Test("Every modelled user-mode row, in every mode: registers, defined flags, memory, faults are those of silicon")
    func rows() throws {
        let count = Self.environment["LVDSIM_ORACLE_CASES"].flatMap { Int($0) } ?? 30_000
        guard let report = try compare(count) else { return }
        if Self.environment["LVDSIM_ORACLE_ROWS"] ?? "" == "" {
            #expect(report.compared >= min(count, 20_000) * 3 / 4)
        }
    }

    @Test("x87, MMX and SSE rows more often, with masked and unmasked exceptions, are those of silicon")
    func floating() throws {
        _ = try compare(60_000) { $0.file.hasSuffix("X87.table") || $0.file.hasSuffix("MMXSSE.table") }
    }

    private func compare(_ count: Int, only: (InstructionRow) -> Bool = { _ in true }) throws -> OracleReport? {
        guard let oracle = start() else { return nil }
        let folder = Self.root.appending(path: "Sources/X86Decoder/OpcodeMaps")
        let table = try InstructionTable { try? String(contentsOf: folder.appending(path: $0), encoding: .utf8) }
        var skipped: [String: Int] = [:]
        let filter = Self.environment["LVDSIM_ORACLE_ROWS"] ?? ""
        let rows = table.rows.filter { row in
            guard only(row), filter.isEmpty || row.text.contains(filter) else { return false }
            guard let reason = OracleScope.reasonToSkip(row, hostFeatures: HostFeatures.all) else { return true }
            skipped[reason, default: 0] += 1
            return false
        }
        if rows.isEmpty { return nil }
        let seed = Self.environment["LVDSIM_ORACLE_SEED"].flatMap { UInt64($0) } ?? 1
        let generator = CaseGenerator(plans: OraclePlan.all(rows), seed: seed)
        var report = OracleReport(seed: seed, rows: table.rows)
        for start in stride(from: 0, to: count, by: Int(HOST_BATCH)) {
            let cases = (start..<min(count, start + Int(HOST_BATCH))).map { generator.make($0) }
            oracle.run(cases) { n, verdict in
                report.add(cases[n], generator.plan(start + n), verdict, skip: { row in
                    OracleScope.reasonToSkip(table.rows[Int(row)], hostFeatures: HostFeatures.all)
                })
            }
        }
        report.writeRegressions(to: Self.regressions, environment: Self.environment)
        print(report.summary(rows, skipped: skipped))
        #expect(report.mismatches.isEmpty, "\(report.mismatches.count) kinds of mismatch")
        return report
    }

    @Test("What once differed from silicon does not any more: every file of fixtures/regressions")
    func regressions() throws {
        guard let oracle = start() else { return }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: Self.regressions.path)) ?? []
        let wanted = Self.environment["LVDSIM_ORACLE_FILE"].map { URL(filePath: $0).lastPathComponent }
        for name in names.sorted() where name.hasSuffix(".case") && (wanted == nil || wanted == name) {
            let text = try String(contentsOf: Self.regressions.appending(path: name), encoding: .utf8)
            let c = try #require(OracleCase(text: text), "fixtures/regressions/\(name) is not a case")
            oracle.run([c]) { _, verdict in
                if wanted != nil { print(OracleReport.describe(c, verdict).joined(separator: "\n")) }
                #expect(verdict.differences.isEmpty, "\(name): \(verdict.differences.joined(separator: "; "))")
                #expect(verdict.stopped == nil, "\(name)")
            }
        }
    }

    private func start() -> HostOracle? {
        do throws(HostOracle.Unavailable) { return try HostOracle() } catch {
            print("host oracle skipped: \(error.reason)")
            return nil
        }
    }
}
