@testable import X86Machine

/// Floating-point operands at which something changes: zeros, the ends of every range, NaNs, ties, and random ones.
extension SplitMix {
    mutating func float(_ format: FloatFormat) -> UInt64 {
        let fractionBits = UInt64(format.precision - 1), special = UInt64(2 * format.maxExponent + 1)
        let sign = (next() & 1) &<< fractionBits &* (special + 1)
        return sign | exponent(special, fractionBits) &<< fractionBits | fraction(fractionBits)
    }
    /// Of the extended format; now and then an encoding that the processor does not support.
    mutating func extended() -> ExtendedReal {
        var significand = fraction(63)
        if !oneIn(16) { significand |= 1 << 63 }
        if oneIn(8) { significand = 1 << 63 }
        let e = oneIn(16) ? 0 : oneIn(16) ? 0x7FFF : exponent(0x7FFF, 63)
        return ExtendedReal(significand: significand, signExponent: UInt16(e) | UInt16(next() & 1) << 15)
    }
    private mutating func exponent(_ special: UInt64, _ fractionBits: UInt64) -> UInt64 {
        let middle = special / 2
        switch below(8) {
        case 0: return [0, 1, 2, special - 2, special - 1, special][below(6)]
        case 1: return middle &- 2 &+ next() % 5
        case 2: return middle + [15, 16, 23, 24, 31, 32, 52, 53, 62, 63, 64][below(11)]
        case 3: return next() % 70
        case 4: return special &- next() % 70
        case 5: return next() % (special + 1)
        default: return middle &+ next() % 70 &- 35
        }
    }
    private mutating func fraction(_ bits: UInt64) -> UInt64 {
        let all: UInt64 = (1 << bits) - 1
        switch below(6) {
        case 0: return 0
        case 1: return [1, all, 1 << (bits - 1), 1 << (bits - 1) | 1, 1 << (bits - 1) - 1, all - 1][below(6)]
        case 2, 3: return next() & all & ~0 << (next() % bits)
        default: return next() & all
        }
    }
}
