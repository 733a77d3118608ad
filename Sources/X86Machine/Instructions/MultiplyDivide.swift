// Multiplication and division.

/// SDM 2B "MUL-Unsigned Multiply".
@inline(__always) func mul<W: Width, F: FlagSink>(_ f: F, _ a: W, _ b: W) -> (low: W, high: W) {
    let p = a.multipliedFullWidth(by: b)
    f.set(p.low, carry: p.high != 0, overflow: p.high != 0, adjust: false)
    return (p.low, p.high)
}
/// SDM 2A "IMUL-Signed Multiply", one operand.
@inline(__always) func imul1<W: Width, F: FlagSink>(_ f: F, _ a: W, _ b: W) -> (low: W, high: W) {
    let low: W, high: W
    if W.bitWidth == 64 {
        let p = a.signExtended.multipliedFullWidth(by: b.signExtended)
        low = W(truncatingIfNeeded: p.low)
        high = W(truncatingIfNeeded: p.high)
    } else {
        let p = a.signExtended &* b.signExtended
        low = W(truncatingIfNeeded: p)
        high = W(truncatingIfNeeded: p &>> Int64(W.bitWidth))
    }
    let over = high != (low.isNegative ? W.max : 0)
    f.set(low, carry: over, overflow: over, adjust: false)
    return (low, high)
}
/// SDM 2A "IMUL-Signed Multiply", two and three operands.
@inline(__always) func imul<W: Width, F: FlagSink>(_ f: F, _ a: W, _ b: W) -> W {
    let (p, o) = a.signExtended.multipliedReportingOverflow(by: b.signExtended)
    let r = W(truncatingIfNeeded: p)
    let over = o || r.signExtended != p
    f.set(r, carry: over, overflow: over, adjust: false)
    return r
}
/// SDM 2A "DIV-Unsigned Divide"; nil: #DE.
@inline(__always) func div<W: Width>(_ high: W, _ low: W, _ divisor: W) -> (quotient: W, remainder: W)? {
    guard divisor > high else { return nil }
    if W.bitWidth < 64 {
        let dividend = UInt64(high) &<< UInt64(W.bitWidth) | UInt64(low), d = UInt64(divisor)
        return (W(truncatingIfNeeded: dividend / d), W(truncatingIfNeeded: dividend % d))
    }
    if high == 0 { return (low / divisor, low % divisor) }
    return wideDivide(high, low, divisor)
}
/// Out of line: 128 by 64 bits needs a library call.
@inline(never) private func wideDivide<W: Width>(_ high: W, _ low: W, _ divisor: W) -> (quotient: W, remainder: W) {
    let (q, r) = divisor.dividingFullWidth((high, low))
    return (q, r)
}
/// SDM 2A "IDIV-Signed Divide"; nil: #DE.
@inline(__always) func idiv<W: Width>(_ high: W, _ low: W, _ divisor: W) -> (quotient: W, remainder: W)? {
    guard divisor != 0 else { return nil }
    let isNegative = high.isNegative, opposite = isNegative != divisor.isNegative
    // Magnitudes, then signs: the quotient truncates toward 0, the remainder has the dividend's sign.
    let lowMagnitude = isNegative ? 0 &- low : low
    let highMagnitude = isNegative ? ~high &+ (low == 0 ? 1 : 0) : high
    let d = divisor.isNegative ? 0 &- divisor : divisor
    guard let (q, r) = div(highMagnitude, lowMagnitude, d) else { return nil }
    let limit: W = 1 &<< W(W.bitWidth - 1)
    guard opposite ? q <= limit : q < limit else { return nil }
    return (opposite ? 0 &- q : q, isNegative ? 0 &- r : r)
}
