// Stack and control transfer forms. Fast ones exist for a flat stack as wide as the operand: 64-bit mode with 64-bit
// operands, 32-bit code with a 32-bit flat stack and 32-bit operands. Others run out of line.
import CEngineState

extension Step {
    /// Where a push of `W` would write.
    @inline(__always) func pushAddress<W: Width>(_: W.Type) -> UInt64 {
        UInt64((read(StateOffset.rsp) as W) &- W(W.bytes))
    }
    @inline(__always) func stackTop<W: Width>(_: W.Type) -> UInt64 { UInt64(read(StateOffset.rsp) as W) }
    @inline(__always) func setStackPointer<W: Width>(_: W.Type, _ value: UInt64) {
        W.write(file, StateOffset.rsp, W(truncatingIfNeeded: value))
    }
}

// MARK: Stack

@inline(__always) func push<W: Width>(_ s: Step, _: W.Type, _ value: W) -> Flow {
    let ea = s.pushAddress(W.self)
    guard Fast.store(s, ea, value) else { return s.miss() }
    s.setStackPointer(W.self, ea)
    return s.next()
}
@inline(__always) func push_m<W: Width>(_ s: Step, _ source: UInt64, _: W.Type) -> Flow {
    guard let value = Fast.load(s, source, W.self) else { return s.miss() }
    return push(s, W.self, value)
}
@inline(__always) func pop_r<W: Width>(_ s: Step, _: W.Type) -> Flow {
    let ea = s.stackTop(W.self)
    guard let value = Fast.load(s, ea, W.self) else { return s.miss() }
    s.setStackPointer(W.self, ea &+ UInt64(W.bytes))
    s.setDst(value)
    return s.next()
}
/// rSP = rBP, then POP rBP.
@inline(__always) func leave_<W: Width>(_ s: Step, _: W.Type) -> Flow {
    let ea = UInt64(s.read(StateOffset.rbp) as W)
    guard let value = Fast.load(s, ea, W.self) else { return s.miss() }
    s.setStackPointer(W.self, ea &+ UInt64(W.bytes))
    W.write(s.file, StateOffset.rbp, value)
    return s.next()
}

// MARK: Direct branches. The link slots follow the micro-op: taken, then not taken.

@inline(__always) func branch(_ s: Step, _ cc: UInt8) -> Flow {
    if s.cpu.pointee.condition(cc) { return s.follow(1) } else { return s.follow(2) }
}
/// Compare and branch in one: the branch's own micro-op, for out-of-line execution, is skipped.
@inline(__always) func fused<W: Width>(
    _ s: Step, _: W.Type, _ b: W, _ cc: UInt8, _ f: (LiveFlags, W, W) -> Void
) -> Flow {
    f(LiveFlags(s.cpu), s.dst(), b)
    if s.cpu.pointee.condition(cc) { return s.follow(2) } else { return s.follow(3) }
}
@inline(__always) func fused_m<W: Width>(
    _ s: Step, _ ea: UInt64, _: W.Type, _ b: W, _ cc: UInt8, _ f: (LiveFlags, W, W) -> Void
) -> Flow {
    guard let a = Fast.load(s, ea, W.self) else { return s.miss() }
    f(LiveFlags(s.cpu), a, b)
    if s.cpu.pointee.condition(cc) { return s.follow(2) } else { return s.follow(3) }
}
@inline(__always) func jump(_ s: Step) -> Flow { s.follow(1) }
@inline(__always) func jumpAcross(_ s: Step) -> Flow { s.cross() }
/// The immediate is the return address.
@inline(__always) func call<W: Width>(_ s: Step, _: W.Type) -> Flow {
    let ea = s.pushAddress(W.self)
    guard Fast.store(s, ea, s.imm() as W) else { return s.miss() }
    s.setStackPointer(W.self, ea)
    return s.follow(1)
}
@inline(__always) func callAcross<W: Width>(_ s: Step, _: W.Type) -> Flow {
    let ea = s.pushAddress(W.self)
    guard Fast.store(s, ea, s.imm() as W) else { return s.miss() }
    s.setStackPointer(W.self, ea)
    return s.cross()
}

// MARK: Indirect branches. A target that the jump cache holds is one that may be jumped to; others go out of line,
// where they are checked before anything is written.

@inline(__always) func ret<W: Width>(_ s: Step, _: W.Type) -> Flow {
    let ea = s.stackTop(W.self)
    guard let target = Fast.load(s, ea, W.self) else { return s.miss() }
    let entry = s.jumpEntry(UInt64(target))
    guard _fastPath(entry.pointee.rip == UInt64(target)) else { return s.miss() }
    s.setStackPointer(W.self, ea &+ UInt64(W.bytes))
    return s.enter(entry)
}
@inline(__always) func jumpTo<W: Width>(_ s: Step, _ target: W) -> Flow {
    let entry = s.jumpEntry(UInt64(target))
    guard _fastPath(entry.pointee.rip == UInt64(target)) else { return s.miss() }
    return s.enter(entry)
}
@inline(__always) func jumpTo_m<W: Width>(_ s: Step, _ ea: UInt64, _: W.Type) -> Flow {
    guard let target = Fast.load(s, ea, W.self) else { return s.miss() }
    return jumpTo(s, target)
}
@inline(__always) func callTo<W: Width>(_ s: Step, _ target: W) -> Flow {
    let entry = s.jumpEntry(UInt64(target))
    guard _fastPath(entry.pointee.rip == UInt64(target)) else { return s.miss() }
    let ea = s.pushAddress(W.self)
    guard Fast.store(s, ea, s.imm() as W) else { return s.miss() }
    s.setStackPointer(W.self, ea)
    return s.enter(entry)
}
@inline(__always) func callTo_m<W: Width>(_ s: Step, _ ea: UInt64, _: W.Type) -> Flow {
    guard let target = Fast.load(s, ea, W.self) else { return s.miss() }
    return callTo(s, target)
}
