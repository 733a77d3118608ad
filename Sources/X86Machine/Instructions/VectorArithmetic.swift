// Integer arithmetic of MMX, SSE2, SSSE3 and SSE4 on the lanes of a vector. A row's semantics column names a function
// here, with the type of the lanes where the function is generic (padd_u8). MMX forms use them on half a vector.

/// All ones or all zeros.
@inline(__always) private func mask<S: FixedWidthInteger>(_ condition: Bool) -> S { condition ? ~0 : 0 }

// MARK: Bits

/// SDM 2B "PAND-Logical AND"; ANDPS, ANDPD.
@inline(__always) func pand(_ a: XMM, _ b: XMM) -> XMM { a & b }
/// SDM 2B "PANDN-Logical AND NOT"; ANDNPS, ANDNPD.
@inline(__always) func pandn(_ a: XMM, _ b: XMM) -> XMM { ~a & b }
/// SDM 2B "POR-Bitwise Logical OR"; ORPS, ORPD.
@inline(__always) func por(_ a: XMM, _ b: XMM) -> XMM { a | b }
/// SDM 2B "PXOR-Logical Exclusive OR"; XORPS, XORPD.
@inline(__always) func pxor(_ a: XMM, _ b: XMM) -> XMM { a ^ b }
/// SDM 2B "PTEST-Logical Compare".
@inline(__always) func ptest(_ a: XMM, _ b: XMM) -> (zero: Bool, carry: Bool) {
    let both = a & b, only = ~a & b
    return (both[0] | both[1] == 0, only[0] | only[1] == 0)
}

// MARK: Sums

/// SDM 2B "PADDB/PADDW/PADDD/PADDQ-Add Packed Integers".
@inline(__always) func padd<L: Lanes>(_ a: L, _ b: L) -> L { a &+ b }
/// SDM 2B "PSUBB/PSUBW/PSUBD-Subtract Packed Integers", PSUBQ.
@inline(__always) func psub<L: Lanes>(_ a: L, _ b: L) -> L { a &- b }
@inline(__always) private func saturate<S: FixedWidthInteger>(
    _ r: (partialValue: S, overflow: Bool), _ isNegative: Bool
) -> S {
    r.overflow ? (isNegative ? S.min : S.max) : r.partialValue
}
/// SDM 2B "PADDSB/PADDSW-Add Packed Signed Integers with Signed Saturation", PADDUSB, PADDUSW.
@inline(__always) func padds<L: Lanes>(_ a: L, _ b: L) -> L {
    L.each(a, b) { saturate($0.addingReportingOverflow($1), $1 < 0) }
}
/// SDM 2B "PSUBSB/PSUBSW-Subtract Packed Signed Integers with Signed Saturation", PSUBUSB, PSUBUSW.
@inline(__always) func psubs<L: Lanes>(_ a: L, _ b: L) -> L {
    L.each(a, b) { saturate($0.subtractingReportingOverflow($1), !(L.Scalar.isSigned && $1 < 0)) }
}
/// SDM 2B "PAVGB/PAVGW-Average Packed Integers".
@inline(__always) func pavg<L: Lanes>(_ a: L, _ b: L) -> L { L.each(a, b) { ($0 | $1) &- (($0 ^ $1) &>> 1) } }
/// SDM 2B "PSADBW-Compute Sum of Absolute Differences".
@inline(__always) func psadbw(_ a: Bytes, _ b: Bytes) -> XMM {
    var sums = XMM(0, 0)
    for n in 0..<16 { sums[n / 8] &+= UInt64(a[n] > b[n] ? a[n] &- b[n] : b[n] &- a[n]) }
    return sums
}
/// SDM 2B "PHADDW/PHADDD-Packed Horizontal Add", PHSUBW and their kind: `f` of neighbours, first `a`'s, then `b`'s.
@inline(__always) private func neighbours<L: Lanes>(_ a: L, _ b: L, _ f: (L.Scalar, L.Scalar) -> L.Scalar) -> L {
    let half = L.scalarCount / 2
    return L.each { n in n < half ? f(a[2 * n], a[2 * n + 1]) : f(b[2 * (n - half)], b[2 * (n - half) + 1]) }
}
@inline(__always) func phadd<L: Lanes>(_ a: L, _ b: L) -> L { neighbours(a, b) { $0 &+ $1 } }
@inline(__always) func phsub<L: Lanes>(_ a: L, _ b: L) -> L { neighbours(a, b) { $0 &- $1 } }
@inline(__always) func phaddsw(_ a: SignedWords, _ b: SignedWords) -> SignedWords {
    neighbours(a, b) { saturate($0.addingReportingOverflow($1), $1 < 0) }
}
@inline(__always) func phsubsw(_ a: SignedWords, _ b: SignedWords) -> SignedWords {
    neighbours(a, b) { saturate($0.subtractingReportingOverflow($1), $1 >= 0) }
}

// MARK: Products

/// SDM 2B "PMULLW-Multiply Packed Signed Integers and Store Low Result", PMULLD.
@inline(__always) func pmull<L: Lanes>(_ a: L, _ b: L) -> L { a &* b }
/// SDM 2B "PMULHW-Multiply Packed Signed Integers and Store High Result".
@inline(__always) func pmulhw(_ a: SignedWords, _ b: SignedWords) -> SignedWords {
    SignedWords.each(a, b) { Int16(truncatingIfNeeded: (Int32($0) &* Int32($1)) &>> 16) }
}
/// SDM 2B "PMULHUW-Multiply Packed Unsigned Integers and Store High Result".
@inline(__always) func pmulhuw(_ a: Words, _ b: Words) -> Words {
    Words.each(a, b) { UInt16(truncatingIfNeeded: (UInt32($0) &* UInt32($1)) &>> 16) }
}
/// SDM 2B "PMULHRSW-Packed Multiply High With Round and Scale".
@inline(__always) func pmulhrsw(_ a: SignedWords, _ b: SignedWords) -> SignedWords {
    SignedWords.each(a, b) { Int16(truncatingIfNeeded: ((Int32($0) &* Int32($1)) &>> 14 &+ 1) &>> 1) }
}
/// SDM 2B "PMULUDQ-Multiply Packed Unsigned Doubleword Integers".
@inline(__always) func pmuludq(_ a: XMM, _ b: XMM) -> XMM { (a & 0xffff_ffff) &* (b & 0xffff_ffff) }
/// SDM 2B "PMULDQ-Multiply Packed Doubleword Integers".
@inline(__always) func pmuldq(_ a: SignedDoublewords, _ b: SignedDoublewords) -> SignedQuadwords {
    SignedQuadwords.each { n in Int64(a[2 * n]) &* Int64(b[2 * n]) }
}
/// SDM 2B "PMADDWD-Multiply and Add Packed Integers".
@inline(__always) func pmaddwd(_ a: SignedWords, _ b: SignedWords) -> SignedDoublewords {
    SignedDoublewords.each { n in
        Int32(a[2 * n]) &* Int32(b[2 * n]) &+ Int32(a[2 * n + 1]) &* Int32(b[2 * n + 1])
    }
}
/// SDM 2B "PMADDUBSW-Multiply and Add Packed Signed and Unsigned Bytes".
@inline(__always) func pmaddubsw(_ a: Bytes, _ b: SignedBytes) -> SignedWords {
    SignedWords.each { n in
        let sum = Int32(a[2 * n]) &* Int32(b[2 * n]) &+ Int32(a[2 * n + 1]) &* Int32(b[2 * n + 1])
        return Int16(clamping: sum)
    }
}

// MARK: Comparisons

/// SDM 2B "PCMPEQB/PCMPEQW/PCMPEQD- Compare Packed Data for Equal", PCMPEQQ.
@inline(__always) func pcmpeq<L: Lanes>(_ a: L, _ b: L) -> L { L.each(a, b) { mask($0 == $1) } }
/// SDM 2B "PCMPGTB/PCMPGTW/PCMPGTD-Compare Packed Signed Integers for Greater Than", PCMPGTQ.
@inline(__always) func pcmpgt<L: Lanes>(_ a: L, _ b: L) -> L { L.each(a, b) { mask($0 > $1) } }
/// SDM 2B "PMINSB/PMINSW-Minimum of Packed Signed Integers" and the other widths.
@inline(__always) func pmin<L: Lanes>(_ a: L, _ b: L) -> L { L.each(a, b) { $0 < $1 ? $0 : $1 } }
/// SDM 2B "PMAXSB/PMAXSW/PMAXSD/PMAXSQ-Maximum of Packed Signed Integers" and the other widths.
@inline(__always) func pmax<L: Lanes>(_ a: L, _ b: L) -> L { L.each(a, b) { $0 > $1 ? $0 : $1 } }
/// SDM 2B "PHMINPOSUW-Packed Horizontal Word Minimum": the least, and where it is first.
@inline(__always) func phminposuw(_ b: Words) -> XMM {
    var least = 0
    for n in 1..<8 where b[n] < b[least] { least = n }
    return XMM(UInt64(b[least]) | UInt64(least) &<< 16, 0)
}

// MARK: Signs

/// SDM 2B "PABSB/PABSW/PABSD/PABSQ-Packed Absolute Value".
@inline(__always) func pabs<L: Lanes>(_ b: L) -> L { L.each(b) { $0 < 0 ? 0 &- $0 : $0 } }
/// SDM 2B "PSIGNB/PSIGNW/PSIGND-Packed SIGN".
@inline(__always) func psign<L: Lanes>(_ a: L, _ b: L) -> L { L.each(a, b) { $1 < 0 ? 0 &- $0 : $1 == 0 ? 0 : $0 } }

// MARK: Shifts. A count beyond the lane shifts everything out.

/// SDM 2B "PSLLW/PSLLD/PSLLQ-Shift Packed Data Left Logical".
@inline(__always) func psll<L: Lanes>(_ a: L, _ count: UInt64) -> L {
    if count >= UInt64(L.Scalar.bitWidth) { return L() }
    let n = L.Scalar(truncatingIfNeeded: count)
    return L.each(a) { $0 &<< n }
}
/// SDM 2B "PSRLW/PSRLD/PSRLQ-Shift Packed Data Right Logical".
@inline(__always) func psrl<L: Lanes>(_ a: L, _ count: UInt64) -> L {
    if count >= UInt64(L.Scalar.bitWidth) { return L() }
    let n = L.Scalar(truncatingIfNeeded: count)
    return L.each(a) { $0 &>> n }
}
/// SDM 2B "PSRAW/PSRAD/PSRAQ-Shift Packed Data Right Arithmetic".
@inline(__always) func psra<L: Lanes>(_ a: L, _ count: UInt64) -> L {
    let n = L.Scalar(truncatingIfNeeded: min(count, UInt64(L.Scalar.bitWidth - 1)))
    return L.each(a) { $0 &>> n }
}
@inline(__always) private func wide(_ a: XMM) -> UInt128 { UInt128(a[1]) &<< 64 | UInt128(a[0]) }
@inline(__always) private func vector(_ a: UInt128) -> XMM {
    XMM(UInt64(truncatingIfNeeded: a), UInt64(truncatingIfNeeded: a &>> 64))
}
/// SDM 2B "PSLLDQ-Shift Double Quadword Left Logical", in bytes.
@inline(__always) func pslldq(_ a: XMM, _ count: UInt64) -> XMM {
    count > 15 ? XMM(0, 0) : vector(wide(a) &<< UInt128(count &* 8))
}
/// SDM 2B "PSRLDQ-Shift Double Quadword Right Logical", in bytes.
@inline(__always) func psrldq(_ a: XMM, _ count: UInt64) -> XMM {
    count > 15 ? XMM(0, 0) : vector(wide(a) &>> UInt128(count &* 8))
}
/// SDM 2B "PALIGNR-Packed Align Right": `a` above `b`, shifted right by bytes.
@inline(__always) func palignr(_ a: XMM, _ b: XMM, _ imm: UInt8) -> XMM {
    let count = UInt64(imm)
    if count > 15 { return psrldq(a, count &- 16) }
    return count == 0 ? b : psrldq(b, count) | pslldq(a, 16 &- count)
}
/// SDM 2B "MPSADBW-Compute Multiple Packed Sums of Absolute Difference".
@inline(__always) func mpsadbw(_ a: Bytes, _ b: Bytes, _ imm: UInt8) -> Words {
    let from = Int(imm &>> 2 & 1) * 4, block = Int(imm & 3) * 4
    return Words.each { n in
        var sum: UInt16 = 0
        for k in 0..<4 {
            let x = a[from + n + k], y = b[block + k]
            sum &+= UInt16(x > y ? x &- y : y &- x)
        }
        return sum
    }
}
