// Single bits, bit scans and the bit manipulation extensions.

/// SDM 2A "BT-Bit Test" of a register or an immediate offset: the offset is taken modulo the width.
@inline(__always) func bt<W: Width, F: FlagSink>(_ f: F, _ a: W, _ b: W) { f.set(carry: a &>> b & 1 != 0) }
/// SDM 2A "BTS-Bit Test and Set".
@inline(__always) func bts<W: Width, F: FlagSink>(_ f: F, _ a: W, _ b: W) -> W {
    f.set(carry: a &>> b & 1 != 0)
    return a | 1 &<< b
}
/// SDM 2A "BTR-Bit Test and Reset".
@inline(__always) func btr<W: Width, F: FlagSink>(_ f: F, _ a: W, _ b: W) -> W {
    f.set(carry: a &>> b & 1 != 0)
    return a & ~(1 &<< b)
}
/// SDM 2A "BTC-Bit Test and Complement".
@inline(__always) func btc<W: Width, F: FlagSink>(_ f: F, _ a: W, _ b: W) -> W {
    f.set(carry: a &>> b & 1 != 0)
    return a ^ 1 &<< b
}

/// SDM 2A "BSF-Bit Scan Forward"; `a` is the destination's old value.
@inline(__always) func bsf<W: Width, F: FlagSink>(_ f: F, _ a: W, _ b: W) -> W {
    f.set(FlagKind.logic, b, 0, 0)
    return b == 0 ? a : W(truncatingIfNeeded: b.trailingZeroBitCount)
}
/// SDM 2A "BSR-Bit Scan Reverse".
@inline(__always) func bsr<W: Width, F: FlagSink>(_ f: F, _ a: W, _ b: W) -> W {
    f.set(FlagKind.logic, b, 0, 0)
    return b == 0 ? a : W(truncatingIfNeeded: W.bitWidth - 1 - b.leadingZeroBitCount)
}
/// SDM 2B "TZCNT-Count the Number of Trailing Zero Bits": CF if the source is 0, ZF if the result is.
@inline(__always) func tzcnt<W: Width, F: FlagSink>(_ f: F, _ a: W, _ b: W) -> W {
    f.set(all: (b == 0 ? 1 : 0) | (b & 1 != 0 ? 1 << 6 : 0))
    return W(truncatingIfNeeded: b.trailingZeroBitCount)
}
/// SDM 2A "LZCNT-Count the Number of Leading Zero Bits".
@inline(__always) func lzcnt<W: Width, F: FlagSink>(_ f: F, _ a: W, _ b: W) -> W {
    f.set(all: (b == 0 ? 1 : 0) | (b.isNegative ? 1 << 6 : 0))
    return W(truncatingIfNeeded: b.leadingZeroBitCount)
}
/// SDM 2B "POPCNT-Return the Count of Number of Bits Set to 1": ZF if the source is 0, all others cleared.
@inline(__always) func popcnt<W: Width, F: FlagSink>(_ f: F, _ a: W, _ b: W) -> W {
    f.set(all: b == 0 ? 1 << 6 : 0)
    return W(truncatingIfNeeded: b.nonzeroBitCount)
}

/// SDM 2A "ANDN-Logical AND NOT".
@inline(__always) func andn<W: Width, F: FlagSink>(_ f: F, _ a: W, _ b: W) -> W { logical_and(f, ~a, b) }
/// SDM 2A "BEXTR-Bit Field Extract": start in bits 7:0 and length in bits 15:8 of the control.
@inline(__always) func bextr<W: Width, F: FlagSink>(_ f: F, _ a: W, _ control: W) -> W {
    let start = UInt64(truncatingIfNeeded: control & 0xff), length = UInt64(truncatingIfNeeded: control) >> 8 & 0xff
    var r = start < 64 ? UInt64(a) &>> start : 0
    if length < 64 { r &= (1 &<< length) &- 1 }
    f.set(FlagKind.logic, W(truncatingIfNeeded: r), 0, 0)
    return W(truncatingIfNeeded: r)
}
/// SDM 2A "BLSI-Extract Lowest Set Isolated Bit".
@inline(__always) func blsi<W: Width, F: FlagSink>(_ f: F, _ a: W) -> W {
    let r = a & (0 &- a)
    f.set(r, carry: a != 0, overflow: false, adjust: false)
    return r
}
/// SDM 2A "BLSMSK-Get Mask Up to Lowest Set Bit".
@inline(__always) func blsmsk<W: Width, F: FlagSink>(_ f: F, _ a: W) -> W {
    let r = a ^ (a &- 1)
    f.set(r, carry: a == 0, overflow: false, adjust: false)
    return r
}
/// SDM 2A "BLSR-Reset Lowest Set Bit".
@inline(__always) func blsr<W: Width, F: FlagSink>(_ f: F, _ a: W) -> W {
    let r = a & (a &- 1)
    f.set(r, carry: a == 0, overflow: false, adjust: false)
    return r
}
/// SDM 2A "BZHI-Zero High Bits Starting with Specified Bit Position".
@inline(__always) func bzhi<W: Width, F: FlagSink>(_ f: F, _ a: W, _ b: W) -> W {
    let n = b & 0xff, isBeyond = n >= W(W.bitWidth)
    let r = isBeyond ? a : a & ((1 &<< n) &- 1)
    f.set(r, carry: isBeyond, overflow: false, adjust: false)
    return r
}
/// SDM 2B "PDEP-Parallel Bits Deposit".
@inline(__always) func pdep<W: Width, F: FlagSink>(_ f: F, _ a: W, _ mask: W) -> W {
    var r: W = 0, rest = mask, source = a
    while rest != 0 {
        let low = rest & (0 &- rest)
        if source & 1 != 0 { r |= low }
        source = source &>> 1
        rest ^= low
    }
    return r
}
/// SDM 2B "PEXT-Parallel Bits Extract".
@inline(__always) func pext<W: Width, F: FlagSink>(_ f: F, _ a: W, _ mask: W) -> W {
    var r: W = 0, rest = mask, place: W = 1
    while rest != 0 {
        let low = rest & (0 &- rest)
        if a & low != 0 { r |= place }
        place = place &<< 1
        rest ^= low
    }
    return r
}
/// SDM 2B "RORX-Rotate Right Logical Without Affecting Flags".
@inline(__always) func rorx<W: Width, F: FlagSink>(_ f: F, _ a: W, _ b: W) -> W {
    a &>> b | a &<< (0 &- b)
}
/// SDM 2B "SARX/SHLX/SHRX-Shift Without Affecting Flags".
@inline(__always) func sarx<W: Width, F: FlagSink>(_ f: F, _ a: W, _ b: W) -> W {
    W(truncatingIfNeeded: a.signExtended &>> Int64(truncatingIfNeeded: b & W(W.bitWidth - 1)))
}
@inline(__always) func shlx<W: Width, F: FlagSink>(_ f: F, _ a: W, _ b: W) -> W { a &<< b }
@inline(__always) func shrx<W: Width, F: FlagSink>(_ f: F, _ a: W, _ b: W) -> W { a &>> b }

/// SDM 2A "CRC32-Accumulate CRC32 Value": polynomial 11EDC6F41H, bits reflected.
@inline(__always) func crc32<V: Width>(_ a: UInt32, _ b: V) -> UInt32 {
    var crc = a, data = b
    for _ in 0..<V.bytes {
        crc ^= UInt32(truncatingIfNeeded: data & 0xff)
        data = V.bitWidth > 8 ? data &>> 8 : 0
        for _ in 0..<8 { crc = crc &>> 1 ^ (crc & 1 != 0 ? 0x82F6_3B78 : 0) }
    }
    return crc
}
