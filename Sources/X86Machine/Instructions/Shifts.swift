// Shifts and rotates. The count is masked to 5 bits, 6 for 64-bit operands; a masked count of 0 changes nothing.
// What the SDM leaves undefined is listed at `UndefinedFlags`.

/// Flags that the SDM calls undefined, and what this machine does. Software must not depend on them;
/// tests against silicon mask them.
/// - AND, OR, XOR, TEST: AF is 0 (as silicon).
/// - Shifts: AF is 0. OF for counts other than 1 is what the last of as many one-bit shifts would leave;
///   CF of SHL and SHR for counts beyond the operand's width is 0.
/// - Rotates: OF for counts other than 1 is computed from the result as for 1.
/// - SHLD, SHRD: AF is 0, OF as for 1; a 16-bit count above 16 shifts destination:source:destination.
/// - MUL, IMUL: SF, ZF, PF from the low half, AF 0. DIV, IDIV: unchanged.
/// - BT, BTS, BTR, BTC: only CF changes. BSF, BSR: CF, OF, AF 0, SF and PF from the source; a source of 0 leaves
///   the destination (a 32-bit one zero-extended).
/// - CMPXCHG of a 32-bit register that is not equal: the register is written with itself, which clears its upper half.
/// - TZCNT, LZCNT: OF, SF, AF, PF 0. ANDN, BLSI, BLSR, BLSMSK, BZHI, BEXTR: AF 0, PF (BEXTR also SF) from the result.
/// - AAA, AAS: OF, SF, ZF, PF from the result AL. AAM, AAD: CF, OF, AF 0. DAA, DAS: OF 0.
enum UndefinedFlags {}

@inline(__always) private func masked<W: Width>(_ count: UInt8, _: W.Type) -> UInt64 {
    UInt64(count & (W.bitWidth == 64 ? 63 : 31))
}
@inline(__always) private func bit<W: Width>(_ a: W, _ n: Int) -> Bool { (a &>> W(truncatingIfNeeded: n)) & 1 != 0 }

/// SDM 2B "SAL/SAR/SHL/SHR-Shift".
@inline(__always) func shl<W: Width, F: FlagSink>(_ f: F, _ a: W, _ count: UInt8) -> W {
    let n = masked(count, W.self)
    guard n != 0 else { return a }
    let r: W, carry: Bool
    if W.bitWidth == 64 {
        r = a &<< W(truncatingIfNeeded: n)
        carry = (a &>> W(truncatingIfNeeded: 64 &- n)) & 1 != 0
    } else {
        let wide = UInt64(a) &<< n
        r = W(truncatingIfNeeded: wide)
        carry = wide &>> UInt64(W.bitWidth) & 1 != 0
    }
    f.set(r, carry: carry, overflow: r.isNegative != carry, adjust: false)
    return r
}
@inline(__always) func shr<W: Width, F: FlagSink>(_ f: F, _ a: W, _ count: UInt8) -> W {
    let n = masked(count, W.self)
    guard n != 0 else { return a }
    let before = UInt64(a) &>> (n &- 1)
    let r = W(truncatingIfNeeded: before &>> 1)
    f.set(r, carry: before & 1 != 0, overflow: n == 1 && a.isNegative, adjust: false)
    return r
}
@inline(__always) func sar<W: Width, F: FlagSink>(_ f: F, _ a: W, _ count: UInt8) -> W {
    let n = masked(count, W.self)
    guard n != 0 else { return a }
    let before = a.signExtended &>> Int64(n &- 1)
    let r = W(truncatingIfNeeded: before &>> 1)
    f.set(r, carry: before & 1 != 0, overflow: false, adjust: false)
    return r
}

/// SDM 2B "RCL/RCR/ROL/ROR-Rotate".
@inline(__always) func rol<W: Width, F: FlagSink>(_ f: F, _ a: W, _ count: UInt8) -> W {
    let n = masked(count, W.self)
    guard n != 0 else { return a }
    let r = a &<< W(truncatingIfNeeded: n) | a &>> W(truncatingIfNeeded: 0 &- n)
    f.set(carry: r & 1 != 0, overflow: r.isNegative != (r & 1 != 0))
    return r
}
@inline(__always) func ror<W: Width, F: FlagSink>(_ f: F, _ a: W, _ count: UInt8) -> W {
    let n = masked(count, W.self)
    guard n != 0 else { return a }
    let r = a &>> W(truncatingIfNeeded: n) | a &<< W(truncatingIfNeeded: 0 &- n)
    f.set(carry: r.isNegative, overflow: r.isNegative != bit(r, W.bitWidth - 2))
    return r
}
@inline(__always) func rcl<W: Width, F: FlagSink>(_ f: F, _ a: W, _ count: UInt8) -> W {
    var n = masked(count, W.self)
    guard n != 0 else { return a }
    if W.bitWidth < 32 { n %= UInt64(W.bitWidth + 1) }
    var r = a, carry = f.carry
    for _ in 0..<n {
        let out = r.isNegative
        r = r &<< 1 | (carry ? 1 : 0)
        carry = out
    }
    f.set(carry: carry, overflow: r.isNegative != carry)
    return r
}
@inline(__always) func rcr<W: Width, F: FlagSink>(_ f: F, _ a: W, _ count: UInt8) -> W {
    var n = masked(count, W.self)
    guard n != 0 else { return a }
    if W.bitWidth < 32 { n %= UInt64(W.bitWidth + 1) }
    var r = a, carry = f.carry
    for _ in 0..<n {
        let out = r & 1 != 0
        r = r &>> 1 | (carry ? 1 &<< W(W.bitWidth - 1) : 0)
        carry = out
    }
    f.set(carry: carry, overflow: r.isNegative != bit(r, W.bitWidth - 2))
    return r
}

/// SDM 2B "SHLD-Double Precision Shift Left".
@inline(__always) func shld<W: Width, F: FlagSink>(_ f: F, _ a: W, _ b: W, _ count: UInt8) -> W {
    let n = masked(count, W.self)
    guard n != 0 else { return a }
    let r: W, carry: Bool
    if W.bitWidth == 16 {
        let wide = UInt64(a) &<< 32 | UInt64(b) &<< 16 | UInt64(a)
        r = W(truncatingIfNeeded: (wide &<< n) &>> 32)
        carry = wide &>> (48 &- n) & 1 != 0
    } else {
        let k = W(truncatingIfNeeded: n), rest = W(truncatingIfNeeded: UInt64(W.bitWidth) &- n)
        r = a &<< k | b &>> rest
        carry = a &>> rest & 1 != 0
    }
    f.set(r, carry: carry, overflow: (r ^ a).isNegative, adjust: false)
    return r
}
/// SDM 2B "SHRD-Double Precision Shift Right".
@inline(__always) func shrd<W: Width, F: FlagSink>(_ f: F, _ a: W, _ b: W, _ count: UInt8) -> W {
    let n = masked(count, W.self)
    guard n != 0 else { return a }
    let r: W
    if W.bitWidth == 16 {
        let wide = UInt64(a) &<< 32 | UInt64(b) &<< 16 | UInt64(a)
        r = W(truncatingIfNeeded: wide &>> n)
        f.set(r, carry: wide &>> (n &- 1) & 1 != 0, overflow: (r ^ a).isNegative, adjust: false)
        return r
    }
    let k = W(truncatingIfNeeded: n), rest = W(truncatingIfNeeded: UInt64(W.bitWidth) &- n)
    r = a &>> k | b &<< rest
    f.set(r, carry: a &>> (k &- 1) & 1 != 0, overflow: (r ^ a).isNegative, adjust: false)
    return r
}
