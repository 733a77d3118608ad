/// A floating-point datum of any format, taken apart.
struct Real {
    enum Kind: UInt8 {
        case zero, finite, infinity, quietNaN, signallingNaN
        /// Encodings of the extended format that are invalid operands: unnormals, pseudo-infinities, pseudo-NaNs (SDM 1
        /// 8.2.2 "Unsupported Double Extended-Precision Floating-Point Encodings and Pseudo-Denormals").
        case unsupported
    }
    var kind: Kind
    var isNegative: Bool
    /// Finite: the value is `significand` * 2^(`exponent` - 63).
    var exponent = 0
    /// Finite and NaN: bit 63 is set; the fraction is below it. A NaN is quiet when bit 62 is set.
    var significand: UInt64 = 0
    /// Was denormal (or pseudo-denormal) where it came from.
    var isDenormal = false

    static let indefinite = Real(kind: .quietNaN, isNegative: true, significand: 3 << 62)
    static func zero(_ negative: Bool) -> Real { Real(kind: .zero, isNegative: negative) }
    static func infinity(_ negative: Bool) -> Real { Real(kind: .infinity, isNegative: negative) }

    var isNaN: Bool { kind == .quietNaN || kind == .signallingNaN }
    var isZero: Bool { kind == .zero }
    var isInfinity: Bool { kind == .infinity }

    /// The NaN with its quiet bit set; the signalling bit is the only difference (SDM 1 4.8.3.5 "Operating on SNaNs and
    /// QNaNs").
    var quieted: Real {
        var r = self
        r.kind = .quietNaN
        r.significand |= 1 << 62
        return r
    }
    func withSign(_ negative: Bool) -> Real {
        var r = self
        r.isNegative = negative
        return r
    }

    // MARK: Formats

    /// Bits of the single or double format.
    init(_ bits: UInt64, _ format: FloatFormat) {
        let fractionBits = UInt64(format.precision - 1)
        let fraction = (bits &<< (63 &- fractionBits)) & ~0 >> 1
        let biased = Int(bits &>> fractionBits) & (2 * format.maxExponent + 1)
        let negative = bits &>> fractionBits & UInt64(2 * format.maxExponent + 2) != 0
        self.init(
            negative, biased: biased, isSpecial: biased == 2 * format.maxExponent + 1,
            significand: biased == 0 ? fraction : fraction | 1 << 63, minExponent: format.minExponent)
    }

    init(_ x: ExtendedReal) {
        let biased = Int(x.signExponent & 0x7FFF)
        let negative = x.signExponent >> 15 != 0
        if biased != 0 && x.significand >> 63 == 0 {
            self.init(kind: .unsupported, isNegative: negative, significand: x.significand)
            return
        }
        self.init(
            negative, biased: biased, isSpecial: biased == 0x7FFF, significand: x.significand,
            minExponent: FloatFormat.extended.minExponent)
    }

    private init(_ negative: Bool, biased: Int, isSpecial: Bool, significand: UInt64, minExponent: Int) {
        if isSpecial {
            let kind: Kind =
                significand == 1 << 63 ? .infinity : significand >> 62 & 1 != 0 ? .quietNaN : .signallingNaN
            self.init(kind: kind, isNegative: negative, significand: significand)
        } else if significand == 0 {
            self.init(kind: .zero, isNegative: negative)
        } else {
            let shift = significand.leadingZeroBitCount
            let exponent = (biased == 0 ? minExponent : minExponent + biased - 1) - shift
            self.init(
                kind: .finite, isNegative: negative, exponent: exponent, significand: significand &<< UInt64(shift),
                isDenormal: biased == 0)
        }
    }

    init(
        kind: Kind, isNegative: Bool, exponent: Int = 0, significand: UInt64 = 0, isDenormal: Bool = false
    ) {
        self.kind = kind
        self.isNegative = isNegative
        self.exponent = exponent
        self.significand = significand
        self.isDenormal = isDenormal
    }

    /// Bits in the single or double format of a value that has been rounded to it (a NaN loses the low end of its
    /// payload).
    func bits(_ format: FloatFormat) -> UInt64 {
        let fractionBits = UInt64(format.precision - 1)
        let (biased, aligned) = biasedParts(format)
        let fraction = (aligned & ~0 >> 1) &>> (63 &- fractionBits)
        let sign: UInt64 = isNegative ? UInt64(2 * format.maxExponent + 2) : 0
        return (sign | UInt64(biased)) &<< fractionBits | fraction
    }

    var extended: ExtendedReal {
        let (biased, aligned) = biasedParts(.extended)
        return ExtendedReal(significand: aligned, signExponent: UInt16(biased) | (isNegative ? 0x8000 : 0))
    }

    /// Biased exponent, and the significand with its integer bit in bit 63.
    private func biasedParts(_ format: FloatFormat) -> (Int, UInt64) {
        switch kind {
        case .zero: return (0, 0)
        case .infinity: return (2 * format.maxExponent + 1, 1 << 63)
        case .quietNaN, .signallingNaN, .unsupported: return (2 * format.maxExponent + 1, significand)
        case .finite:
            let below = format.minExponent - exponent
            return below <= 0 ? (exponent + format.maxExponent, significand) : (0, significand >> UInt64(below))
        }
    }
}
