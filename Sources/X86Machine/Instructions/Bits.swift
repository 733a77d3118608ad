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
