import CHostProcessor
import InstructionTable
import X86Architecture
import X86Decoder
@testable import X86Machine

/// Operands that make an instruction do more than fault: counts that are small, pointers that point, selectors that
/// exist. Unhinted operands are random.
struct OperandHints {
    let plan: OraclePlan
    let target: UInt64
    let stack: UInt64

    private func addressMask(_ e: CaseEncoder) -> UInt64 {
        e.addressBytes == 8 ? ~0 : e.addressBytes == 4 ? 0xFFFF_FFFF : 0xFFFF
    }
    /// An offset in the case's slot but outside the instruction, as an offset in the code segment.
    private func codeTarget(_ c: OracleCase, _ e: CaseEncoder, _ r: inout SplitMix) -> UInt64 {
        let slot = UInt64(c.at) / UInt64(HOST_SLOT) * UInt64(HOST_SLOT), at = UInt64(c.at)
        let offset = r.oneIn(2) ? slot + UInt64(r.below(100)) : at + 16 + UInt64(r.below(100))
        return (c.size == .bits16 ? 0 : OracleCase.code) + offset
    }
    /// A branch to anywhere; in the 16-bit segment all of which are other cases.
    private func mayGoAstray(_ r: inout SplitMix) -> Bool { r.oneIn(12) && plan.size != .bits16 }
    private func selector(_ r: inout SplitMix) -> UInt64 {
        let known: [UInt64] = [0, 1, 2, 3, 0x23, 0x2b, 0x33, 0x07, 0x10, 0x18, 0x08, 0x40, 0x50, 0x28, 0x63, 0x0f]
        let value = r.oneIn(6) ? r.next() & 0xFFFF : known[r.below(known.count)]
        // Entry 15 holds the number of the host's processor.
        return value & 0xFFFC == 0x78 ? 0x80 : value
    }
    private func put(_ value: UInt64, _ bytes: Int, in patch: inout [UInt8], at: Int = 0) {
        patch.replaceSubrange(at..<at + bytes, with: littleEndian(value, bytes: bytes))
    }

    func apply(_ c: inout OracleCase, _ e: inout CaseEncoder, _ r: inout SplitMix) {
        let name = plan.row.semantics ?? "", bits = plan.row.operands.first?.width ?? 0
        let i = try? Decoder.decode(e.bytes, plan.size)
        let low: UInt64 = bits >= 64 ? ~0 : bits == 0 ? 0xFFFF_FFFF : 1 << UInt64(bits) - 1
        if plan.row.operands.contains(where: { $0.kind == .relative }) { relative(&c, &e, &r) }
        switch name {
        case "div", "idiv":
            if r.oneIn(2) { break }
            let high: UInt64 = r.oneIn(2) ? 0 : c.registers[0] >> UInt64(bits - 1) & 1 == 0 ? 0 : low
            c.registers[2] = bits == 8 ? c.registers[2] : c.registers[2] & ~low | high
            if bits == 8 && r.oneIn(2) { c.registers[0] &= 0xFF }
        case "cmpxchg" where r.oneIn(2):
            if plan.hasMemory { put(c.registers[0], 8, in: &c.patches[0]) } else if let i {
                c.registers[0] = c.registers[Int(i.rm)]
            }
        case "cmpxchg8b" where r.oneIn(2):
            put(c.registers[0] & 0xFFFF_FFFF | c.registers[2] << 32, 8, in: &c.patches[0])
        case "cmpxchg16b" where r.oneIn(2):
            put(c.registers[0], 8, in: &c.patches[0])
            put(c.registers[2], 8, in: &c.patches[0], at: 8)
        case "bt", "bts", "btr", "btc":
            // The bit offset reaches memory around the operand.
            if plan.hasMemory, let i, !r.oneIn(8) {
                c.registers[Int(i.reg)] = UInt64(bitPattern: Int64(r.below(4000)) - 2000)
            }
        case "shl", "shr", "sar", "rol", "ror", "rcl", "rcr", "shld", "shrd":
            if r.oneIn(2) { c.registers[1] = c.registers[1] & ~0xFF | UInt64(r.below(9)) }
        case "jmp", "call":
            let at = codeTarget(c, e, &r)
            if plan.row.operands.first?.kind == .relative || mayGoAstray(&r) { break }
            if plan.hasMemory { put(at, 8, in: &c.patches[0]) } else if let i { c.registers[Int(i.rm)] = at }
        case "ret" where !mayGoAstray(&r): put(codeTarget(c, e, &r), 8, in: &c.patches[1])
        case "loop", "loope", "loopne", "jcxz":
            if r.oneIn(2) { c.registers[1] = c.registers[1] & ~addressMask(e) | UInt64(r.below(3)) }
        case "enter", "leave":
            c.registers[5] = stack + UInt64(r.below(8) * 8)
            if name == "enter", r.oneIn(2) { e.setLastByte(UInt8(r.below(4))) }
        case "xlat":
            let base = e.segment == 4 ? c.fsBase : e.segment == 5 ? c.gsBase : 0
            let mask = addressMask(e)
            c.registers[3] = c.registers[3] & ~mask | (target &- base &- c.registers[0] & 0xFF) & mask
        case "movs", "cmps", "stos", "lods", "scas", "inputString", "outputString": strings(&c, e, &r)
        case "popf" where plan.size == .bits64: put(r.next() & 0xFFFF_FFFF, 8, in: &c.patches[1])
        case "movToSreg", "lar", "lsl", "verr", "verw", "arpl":
            if plan.hasMemory { put(selector(&r), 2, in: &c.patches[0]) } else if let i {
                c.registers[Int(i.rm)] = c.registers[Int(i.rm)] & ~0xFFFF | selector(&r)
            }
        case "popSreg": put(selector(&r), 2, in: &c.patches[1])
        case "loadFarPointer", "jumpFar", "callFar": farPointer(name, i, &c, &e, &r)
        case "returnFar", "interruptReturn": farReturn(i, &c, e, &r)
        case "wrfsbase", "wrgsbase":
            if let i, !r.oneIn(3) { c.registers[Int(i.rm)] &= 0x7FFF_FFFF_FFFF }
        case "ldmxcsr": if !r.oneIn(8) { put(r.next() & 0xFFFF, 4, in: &c.patches[0]) }
        case "xsave", "xsaveopt", "xsavec", "xrstor": stateArea(name, &c, &r)
        case "fxrstor": put(r.next() & 0xFFFF, 4, in: &c.patches[0], at: 24)
        // INT 80H is the host kernel's.
        case "interrupt" where e.lastByte == 0x80: e.setLastByte(0x81)
        default: break
        }
        if plan.row.file.hasSuffix("X87.table") { x87(name, &c, &r) }
        if plan.row.mnemonic.hasPrefix("MASKMOV") {
            let base = e.segment == 4 ? c.fsBase : e.segment == 5 ? c.gsBase : 0
            c.registers[7] = target &- base
        }
        if plan.row.mnemonic.hasPrefix("PCMPESTR") {
            for n in [0, 2] where !r.oneIn(3) { c.registers[n] = UInt64(bitPattern: Int64(r.below(40)) - 20) }
        }
    }

    /// A stack that has operands and room; numbers at which something changes; digits that are digits.
    private func x87(_ name: String, _ c: inout OracleCase, _ r: inout SplitMix) {
        let top = c.fx[0] >> 27 & 7
        if !r.oneIn(4) {
            var valid = r.oneIn(3) ? r.next() & 0xFF : 0xFF & ~(1 << (top + 7 & 7))
            if !r.oneIn(4) { valid |= 1 << top | 1 << (top + 1 & 7) }
            c.fx[0] = c.fx[0] & ~(0xFF << 32) | valid << 32
        }
        for n in 0..<8 where r.oneIn(2) {
            let x = r.extended()
            c.fx[4 + 2 * n] = x.significand
            c.fx[5 + 2 * n] = UInt64(x.signExponent)
        }
        if r.oneIn(8) { c.fx[6] = c.fx[4] }
        if r.oneIn(8) { c.fx[7] = c.fx[5] }
        // Scales and integers that are in range.
        if r.oneIn(2) && name == "fscale" { c.fx[7] = 0x3FFE + UInt64(r.below(20)) | r.next() & 0x8000 }
        if r.oneIn(2) && name == "fbstp" { c.fx[5] = 0x3FFE + UInt64(r.below(63)) | r.next() & 0x8000 }
        guard plan.hasMemory else { return }
        switch plan.row.operands.first?.spelling ?? "" {
        case "m32fp": put(r.float(.single), 4, in: &c.patches[0])
        case "m64fp": put(r.float(.double), 8, in: &c.patches[0])
        case "m16int", "m32int", "m64int":
            put(UInt64(bitPattern: Int64(bitPattern: r.operand()) >> Int64(r.below(64))), 8, in: &c.patches[0])
        case "m80bcd":
            put((0..<16).reduce(0) { v, _ in v << 4 | UInt64(r.below(10)) } >> UInt64(4 * r.below(16)), 8,
                in: &c.patches[0])
            put(UInt64(r.below(10) | r.below(10) << 4) | (r.next() & 0x8000), 2, in: &c.patches[0], at: 8)
        case "m80fp":
            let x = r.extended()
            put(x.significand, 8, in: &c.patches[0])
            put(UInt64(x.signExponent), 2, in: &c.patches[0], at: 8)
        default: break
        }
    }

    /// The components that the machine has; a header that is mostly valid, MXCSR.
    private func stateArea(_ name: String, _ c: inout OracleCase, _ r: inout SplitMix) {
        c.registers[0] = c.registers[0] & ~0xFFFF_FFFF | UInt64(r.below(8))
        c.registers[2] &= ~0xFFFF_FFFF
        if !r.oneIn(8) { put(r.next() & 0xFFFF, 4, in: &c.patches[0], at: 24) }
        let header = Int(truncatingIfNeeded: (target &- OracleCase.data &+ 512) & 0x1FFF)
        c.patchAt[1] = min(header, Int(HOST_DATA_BYTES - HOST_PATCH))
        let format = r.oneIn(2) ? 0 : 1 << 63 | UInt64(r.below(8))
        var words = [UInt64(r.below(8)), format, 0, 0, 0, 0, 0, 0]
        if format != 0 && !r.oneIn(4) { words[0] &= format }
        // Components that no processor has; reserved bytes.
        if r.oneIn(12) { words[r.below(2)] |= [1 << 8, 1 << 16, 1 << 61][r.below(3)] }
        if r.oneIn(12) { words[2 + r.below(6)] = 1 }
        c.patches[1] = words.flatMap { littleEndian($0) }
    }

    /// Branches end in the slot: what lies in others may be another case.
    private func relative(_ c: inout OracleCase, _ e: inout CaseEncoder, _ r: inout SplitMix) {
        let end = c.rip &+ UInt64(e.bytes.count), bytes = (plan.row.operands.last?.width ?? 8) / 8
        e.setLast(codeTarget(c, e, &r) &- end, bytes: bytes)
    }

    private func strings(_ c: inout OracleCase, _ e: CaseEncoder, _ r: inout SplitMix) {
        let base = e.segment == 4 ? c.fsBase : e.segment == 5 ? c.gsBase : 0
        let mask = addressMask(e)
        func set(_ n: Int, _ v: UInt64) { c.registers[n] = c.registers[n] & ~mask | v & mask }
        set(6, target &- base)
        let other = r.oneIn(10) ? OracleCase.data + 0x2000 - UInt64(r.below(64))
            : r.oneIn(3) ? target &+ UInt64(r.below(64)) : OracleCase.data + 0xF80 + UInt64(r.below(0x100))
        set(7, other)
        set(1, r.oneIn(6) ? 0 : UInt64(r.below(r.oneIn(8) ? 400 : 24)))
        if r.oneIn(2) { c.registers[0] = UInt64(c.patches[0][0]) &* 0x0101_0101_0101_0101 }
        // Runs of equal elements, so that REPE and REPNE go on.
        if r.oneIn(2) { c.patches[0] = [UInt8](repeating: c.patches[0][0], count: c.patches[0].count) }
        let offset = Int(truncatingIfNeeded: (other &- OracleCase.data) & 0x1FFF)
        c.patchAt[1] = min(offset, Int(HOST_DATA_BYTES - HOST_PATCH))
        if r.oneIn(2) { c.patches[1] = c.patches[0] }
    }

    private func farPointer(
        _ name: String, _ i: Instruction?, _ c: inout OracleCase, _ e: inout CaseEncoder, _ r: inout SplitMix
    ) {
        let offset = name == "loadFarPointer" ? r.operand() : codeTarget(c, e, &r)
        let chosen = name == "loadFarPointer" || r.oneIn(3) ? selector(&r) : [UInt64(0x23), 0x33][r.below(2)]
        if plan.hasMemory {
            let bytes = max(2, Int(i?.operandSize ?? 4))
            put(offset, 8, in: &c.patches[0])
            put(chosen, 2, in: &c.patches[0], at: bytes)
        } else {
            let bytes = plan.row.operands[0].width / 8 - 2
            e.setLast(offset | chosen << UInt64(8 * bytes), bytes: bytes + 2)
        }
    }

    /// RIP, CS, RFLAGS, RSP, SS on the stack.
    private func farReturn(_ i: Instruction?, _ c: inout OracleCase, _ e: CaseEncoder, _ r: inout SplitMix) {
        let bytes = Int(i?.operandSize ?? 4)
        let code = r.oneIn(5) ? selector(&r) : [UInt64(0x23), 0x33][r.below(2)]
        let words = [
            codeTarget(c, e, &r), code, 0x202 | r.next() & (RFLAGS.arithmetic | RFLAGS.direction),
            stack &+ 8 &* UInt64(r.below(4)), r.oneIn(6) ? selector(&r) : UInt64(HOST_SS),
        ]
        for (n, word) in words.enumerated() { put(word, bytes, in: &c.patches[1], at: n * bytes) }
    }
}

extension CaseEncoder {
    var lastByte: UInt8 { bytes.last ?? 0 }
    mutating func setLastByte(_ value: UInt8) { setLast(UInt64(value), bytes: 1) }
    /// The immediate at the end.
    mutating func setLast(_ value: UInt64, bytes count: Int) { replaceEnd(with: littleEndian(value, bytes: count)) }
}
