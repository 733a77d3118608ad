// Vector operand forms out of line: with every check, and whole or not at all.
import CEngineState
import X86Architecture
import X86Decoder

extension Processor {
    /// The r/m operand: a register, or memory of `M`'s size.
    @inline(__always) func vectorSource<M: VectorMemory>(
        _ i: borrowing Instruction, _: M.Type
    ) throws(Interruption) -> XMM {
        if !i.hasMemory { return xmm(Int(i.rm)) }
        return try M.load(self, try vectorOperand(i, M.self, .read))
    }
    @inline(never) private func vectorOperand<M: VectorMemory>(
        _ i: borrowing Instruction, _: M.Type, _ use: SegmentUse
    ) throws(Interruption) -> MemoryOperandAddress {
        if M.self == Aligned.self { try requireAlignment(i, bytes: 16) }
        return try memoryOperand(.rm, i, bytes: M.bytes, use)
    }
    /// Of an address that is not canonical and not aligned as it must be, the latter is reported: #GP, not #SS
    /// (measured on processors of both vendors).
    func requireAlignment(_ i: borrowing Instruction, bytes: UInt64) throws(Interruption) {
        guard codeSize == .bits64 else { return }
        let base = i.segment >= SegmentIndex.fs ? system.segments[Int(i.segment)].base : 0
        if (base &+ effectiveOffset(i)) & (bytes &- 1) != 0 { throw .exception(.generalProtection()) }
    }
    private func storeVector<M: VectorMemory>(
        _ i: borrowing Instruction, _: M.Type, _ value: XMM
    ) throws(Interruption) {
        try M.store(self, try vectorOperand(i, M.self, .write), value)
    }
    @inline(__always) private func count(_ i: borrowing Instruction) -> UInt8 { UInt8(truncatingIfNeeded: i.immediate) }

    // MARK: First operand read and written

    @inline(__always) func vectorCombine<M: VectorMemory, A: Lanes, B: Lanes, R: Lanes>(
        _ i: borrowing Instruction, _: M.Type, _ f: (A, B) -> R
    ) throws(Interruption) {
        try requireVectors()
        let b = try vectorSource(i, M.self)
        setXMM(Int(i.reg), f(A(xmm(Int(i.reg))), B(b)).bits)
    }
    @inline(__always) func vectorCombine<M: VectorMemory, A: Lanes, B: Lanes, R: Lanes>(
        _ i: borrowing Instruction, _: M.Type, _ f: (A, B, UInt8) -> R
    ) throws(Interruption) {
        let immediate = count(i)
        try vectorCombine(i, M.self) { (a: A, b: B) -> R in f(a, b, immediate) }
    }
    @inline(__always) func vectorCombine<M: VectorMemory, A: Lanes>(
        _ i: borrowing Instruction, _: M.Type, _ f: (A, UInt64) -> A
    ) throws(Interruption) {
        try vectorCombine(i, M.self) { (a: A, b: XMM) -> A in f(a, b[0]) }
    }
    /// The third operand is XMM0.
    @inline(__always) func vectorBlend<M: VectorMemory, A: Lanes>(
        _ i: borrowing Instruction, _: M.Type, _ f: (A, A, A) -> A
    ) throws(Interruption) {
        let mask = A(xmm(0))
        try vectorCombine(i, M.self) { (a: A, b: A) -> A in f(a, b, mask) }
    }
    /// Shifts by an immediate; the register is in ModRM.rm.
    @inline(__always) func vectorChange<A: Lanes>(
        _ i: borrowing Instruction, _ f: (A, UInt64) -> A
    ) throws(Interruption) {
        try requireVectors()
        setXMM(Int(i.rm), f(A(xmm(Int(i.rm))), i.immediate & 0xff).bits)
    }

    // MARK: First operand only written

    @inline(__always) func vectorConvert<M: VectorMemory, B: Lanes, R: Lanes>(
        _ i: borrowing Instruction, _: M.Type, _ f: (B) -> R
    ) throws(Interruption) {
        try requireVectors()
        setXMM(Int(i.reg), f(B(try vectorSource(i, M.self))).bits)
    }
    @inline(__always) func vectorConvert<M: VectorMemory, B: Lanes, R: Lanes>(
        _ i: borrowing Instruction, _: M.Type, _ f: (B, UInt8) -> R
    ) throws(Interruption) {
        let immediate = count(i)
        try vectorConvert(i, M.self) { (b: B) -> R in f(b, immediate) }
    }
    /// Loads whose register form keeps the destination's upper part.
    @inline(__always) func vectorLoad<M: VectorMemory>(
        _ i: borrowing Instruction, _: M.Type, register f: (XMM, XMM) -> XMM
    ) throws(Interruption) {
        try requireVectors()
        let b = try vectorSource(i, M.self)
        setXMM(Int(i.reg), i.hasMemory ? b : f(xmm(Int(i.reg)), b))
    }
    @inline(__always) func vectorStore<M: VectorMemory>(
        _ i: borrowing Instruction, _: M.Type, memory: (XMM) -> XMM, register: (XMM, XMM) -> XMM
    ) throws(Interruption) {
        try requireVectors()
        let value = xmm(Int(i.reg))
        if i.hasMemory { return try storeVector(i, M.self, memory(value)) }
        setXMM(Int(i.rm), register(xmm(Int(i.rm)), value))
    }

    // MARK: Between vector and general registers

    @inline(__always) func vectorMask<B: Lanes>(_ i: borrowing Instruction, _ f: (B) -> UInt32) throws(Interruption) {
        try requireVectors()
        setGPR(Int(i.reg), size: 4, UInt64(f(B(xmm(Int(i.rm))))))
    }
    /// One element, zero-extended to a register or to memory of `W`'s size.
    @inline(__always) func vectorExtract<W: Width & VectorMemory, B: Lanes>(
        _ i: borrowing Instruction, _: W.Type, _ f: (B, UInt8) -> UInt64
    ) throws(Interruption) {
        try requireVectors()
        let value = f(B(xmm(Int(i.reg))), count(i))
        if i.hasMemory { return try storeVector(i, W.self, XMM(value, 0)) }
        setGPR(Int(i.rm), value & UInt64(W.max))
    }
    /// PEXTRW of the two-byte map: the vector register is in ModRM.rm.
    func vectorExtractWord(_ i: borrowing Instruction) throws(Interruption) {
        try requireVectors()
        setGPR(Int(i.reg), pextr(Words(xmm(Int(i.rm))), count(i)))
    }
    @inline(__always) func vectorInsert<W: Width, A: Lanes>(
        _ i: borrowing Instruction, _: W.Type, _ f: (A, W, UInt8) -> A
    ) throws(Interruption) {
        try requireVectors()
        let b = try generalSource(i, W.self)
        setXMM(Int(i.reg), f(A(xmm(Int(i.reg))), b, count(i)).bits)
    }
    /// A general register, whose low bytes are taken, or memory.
    private func generalSource<W: Width>(_ i: borrowing Instruction, _: W.Type) throws(Interruption) -> W {
        guard i.hasMemory else { return W(truncatingIfNeeded: gpr(Int(i.rm))) }
        return try value(.rm, i, W.self)
    }
    func vectorFromGeneral<W: Width>(_ i: borrowing Instruction, _: W.Type) throws(Interruption) {
        try requireVectors()
        setXMM(Int(i.reg), XMM(UInt64(try generalSource(i, W.self)), 0))
    }
    func vectorToGeneral<W: Width>(_ i: borrowing Instruction, _: W.Type) throws(Interruption) {
        try requireVectors()
        try setValue(.rm, i, W(truncatingIfNeeded: xmm(Int(i.reg))[0]))
    }
    /// All six flags by a test of two vectors: OF, SF, AF and PF are cleared.
    @inline(__always) func vectorTest<M: VectorMemory>(
        _ i: borrowing Instruction, _: M.Type, _ f: (XMM, XMM) -> (zero: Bool, carry: Bool)
    ) throws(Interruption) {
        try requireVectors()
        let (zero, carry) = f(xmm(Int(i.reg)), try vectorSource(i, M.self))
        liveFlags.set(all: (zero ? RFLAGS.zero : 0) | (carry ? RFLAGS.carry : 0))
    }

    /// From memory the only element is the first.
    func insertps(_ i: borrowing Instruction) throws(Interruption) {
        let immediate = i.hasMemory ? count(i) & 0x3f : count(i)
        try vectorCombine(i, UInt32.self) { (a: Doublewords, b: Doublewords) in insertElement(a, b, immediate) }
    }

    // MARK: MMX registers

    private func mmxSource<W: Width>(_ i: borrowing Instruction, _: W.Type) throws(Interruption) -> UInt64 {
        guard i.hasMemory else { return mmx(i.rm) }
        return UInt64(try value(.rm, i, W.self))
    }
    private func writeMMX(_ n: UInt8, _ value: UInt64) {
        enterMMX()
        setMMX(n, value)
    }
    /// As on XMM registers whose upper halves are 0.
    @inline(__always) func mmxCombine<W: Width, A: Lanes, B: Lanes, R: Lanes>(
        _ i: borrowing Instruction, _: W.Type, _ f: (A, B) -> R
    ) throws(Interruption) {
        try requireMMX()
        let b = try mmxSource(i, W.self)
        writeMMX(i.reg, f(A(XMM(mmx(i.reg), 0)), B(XMM(b, 0))).bits[0])
    }
    @inline(__always) func mmxCombine<W: Width, A: Lanes>(
        _ i: borrowing Instruction, _: W.Type, _ f: (A, UInt64) -> A
    ) throws(Interruption) {
        try mmxCombine(i, W.self) { (a: A, b: XMM) -> A in f(a, b[0]) }
    }
    /// Operations that put what they make of the first operand into the lower half: both operands as one.
    @inline(__always) func mmxJoined<W: Width, A: Lanes, R: Lanes>(
        _ i: borrowing Instruction, _: W.Type, _ f: (A, A) -> R
    ) throws(Interruption) {
        try requireMMX()
        let b = try mmxSource(i, W.self)
        writeMMX(i.reg, f(A(XMM(mmx(i.reg), b)), A(XMM(0, 0))).bits[0])
    }
    /// Operations on upper halves.
    @inline(__always) func mmxUpper<W: Width, A: Lanes>(
        _ i: borrowing Instruction, _: W.Type, _ f: (A, A) -> A
    ) throws(Interruption) {
        try requireMMX()
        let b = try mmxSource(i, W.self)
        writeMMX(i.reg, f(A(XMM(0, mmx(i.reg))), A(XMM(0, b))).bits[1])
    }
    /// PALIGNR of the two operands as one.
    func mmxAlign(_ i: borrowing Instruction) throws(Interruption) {
        try requireMMX()
        let b = try mmxSource(i, UInt64.self)
        writeMMX(i.reg, palignr(XMM(0, 0), XMM(b, mmx(i.reg)), count(i))[0])
    }
    @inline(__always) func mmxChange<A: Lanes>(_ i: borrowing Instruction, _ f: (A, UInt64) -> A) throws(Interruption) {
        try requireMMX()
        writeMMX(i.rm, f(A(XMM(mmx(i.rm), 0)), i.immediate & 0xff).bits[0])
    }
    @inline(__always) func mmxConvert<W: Width, B: Lanes, R: Lanes>(
        _ i: borrowing Instruction, _: W.Type, _ f: (B) -> R
    ) throws(Interruption) {
        try requireMMX()
        writeMMX(i.reg, f(B(XMM(try mmxSource(i, W.self), 0))).bits[0])
    }
    @inline(__always) func mmxConvert<W: Width, B: Lanes, R: Lanes>(
        _ i: borrowing Instruction, _: W.Type, _ f: (B, UInt8) -> R
    ) throws(Interruption) {
        let immediate = count(i)
        try mmxConvert(i, W.self) { (b: B) -> R in f(b, immediate) }
    }
    @inline(__always) func mmxMask<B: Lanes>(_ i: borrowing Instruction, _ f: (B) -> UInt32) throws(Interruption) {
        try requireMMX()
        enterMMX()
        setGPR(Int(i.reg), size: 4, UInt64(f(B(XMM(mmx(i.rm), 0)))))
    }
    func mmxExtractWord(_ i: borrowing Instruction) throws(Interruption) {
        try requireMMX()
        enterMMX()
        setGPR(Int(i.reg), pextr(Words(XMM(mmx(i.rm), 0)), count(i) & 3))
    }
    func mmxInsertWord(_ i: borrowing Instruction) throws(Interruption) {
        try requireMMX()
        let b = try generalSource(i, UInt16.self)
        writeMMX(i.reg, pinsr(Words(XMM(mmx(i.reg), 0)), b, count(i) & 3).bits[0])
    }
    func mmxFromGeneral<W: Width>(_ i: borrowing Instruction, _: W.Type) throws(Interruption) {
        try requireMMX()
        writeMMX(i.reg, UInt64(try generalSource(i, W.self)))
    }
    func mmxToGeneral<W: Width>(_ i: borrowing Instruction, _: W.Type) throws(Interruption) {
        try requireMMX()
        turnTopForMMX()
        try setValue(.rm, i, W(truncatingIfNeeded: mmx(i.reg)))
        enterMMX()
    }
    /// MOVQ to a register or memory; MOVNTQ.
    func mmxStore(_ i: borrowing Instruction) throws(Interruption) {
        try requireMMX()
        guard i.hasMemory else { return writeMMX(i.rm, mmx(i.reg)) }
        turnTopForMMX()
        try setValue(.rm, i, mmx(i.reg))
        enterMMX()
    }
    func mmxLoad(_ i: borrowing Instruction) throws(Interruption) {
        try requireMMX()
        writeMMX(i.reg, try mmxSource(i, UInt64.self))
    }
    /// SDM 2B "MOVDQ2Q-Move Quadword From XMM to MMX Technology Register".
    func movdq2q(_ i: borrowing Instruction) throws(Interruption) {
        try requireVectors()
        try requireMMX()
        writeMMX(i.reg, xmm(Int(i.rm))[0])
    }
    /// SDM 2B "MOVQ2DQ-Move Quadword From MMX Technology to XMM Register".
    func movq2dq(_ i: borrowing Instruction) throws(Interruption) {
        try requireVectors()
        try requireMMX()
        enterMMX()
        setXMM(Int(i.reg), XMM(mmx(i.rm), 0))
    }
    /// SDM 2A "EMMS-Empty MMX Technology State".
    func emms(_ i: borrowing Instruction) throws(Interruption) {
        try requireMMX()
        enterMMX()
        system.fpu.tag = 0xFFFF
    }

    // MARK: Bytes under a mask

    /// SDM 2B "MASKMOVDQU-Store Selected Bytes of Double Quadword", "MASKMOVQ-Store Selected Bytes of Quadword": to
    /// DS:[rDI], DS may be overridden. Nothing is accessed when no byte is selected.
    func maskmov(_ i: borrowing Instruction, isMMX: Bool) throws(Interruption) {
        if isMMX { try requireMMX() } else { try requireVectors() }
        let mask = Bytes(isMMX ? XMM(mmx(i.rm), 0) : xmm(Int(i.rm)))
        let data = Bytes(isMMX ? XMM(mmx(i.reg), 0) : xmm(Int(i.reg)))
        let segment = i.prefixes.segmentOverride == Instruction.none ? SegmentIndex.ds : Int(i.prefixes.segmentOverride)
        let offset = gpr(GPR.rdi, size: Int(i.addressSize)), wrap = ~0 &>> UInt64(64 - 8 * Int(i.addressSize)) as UInt64
        // Every access before any write.
        for isProbe in [true, false] {
            for n in 0..<(isMMX ? 8 : 16) where mask[n] & 0x80 != 0 {
                let a = try linear(segment: segment, offset: (offset &+ UInt64(n)) & wrap, bytes: 1, .write)
                let stack = segment == SegmentIndex.ss
                if isProbe {
                    try probeWrite(a, bytes: 1, .current, stack: stack)
                } else {
                    try store(a, data[n], stack: stack)
                }
            }
        }
        if isMMX { enterMMX() }
    }
}
