import CHostProcessor
import InstructionTable
import X86Architecture
import X86Decoder

/// Case number `n` of a seed: the plan's instruction with operands that matter to it.
struct CaseGenerator {
    let plans: [OraclePlan]
    let seed: UInt64

    func plan(_ n: Int) -> OraclePlan { plans[n % plans.count] }

    func make(_ n: Int) -> OracleCase {
        var r = SplitMix(seed: seed &* 0x2545_F491_4F6C_DD1D &+ UInt64(n) &* 0x9E37_79B9_97F4_A7C5)
        _ = r.next()
        let plan = plan(n)
        var encoder = CaseEncoder(plan, SplitMix(seed: r.next()))
        encoder.encode()
        var c = OracleCase()
        c.size = plan.size
        c.at = n % Int(HOST_BATCH) * Int(HOST_SLOT) + 112 + r.below(16)
        c.memorySeed = seed
        c.flags = 0x202 | r.next() & (RFLAGS.arithmetic | (r.oneIn(4) ? RFLAGS.direction : 0))
        c.fsBase = OracleCase.data + (r.oneIn(2) ? 0 : UInt64(r.below(0x400)))
        c.gsBase = OracleCase.data + UInt64(r.below(0x400))
        for n in 0..<16 { c.registers[n] = r.operand() }
        let stack = OracleCase.data + 0xF00 + UInt64(r.below(32)) * 8 + (r.oneIn(8) ? UInt64(r.below(8)) : 0)
        c.registers[GPR.rsp] = stack
        let target = target(plan, &r)
        c.patchAt = [patchOffset(target), patchOffset(stack)]
        for n in 0..<2 { c.patches[n] = (0..<8).flatMap { _ in littleEndian(r.operand()) } }
        if usesFloatingState(plan.row) { makeFloatingState(&c, &r) }
        OperandHints(plan: plan, target: target, stack: stack).apply(&c, &encoder, &r)
        if plan.size != .bits64 { for n in 0..<16 { c.registers[n] &= n < 8 ? 0xFFFF_FFFF : 0 } }
        solveAddress(target, &c, &encoder, &r)
        c.bytes = encoder.bytes
        // A random prefix may have made the immediate shorter: what follows the instruction is INT3.
        if let i = try? Decoder.decode(c.bytes, c.size) {
            c.bytes.removeSubrange(Int(i.length)...)
            // Nothing of the case is left but a NOP.
            if HostFeatures.trapsBusLocks, locksBus(i, c) { c.bytes = [0x90] }
        }
        return c
    }

    /// A locked access that may cross a cache line.
    private func locksBus(_ i: Instruction, _ c: OracleCase) -> Bool {
        let isExchange = InstructionInfo(i.row).semantics.description == "xchg"
        guard i.hasMemory, i.prefixes.lock || isExchange else { return false }
        return EffectiveAddress(i, c).linear & 63 > 48
    }

    private func patchOffset(_ address: UInt64) -> Int {
        let offset = address &- OracleCase.data
        return offset <= OracleCase.dataBytes - UInt64(HOST_PATCH) ? Int(offset)
            : offset < OracleCase.dataBytes ? Int(OracleCase.dataBytes) - Int(HOST_PATCH) : 0
    }

    /// Where the memory operand is: in the data pages around their boundary; sometimes where they end, or nowhere.
    private func target(_ plan: OraclePlan, _ r: inout SplitMix) -> UInt64 {
        let data = OracleCase.data
        var offset: UInt64
        switch r.below(64) {
        case 0..<54: offset = 0xF80 + UInt64(r.below(0x100))
        case 54..<58: offset = 0x2000 - UInt64(r.below(40))
        case 58..<60: offset = 0x2000 + UInt64(r.below(0x800))
        case 60..<62: offset = 0x3000 - UInt64(r.below(24))
        case 62: offset = 0x3000 + UInt64(r.below(64))
        default:
            if plan.size == .bits64 { return r.oneIn(2) ? 0x7FFF_FFFF_FFF0 + UInt64(r.below(32)) : r.next() }
            offset = 0x3000
        }
        if !r.oneIn(4) { offset &= ~15 }
        if isStateArea(plan.row) && !r.oneIn(8) { offset &= ~63 }
        return data + offset
    }

    /// Registers and displacement such that the operand is at `target`.
    private func solveAddress(
        _ target: UInt64, _ c: inout OracleCase, _ e: inout CaseEncoder, _ r: inout SplitMix
    ) {
        guard e.plan.hasMemory || e.displacementBytes > 0 else { return }
        let segmentBase = e.segment == 4 ? c.fsBase : e.segment == 5 ? c.gsBase : 0
        let wanted = target &- segmentBase
        let mask: UInt64 = e.addressBytes == 8 ? ~0 : e.addressBytes == 4 ? 0xFFFF_FFFF : 0xFFFF
        if e.isRIPRelative {
            // Immediates follow the displacement: the whole length counts.
            e.setDisplacement(wanted &- (c.rip &+ UInt64(e.bytes.count)))
            return
        }
        if let index = e.index, index != e.base, r.oneIn(2) || e.base == nil {
            c.registers[index] = UInt64(r.below(64)) &- (r.oneIn(4) ? 32 : 0)
        }
        let factor = UInt64(1) << UInt64(e.addressBytes == 2 ? 0 : e.scale)
        let indexed = e.index.map { c.registers[$0] &* factor } ?? 0
        guard let base = e.base else { return e.setDisplacement(wanted &- indexed) }
        if base == e.index {
            // base * (1 + factor) = wanted - displacement: only 1 + 1 divides by shifting, with the odd byte lost.
            c.registers[base] = (wanted &- e.displacement) / (1 + factor)
        } else {
            let value = wanted &- e.displacement &- indexed
            let old = c.registers[base]
            // Bits above the address size do not count.
            c.registers[base] = e.addressBytes == 8 ? value : e.addressBytes == 4 ? value & mask | old & ~mask
                : value & mask | old & ~mask
        }
        if c.size != .bits64 { c.registers[base] &= 0xFFFF_FFFF }
    }

    // MARK: x87 and SSE

    private func usesFloatingState(_ row: InstructionRow) -> Bool {
        row.file.hasSuffix("X87.table") || row.file.hasSuffix("MMXSSE.table") || row.feature == "FXSR"
            || row.feature?.hasPrefix("SSE") == true || isStateArea(row)
    }
    private func isStateArea(_ row: InstructionRow) -> Bool { row.feature?.hasPrefix("XSAVE") == true }

    /// Quadwords that matter to integers and to numbers of both formats.
    private static let special: [UInt64] = [
        0, ~0, 1, 0x8000_0000_0000_0000, 0x7FFF_FFFF_FFFF_FFFF, 0x8000_0000_8000_0000, 0x7FFF_8000_7FFF_8000,
        0x0080_FF7F_0001_8080, 0x3FF0_0000_0000_0000, 0xBFF0_0000_0000_0000, 0x7FF0_0000_0000_0000,
        0xFFF0_0000_0000_0000, 0x7FF8_0000_0000_0001, 0x7FF0_0000_0000_0001, 0x000F_FFFF_FFFF_FFFF,
        0x0010_0000_0000_0000, 0x3F80_0000_BF80_0000, 0x7F80_0000_FF80_0000, 0x7FC0_0001_7F80_0001,
        0x0080_0000_007F_FFFF, 0x7F7F_FFFF_0000_0001, 0x4F00_0000_CF00_0000, 0x41E0_0000_0000_0000,
        0x43E0_0000_0000_0000, 0xC1E0_0000_0020_0000, 0x3FE0_0000_0000_0000, 0x3F00_0000_3FC0_0000,
    ]
    static func number(_ r: inout SplitMix) -> UInt64 {
        switch r.below(8) {
        case 0, 1: special[r.below(special.count)]
        case 2: r.operand()
        // Two numbers of moderate size; one; one close to another.
        case 3: (r.next() & 0x8FFF_FFFF_8FFF_FFFF) | 0x3800_0000_3800_0000
        case 4: (r.next() & 0x800F_FFFF_FFFF_FFFF) | UInt64(1023 - 70 + r.below(140)) << 52
        case 5: 0x3FF0_0000_0000_0000 &+ UInt64(bitPattern: Int64(r.below(64)) - 32)
        case 6: 0x3F80_0000_3F80_0000 &+ UInt64(r.below(64))
        default: r.next()
        }
    }

    private func makeFloatingState(_ c: inout OracleCase, _ r: inout SplitMix) {
        // FCW: precision, rounding; mostly masked. FSW: TOP, condition codes, exceptions.
        var control = UInt64(0x40 | r.below(4) << 10 | (r.oneIn(3) ? [0, 2, 3][r.below(3)] : 3) << 8 | 0x3F)
        if r.oneIn(6) { control &= ~UInt64(r.below(64)) }
        var status = UInt64(r.below(8) << 11)
        if r.oneIn(2) { status |= r.next() & 0x4700 }
        if r.oneIn(3) { status |= r.next() & 0x7F }
        // Seldom an unmasked exception is pending; ES and B say so.
        if status & ~control & 0x3F != 0 {
            if r.oneIn(4) { status |= 0x8080 } else { status &= ~0x3F }
        }
        let tags: UInt64 = r.oneIn(3) ? r.next() & 0xFF : r.oneIn(2) ? 0xFF : 0
        c.fx[0] = control | status << 16 | tags << 32
        // Masked exceptions, some flags set already; rounding, flush and denormals as zeros at random.
        var mxcsr: UInt64 = 0x1F80
        if r.oneIn(2) { mxcsr |= r.next() & 0xE040 & (r.oneIn(2) ? 0x6000 : ~0) }
        if r.oneIn(4) { mxcsr |= r.next() & 0x3F }
        if r.oneIn(8) { mxcsr &= ~(r.next() & 0x1F80) }
        c.fx[3] = mxcsr
        for n in 0..<8 {
            var significand = Self.number(&r), exponent = UInt64(0x3FFF - 40 + r.below(80)) | (r.next() & 0x8000)
            switch r.below(8) {
            // MMX contents; zero, infinity and NaN; denormal; unnormal and other unsupported ones.
            case 0: exponent = 0xFFFF
            case 1: (significand, exponent) = ([0, 1 << 63, 3 << 62, 0xA << 60][r.below(4)], r.next() & 0x8000 | 0x7FFF)
            case 2: (significand, exponent) = (r.oneIn(2) ? 0 : r.next() >> UInt64(1 + r.below(40)), r.next() & 0x8000)
            case 3: exponent = r.next() & 0xFFFF
            default: significand |= 1 << 63
            }
            c.fx[4 + 2 * n] = significand
            c.fx[5 + 2 * n] = exponent
        }
        for n in 20..<52 { c.fx[n] = Self.number(&r) }
        if r.oneIn(3) { for n in 20..<52 where r.oneIn(2) { c.fx[n] = c.fx[20 + r.below(32)] } }
        c.patches[0] = (0..<8).flatMap { _ in littleEndian(Self.number(&r)) }
        if r.oneIn(3) { c.patches[0].replaceSubrange(0..<16, with: c.fx[20..<22].flatMap { littleEndian($0) }) }
    }
}
