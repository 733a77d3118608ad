/// Addition to square root, comparison: exact results in integers, rounded once.
extension FloatEnvironment {
    mutating func add(_ a: Real, _ b: Real, to format: FloatFormat) -> Real {
        if let nan = resultOfNaN(a, b) { return nan }
        if a.isInfinity && b.isInfinity && a.isNegative != b.isNegative { return invalid() }
        noteDenormal(a)
        noteDenormal(b)
        if a.isInfinity { return a }
        if b.isInfinity { return b }
        if a.isZero && b.isZero {
            return .zero(a.isNegative == b.isNegative ? a.isNegative : rounding == .down)
        }
        if a.isZero { return round(b.isNegative, b.exponent, UInt128(b.significand) &<< 64, to: format) }
        if b.isZero { return round(a.isNegative, a.exponent, UInt128(a.significand) &<< 64, to: format) }
        return sum(a, b, to: format)
    }

    /// Not `add` of the negated operand: a NaN keeps its sign.
    mutating func subtract(_ a: Real, _ b: Real, to format: FloatFormat) -> Real {
        add(a, b.isNaN ? b : b.withSign(!b.isNegative), to: format)
    }

    /// Of finite operands. Bit 127 is left for the carry; what the alignment shifts out is kept as a sticky bit, which
    /// is
    /// exact enough: where more than one bit cancels, less than two are shifted.
    private mutating func sum(_ a: Real, _ b: Real, to format: FloatFormat) -> Real {
        let (large, small) =
            (a.exponent, a.significand) >= (b.exponent, b.significand) ? (a, b) : (b, a)
        let distance = large.exponent - small.exponent
        let one = UInt128(large.significand) &<< 63
        let other = UInt128(small.significand) &<< 63
        let aligned: UInt128 =
            distance > 126 ? 1 : other &>> UInt128(distance) | (other & ((1 &<< UInt128(distance)) &- 1) != 0 ? 1 : 0)
        let total = a.isNegative == b.isNegative ? one &+ aligned : one &- aligned
        if total == 0 { return .zero(rounding == .down) }
        let shift = total.leadingZeroBitCount
        return round(large.isNegative, large.exponent + 1 - shift, total &<< UInt128(shift), to: format)
    }

    mutating func multiply(_ a: Real, _ b: Real, to format: FloatFormat) -> Real {
        if let nan = resultOfNaN(a, b) { return nan }
        if a.isInfinity && b.isZero || a.isZero && b.isInfinity { return invalid() }
        noteDenormal(a)
        noteDenormal(b)
        let negative = a.isNegative != b.isNegative
        if a.isInfinity || b.isInfinity { return .infinity(negative) }
        if a.isZero || b.isZero { return .zero(negative) }
        let product = UInt128(a.significand) &* UInt128(b.significand)
        let shift = product.leadingZeroBitCount
        return round(negative, a.exponent + b.exponent + 1 - shift, product &<< UInt128(shift), to: format)
    }

    mutating func divide(_ a: Real, by b: Real, to format: FloatFormat) -> Real {
        if let nan = resultOfNaN(a, b) { return nan }
        if a.isInfinity && b.isInfinity || a.isZero && b.isZero { return invalid() }
        let negative = a.isNegative != b.isNegative
        if b.isZero && !a.isInfinity {
            raise(FloatException.zeroDivide)
            return .infinity(negative)
        }
        noteDenormal(a)
        noteDenormal(b)
        if a.isInfinity { return .infinity(negative) }
        if a.isZero || b.isInfinity { return .zero(negative) }
        let (exponent, quotient) = Self.quotient(a, b)
        return round(negative, exponent, quotient, to: format)
    }

    /// |a| / |b|: exponent, and magnitude with a sticky bit.
    private static func quotient(_ a: Real, _ b: Real) -> (Int, UInt128) {
        let isAbove = a.significand >= b.significand
        let rest = isAbove ? a.significand &- b.significand : a.significand
        let high = b.significand.dividingFullWidth((rest, 0))
        let low = b.significand.dividingFullWidth((high.remainder, 0))
        let fraction = UInt128(high.quotient) &<< 64 | UInt128(low.quotient)
        let sticky: UInt128 = low.remainder != 0 ? 1 : 0
        if isAbove { return (a.exponent - b.exponent, 1 &<< 127 | fraction &>> 1 | fraction & 1 | sticky) }
        return (a.exponent - b.exponent - 1, fraction | sticky)
    }

    mutating func squareRoot(_ a: Real, to format: FloatFormat) -> Real {
        if let nan = resultOfNaN(a) { return nan }
        if a.isZero { return a }
        if a.isNegative { return invalid() }
        noteDenormal(a)
        if a.isInfinity { return a }
        let isOdd = a.exponent & 1 != 0
        var rest = UInt128(a.significand) &<< (isOdd ? 64 : 63)
        var root: UInt128 = 0
        // Bit by bit: `root` is twice the root found so far, shifted to the place of the bit under trial.
        var bit: UInt128 = 1 &<< 126
        while bit != 0 {
            if rest >= root &+ bit {
                rest &-= root &+ bit
                root = root &>> 1 &+ bit
            } else {
                root = root &>> 1
            }
            bit &>>= 2
        }
        // The remainder tells the next bit: (root + 1/2)^2 exceeds root^2 by root + 1/4.
        let magnitude: UInt128 = root &<< 64 | (rest > root ? 1 &<< 63 : 0) | (rest != 0 ? 1 : 0)
        return round(false, a.exponent >> 1, magnitude, to: format)
    }

    // MARK: Comparison

    /// `isSignalling`: a quiet NaN is an invalid operand too (COMISS, FCOM; not UCOMISS, FUCOM).
    mutating func compare(_ a: Real, _ b: Real, isSignalling: Bool) -> FloatOrder {
        let isUnsupported = a.kind == .unsupported || b.kind == .unsupported
        if isUnsupported || a.isNaN || b.isNaN {
            if isSignalling || isUnsupported || a.kind == .signallingNaN || b.kind == .signallingNaN {
                raise(FloatException.invalid)
            }
            return .unordered
        }
        noteDenormal(a)
        noteDenormal(b)
        if a.isZero && b.isZero { return .equal }
        if a.isNegative != b.isNegative && !a.isZero && !b.isZero { return a.isNegative ? .less : .greater }
        if a.isZero { return b.isNegative ? .greater : .less }
        if b.isZero { return a.isNegative ? .less : .greater }
        let x = (a.isInfinity ? Int.max : a.exponent, a.significand)
        let y = (b.isInfinity ? Int.max : b.exponent, b.significand)
        if x == y || a.isInfinity && b.isInfinity { return .equal }
        return (x < y) != a.isNegative ? .less : .greater
    }

    /// MINSS: the second operand when either is a NaN (as it is) or both are zeros: SDM 2B "MINSS—Return Minimum Scalar
    /// Single Precision Floating-Point Value".
    mutating func minimum(_ a: Real, _ b: Real) -> Real {
        compare(a, b, isSignalling: true) == .less ? a : b
    }
    /// MAXSS.
    mutating func maximum(_ a: Real, _ b: Real) -> Real {
        compare(a, b, isSignalling: true) == .greater ? a : b
    }
}
