import CHostProcessor
import Foundation
import X86Decoder

/// Runs cases on the host and on the machine, batch by batch, and compares.
final class HostOracle {
    private let host: OpaquePointer
    private let guest = OracleGuest()
    private let guestResult = UnsafeMutablePointer<HostResult>.allocate(capacity: 1)
    private var memory: [UInt8] = []
    private var memorySeed: UInt64?

    struct Verdict {
        /// Nil: #UD by architecture.
        var instruction: Instruction?
        var differences: [String]
        /// The machine stopped: what it does not model.
        var stopped: String?
        /// Vector that ended the case on the host; 3 when the instruction completed.
        var hostTrap: UInt64 = ~0
    }

    /// Throws why there is no oracle here.
    init() throws(Unavailable) {
        var reason: UnsafePointer<CChar>?
        guard let host = host_start(&reason) else {
            throw Unavailable(reason: reason.map { String(cString: $0) } ?? "unknown")
        }
        self.host = host
        guestResult.initialize(to: HostResult())
    }
    struct Unavailable: Error { var reason: String }
    deinit {
        host_stop(host)
        guestResult.deallocate()
    }

    /// All of one memory seed, each in a slot of its own.
    func run(_ cases: [OracleCase], _ body: (Int, Verdict) -> Void) {
        precondition(cases.count <= Int(HOST_BATCH), "at most a batch")
        if cases.isEmpty { return }
        if memorySeed != cases[0].memorySeed {
            memorySeed = cases[0].memorySeed
            memory = OracleCase.memory(seed: cases[0].memorySeed)
            host_memory(host).update(from: memory, count: memory.count)
        }
        let code = UnsafeMutableBufferPointer(start: host_code(host), count: Int(HOST_BATCH * HOST_SLOT))
        code.update(repeating: 0xCC)
        for (n, c) in cases.enumerated() {
            for (k, byte) in c.bytes.enumerated() { code[c.at + k] = byte }
            c.write(to: host_cases(host) + n)
        }
        guest.setCode(UnsafeBufferPointer(code))
        let completed = Int(host_run(host, Int32(cases.count)))
        for n in 0..<completed { body(n, compare(cases[n], host_results(host) + n)) }
        if completed < cases.count {
            body(completed, Verdict(instruction: nil, differences: ["the child process did not survive"]))
            // The others may be innocent.
            for n in completed + 1..<cases.count { run([cases[n]]) { body(n, $1) } }
        }
    }

    private func compare(_ c: OracleCase, _ result: UnsafePointer<HostResult>) -> Verdict {
        guest.run(c, memory: memory)
        let i = try? Decoder.decode(c.bytes, c.size), trap = result.pointee.trap
        if let stopped = guest.stopped {
            return Verdict(instruction: i, differences: [], stopped: stopped, hostTrap: trap)
        }
        guest.read(into: guestResult)
        // All of the 16-bit segment is code of some case: what the host executed there says nothing of this one.
        let slot = Int(HOST_SLOT), end = Int(truncatingIfNeeded: guestResult.pointee.rip & 0xFFFF)
        if c.size == .bits16, guestResult.pointee.trap == ~0, end / slot != c.at / slot {
            return Verdict(instruction: i, differences: [], stopped: "branched into another case", hostTrap: trap)
        }
        func differences(_ before: [UInt8]) -> [String] {
            OracleComparison(c, i, host: result, guest: guestResult, memory: guest.data, before: before).differences
        }
        // What memory was is for the reader of a difference only.
        if differences(memory).isEmpty { return Verdict(instruction: i, differences: [], hostTrap: trap) }
        var before = memory
        for n in 0..<2 {
            before.replaceSubrange(c.patchAt[n]..<c.patchAt[n] + c.patches[n].count, with: c.patches[n])
        }
        return Verdict(instruction: i, differences: differences(before), hostTrap: trap)
    }
}
