// Operand forms of SSE's floating-point instructions, out of line.
import CEngineState
import X86Architecture
import X86Decoder

extension SIMD2 where Scalar == UInt64 {
    @inline(__always) func element<T: FixedWidthInteger & UnsignedInteger>(_ n: Int, _: T.Type) -> T {
        let perWord = 64 / T.bitWidth
        return T(truncatingIfNeeded: self[n / perWord] &>> UInt64(n % perWord * T.bitWidth))
    }
    @inline(__always) mutating func setElement<T: FixedWidthInteger & UnsignedInteger>(_ n: Int, _ value: T) {
        let perWord = 64 / T.bitWidth, at = UInt64(n % perWord * T.bitWidth), mask = UInt64(T.max) &<< at
        self[n / perWord] = self[n / perWord] & ~mask | UInt64(value) &<< at
    }
}

/// What becomes of the elements of the destination that no result belongs to.
enum OtherElements { case keep, clear }

extension Processor {
    var floatEnvironment: FloatEnvironment { FloatEnvironment(mxcsr: cpu.pointee.mxcsr) }

    /// Sets the flags and raises what is not masked: SDM 1 11.5.2 "SIMD Floating-Point Exception Conditions".
    func commit(_ e: FloatEnvironment) throws(Interruption) {
        cpu.pointee.mxcsr |= UInt32(e.raised)
        guard e.isUnmasked else { return }
        let isReported = system.cr4 & CR4.osxmmexcpt != 0
        throw .exception(isReported ? Exception(vector: Vector.simdException) : .invalidOpcode)
    }

    /// The first `count` elements of both operands, one result for each.
    @inline(__always) func floatElements<M: VectorMemory, A: FixedWidthInteger & UnsignedInteger, R>(
        _ i: borrowing Instruction, _: M.Type, _ count: Int, _ others: OtherElements,
        _ f: (inout FloatEnvironment, A, A) -> R
    ) throws(Interruption) where R: FixedWidthInteger & UnsignedInteger {
        try requireVectors()
        let b = try vectorSource(i, M.self), a = xmm(Int(i.reg))
        var e = floatEnvironment, result = others == .keep ? a : XMM(0, 0)
        for n in 0..<count {
            let x = a.element(n, A.self), y = b.element(n, A.self)
            result.setElement(n, f(&e, x, y))
        }
        try commit(e)
        setXMM(Int(i.reg), result)
    }

    /// SDM 2A "HADDPS-Packed Single Precision Floating-Point Horizontal Add", HSUBPS; the same for double precision.
    @inline(__always) func floatNeighbours<A: FixedWidthInteger & UnsignedInteger>(
        _ i: borrowing Instruction, _ f: (inout FloatEnvironment, A, A) -> A
    ) throws(Interruption) {
        try requireVectors()
        let b = try vectorSource(i, Aligned.self), a = xmm(Int(i.reg)), half = 64 / A.bitWidth
        var e = floatEnvironment, result = XMM(0, 0)
        for n in 0..<2 * half {
            let from = n < half ? a : b, k = n < half ? 2 * n : 2 * (n - half)
            let x = from.element(k, A.self), y = from.element(k + 1, A.self)
            result.setElement(n, f(&e, x, y))
        }
        try commit(e)
        setXMM(Int(i.reg), result)
    }
    /// SDM 2A "ADDSUBPS-Packed Single Precision Floating-Point Add/Subtract", ADDSUBPD.
    @inline(__always) func floatAddSubtract<F: ElementFormat>(
        _ i: borrowing Instruction, _: F.Type
    ) throws(Interruption) {
        try requireVectors()
        let b = try vectorSource(i, Aligned.self)
        var e = floatEnvironment, result = xmm(Int(i.reg))
        for n in 0..<128 / F.Bits.bitWidth {
            let x = result.element(n, F.Bits.self), y = b.element(n, F.Bits.self)
            result.setElement(n, n & 1 == 0 ? e.subtract(x, y, F.self) : e.add(x, y, F.self))
        }
        try commit(e)
        setXMM(Int(i.reg), result)
    }
    /// SDM 2A "DPPS-Dot Product of Packed Single Precision Floating-Point Values", DPPD: products, then sums of
    /// neighbours; each stage raises what it finds. Every element has its own sum: of two NaNs it gets the first
    /// operand's, and which that is differs (measured on family 6, model CFH).
    @inline(__always) func floatDotProduct<F: ElementFormat>(
        _ i: borrowing Instruction, _: F.Type
    ) throws(Interruption) {
        try requireVectors()
        let b = try vectorSource(i, Aligned.self), a = xmm(Int(i.reg)), count = 128 / F.Bits.bitWidth
        var terms = XMM(0, 0), e = floatEnvironment
        for n in 0..<count where i.immediate &>> UInt64(4 + n) & 1 != 0 {
            let x = a.element(n, F.Bits.self), y = b.element(n, F.Bits.self)
            terms.setElement(n, e.multiply(x, y, F.self))
        }
        try commit(e)
        var distance = 1
        while distance < count {
            let isSwapped = count == 4 && distance == 1
            var sums = XMM(0, 0)
            e = floatEnvironment
            for n in 0..<count {
                let x = terms.element(n, F.Bits.self), y = terms.element(n ^ distance, F.Bits.self)
                sums.setElement(n, isSwapped ? e.add(y, x, F.self) : e.add(x, y, F.self))
            }
            try commit(e)
            terms = sums
            distance *= 2
        }
        var result = XMM(0, 0)
        for n in 0..<count where i.immediate &>> UInt64(n) & 1 != 0 {
            result.setElement(n, terms.element(n, F.Bits.self))
        }
        setXMM(Int(i.reg), result)
    }

    /// SDM 2A "COMISS-Compare Scalar Ordered Single Precision Floating-Point Values and Set EFLAGS", UCOMISS.
    @inline(__always) func floatCompare<M: VectorMemory, F: ElementFormat>(
        _ i: borrowing Instruction, _: M.Type, _: F.Type, isSignalling: Bool
    ) throws(Interruption) {
        try requireVectors()
        let y = try vectorSource(i, M.self).element(0, F.Bits.self), x = xmm(Int(i.reg)).element(0, F.Bits.self)
        var e = floatEnvironment
        let order = e.compare(x, y, F.self, isSignalling: isSignalling)
        try commit(e)
        let result = switch order {
        case .unordered: RFLAGS.zero | RFLAGS.parity | RFLAGS.carry
        case .less: RFLAGS.carry
        case .equal: RFLAGS.zero
        case .greater: 0 as UInt64
        }
        liveFlags.set(all: result)
    }

    // MARK: Conversions from and to general and MMX registers

    @inline(__always) func floatFromGeneral<W: Width, F: ElementFormat>(
        _ i: borrowing Instruction, _: W.Type, _: F.Type
    ) throws(Interruption) {
        try requireVectors()
        let source = try value(.rm, i, W.self)
        var e = floatEnvironment, result = xmm(Int(i.reg))
        result.setElement(0, e.convert(integer: source.signExtended, to: F.self))
        try commit(e)
        setXMM(Int(i.reg), result)
    }
    @inline(__always) func floatToGeneral<M: VectorMemory, F: ElementFormat, I: FixedWidthInteger & SignedInteger>(
        _ i: borrowing Instruction, _: M.Type, _: F.Type, _: I.Type, truncates: Bool
    ) throws(Interruption) {
        try requireVectors()
        let x = try vectorSource(i, M.self).element(0, F.Bits.self)
        var e = floatEnvironment
        let result = e.integer(x, F.self, as: I.self, truncates: truncates)
        try commit(e)
        setGPR(Int(i.reg), size: I.bitWidth / 8, UInt64(truncatingIfNeeded: result))
    }
    /// Two doublewords of an MMX register or memory. With a memory operand the x87 state is left alone: so SDM 2A
    /// "CVTPI2PD-Convert Packed Dword Integers to Packed Double Precision Floating-Point Values"; CVTPI2PS does the
    /// same (measured on processors of both vendors), whatever its page says.
    @inline(__always) func floatFromMMX<F: ElementFormat>(_ i: borrowing Instruction, _: F.Type) throws(Interruption) {
        try requireVectors()
        if !i.hasMemory {
            try requireMMX()
            enterMMX()
        }
        let source = XMM(i.hasMemory ? try value(.rm, i, UInt64.self) : mmx(i.rm), 0)
        var e = floatEnvironment, result = xmm(Int(i.reg))
        for n in 0..<2 {
            let x = Int64(Int32(bitPattern: source.element(n, UInt32.self)))
            result.setElement(n, e.convert(integer: x, to: F.self))
        }
        try commit(e)
        setXMM(Int(i.reg), result)
    }
    /// MMX state is entered when the source has been read, and stays when the conversion faults (measured on processors
    /// of both vendors).
    @inline(__always) func floatToMMX<M: VectorMemory, F: ElementFormat>(
        _ i: borrowing Instruction, _: M.Type, _: F.Type, truncates: Bool
    ) throws(Interruption) {
        try requireVectors()
        try requireMMX()
        let b = try vectorSource(i, M.self)
        enterMMX()
        var e = floatEnvironment, result = XMM(0, 0)
        for n in 0..<2 {
            let x = b.element(n, F.Bits.self)
            let value = e.integer(x, F.self, as: Int32.self, truncates: truncates)
            result.setElement(n, UInt32(bitPattern: value))
        }
        try commit(e)
        setMMX(i.reg, result[0])
    }
}
