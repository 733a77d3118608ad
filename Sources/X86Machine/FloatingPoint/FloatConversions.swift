/// Between formats, and to and from integers.
extension FloatEnvironment {
    /// To another format; NaNs are quieted. `notesDenormal` is false for FST, which does not raise #D.
    mutating func convert(_ a: Real, to format: FloatFormat, notesDenormal: Bool = true) -> Real {
        if let nan = resultOfNaN(a) { return nan }
        guard a.kind == .finite else { return a }
        if notesDenormal { noteDenormal(a) }
        return round(a.isNegative, a.exponent, UInt128(a.significand) &<< 64, to: format)
    }

    /// ROUNDSS, FRNDINT: the nearest integer by `rounding`, in the same format. Denormal operands raise nothing here;
    /// FRNDINT notes them itself.
    mutating func roundToIntegral(_ a: Real) -> Real {
        if let nan = resultOfNaN(a) { return nan }
        guard a.kind == .finite, a.exponent < 63 else { return a }
        let result = rounded(UInt128(a.significand) &<< 64, drop: 127 - a.exponent, a.isNegative)
        note(result.isInexact, result.isUp)
        return Self.real(a.isNegative, UInt64(truncatingIfNeeded: result.kept))
    }

    /// A signed integer of `bits` bits by the current rounding, or nil when it is not representable (a NaN, an
    /// infinity,
    /// too large): then the caller stores the integer indefinite, 1 << (bits - 1). SDM 1 4.8.3.7 "QNaN Floating-Point
    /// Indefinite"; denormal operands raise no #D.
    mutating func toInteger(_ a: Real, bits: Int) -> Int64? {
        guard a.kind == .finite || a.kind == .zero, a.exponent < 64 else {
            raise(FloatException.invalid)
            return nil
        }
        guard a.kind == .finite else { return 0 }
        let result = rounded(UInt128(a.significand) &<< 64, drop: 127 - a.exponent, a.isNegative)
        let limit: UInt128 = 1 &<< UInt128(bits - 1)
        guard result.kept < limit || a.isNegative && result.kept == limit else {
            raise(FloatException.invalid)
            return nil
        }
        note(result.isInexact, result.isUp)
        let magnitude = Int64(truncatingIfNeeded: result.kept)
        return a.isNegative ? 0 &- magnitude : magnitude
    }

    /// Exactly, into the unpacked form; round it with `convert` where the format is narrower than 64 bits.
    static func fromInteger(_ value: Int64) -> Real { real(value < 0, value.magnitude) }
}
