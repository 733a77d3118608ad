import CEngineState
import X86Architecture
import X86Decoder

// Exchanges. With memory they are atomic, which one processor at a time always is.
extension Processor {
    /// SDM 2D "XCHG-Exchange Register/Memory With Register".
    @inline(__always) func xchg<W: Width>(
        _ i: borrowing Instruction, _: W.Type, _ d: Place, _ s: Place
    ) throws(Interruption) {
        let b = register(s, i, W.self)
        var old: W = 0
        try modify(d, i) { (a: W) in
            old = a; return b
        }
        setRegister(s, i, old)
    }
    /// SDM 2D "XADD-Exchange and Add". The sum wins when both operands are one register.
    @inline(__always) func xadd<W: Width>(_ i: borrowing Instruction, _: W.Type) throws(Interruption) {
        let b = register(.reg, i, W.self), flags = liveFlags
        guard i.hasMemory else {
            let a = register(.rm, i, W.self)
            setRegister(.reg, i, a)
            return setRegister(.rm, i, add(flags, a, b))
        }
        var old: W = 0
        try modify(.rm, i) { (a: W) in
            old = a; return add(flags, a, b)
        }
        setRegister(.reg, i, old)
    }
    /// SDM 2A "CMPXCHG-Compare and Exchange".
    @inline(__always) func cmpxchg<W: Width>(_ i: borrowing Instruction, _: W.Type) throws(Interruption) {
        let accumulator = register(.accumulator, i, W.self), b = register(.reg, i, W.self), flags = liveFlags
        // A register that differs is not written: bits 63:32 stay. Memory is written either way.
        guard i.hasMemory else {
            let a = register(.rm, i, W.self)
            cmp(flags, accumulator, a)
            return a == accumulator ? setRegister(.rm, i, b) : setRegister(.accumulator, i, a)
        }
        var old: W = 0
        try modify(.rm, i) { (a: W) in
            old = a
            cmp(flags, accumulator, a)
            return a == accumulator ? b : a
        }
        if old != accumulator { setRegister(.accumulator, i, old) }
    }
    /// SDM 2A "CMPXCHG8B/CMPXCHG16B-Compare and Exchange Bytes": ZF alone.
    func cmpxchg8b(_ i: borrowing Instruction) throws(Interruption) {
        let a = try operandToModify(.rm, i, bytes: 8)
        let old = try load(a, bytes: 8)
        let expected = gpr(2, size: 4) &<< 32 | gpr(0, size: 4), isEqual = old == expected
        try store(a, bytes: 8, isEqual ? gpr(1, size: 4) &<< 32 | gpr(3, size: 4) : old)
        if !isEqual {
            setGPR(0, size: 4, old & 0xffff_ffff)
            setGPR(2, size: 4, old &>> 32)
        }
        setZeroFlag(isEqual)
    }
    func cmpxchg16b(_ i: borrowing Instruction) throws(Interruption) {
        let a = try memoryOperand(.rm, i, bytes: 16, .write)
        guard a.linear.rawValue & 15 == 0 else { throw .exception(.generalProtection()) }
        try probeWrite(a.linear, bytes: 16, .current, stack: a.stack)
        let high = MemoryOperandAddress(linear: a.linear + 8, stack: a.stack)
        let oldLow = try load(a, bytes: 8), oldHigh = try load(high, bytes: 8)
        let isEqual = oldLow == gpr(0) && oldHigh == gpr(2)
        try store(a, bytes: 8, isEqual ? gpr(3) : oldLow)
        try store(high, bytes: 8, isEqual ? gpr(1) : oldHigh)
        if !isEqual {
            setGPR(0, oldLow)
            setGPR(2, oldHigh)
        }
        setZeroFlag(isEqual)
    }
    private func setZeroFlag(_ zero: Bool) {
        cpu.pointee.arithmeticFlags = cpu.pointee.arithmeticFlags & ~RFLAGS.zero | (zero ? RFLAGS.zero : 0)
    }
}
