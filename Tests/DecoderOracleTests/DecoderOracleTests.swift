import Testing
import X86Decoder

/// The decoder against Zydis (Debian's libzydis-dev), over an enumeration of encodings: validity, length, mnemonic,
/// registers, memory operands, immediates.
@Suite struct DecoderOracleTests {
    @Test func everyEncodingReadsAsInZydis() throws {
        let zydis: Zydis
        do { zydis = try Zydis() } catch let error as Zydis.Unavailable {
            print("not compared with Zydis: \(error.reason)")
            return
        }
        defer { zydis.remove() }
        var tally = Tally()
        for size in [CodeSize.bits64, .bits32, .bits16] {
            let enumerations = Enumeration.legacy(size) + Enumeration.vex(size) + Enumeration.addresses(size)
            for queries in enumerations.map(\.queries) + [Enumeration.random(size, count: 300_000)] {
                for (query, answer) in zip(queries, try zydis.answers(queries)) { tally.add(Comparison(query, answer)) }
            }
        }
        let rows = (0..<InstructionInfo.rowCount), missing = rows.filter { !tally.rows.contains(UInt16($0)) }
        print("\(tally.compared) encodings compared with Zydis, \(tally.valid) of them instructions, of"
            + " \(tally.rows.count) of \(rows.count) rows; \(tally.explained.reduce(0, +)) known differences"
            + " of \(KnownDifferences.rules.count) kinds")
        for row in missing { Issue.record("never reached: \(InstructionInfo(UInt16(row)).mnemonic), row \(row)") }
        for (difference, (count, example)) in tally.unexplained.sorted(by: { $0.key < $1.key }) {
            let bytes = example.bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
            Issue.record("\(difference) (\(count) times): \(bytes.joined(separator: " ")) in \(example.size)")
        }
        for (rule, count) in zip(KnownDifferences.rules, tally.explained) where count == 0 {
            Issue.record("no longer a difference: \(rule.reason)")
        }
    }

    struct Tally {
        var compared = 0, valid = 0
        var rows: Set<UInt16> = []
        var unexplained: [String: (count: Int, example: Zydis.Query)] = [:]
        /// By rule.
        var explained = Array(repeating: 0, count: KnownDifferences.rules.count)

        mutating func add(_ comparison: Comparison) {
            compared += 1
            if case .success(let i) = comparison.ours {
                valid += 1
                rows.insert(i.row)
            }
            guard let difference = comparison.difference else { return }
            if let rule = KnownDifferences.rules.firstIndex(where: { $0.matches(comparison, difference) }) {
                explained[rule] += 1
            } else {
                unexplained[difference, default: (0, comparison.query)].count += 1
            }
        }
    }
}
