import CEngineState
import X86Architecture
import X86Decoder

// BT, BTS, BTR, BTC with a register offset: in memory the offset selects any bit of a string around the operand.
extension Processor {
    /// SDM 1 figure 3-2 "Bit String": address = effective address + size * (offset DIV width), the offset signed.
    private func bitStringOperand<W: Width>(
        _ i: borrowing Instruction, _ offset: W, _ use: SegmentUse
    ) throws(Interruption) -> MemoryOperandAddress {
        let unit = (offset.signExtended &>> Int64(W.bitWidth.trailingZeroBitCount)) &* Int64(W.bytes)
        let sum = effectiveOffset(i) &+ UInt64(bitPattern: unit)
        let wrapped = sum & (~0 &>> UInt64(64 - 8 * Int(i.addressSize)))
        let linear = try linear(segment: Int(i.segment), offset: wrapped, bytes: W.bytes, use)
        return MemoryOperandAddress(linear: linear, stack: i.segment == SegmentIndex.ss)
    }
    @inline(__always) func testBit<W: Width>(
        _ i: borrowing Instruction, _: W.Type, _ f: (LiveFlags, W, W) -> Void
    ) throws(Interruption) {
        let offset = register(.reg, i, W.self)
        guard i.hasMemory else { return f(liveFlags, register(.rm, i, W.self), offset) }
        let a = try bitStringOperand(i, offset, .read)
        f(liveFlags, W(truncatingIfNeeded: try load(a, bytes: W.bytes)), offset)
    }
    @inline(__always) func changeBit<W: Width>(
        _ i: borrowing Instruction, _: W.Type, _ f: (LiveFlags, W, W) -> W
    ) throws(Interruption) {
        let offset = register(.reg, i, W.self)
        guard i.hasMemory else { return setRegister(.rm, i, f(liveFlags, register(.rm, i, W.self), offset)) }
        let a = try bitStringOperand(i, offset, .write)
        try probeWrite(a.linear, bytes: W.bytes, .current, stack: a.stack)
        let old = W(truncatingIfNeeded: try load(a, bytes: W.bytes))
        try store(a, bytes: W.bytes, UInt64(f(liveFlags, old, offset)))
    }
    /// SDM 2A "CRC32-Accumulate CRC32 Value": a 64-bit destination's upper half is cleared.
    @inline(__always) func accumulateCRC<V: Width>(_ i: borrowing Instruction, _: V.Type) throws(Interruption) {
        let b = try value(.rm, i, V.self)
        setRegister(.reg, i, crc32(register(.reg, i, UInt32.self), b))
    }
}
