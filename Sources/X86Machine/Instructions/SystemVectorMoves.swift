import X86Architecture
import X86Decoder

/// The AVX moves of whole registers: with them software can put AVX state to use, save it and look at it. They need
/// that state to be enabled, whatever CPUID says of the rest of AVX.
extension SystemInstructions {
    /// SDM 2B VMOVAPS, VMOVAPD, VMOVDQA, VMOVNTPS, VMOVNTPD, VMOVNTDQ, VMOVNTDQA: #GP(0) unless memory is aligned.
    static func vmova(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try moveVector(p, i, isAligned: true)
    }
    /// SDM 2B VMOVUPS, VMOVUPD, VMOVDQU, VLDDQU.
    static func vmovu(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try moveVector(p, i, isAligned: false)
    }

    private static func moveVector(_ p: Processor, _ i: borrowing Instruction, isAligned: Bool) throws(Interruption) {
        try requireAVXState(p)
        let words = i.vectorLength == 0 ? 2 : 4
        let isStore =
            switch i.opcode {
            case 0x11, 0x29, 0x2B, 0x7F, 0xE7: true
            default: false
            }
        guard i.hasMemory else {
            let (from, to) = isStore ? (i.reg, i.rm) : (i.rm, i.reg)
            return setVector(p, Int(to), words, vector(p, Int(from)))
        }
        if isAligned { try p.requireAlignment(i, bytes: UInt64(8 * words)) }
        let a = try p.operandAddress(i, offset: 0, bytes: 8 * words, isStore ? .write : .read)
        let isStack = i.segment == SegmentIndex.ss
        if isAligned, a.rawValue & UInt64(8 * words - 1) != 0 { throw .exception(.generalProtection()) }
        if isStore {
            let value = vector(p, Int(i.reg))
            try p.probeWrite(a, bytes: 8 * words, .current, stack: isStack)
            for n in 0..<words { try p.store(a + UInt64(8 * n), value[n], stack: isStack) }
        } else {
            var value = InlineArray<4, UInt64>(repeating: 0)
            for n in 0..<words { value[n] = try p.load(a + UInt64(8 * n), as: UInt64.self, stack: isStack) }
            setVector(p, Int(i.reg), words, value)
        }
    }

    private static func vector(_ p: Processor, _ n: Int) -> InlineArray<4, UInt64> {
        let low = p.xmm(n)
        return [low[0], low[1], p.system.fpu.upperYMM[2 * n], p.system.fpu.upperYMM[2 * n + 1]]
    }
    /// SDM 1 14.1.1 "256-Bit Wide SIMD Register Support": a write of 128 bits clears the upper ones.
    private static func setVector(_ p: Processor, _ n: Int, _ words: Int, _ value: InlineArray<4, UInt64>) {
        p.setXMM(n, XMM(value[0], value[1]))
        p.system.fpu.upperYMM[2 * n] = words == 4 ? value[2] : 0
        p.system.fpu.upperYMM[2 * n + 1] = words == 4 ? value[3] : 0
    }
}
