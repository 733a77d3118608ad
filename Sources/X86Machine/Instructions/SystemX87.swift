import X86Architecture
import X86Decoder

/// x87 instructions: operands, faults, and the pointers of the last instruction. SDM 1 chapter 8, SDM 2A. What they
/// compute
/// is in FloatingPoint/X87*.swift; loads, stores and control are in SystemX87Memory.swift and SystemFPUState.swift.
extension SystemInstructions {
    /// ST(i) of the encoding; REX.B does not matter.
    private static func st(_ i: borrowing Instruction) -> Int { Int(i.rm & 7) }
    /// The reg field of the ModRM byte, where it extends the opcode.
    static func extension87(_ i: borrowing Instruction) -> UInt8 { i.reg & 7 }

    /// A waiting instruction that changes only the x87 state.
    static func x87(
        _ p: Processor, _ i: borrowing Instruction, _ body: (inout FPUState) -> Void
    ) throws(Interruption) {
        try checkWaitingX87(p)
        body(&p.system.fpu)
        noteX87(p, i)
    }
    /// One that has memory or ST(i) as its source; nil: an empty register.
    private static func x87Source(
        _ p: Processor, _ i: borrowing Instruction, _ body: (inout FPUState, Real?) -> Void
    ) throws(Interruption) {
        try checkWaitingX87(p)
        let source = i.hasMemory ? try loadReal(p, i) : p.system.fpu.operand(st(i))
        body(&p.system.fpu, source)
        noteX87(p, i)
    }

    /// SDM 1 8.1.8 "x87 FPU Instruction and Data (Operand) Pointers" and 8.1.9 "Last Instruction Opcode": of the last
    /// instruction that is not a control instruction; the opcode only of one that raised an unmasked exception
    /// (IA32_MISC_ENABLE[2] is 0).
    static func noteX87(_ p: Processor, _ i: borrowing Instruction) {
        let selectors = (p.system.segments[SegmentIndex.cs].selector, p.system.segments[Int(i.segment)].selector)
        p.system.fpu.instructionPointer = p.cpu.pointee.rip
        p.system.fpu.instructionSelector = selectors.0
        if i.hasMemory {
            p.system.fpu.dataPointer = p.effectiveOffset(i)
            p.system.fpu.dataSelector = selectors.1
        }
        if p.system.fpu.status & FPUState.Status.errorSummary != 0 {
            p.system.fpu.opcode = UInt16(i.opcode & 7) << 8 | UInt16(i.modRM)
        }
    }

    // MARK: Arithmetic

    /// ST(0) with memory or ST(i) (D8, DA, DC and DE with memory); ST(i) with ST(0) (DC; DE, which pops).
    private static func arithmetic(
        _ p: Processor, _ i: borrowing Instruction, _ operation: FPUState.Operation
    ) throws(Interruption) {
        let opcode = i.opcode
        if i.hasMemory || opcode == 0xD8 {
            try x87Source(p, i) { fpu, source in fpu.combine(into: 0, with: source, operation) }
        } else {
            let (n, pops) = (st(i), opcode == 0xDE)
            try x87(p, i) { fpu in fpu.combine(into: n, with: fpu.operand(0), pops: pops, operation) }
        }
    }
    static func fadd(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try arithmetic(p, i) { e, a, b, f in e.add(a, b, to: f) }
    }
    static func fmul(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try arithmetic(p, i) { e, a, b, f in e.multiply(a, b, to: f) }
    }
    static func fsub(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try arithmetic(p, i) { e, a, b, f in e.subtract(a, b, to: f) }
    }
    static func fsubr(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try arithmetic(p, i) { e, a, b, f in e.subtract(b, a, to: f) }
    }
    static func fdiv(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try arithmetic(p, i) { e, a, b, f in e.divide(a, by: b, to: f) }
    }
    static func fdivr(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try arithmetic(p, i) { e, a, b, f in e.divide(b, by: a, to: f) }
    }
    static func fsqrt(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try x87(p, i) { fpu in fpu.change { e, a, f in e.squareRoot(a, to: f) } }
    }
    static func frndint(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try x87(p, i) { fpu in
            fpu.change { e, a, _ in
                e.noteDenormal(a)
                return e.roundToIntegral(a)
            }
        }
    }
    static func fprem(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try x87(p, i) { fpu in fpu.remainder(toNearest: false) }
    }
    static func fprem1(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try x87(p, i) { fpu in fpu.remainder(toNearest: true) }
    }
    static func fscale(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try x87(p, i) { fpu in fpu.scale() }
    }
    static func fxtract(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try x87(p, i) { fpu in fpu.extract() }
    }
    static func fchs(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try x87(p, i) { fpu in fpu.changeSign { $0 ^ 0x8000 } }
    }
    static func fabs(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try x87(p, i) { fpu in fpu.changeSign { $0 & 0x7FFF } }
    }

    // MARK: Comparison

    static func fcom(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try x87Source(p, i) { fpu, source in fpu.compare(with: source) }
    }
    static func fcomp(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try x87Source(p, i) { fpu, source in fpu.compare(with: source, pops: 1) }
    }
    static func fcompp(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try x87(p, i) { fpu in fpu.compare(with: fpu.operand(1), pops: 2) }
    }
    static func fucom(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try x87Source(p, i) { fpu, source in fpu.compare(with: source, isSignalling: false) }
    }
    static func fucomp(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try x87Source(p, i) { fpu, source in fpu.compare(with: source, isSignalling: false, pops: 1) }
    }
    static func fucompp(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try x87(p, i) { fpu in fpu.compare(with: fpu.operand(1), isSignalling: false, pops: 2) }
    }
    static func ftst(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try x87(p, i) { fpu in fpu.compare(with: .zero(false)) }
    }
    static func fxam(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try x87(p, i) { fpu in fpu.examine() }
    }
    /// FCOMI, FUCOMI (DB), FCOMIP, FUCOMIP (DF). OF, SF and AF are cleared.
    static func fcomi(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        let (isSignalling, pops) = (extension87(i) == 6, i.opcode == 0xDF)
        var flags = (z: false, p: false, c: false)
        try x87Source(p, i) { fpu, source in
            flags = fpu.compareToFlags(with: source, isSignalling: isSignalling, pops: pops)
        }
        p.rflags &= ~RFLAGS.arithmetic
        p.setFlag(RFLAGS.zero, flags.z)
        p.setFlag(RFLAGS.parity, flags.p)
        p.setFlag(RFLAGS.carry, flags.c)
    }
    /// FCMOVB, FCMOVE, FCMOVBE, FCMOVU (DA) and their opposites (DB).
    static func fcmov(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        let tested = [
            RFLAGS.carry, RFLAGS.zero, RFLAGS.carry | RFLAGS.zero, RFLAGS.parity
        ][Int(extension87(i) & 3)]
        let (condition, n) = ((p.rflags & tested != 0) == (i.opcode == 0xDA), st(i))
        try x87(p, i) { fpu in fpu.move(from: n, if: condition) }
    }

    // MARK: The stack

    static func fxch(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        let n = st(i)
        try x87(p, i) { fpu in fpu.exchange(n) }
    }
    static func fstpnce(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        let n = st(i)
        try x87(p, i) { fpu in fpu.copyTopUnchecked(to: n) }
    }
    static func ffree(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        let n = st(i)
        try x87(p, i) { fpu in fpu.free(n) }
    }
    /// Not in the SDM: FFREE ST(i), then a pop.
    static func ffreep(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        let n = st(i)
        try x87(p, i) { fpu in
            fpu.free(n)
            fpu.pop()
        }
    }
    static func fincstp(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try x87(p, i) { fpu in fpu.turnTop(by: 1) }
    }
    static func fdecstp(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try x87(p, i) { fpu in fpu.turnTop(by: -1) }
    }
    static func fnop(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try x87(p, i) { _ in }
    }
    /// What the 8087 and the 80287 had as FNENI, FNDISI and FNSETPM, without WAIT: they do nothing, and do not take
    /// a pending exception.
    static func fneni(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) { try checkX87(p) }

    // MARK: Constants

    static func fld1(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try x87(p, i) { fpu in fpu.push(exactly: FloatEnvironment.fromInteger(1)) }
    }
    static func fldz(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try x87(p, i) { fpu in fpu.push(exactly: .zero(false)) }
    }
    static func fldl2t(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try x87(p, i) { fpu in fpu.push(constant: FPUState.logarithmOf10) }
    }
    static func fldl2e(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try x87(p, i) { fpu in fpu.push(constant: FPUState.logarithmOfE) }
    }
    static func fldpi(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try x87(p, i) { fpu in fpu.push(constant: FPUState.pi) }
    }
    static func fldlg2(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try x87(p, i) { fpu in fpu.push(constant: FPUState.decimalLogarithmOf2) }
    }
    static func fldln2(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try x87(p, i) { fpu in fpu.push(constant: FPUState.naturalLogarithmOf2) }
    }
}
