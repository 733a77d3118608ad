import Foundation
import Testing

/// Every rule has an attack that breaks it on a kernel weakened for the purpose, and none that breaks it on the kernel
/// as it is. The attacks strike at the eighth packet.
@Suite("Attacks on the first rules") struct AttackTests {
    static let rules = ["I1", "I2", "A1", "A2", "S3", "S11"]

    private func check(_ rule: String, _ more: [String]) throws -> Tool.Outcome {
        let image = "fixtures/images/attacks/\(rule.lowercased()).ko"
        return try Tool.run(list: ["check", image, "--workload", "tx:200"] + more)
    }

    @Test("on its weakened kernel an attack breaks its rule, is found, and ends with 1", arguments: rules)
    func found(rule: String) throws {
        let outcome = try check(rule, ["--kernel", "kernel-weak-\(rule.lowercased()).elf"])
        #expect(outcome.status == 1, "\(outcome.errors)")
        #expect(verdicts(outcome)[rule] == "VIOLATED")
    }

    @Test("on the kernel as it is the same attack breaks no rule", arguments: rules)
    func withstood(rule: String) throws {
        let outcome = try check(rule, [])
        #expect(outcome.status != 1, "\(outcome.output)")
        #expect(verdicts(outcome)[rule] == "held")
    }

    @Test("a clean driver breaks no rule, and each was evaluated")
    func clean() throws {
        let outcome = try Tool.run("check", "nullnet.ko", "--workload", "tx:200")
        #expect(outcome.status == 0, "\(outcome.errors)")
        for rule in Self.rules { #expect(verdicts(outcome)[rule] == "held") }
    }

    /// Second column of the report's lines, by rule.
    private func verdicts(_ outcome: Tool.Outcome) -> [String: String] {
        var found: [String: String] = [:]
        for line in outcome.output.split(separator: "\n") {
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            if words.count >= 2, Self.rules.contains(String(words[0])), found[String(words[0])] == nil {
                found[String(words[0])] = String(words[1])
            }
        }
        return found
    }
}
