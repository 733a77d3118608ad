#if arch(x86_64)
import Foundation
import InstructionTable
import Testing
import X86Architecture
@testable import X86Machine

@Suite("MMX and SSE instructions against the host's processor") struct VectorOracleTests {
    @Test("Every row: vector, x87 and general registers, flags, MXCSR and memory are those of silicon")
    func rows() throws {
        guard let host = VectorHost() else { print("skipped: the host maps no executable memory"); return }
        let samples = try InstructionSamples(table: "MMXSSE.table")
        let guest = TestGuest(model: .everything)
        guest.p.system.cr4 |= CR4.osfxsr | CR4.osxmmexcpt
        guest.p.modeChanged()
        // The same linear addresses as on the host, so that every address is the same number.
        for n in 0..<4 as Range<UInt64> {
            guest.map(host.codePage + n * 4096, to: 0x100_0000 + n * 4096, [.writable, .user])
        }
        let cases = ProcessInfo.processInfo.environment["LVDSIM_VECTOR_CASES"].flatMap { Int($0) } ?? 60
        var r = SplitMix(seed: 7)
        var compared = 0, skipped: Set<String> = [], bad: [String: Int] = [:]
        for row in samples.rows {
            if let feature = row.feature, !HostProcessor.has(feature) { skipped.insert(feature); continue }
            var reached = 0
            for n in 0..<cases {
                guard let sample = samples.sample(row, &r, n & 3 == 0 ? .based : .ripRelative) else { continue }
                if let ok = compare(sample, host, guest, &r, report: bad[row.text, default: 0] < 2) {
                    compared += 1
                    reached += 1
                    if !ok { bad[row.text, default: 0] += 1 }
                }
            }
            #expect(reached > 0, "\(row.text) was never executed")
        }
        for (row, count) in bad.sorted(by: { $0.key < $1.key }) { print("\(count) of \(cases): \(row)") }
        if !skipped.isEmpty { print("not on this host: \(skipped.sorted())") }
        print("\(compared) cases of \(samples.rows.count) rows")
        #expect(compared > 5_000)
    }

    /// Lanes that matter to integers and to numbers of both formats.
    private static let special: [UInt64] = [
        0, ~0, 1, 0x8000_0000_0000_0000, 0x7FFF_FFFF_FFFF_FFFF, 0x8000_0000_8000_0000, 0x7FFF_8000_7FFF_8000,
        0x0080_FF7F_0001_8080, 0x3FF0_0000_0000_0000, 0xBFF0_0000_0000_0000, 0x7FF0_0000_0000_0000,
        0xFFF0_0000_0000_0000, 0x7FF8_0000_0000_0001, 0x7FF0_0000_0000_0001, 0x000F_FFFF_FFFF_FFFF,
        0x0010_0000_0000_0000, 0x3F80_0000_BF80_0000, 0x7F80_0000_FF80_0000, 0x7FC0_0001_7F80_0001,
        0x0080_0000_007F_FFFF, 0x7F7F_FFFF_0000_0001, 0x4F00_0000_CF00_0000, 0x41E0_0000_0000_0000,
        0x43E0_0000_0000_0000, 0xC1E0_0000_0020_0000, 0x3FE0_0000_0000_0000, 0x3F00_0000_3FC0_0000,
    ]
    private func operand(_ r: inout SplitMix) -> UInt64 {
        switch r.below(8) {
        case 0, 1: return Self.special[r.below(Self.special.count)]
        case 2: return r.operand()
        // Two numbers of moderate size; one; one close to another.
        case 3: return (r.next() & 0x8FFF_FFFF_8FFF_FFFF) | 0x3800_0000_3800_0000
        case 4: return (r.next() & 0x800F_FFFF_FFFF_FFFF) | UInt64(1023 - 70 + r.below(140)) << 52
        case 5: return 0x3FF0_0000_0000_0000 &+ UInt64(bitPattern: Int64(r.below(64)) - 32)
        case 6: return 0x3F80_0000_3F80_0000 &+ UInt64(r.below(64))
        default: return r.next()
        }
    }

    /// Results of RCPPS and RSQRTPS, each within 1.5 * 2^-12 of the exact value.
    private static func areNear(_ a: UInt64, _ b: UInt64) -> Bool {
        [0, 32].allSatisfy { shift in
            let x = Float(bitPattern: UInt32(truncatingIfNeeded: a >> shift))
            let y = Float(bitPattern: UInt32(truncatingIfNeeded: b >> shift))
            return x.bitPattern == y.bitPattern || ((x - y) / y).magnitude <= 3.0 / 4096
        }
    }

    /// Nil: the instruction faults, which the host is not asked to do.
    private func compare(
        _ sample: InstructionSamples.Sample, _ host: VectorHost, _ guest: TestGuest, _ r: inout SplitMix, report: Bool
    ) -> Bool? {
        let p = guest.p, scratchAddress = host.codePage + 2 * 4096
        var state = VectorHost.State()
        for n in 0..<16 { state.registers[n] = r.oneIn(2) ? r.operand() : operand(&r) }
        state.registers[4] = TestGuest.stackTop
        state.registers[6] = scratchAddress + 2048 + UInt64(r.below(64)) * 16
        state.registers[7] = sample.row.mnemonic.hasPrefix("MASKMOV") ? scratchAddress + 2048 : UInt64(r.below(256))
        if sample.row.mnemonic.hasPrefix("PCMPESTR") {
            for n in [0, 2] where !r.oneIn(3) { state.registers[n] = UInt64(bitPattern: Int64(r.below(40)) - 20) }
        }
        state.flags = 2 | r.next() & RFLAGS.arithmetic
        // FCW, FSW with some TOP, tags; no exception pending.
        state.image[0] = 0x37F | UInt64(r.below(8)) << 27 | UInt64(r.below(256)) << 32
        // Masked exceptions, some flags set already; rounding, flush and denormals as zeros at random.
        let control = r.oneIn(2) ? 0 : UInt64(r.below(4)) << 13 | UInt64(r.below(8) & r.below(8)) << 15 & 0x8000
            | UInt64(r.oneIn(4) ? 0x40 : 0)
        state.image[3] = 0x1F80 | control | UInt64(r.oneIn(4) ? r.below(64) : 0)
        for n in 0..<8 {
            state.image[4 + 2 * n] = operand(&r)
            state.image[5 + 2 * n] = r.oneIn(3) ? 0xFFFF : UInt64(r.below(0x10000))
        }
        for n in 20..<52 { state.image[n] = operand(&r) }
        if r.oneIn(3) { for n in 20..<52 where r.oneIn(2) { state.image[n] = state.image[20 + r.below(32)] } }
        let memory = (0..<VectorHost.scratchBytes / 8).map { _ in operand(&r) }

        let start = host.codePage + UInt64(host.codeOffset)
        var bytes = sample.bytes
        if let at = sample.ripRelativeAt {
            let target = scratchAddress + 2048 + UInt64(r.below(128)) * 16
            let displacement = UInt32(truncatingIfNeeded: target &- (start + UInt64(bytes.count)))
            for n in 0..<4 { bytes[at + n] = UInt8(truncatingIfNeeded: displacement >> UInt32(8 * n)) }
        }
        // The guest first.
        guest.load(bytes, at: 0x100_0000 + UInt64(host.codeOffset))
        for (n, word) in memory.enumerated() { guest.write(0x100_2000 + UInt64(8 * n), word) }
        for n in 0..<16 { p.setGPR(n, state.registers[n]) }
        p.rflags = state.flags
        var image = InlineArray<64, UInt64>(repeating: 0)
        for n in state.image.indices { image[n] = state.image[n] }
        FXSaveArea.restore(p, image, is64Bit: true, registers: 16)
        p.cpu.pointee.rip = start
        p.stepInstruction()
        if guest.handledVector != nil { return nil }
        guard p.cpu.pointee.rip == start + UInt64(bytes.count) else {
            Issue.record("\(sample.row.text): not executed")
            return false
        }
        let after = FXSaveArea.image(of: p, is64Bit: true)

        host.scratch.copyMemory(from: memory, byteCount: VectorHost.scratchBytes)
        let expected = host.run(bytes, state)
        let approximates = sample.row.mnemonic.hasPrefix("RCP") || sample.row.mnemonic.hasPrefix("RSQRT")
        var differences: [String] = []
        func hex(_ v: UInt64) -> String { String(v, radix: 16) }
        func check(_ what: String, _ before: UInt64, _ got: UInt64, _ wanted: UInt64) {
            if got != wanted { differences.append("\(what): \(hex(before)) -> \(hex(got)), host \(hex(wanted))") }
        }
        check("flags", state.flags, p.rflags & RFLAGS.arithmetic, expected.flags & RFLAGS.arithmetic)
        for n in 0..<16 where n != 4 { check("register \(n)", state.registers[n], p.gpr(n), expected.registers[n]) }
        // Word 3's upper half, the mask, is the processor's.
        check("MXCSR", state.image[3], after[3] & 0xFFFF_FFFF, expected.image[3] & 0xFFFF_FFFF)
        let x87: UInt64 = 0xFF_FFFF_FFFF
        // AMD's enter MMX state only with an MMX register (`VendorDifferences`).
        let skipsX87 = VendorDifferences.isAMD && sample.hasMemory && sample.row.semantics == "cvtpi2ps"
        if !skipsX87 { check("x87 control, status, tags", state.image[0], after[0] & x87, expected.image[0] & x87) }
        for n in 4..<52 where !(skipsX87 && n < 20) {
            let mask: UInt64 = n < 20 && n & 1 == 1 ? 0xFFFF : ~0
            if approximates && n >= 20 && Self.areNear(after[n], expected.image[n]) { continue }
            check(n < 20 ? "ST\((n - 4) / 2)" : "XMM\((n - 20) / 2)\(n & 1 == 0 ? "" : " high")",
                  state.image[n], after[n] & mask, expected.image[n] & mask)
        }
        let words = host.scratch.assumingMemoryBound(to: UInt64.self)
        for n in memory.indices {
            check("memory at \(8 * n)", memory[n], guest.read(0x100_2000 + UInt64(8 * n)), words[n])
        }
        if !differences.isEmpty && report {
            let code = bytes.map { hex(UInt64($0)) }.joined(separator: " ")
            let vectors = (20..<52).map { hex(state.image[$0]) }.joined(separator: " ")
            Issue.record("\(sample.row.text) [\(code)]: \(differences.joined(separator: "; ")); XMM before: \(vectors)")
        }
        return differences.isEmpty
    }
}
#endif
