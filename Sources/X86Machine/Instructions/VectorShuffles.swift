// Moves, packs, unpacks, shuffles, blends, extensions, insertion and extraction of vector elements.

// MARK: Moves

/// MOVAPS, MOVUPS, MOVDQA, MOVDQU, LDDQU, MOVNTDQA, non-temporal stores: all of it.
@inline(__always) func movdq(_ b: XMM) -> XMM { b }
/// SDM 2B "MOVQ-Move Quadword".
@inline(__always) func movq(_ b: XMM) -> XMM { XMM(b[0], 0) }
/// MOVLPS, MOVLPD, MOVSD between registers: the low quadword.
@inline(__always) func movlow(_ a: XMM, _ b: XMM) -> XMM { XMM(b[0], a[1]) }
/// MOVHPS, MOVHPD, MOVLHPS: `b`'s low quadword is the new high one.
@inline(__always) func movhigh(_ a: XMM, _ b: XMM) -> XMM { XMM(a[0], b[0]) }
/// SDM 2B "MOVHLPS-Move Packed Single Precision Floating-Point Values High to Low".
@inline(__always) func movhlps(_ a: XMM, _ b: XMM) -> XMM { XMM(b[1], a[1]) }
/// The high quadword as the one to store.
@inline(__always) func highToStore(_ a: XMM) -> XMM { XMM(a[1], 0) }
/// MOVSS between registers: the low doubleword.
@inline(__always) func movss(_ a: XMM, _ b: XMM) -> XMM {
    XMM(a[0] & 0xffff_ffff_0000_0000 | b[0] & 0xffff_ffff, a[1])
}
/// SDM 2B "MOVSLDUP-Replicate Single Precision Floating-Point Values", MOVSHDUP, MOVDDUP.
@inline(__always) func movsldup(_ b: Doublewords) -> Doublewords { Doublewords(b[0], b[0], b[2], b[2]) }
@inline(__always) func movshdup(_ b: Doublewords) -> Doublewords { Doublewords(b[1], b[1], b[3], b[3]) }
@inline(__always) func movddup(_ b: XMM) -> XMM { XMM(b[0], b[0]) }

/// SDM 2B "PMOVMSKB-Move Byte Mask".
@inline(__always) func pmovmskb(_ b: XMM) -> UInt32 {
    // The products' top bytes: each of the eight sign bits lands on a place of its own.
    let signs = ((b &>> 7 & 0x0101_0101_0101_0101) &* 0x0102_0408_1020_4080) &>> 56
    return UInt32(truncatingIfNeeded: signs[0] | signs[1] &<< 8)
}
/// SDM 2B "MOVMSKPS-Extract Packed Single Precision Floating-Point Sign Mask", MOVMSKPD.
@inline(__always) func movmsk<L: Lanes>(_ b: L) -> UInt32 {
    var bits: UInt32 = 0
    for n in 0..<L.scalarCount where b[n] < 0 { bits |= 1 &<< UInt32(truncatingIfNeeded: n) }
    return bits
}

// MARK: Packs and unpacks

@inline(__always) private func pack<A: Lanes, R: Lanes>(_ a: A, _ b: A) -> R {
    let half = A.scalarCount
    return R.each { n in R.Scalar(clamping: n < half ? a[n] : b[n - half]) }
}
/// SDM 2B "PACKSSWB/PACKSSDW-Pack With Signed Saturation".
@inline(__always) func packsswb(_ a: SignedWords, _ b: SignedWords) -> SignedBytes { pack(a, b) }
@inline(__always) func packssdw(_ a: SignedDoublewords, _ b: SignedDoublewords) -> SignedWords { pack(a, b) }
/// SDM 2B "PACKUSWB-Pack With Unsigned Saturation", PACKUSDW.
@inline(__always) func packuswb(_ a: SignedWords, _ b: SignedWords) -> Bytes { pack(a, b) }
@inline(__always) func packusdw(_ a: SignedDoublewords, _ b: SignedDoublewords) -> Words { pack(a, b) }

/// SDM 2B "PUNPCKLBW/PUNPCKLWD/PUNPCKLDQ/PUNPCKLQDQ-Unpack Low Data"; UNPCKLPS, UNPCKLPD.
@inline(__always) func punpckl<L: Lanes>(_ a: L, _ b: L) -> L { L.each { n in n & 1 == 0 ? a[n / 2] : b[n / 2] } }
/// SDM 2B "PUNPCKHBW/PUNPCKHWD/PUNPCKHDQ/PUNPCKHQDQ-Unpack High Data"; UNPCKHPS, UNPCKHPD.
@inline(__always) func punpckh<L: Lanes>(_ a: L, _ b: L) -> L {
    let half = L.scalarCount / 2
    return L.each { n in n & 1 == 0 ? a[half + n / 2] : b[half + n / 2] }
}

// MARK: Shuffles

/// Two bits of an immediate: an index.
@inline(__always) private func index(_ imm: UInt8, _ n: Int) -> Int {
    Int(imm &>> UInt8(truncatingIfNeeded: 2 * n) & 3)
}

/// SDM 2B "PSHUFB-Packed Shuffle Bytes".
@inline(__always) func pshufb(_ a: Bytes, _ b: Bytes) -> Bytes {
    Bytes.each { n in b[n] & 0x80 != 0 ? 0 : a[Int(b[n] & 15)] }
}
/// Of MMX registers.
@inline(__always) func pshufb64(_ a: Bytes, _ b: Bytes) -> Bytes {
    Bytes.each { n in b[n] & 0x80 != 0 ? 0 : a[Int(b[n] & 7)] }
}
/// SDM 2B "PSHUFD-Shuffle Packed Doublewords".
@inline(__always) func pshufd(_ b: Doublewords, _ imm: UInt8) -> Doublewords {
    Doublewords.each { n in b[index(imm, n)] }
}
/// SDM 2B "PSHUFLW-Shuffle Packed Low Words"; PSHUFW.
@inline(__always) func pshuflw(_ b: Words, _ imm: UInt8) -> Words {
    Words.each { n in n < 4 ? b[index(imm, n)] : b[n] }
}
/// SDM 2B "PSHUFHW-Shuffle Packed High Words".
@inline(__always) func pshufhw(_ b: Words, _ imm: UInt8) -> Words {
    Words.each { n in n < 4 ? b[n] : b[4 + index(imm, n - 4)] }
}
/// SDM 2B "SHUFPS-Packed Interleave Shuffle of Quadruplets of Single Precision Floating-Point Values".
@inline(__always) func shufps(_ a: Doublewords, _ b: Doublewords, _ imm: UInt8) -> Doublewords {
    Doublewords(a[index(imm, 0)], a[index(imm, 1)], b[index(imm, 2)], b[index(imm, 3)])
}
/// SDM 2B "SHUFPD-Packed Interleave Shuffle of Pairs of Double Precision Floating-Point Values".
@inline(__always) func shufpd(_ a: XMM, _ b: XMM, _ imm: UInt8) -> XMM {
    XMM(a[Int(imm & 1)], b[Int(imm &>> 1 & 1)])
}

// MARK: Blends

/// SDM 2B "BLENDPS-Blend Packed Single Precision Floating-Point Values", BLENDPD, PBLENDW: by bits of an immediate.
@inline(__always) func blend<L: Lanes>(_ a: L, _ b: L, _ imm: UInt8) -> L {
    L.each { n in imm &>> UInt8(truncatingIfNeeded: n) & 1 != 0 ? b[n] : a[n] }
}
/// SDM 2B "PBLENDVB-Variable Blend Packed Bytes", BLENDVPS, BLENDVPD: by the signs of XMM0's lanes.
@inline(__always) func blendv<L: Lanes>(_ a: L, _ b: L, _ mask: L) -> L { L.each { n in mask[n] < 0 ? b[n] : a[n] } }

// MARK: Extensions

/// SDM 2B "PMOVSX-Packed Move With Sign Extend", PMOVZX: the low elements.
@inline(__always) private func extend<B: Lanes, R: Lanes>(_ b: B) -> R {
    R.each { n in R.Scalar(truncatingIfNeeded: b[n]) }
}
@inline(__always) func pmovsxbw(_ b: SignedBytes) -> SignedWords { extend(b) }
@inline(__always) func pmovsxbd(_ b: SignedBytes) -> SignedDoublewords { extend(b) }
@inline(__always) func pmovsxbq(_ b: SignedBytes) -> SignedQuadwords { extend(b) }
@inline(__always) func pmovsxwd(_ b: SignedWords) -> SignedDoublewords { extend(b) }
@inline(__always) func pmovsxwq(_ b: SignedWords) -> SignedQuadwords { extend(b) }
@inline(__always) func pmovsxdq(_ b: SignedDoublewords) -> SignedQuadwords { extend(b) }
@inline(__always) func pmovzxbw(_ b: Bytes) -> Words { extend(b) }
@inline(__always) func pmovzxbd(_ b: Bytes) -> Doublewords { extend(b) }
@inline(__always) func pmovzxbq(_ b: Bytes) -> XMM { extend(b) }
@inline(__always) func pmovzxwd(_ b: Words) -> Doublewords { extend(b) }
@inline(__always) func pmovzxwq(_ b: Words) -> XMM { extend(b) }
@inline(__always) func pmovzxdq(_ b: Doublewords) -> XMM { extend(b) }

// MARK: One element

/// SDM 2B "PEXTRB/PEXTRD/PEXTRQ-Extract Byte/Dword/Qword", PEXTRW, EXTRACTPS.
@inline(__always) func pextr<L: Lanes>(_ b: L, _ imm: UInt8) -> UInt64 {
    UInt64(truncatingIfNeeded: b[Int(imm) & (L.scalarCount - 1)])
}
/// SDM 2B "PINSRB/PINSRD/PINSRQ-Insert Byte/Dword/Qword", PINSRW.
@inline(__always) func pinsr<L: Lanes>(_ a: L, _ b: L.Scalar, _ imm: UInt8) -> L {
    var r = a
    r[Int(imm) & (L.scalarCount - 1)] = b
    return r
}
/// SDM 2A "INSERTPS-Insert Scalar Single Precision Floating-Point Value".
@inline(__always) func insertElement(_ a: Doublewords, _ b: Doublewords, _ imm: UInt8) -> Doublewords {
    var r = a
    r[index(imm, 2)] = b[index(imm, 3)]
    return Doublewords.each { n in imm &>> UInt8(truncatingIfNeeded: n) & 1 != 0 ? 0 : r[n] }
}
