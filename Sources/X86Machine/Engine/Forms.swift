// Each operand form once: how a handler reads and writes its operands around a semantic function.
// r register, i immediate, c CL, m memory; the first letter is the destination. Every access comes before any write.
// A memory form whose access misses writes nothing and executes out of line instead.
import CEngineState

// MARK: First operand read and written

@inline(__always) func rr<W: Width, F: FlagSink>(_ s: Step, _: W.Type, _: F.Type, _ f: (F, W, W) -> W) -> Flow {
    s.setDst(f(F(s.cpu), s.dst(), s.src()))
    return s.next()
}
@inline(__always) func ri<W: Width, F: FlagSink>(_ s: Step, _: W.Type, _: F.Type, _ f: (F, W, W) -> W) -> Flow {
    s.setDst(f(F(s.cpu), s.dst(), s.imm()))
    return s.next()
}
@inline(__always) func rm<W: Width, F: FlagSink>(
    _ s: Step, _ ea: UInt64, _: W.Type, _: F.Type, _ f: (F, W, W) -> W
) -> Flow {
    guard let b = Fast.load(s, ea, W.self) else { return s.miss() }
    s.setDst(f(F(s.cpu), s.dst(), b))
    return s.next()
}
@inline(__always) func mr<W: Width, F: FlagSink>(
    _ s: Step, _ ea: UInt64, _: W.Type, _: F.Type, _ f: (F, W, W) -> W
) -> Flow {
    guard let a = Fast.loadToModify(s, ea, W.self) else { return s.miss() }
    Fast.modify(s, ea, f(F(s.cpu), a, s.src()))
    return s.next()
}
@inline(__always) func mi<W: Width, F: FlagSink>(
    _ s: Step, _ ea: UInt64, _: W.Type, _: F.Type, _ f: (F, W, W) -> W
) -> Flow {
    guard let a = Fast.loadToModify(s, ea, W.self) else { return s.miss() }
    Fast.modify(s, ea, f(F(s.cpu), a, s.imm()))
    return s.next()
}
@inline(__always) func r<W: Width, F: FlagSink>(_ s: Step, _: W.Type, _: F.Type, _ f: (F, W) -> W) -> Flow {
    s.setDst(f(F(s.cpu), s.dst()))
    return s.next()
}
@inline(__always) func m<W: Width, F: FlagSink>(
    _ s: Step, _ ea: UInt64, _: W.Type, _: F.Type, _ f: (F, W) -> W
) -> Flow {
    guard let a = Fast.loadToModify(s, ea, W.self) else { return s.miss() }
    Fast.modify(s, ea, f(F(s.cpu), a))
    return s.next()
}

// MARK: Both operands only read

@inline(__always) func rr<W: Width, F: FlagSink>(_ s: Step, _: W.Type, _: F.Type, _ f: (F, W, W) -> Void) -> Flow {
    f(F(s.cpu), s.dst(), s.src())
    return s.next()
}
@inline(__always) func ri<W: Width, F: FlagSink>(_ s: Step, _: W.Type, _: F.Type, _ f: (F, W, W) -> Void) -> Flow {
    f(F(s.cpu), s.dst(), s.imm())
    return s.next()
}
@inline(__always) func rm<W: Width, F: FlagSink>(
    _ s: Step, _ ea: UInt64, _: W.Type, _: F.Type, _ f: (F, W, W) -> Void
) -> Flow {
    guard let b = Fast.load(s, ea, W.self) else { return s.miss() }
    f(F(s.cpu), s.dst(), b)
    return s.next()
}
@inline(__always) func mr<W: Width, F: FlagSink>(
    _ s: Step, _ ea: UInt64, _: W.Type, _: F.Type, _ f: (F, W, W) -> Void
) -> Flow {
    guard let a = Fast.load(s, ea, W.self) else { return s.miss() }
    f(F(s.cpu), a, s.src())
    return s.next()
}
@inline(__always) func mi<W: Width, F: FlagSink>(
    _ s: Step, _ ea: UInt64, _: W.Type, _: F.Type, _ f: (F, W, W) -> Void
) -> Flow {
    guard let a = Fast.load(s, ea, W.self) else { return s.miss() }
    f(F(s.cpu), a, s.imm())
    return s.next()
}

// MARK: First operand only written

@inline(__always) func rr<W: Width, V: Width>(_ s: Step, _: W.Type, _: V.Type, _ f: (V) -> W) -> Flow {
    s.setDst(f(s.src()))
    return s.next()
}
@inline(__always) func ri<W: Width, V: Width>(_ s: Step, _: W.Type, _: V.Type, _ f: (V) -> W) -> Flow {
    s.setDst(f(s.imm()))
    return s.next()
}
@inline(__always) func rm<W: Width, V: Width>(_ s: Step, _ ea: UInt64, _: W.Type, _: V.Type, _ f: (V) -> W) -> Flow {
    guard let b = Fast.load(s, ea, V.self) else { return s.miss() }
    s.setDst(f(b))
    return s.next()
}
@inline(__always) func mr<W: Width, V: Width>(_ s: Step, _ ea: UInt64, _: W.Type, _: V.Type, _ f: (V) -> W) -> Flow {
    guard Fast.store(s, ea, f(s.src())) else { return s.miss() }
    return s.next()
}
@inline(__always) func mi<W: Width, V: Width>(_ s: Step, _ ea: UInt64, _: W.Type, _: V.Type, _ f: (V) -> W) -> Flow {
    guard Fast.store(s, ea, f(s.imm())) else { return s.miss() }
    return s.next()
}
@inline(__always) func lea<W: Width>(_ s: Step, _ ea: UInt64, _: W.Type) -> Flow {
    s.setDst(W(truncatingIfNeeded: ea))
    return s.next()
}

// MARK: Counts and third operands

@inline(__always) func shiftImmediate<W: Width, F: FlagSink>(
    _ s: Step, _: W.Type, _: F.Type, _ f: (F, W, UInt8) -> W
) -> Flow {
    s.setDst(f(F(s.cpu), s.dst(), s.imm()))
    return s.next()
}
@inline(__always) func shiftCL<W: Width, F: FlagSink>(
    _ s: Step, _: W.Type, _: F.Type, _ f: (F, W, UInt8) -> W
) -> Flow {
    s.setDst(f(F(s.cpu), s.dst(), UInt8(truncatingIfNeeded: s.cpu.pointee.regs.1)))
    return s.next()
}
@inline(__always) func doubleShiftImmediate<W: Width, F: FlagSink>(
    _ s: Step, _: W.Type, _: F.Type, _ f: (F, W, W, UInt8) -> W
) -> Flow {
    s.setDst(f(F(s.cpu), s.dst(), s.src(), s.imm()))
    return s.next()
}
@inline(__always) func rri<W: Width, F: FlagSink>(_ s: Step, _: W.Type, _: F.Type, _ f: (F, W, W) -> W) -> Flow {
    s.setDst(f(F(s.cpu), s.src(), s.imm()))
    return s.next()
}
@inline(__always) func rmi<W: Width, F: FlagSink>(
    _ s: Step, _ ea: UInt64, _: W.Type, _: F.Type, _ f: (F, W, W) -> W
) -> Flow {
    guard let a = Fast.load(s, ea, W.self) else { return s.miss() }
    s.setDst(f(F(s.cpu), a, s.imm()))
    return s.next()
}

// MARK: Fixed registers

/// rDX:rAX = rAX * operand, W of 16 bits and more.
@inline(__always) func multiply<W: Width>(_ s: Step, _: W.Type, _ f: (LiveFlags, W, W) -> (low: W, high: W)) -> Flow {
    let p = f(LiveFlags(s.cpu), s.read(0), s.dst())
    W.write(s.file, 0, p.low)
    W.write(s.file, 16, p.high)
    return s.next()
}
/// rAX, rDX = rDX:rAX / operand; a quotient that does not fit goes out of line, where it raises #DE.
@inline(__always) func divide<W: Width>(_ s: Step, _: W.Type, _ f: (W, W, W) -> (quotient: W, remainder: W)?) -> Flow {
    let high: W = s.read(16), low: W = s.read(0), divisor: W = s.dst()
    // 128-bit dividends go out of line, too: the library call would cost every handler a frame.
    if W.bitWidth == 64 && high != (low.isNegative ? W.max : 0) && high != 0 { return s.miss() }
    guard let (quotient, remainder) = f(high, low, divisor) else { return s.miss() }
    W.write(s.file, 0, quotient)
    W.write(s.file, 16, remainder)
    return s.next()
}
/// CBW, CWDE, CDQE: the accumulator's lower half sign-extended.
@inline(__always) func extendAccumulator<W: Width, V: Width>(_ s: Step, _: W.Type, _: V.Type) -> Flow {
    W.write(s.file, 0, movsx(s.read(0) as V))
    return s.next()
}
/// CWD, CDQ, CQO: the accumulator's sign in rDX.
@inline(__always) func extendIntoDX<W: Width>(_ s: Step, _: W.Type) -> Flow {
    W.write(s.file, 16, (s.read(0) as W).isNegative ? W.max : 0)
    return s.next()
}

// MARK: Exchanges

@inline(__always) func xchg_rr<W: Width>(_ s: Step, _: W.Type) -> Flow {
    let a: W = s.dst(), b: W = s.src()
    W.write(s.file, s.op.pointee.dst, b)
    W.write(s.file, s.op.pointee.src, a)
    return s.next()
}
@inline(__always) func xchg_mr<W: Width>(_ s: Step, _ ea: UInt64, _: W.Type) -> Flow {
    guard let a = Fast.loadToModify(s, ea, W.self) else { return s.miss() }
    Fast.modify(s, ea, s.src() as W)
    W.write(s.file, s.op.pointee.src, a)
    return s.next()
}
@inline(__always) func xadd_mr<W: Width>(_ s: Step, _ ea: UInt64, _: W.Type) -> Flow {
    guard let a = Fast.loadToModify(s, ea, W.self) else { return s.miss() }
    Fast.modify(s, ea, add(LiveFlags(s.cpu), a, s.src()))
    W.write(s.file, s.op.pointee.src, a)
    return s.next()
}
/// The destination is written either way (SDM 2A "CMPXCHG-Compare and Exchange"); the accumulator only if unequal.
@inline(__always) func cmpxchg_mr<W: Width>(_ s: Step, _ ea: UInt64, _: W.Type) -> Flow {
    guard let a = Fast.loadToModify(s, ea, W.self) else { return s.miss() }
    let accumulator: W = s.read(0)
    cmp(LiveFlags(s.cpu), accumulator, a)
    if accumulator == a { Fast.modify(s, ea, s.src() as W) } else { W.write(s.file, 0, a) }
    return s.next()
}

// MARK: Conditions

/// A 32-bit CMOV clears the upper half even when the condition is false (SDM 2A "CMOVcc-Conditional Move").
@inline(__always) func cmov_rr<W: Width>(_ s: Step, _: W.Type, _ cc: UInt8) -> Flow {
    let a: W = s.dst(), b: W = s.src()
    s.setDst(s.cpu.pointee.condition(cc) ? b : a)
    return s.next()
}
/// The load happens, and can fault, whatever the condition.
@inline(__always) func cmov_rm<W: Width>(_ s: Step, _ ea: UInt64, _: W.Type, _ cc: UInt8) -> Flow {
    guard let b = Fast.load(s, ea, W.self) else { return s.miss() }
    let a: W = s.dst()
    s.setDst(s.cpu.pointee.condition(cc) ? b : a)
    return s.next()
}
@inline(__always) func set_r(_ s: Step, _ cc: UInt8) -> Flow {
    s.setDst(s.cpu.pointee.condition(cc) ? 1 : 0 as UInt8)
    return s.next()
}
