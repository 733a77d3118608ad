import Foundation
import Testing

/// Every rule has an attack that breaks it on a kernel weakened for the purpose, and none that breaks it on the kernel
/// as it is. The attacks strike at the eighth packet.
@Suite("Attacks on the rules") struct AttackTests {
    /// Per rule what its attack is stopped by on a sound system; nil where the domain gains nothing and goes on.
    static let defences: [(rule: String, words: String?)] = [
        ("I1", "raised an exception"), ("I2", "raised an exception"),
        ("I3", "touched memory outside its view"), ("I5", nil),
        ("A1", "reached a crossing with the wrong list index"),
        ("A2", "executed VMFUNC with an invalid function or list entry"),
        ("A3", "touched memory outside its view"), ("A4", nil), ("A5", "raised an exception"),
        ("A6", "raised an exception"), ("A7", "kept the processor without making progress"),
        ("A8", "changed the interrupt flag across a crossing"),
        ("A9", "nested calls until the kernel stack ran short"),
        ("A10", "executed VMFUNC with an invalid function or list entry"), ("S3", "raised an exception"),
        ("S10", "touched memory outside its view"), ("S11", nil), ("S19", "named a capability that it no longer holds"),
    ]
    static let rules = defences.map(\.rule)

    private func check(_ rule: String, _ more: [String]) throws -> Tool.Outcome {
        var arguments = ["check", "fixtures/images/attacks/\(rule.lowercased()).ko", "--workload", "tx:200"] + more
        switch rule {
        case "A3": arguments += ["--cpus", "2"]
        case "A10": arguments.insert("nullnet.ko", at: 2)  // the domain that it goes for
        case "I3": arguments += ["--processes", "2", "--process-packets", "4"]  // one is dead at the eighth packet
        case "I5": arguments += ["--extended-use", "1"]  // a kernel thread with something in XMM registers
        case "A7": arguments += ["--max-cycles", "200000000"]  // without a timer it would not end
        default: break
        }
        return try Tool.run(list: arguments)
    }

    @Test("on its weakened kernel an attack breaks its rule, is found, and ends with 1", arguments: rules)
    func found(rule: String) throws {
        let weak = "weak-\(rule.lowercased()).elf"
        let outcome = try check(rule, rule == "A7" ? ["--monitor", "monitor-" + weak] : ["--kernel", "kernel-" + weak])
        #expect(outcome.status == 1, "\(outcome.errors)")
        #expect(verdicts(outcome)[rule] == "VIOLATED")
    }

    @Test("on the system as it is the attack breaks no rule and meets the defence meant for it", arguments: defences)
    func withstood(rule: String, words: String?) throws {
        let outcome = try check(rule, [])
        let verdicts = verdicts(outcome)
        for (other, verdict) in verdicts { #expect(verdict != "VIOLATED", "\(other): \(outcome.output)") }
        #expect(verdicts[rule] == "held")
        if let words {
            #expect(outcome.status == 2)
            #expect(outcome.errors.contains("was terminated; it \(words)"), "\(outcome.errors)")
        } else {
            #expect(outcome.status == 0, "\(outcome.errors)")
        }
    }

    @Test("a clean driver breaks no rule, and each was evaluated")
    func clean() throws {
        let outcome = try Tool.run("check", "nullnet.ko", "--workload", "tx:200")
        #expect(outcome.status == 0, "\(outcome.errors)")
        // A clean driver raises no exception: nothing to judge.
        for rule in Self.rules { #expect(verdicts(outcome)[rule] == (rule == "A5" ? "never" : "held"), "\(rule)") }
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
