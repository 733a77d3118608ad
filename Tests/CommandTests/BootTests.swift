import Foundation
import Testing

@Suite("lvdsim boot")
struct BootTests {
    static let payload = "fixtures/images/payload.elf"

    @Test("serial is standard output, a written 0 ends with (0 << 1) | 1, statistics are on standard error")
    func payload() throws {
        let outcome = try Tool.run("boot", Self.payload, "--append", "rounds=1", "--stats")
        #expect(outcome.status == 1, "\(outcome.errors)")
        #expect(outcome.output.split(separator: "\n").count == 5)
        #expect(outcome.output.contains("fibonacci 000000000002ff42"))
        for word in ["instructions", "cycles", "CPU seconds", "MIPS"] { #expect(outcome.errors.contains(word)) }
    }

    @Test("a limit of instructions is exact and inconclusive")
    func limit() throws {
        let outcome = try Tool.run("boot", Self.payload, "--max-instructions", "12345", "--stats")
        #expect(outcome.status == 4)
        #expect(outcome.errors.contains("instructions  12,345"), "\(outcome.errors)")
    }

    @Test("an image that does not fit is 65 and says how much it needs")
    func memory() throws {
        let outcome = try Tool.run("boot", Self.payload, "--memory", "1M")
        #expect(outcome.status == 65)
        #expect(outcome.errors.contains("memory"))
    }

    @Test("the guest kernel without modules says so and ends with a status of its own")
    func kernelAlone() throws {
        let outcome = try Tool.run("boot", "fixtures/images/kernel.elf", "--append", "workload=tx:1")
        #expect(outcome.status != 0 && outcome.status & 1 == 1, "\(outcome.errors)")
    }

    @Test("vmfunc.flat: every clause of VM functions that this machine has")
    func vmFunctions() throws {
        let outcome = try Tool.run("boot", "fixtures/images/vmfunc.flat")
        let lines = outcome.output.split(separator: "\r\n").map(String.init)
        #expect(!lines.contains { $0.hasPrefix("FAIL") }, "\(outcome.output)")
        #expect(lines.count { $0.hasPrefix("PASS") } >= 80)
        #expect(lines.last?.hasPrefix("SUMMARY: 94 tests, 0 unexpected failures") == true)
        #expect(outcome.status == 1, "0 through the debug-exit port")
    }

    @Test("marshalling.flat: every attribute of interfaces crosses, and no dishonest message does")
    func marshalling() throws { try passes("marshalling.flat", tests: 89) }

    @Test("capability.flat: every clause of capability spaces")
    func capabilities() throws { try passes("capability.flat", tests: 35) }

    private func passes(_ image: String, tests: Int) throws {
        let outcome = try Tool.run("boot", "fixtures/images/\(image)")
        let lines = outcome.output.split(separator: "\r\n").map(String.init)
        #expect(!lines.contains { $0.hasPrefix("FAIL") }, "\(outcome.output)")
        #expect(lines.last == "SUMMARY: \(tests) tests, 0 unexpected failures")
        #expect(outcome.status == 1, "0 through the debug-exit port")
    }
}
