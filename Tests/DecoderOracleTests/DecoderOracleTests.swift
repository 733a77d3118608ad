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
            for enumeration in Enumeration.legacy(size) + Enumeration.vex(size) {
                let queries = enumeration.queries
                for (query, answer) in zip(queries, try zydis.answers(queries)) { tally.add(Comparison(query, answer)) }
            }
        }
        print("\(tally.compared) encodings compared with Zydis")
        for (difference, (count, example)) in tally.unexplained.sorted(by: { $0.key < $1.key }) {
            let bytes = example.bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
            Issue.record("\(difference) (\(count) times): \(bytes.joined(separator: " ")) in \(example.size)")
        }
        for (rule, count) in zip(KnownDifferences.rules, tally.explained) where count == 0 {
            Issue.record("no longer a difference: \(rule.reason)")
        }
    }

    struct Tally {
        var compared = 0
        var unexplained: [String: (count: Int, example: Zydis.Query)] = [:]
        /// By rule.
        var explained = Array(repeating: 0, count: KnownDifferences.rules.count)

        mutating func add(_ comparison: Comparison) {
            compared += 1
            guard let difference = comparison.difference else { return }
            if let rule = KnownDifferences.rules.firstIndex(where: { $0.matches(comparison, difference) }) {
                explained[rule] += 1
            } else {
                unexplained[difference, default: (0, comparison.query)].count += 1
            }
        }
    }
}
