#if arch(x86_64)
import InstructionTable
import Testing
import X86Architecture
@testable import X86Machine

/// What the SDM leaves open is not compared (`UndefinedFlags` in the machine says what it does there).
private struct Undefined {
    var flags: UInt64 = 0
    var result = false

    init(_ sample: InstructionSamples.Sample, registers: [UInt64], after: HostProcessor.State) {
        let name = sample.row.semantics ?? "", bits = sample.row.operands.first?.width ?? 64
        let c = RFLAGS.carry, o = RFLAGS.overflow, a = RFLAGS.adjust, z = RFLAGS.zero, s = RFLAGS.sign,
            p = RFLAGS.parity
        let isCL = sample.row.operands.contains { $0.spelling == "CL" }
        let isOne = sample.row.operands.contains { $0.spelling == "1" }
        let count = (isOne ? 1 : isCL ? registers[1] : sample.immediate) & (bits == 64 ? 63 : 31)
        switch name {
        case "logical_and", "logical_or", "logical_xor", "test": flags = a
        case "shl", "shr", "sar":
            if count != 0 { flags = a | (count == 1 ? 0 : o) | (count >= bits && name != "sar" ? c : 0) }
        case "rol", "ror", "rcl", "rcr": if count > 1 { flags = o }
        case "shld", "shrd":
            if count != 0 { flags = a | (count == 1 ? 0 : o) }
            if count > bits { result = true; flags = RFLAGS.arithmetic }
        case "mul", "imul", "imul1": flags = s | z | a | p
        case "div", "idiv": flags = RFLAGS.arithmetic
        case "bt", "bts", "btr", "btc": flags = o | s | a | p
        case "bsf", "bsr":
            flags = RFLAGS.arithmetic & ~z
            result = after.flags & z != 0
        // SDM 2A has the destination written with itself, which clears the upper half; not every part does.
        case "cmpxchg": result = bits == 32 && !sample.hasMemory && after.flags & z == 0
        case "tzcnt", "lzcnt": flags = o | s | a | p
        case "andn", "bzhi", "blsi", "blsr", "blsmsk": flags = a | p
        case "bextr": flags = a | s | p
        case "bswap": result = bits == 16
        default: break
        }
    }
}

@Suite("Integer instructions against the host's processor") struct HostOracleTests {
    @Test("Every integer row: registers, defined flags and memory are those of silicon")
    func rows() throws {
        guard let host = HostProcessor() else { print("skipped: the host maps no executable memory"); return }
        let samples = try InstructionSamples()
        let guest = TestGuest()
        // The same linear addresses as on the host, so that every address is the same number.
        for n in 0..<4 as Range<UInt64> {
            guest.map(host.codePage + n * 4096, to: 0x100_0000 + n * 4096, [.writable, .user])
        }
        var r = SplitMix(seed: 1)
        var compared = 0, skipped: Set<String> = []
        for row in samples.rows {
            if let feature = row.feature, !HostProcessor.has(feature) { skipped.insert(feature); continue }
            for _ in 0..<40 {
                guard let sample = samples.sample(row, &r, r.oneIn(2) ? .based : .ripRelative) else { continue }
                compared += try compare(sample, host, guest, &r) ? 1 : 0
            }
        }
        if !skipped.isEmpty { print("not on this host: \(skipped.sorted())") }
        #expect(compared > 10_000)
    }

    /// False: the instruction faults, which the host is not asked to do.
    private func compare(
        _ sample: InstructionSamples.Sample, _ host: HostProcessor, _ guest: TestGuest, _ r: inout SplitMix
    ) throws -> Bool {
        let p = guest.p, scratchAddress = host.codePage + 2 * 4096
        var state = HostProcessor.State()
        for n in 0..<16 { state.registers[n] = r.operand() }
        // A memory operand lies in the middle of the scratch pages; bit offsets reach a little around it.
        state.registers[6] = scratchAddress + 2048 + UInt64(r.below(2048))
        state.registers[7] = UInt64(r.below(256))
        let name = sample.row.semantics ?? ""
        if sample.hasMemory && name.hasPrefix("bt") {
            for n in 0..<16 where n != 6 && n != 7 {
                state.registers[n] = UInt64(bitPattern: Int64(r.below(4000)) - 2000)
            }
        }
        if name == "cmpxchg" && r.oneIn(2) { state.registers[0] = state.registers[r.below(16)] }
        if name == "cmpxchg16b" { state.registers[6] = scratchAddress + 2048; state.registers[7] = 0 }
        state.flags = 2 | r.next() & RFLAGS.arithmetic
        var memory = (0..<HostProcessor.scratchBytes / 8).map { _ in r.operand() }
        if name.hasPrefix("cmpxchg") && r.oneIn(2) {
            let equal = state.registers[0] & 0xffff_ffff | state.registers[2] << 32
            memory = memory.map { _ in equal }
        }

        let start = host.codePage + UInt64(host.codeOffset)
        var bytes = sample.bytes
        if let at = sample.ripRelativeAt {
            let target = scratchAddress + 2048 + UInt64(r.below(2048)) & (name == "cmpxchg16b" ? ~15 : ~0)
            let displacement = UInt32(truncatingIfNeeded: target &- (start + UInt64(bytes.count)))
            for n in 0..<4 { bytes[at + n] = UInt8(truncatingIfNeeded: displacement >> UInt32(8 * n)) }
        }
        // The guest first.
        guest.load(bytes, at: 0x100_0000 + UInt64(host.codeOffset))
        for (n, word) in memory.enumerated() { guest.write(0x100_2000 + UInt64(8 * n), word) }
        for n in 0..<16 where n != 4 { p.setGPR(n, state.registers[n]) }
        p.setGPR(4, TestGuest.stackTop)
        state.registers[4] = TestGuest.stackTop
        p.rflags = state.flags
        p.cpu.pointee.rip = start
        p.stepInstruction()
        if guest.handledVector != nil { return false }
        #expect(p.cpu.pointee.rip == start + UInt64(bytes.count), "\(sample.row.text)")

        host.scratch.copyMemory(from: memory, byteCount: HostProcessor.scratchBytes)
        let expected = host.run(bytes, state)
        let undefined = Undefined(sample, registers: state.registers, after: expected)
        func hex() -> String { bytes.map { String($0, radix: 16) }.joined(separator: " ") }
        let flags = RFLAGS.arithmetic & ~undefined.flags
        let got = p.rflags & flags, wanted = expected.flags & flags
        func record(_ what: String) { Issue.record("\(sample.row.text) [\(hex())]: \(what); before: \(state)") }
        if got != wanted { record("flags \(String(got ^ wanted, radix: 16)) differ") }
        if !undefined.result {
            for n in 0..<16 where n != 4 && p.gpr(n) != expected.registers[n] { record("register \(n)") }
            let words = host.scratch.assumingMemoryBound(to: UInt64.self)
            for n in memory.indices where words[n] != guest.read(0x100_2000 + UInt64(8 * n)) {
                record("memory at \(8 * n)")
                break
            }
        }
        return got == wanted
    }
}
#endif
