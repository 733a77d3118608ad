#if arch(x86_64)
import Foundation
import InstructionTable
import Testing
import X86Architecture
@testable import X86Machine

/// Where the SDM leaves a result open, or says one thing and AMD's processors do another; the machine follows the SDM.
private struct Difference {
    /// Bits of FSW that are not compared.
    var status: UInt16 = 0
    var flags = false
    /// The register stack and its tags are not compared.
    var stack = false

    init(_ row: InstructionRow, after fpu: FPUState) {
        let name = row.semantics ?? ""
        let conditions = FPUState.Status.c0 | FPUState.Status.c2 | FPUState.Status.c3
        let isUnmaskedEarly = fpu.status & ~fpu.control & 3 != 0
        switch name {
        // SDM 2A "FCOM/FCOMP/FCOMPP—Compare Floating-Point Values": with an unmasked #IA the condition codes are not
        // set;
        // SDM 1 8.5.2 "Denormal Operand Exception (#D)": an unmasked #D ends the operation. AMD sets them as if masked.
        case "fcom", "fcomp", "fcompp", "fucom", "fucomp", "fucompp", "ftst": if isUnmaskedEarly { status = conditions }
        // SDM 2A "FCOMI/FCOMIP/FUCOMI/FUCOMIP—Compare Floating-Point Values and Set EFLAGS": C1 is cleared, and an
        // unmasked #IA sets no flags. AMD leaves C1 as it was, and sets the flags.
        case "fcomi":
            status = FPUState.Status.c1
            flags = isUnmaskedEarly
        // SDM 2A "FFREE—Free Floating-Point Register": C1 is undefined. AMD clears it.
        case "ffree", "ffreep": status = FPUState.Status.c1
        // SDM 1 8.5.2 "Denormal Operand Exception (#D)": unmasked, TOP remains unchanged. AMD loads the value.
        case "fld": stack = fpu.status & ~fpu.control & 2 != 0
        default: break
        }
    }
}

@Suite("x87 instructions against the host's processor") struct X87OracleTests {
    @Test("Every x87 row: stack, status, tags, flags, pointers and memory are those of silicon")
    func rows() throws {
        guard let host = VectorHost() else { print("skipped: the host maps no executable memory"); return }
        let samples = try InstructionSamples(table: "X87.table")
        let guest = TestGuest()
        for n in 0..<4 as Range<UInt64> {
            guest.map(host.codePage + n * 4096, to: 0x100_0000 + n * 4096, [.writable, .user])
        }
        let cases = ProcessInfo.processInfo.environment["LVDSIM_X87_CASES"].flatMap { Int($0) } ?? 150
        var r = SplitMix(seed: 87)
        var compared = 0, bad: [String: Int] = [:]
        for row in samples.rows {
            for _ in 0..<cases {
                compared += 1
                if let text = compare(row, host, guest, &r) {
                    bad[row.text, default: 0] += 1
                    if bad[row.text, default: 0] < 3 { Issue.record("\(row.text): \(text)") }
                }
            }
        }
        for (row, count) in bad.sorted(by: { $0.key < $1.key }) { print("\(count) of \(cases): \(row)") }
        print("\(compared) cases of \(samples.rows.count) rows")
        #expect(samples.rows.count >= 120)
    }

    /// The operand at [RSI], 128 bytes of which are compared.
    private func memory(_ row: InstructionRow, _ r: inout SplitMix) -> [UInt64] {
        var words = (0..<16).map { _ in r.next() }
        let x = r.extended()
        switch row.operands.first?.spelling ?? "" {
        case "m32fp": words[0] = r.float(.single)
        case "m64fp": words[0] = r.float(.double)
        case "m16int", "m32int", "m64int":
            words[0] = UInt64(bitPattern: Int64(bitPattern: r.operand()) >> Int64(r.below(64)))
        case "m80bcd":
            words[0] = (0..<16).reduce(0) { v, _ in v << 4 | UInt64(r.below(10)) } >> UInt64(4 * r.below(16))
            words[1] = UInt64(r.below(10) | r.below(10) << 4) | (r.next() & 0x8000)
        default: (words[0], words[1]) = (x.significand, UInt64(x.signExponent))
        }
        return words
    }

    /// Nil: no difference.
    private func compare(_ row: InstructionRow, _ host: VectorHost, _ guest: TestGuest, _ r: inout SplitMix) -> String?
    {
        let p = guest.p
        var bytes: [UInt8] = row.text.contains("byte") && r.oneIn(2) ? [0x66] : r.oneIn(4) ? [0x41] : []
        bytes.append(row.encoding.opcode)
        var n: UInt8 = 0
        switch row.encoding.modRM {
        case .fixed(let byte): bytes.append(byte)
        case .fixedPlusRegister(let byte):
            n = UInt8(r.below(8))
            bytes.append(byte + n)
        default: bytes.append((row.encoding.digit ?? 0) << 3 | 6)
        }
        if bytes[0] == 0x41 && bytes.last! < 0xC0 { bytes.removeFirst() }
        let words = memory(row, &r)
        var state = VectorHost.State()
        state.registers[4] = TestGuest.stackTop
        state.registers[6] = host.codePage + 2 * 4096 + 2048
        state.flags = 2 | r.next() & RFLAGS.arithmetic
        let masks: UInt64 = r.oneIn(3) ? r.next() & 0x3F : 0x3F
        let control = 0x40 | masks | UInt64(r.below(16)) << 8
        // Flags that are masked, any condition codes, any TOP.
        let status = (r.next() & 0x7F00) | (r.oneIn(4) ? r.next() & masks : 0) | (r.oneIn(8) ? 0x40 : 0)
        let top = Int(status >> 11 & 7)
        var valid = r.oneIn(3) ? r.next() & 0xFF : 0xFF & ~(1 << UInt64((top + 7) & 7))
        if !r.oneIn(4) { valid |= 1 << UInt64(top) | 1 << UInt64((top + 1) & 7) }
        state.image[0] = control | status << 16 | valid << 32
        state.image[3] = 0x1F80
        for n in 0..<8 {
            let x = r.extended()
            state.image[4 + 2 * n] = x.significand
            state.image[5 + 2 * n] = UInt64(x.signExponent)
        }
        if r.oneIn(8) { state.image[6] = state.image[4] }
        if r.oneIn(8) { state.image[7] = state.image[5] }
        // Scales and integers that are in range.
        if r.oneIn(2) && row.mnemonic == "FSCALE" { state.image[7] = 0x3FFE + UInt64(r.below(20)) | r.next() & 0x8000 }
        if r.oneIn(2) && row.mnemonic == "FBSTP" { state.image[5] = 0x3FFE + UInt64(r.below(63)) | r.next() & 0x8000 }

        let start = host.codePage + UInt64(host.codeOffset)
        guest.load(bytes, at: 0x100_0000 + UInt64(host.codeOffset))
        for (n, word) in words.enumerated() { guest.write(0x100_2800 + UInt64(8 * n), word) }
        for n in 0..<16 { p.setGPR(n, state.registers[n]) }
        p.rflags = state.flags
        var image = InlineArray<64, UInt64>(repeating: 0)
        for n in state.image.indices { image[n] = state.image[n] }
        FXSaveArea.restoreX87(&p.system.fpu, image, is64Bit: true)
        p.cpu.pointee.rip = start
        p.stepInstruction()
        guard p.cpu.pointee.rip == start + UInt64(bytes.count) else { return "not executed" }
        let after = FXSaveArea.image(of: p, is64Bit: true)

        (host.scratch + 2048).copyMemory(from: words, byteCount: 128)
        let expected = host.run(bytes, state)
        let open = Difference(row, after: p.system.fpu)
        var differences: [String] = []
        func check(_ what: String, _ got: UInt64, _ wanted: UInt64, _ mask: UInt64 = ~0) {
            if (got ^ wanted) & mask != 0 { differences.append("\(what) \(hex(got)), host \(hex(wanted))") }
        }
        if !open.flags { check("flags", p.rflags, expected.flags, RFLAGS.arithmetic) }
        check("register 0", p.gpr(0), expected.registers[0])
        check("control", after[0], expected.image[0], 0xFFFF)
        let top3: UInt16 = open.stack ? 0x3800 : 0
        check("status", after[0], expected.image[0], UInt64(0xFFFF & ~(open.status | top3)) << 16)
        if !open.stack {
            check("tags", after[0], expected.image[0], 0xFF << 32)
            for n in 0..<8 {
                check("ST\(n)", after[4 + 2 * n], expected.image[4 + 2 * n])
                check("ST\(n) exponent", after[5 + 2 * n], expected.image[5 + 2 * n], 0xFFFF)
            }
        }
        // AMD saves the pointers only while an exception is pending (APM 2 11.4.4.3 "Saving x87 Pointers").
        if after[0] >> 23 & 1 != 0 && !Self.control.contains(row.semantics ?? "") {
            check("opcode", after[0], expected.image[0], 0x7FF << 48)
            check("instruction pointer", after[1], expected.image[1])
            if bytes.last! < 0xC0 { check("data pointer", after[2], expected.image[2]) }
        }
        let isEnvironment = row.mnemonic == "FNSTENV" || row.mnemonic == "FNSAVE"
        let stored = (host.scratch + 2048).assumingMemoryBound(to: UInt8.self)
        for n in 0..<128 {
            if isEnvironment && (bytes[0] == 0x66 ? 6..<14 : 12..<28).contains(n) { continue }
            let got = guest.read(0x100_2800 + UInt64(n & ~7)) >> UInt64(8 * (n & 7)) & 0xFF
            check("memory at \(n)", got, UInt64(stored[n]))
        }
        if differences.isEmpty { return nil }
        let registers = (4..<20).map { hex(state.image[$0]) }.joined(separator: " ")
        return
            "[\(bytes.map { hex(UInt64($0)) }.joined(separator: " "))] \(differences.joined(separator: "; ")); before: "
            + "FCW \(hex(control)) FSW \(hex(status)) valid \(hex(valid)) ST \(registers) memory "
            + "\(hex(words[0])) \(hex(words[1]))"
    }
    private static let control: Set<String> = [
        "fninit", "fnclex", "fldcw", "fnstcw", "fnstsw", "fldenv", "fnstenv", "frstor", "fnsave"
    ]
    private func hex(_ v: UInt64) -> String { String(v, radix: 16) }
}
#endif
