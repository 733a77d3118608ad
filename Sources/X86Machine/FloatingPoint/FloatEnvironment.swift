/// Rounding control, masks and modes for floating-point operations, and the exceptions that they raise.
struct FloatEnvironment {
    /// Whose rules for NaNs and underflow hold.
    enum Rules { case sse, x87 }
    let rules: Rules
    var rounding: FloatRounding
    /// Masked exceptions, as `FloatException` bits.
    let masks: UInt8
    /// MXCSR.FZ with underflow masked.
    let flushesToZero: Bool
    /// MXCSR.DAZ.
    let denormalsAreZero: Bool
    /// The last rounding made the magnitude larger: C1 of the x87 status word.
    private(set) var roundedUp = false
    private var seen: UInt8 = 0

    init(mxcsr: UInt32) {
        rules = .sse
        rounding = FloatRounding(control: UInt8(truncatingIfNeeded: mxcsr >> 13))
        masks = UInt8(truncatingIfNeeded: mxcsr >> 7) & 0x3F
        flushesToZero = mxcsr & 0x8000 != 0 && masks & FloatException.underflow != 0
        denormalsAreZero = mxcsr & 0x40 != 0
    }
    /// Of FCW.
    init(control: UInt16) {
        rules = .x87
        rounding = FloatRounding(control: UInt8(truncatingIfNeeded: control >> 10))
        masks = UInt8(truncatingIfNeeded: control) & 0x3F
        flushesToZero = false
        denormalsAreZero = false
    }

    /// Flags to be set in MXCSR or FSW. An unmasked pre-computation exception ends the operation before any result, of
    /// all elements, is computed: SDM 1 11.5.2 "SIMD Floating-Point Exception Conditions".
    var raised: UInt8 {
        let early = seen & FloatException.preComputation
        return early & ~masks != 0 ? early : seen
    }
    /// An unmasked exception was raised: #XM in SSE, FSW.ES in x87.
    var isUnmasked: Bool { raised & ~masks != 0 }
    /// An unmasked exception prevents the result in an x87 register.
    var isUnmaskedEarly: Bool { raised & ~masks & FloatException.preComputation != 0 }

    mutating func raise(_ flags: UInt8) { seen |= flags }
    /// Forgets the inexact result: ROUNDSS and its kin with imm8[3].
    mutating func suppressPrecision() { seen &= ~FloatException.precision }

    mutating func note(_ isInexact: Bool, _ isUp: Bool) {
        if isInexact { raise(FloatException.precision) }
        roundedUp = isUp
    }

    // MARK: Operands and results

    /// Of the single or double format.
    func unpack(_ bits: UInt64, _ format: FloatFormat) -> Real {
        let r = Real(bits, format)
        return r.isDenormal && denormalsAreZero ? .zero(r.isNegative) : r
    }
    func unpack(_ x: ExtendedReal) -> Real { Real(x) }
    func pack(_ r: Real, _ format: FloatFormat) -> UInt64 { r.bits(format) }

    /// The masked response to an invalid operation.
    mutating func invalid() -> Real {
        raise(FloatException.invalid)
        return .indefinite
    }

    /// The result when an operand is a NaN or unsupported, else nil: SDM 1 table 4-7 "Rules for Handling NaNs".
    mutating func resultOfNaN(_ a: Real, _ b: Real) -> Real? {
        if a.kind == .unsupported || b.kind == .unsupported { return invalid() }
        guard a.isNaN || b.isNaN else { return nil }
        if a.kind == .signallingNaN || b.kind == .signallingNaN { raise(FloatException.invalid) }
        if !b.isNaN { return a.quieted }
        if !a.isNaN { return b.quieted }
        guard rules == .x87 else { return a.quieted }
        // An SNaN and a QNaN: the QNaN. Two of a kind: the larger significand; of equal ones the positive.
        if a.kind != b.kind { return a.kind == .quietNaN ? a : b }
        if a.significand != b.significand { return (a.significand > b.significand ? a : b).quieted }
        return (a.isNegative ? b : a).quieted
    }
    mutating func resultOfNaN(_ a: Real) -> Real? {
        if a.kind == .unsupported { return invalid() }
        guard a.isNaN else { return nil }
        if a.kind == .signallingNaN { raise(FloatException.invalid) }
        return a.quieted
    }
    mutating func noteDenormal(_ a: Real) {
        if a.isDenormal { raise(FloatException.denormal) }
    }

    // MARK: Rounding

    /// `magnitude` / 2^`drop`, rounded to an integer.
    func rounded(_ magnitude: UInt128, drop: Int, _ negative: Bool) -> (kept: UInt128, isInexact: Bool, isUp: Bool) {
        guard drop > 0 else { return (magnitude, false, false) }
        let kept: UInt128 = drop > 127 ? 0 : magnitude &>> UInt128(drop)
        let half: Bool, rest: Bool
        if drop > 128 {
            (half, rest) = (false, magnitude != 0)
        } else {
            half = magnitude &>> UInt128(drop - 1) & 1 != 0
            rest = magnitude & ((1 &<< UInt128(drop - 1)) &- 1) != 0
        }
        let inexact = half || rest
        let up =
            switch rounding {
            case .nearestEven: half && (rest || kept & 1 != 0)
            case .down: inexact && negative
            case .up: inexact && !negative
            case .towardZero: false
            }
        return (up ? kept &+ 1 : kept, inexact, up)
    }

    /// Rounds `magnitude` * 2^(`exponent` - 127), bit 127 set (bit 0 may stand for everything below it), to a format.
    /// SDM 1 4.9.1.4 "Numeric Overflow Exception (#O)" to 4.9.1.6 "Inexact-Result (Precision) Exception (#P)";
    /// tininess is detected after rounding.
    mutating func round(_ negative: Bool, _ exponent: Int, _ magnitude: UInt128, to format: FloatFormat) -> Real {
        var unbounded = rounded(magnitude, drop: 128 - format.precision, negative)
        var e = exponent
        if unbounded.kept &>> UInt128(format.precision) != 0 {
            unbounded.kept &>>= 1
            e += 1
        }
        if e > format.maxExponent {
            raise(FloatException.overflow)
            if masks & FloatException.overflow != 0 { return overflowed(negative, format) }
            return scaled(negative, e, unbounded, by: -24576, format)
        }
        if e >= format.minExponent { return finish(negative, e, unbounded, format) }
        if masks & FloatException.underflow == 0 {
            raise(FloatException.underflow)
            return scaled(negative, e, unbounded, by: 24576, format)
        }
        if flushesToZero {
            raise(FloatException.underflow | FloatException.precision)
            return .zero(negative)
        }
        let drop = 128 - format.precision + format.minExponent - exponent
        let denormal = rounded(magnitude, drop: drop, negative)
        if denormal.isInexact { raise(FloatException.underflow) }
        return finish(negative, format.minExponent, denormal, format)
    }

    /// The value of `result.kept` units in the last place of exponent `e`.
    private mutating func finish(
        _ negative: Bool, _ e: Int, _ result: (kept: UInt128, isInexact: Bool, isUp: Bool), _ format: FloatFormat
    ) -> Real {
        note(result.isInexact, result.isUp)
        return Self.real(negative, UInt64(truncatingIfNeeded: result.kept), unit: e + 1 - format.precision)
    }

    /// `magnitude` * 2^`unit`, exactly.
    static func real(_ negative: Bool, _ magnitude: UInt64, unit: Int = 0) -> Real {
        guard magnitude != 0 else { return .zero(negative) }
        let shift = magnitude.leadingZeroBitCount
        return Real(
            kind: .finite, isNegative: negative, exponent: unit + 63 - shift,
            significand: magnitude &<< UInt64(shift))
    }

    /// SDM 1 table 4-10 "Masked Responses to Numeric Overflow".
    private mutating func overflowed(_ negative: Bool, _ format: FloatFormat) -> Real {
        raise(FloatException.precision)
        let toInfinity =
            switch rounding {
            case .nearestEven: true
            case .down: negative
            case .up: !negative
            case .towardZero: false
            }
        roundedUp = toInfinity
        if toInfinity { return .infinity(negative) }
        return Real(
            kind: .finite, isNegative: negative, exponent: format.maxExponent,
            significand: ~0 &<< UInt64(64 - format.precision))
    }

    /// Unmasked overflow and underflow leave x87 registers a result with a scaled exponent: SDM 1 8.5.4 "Numeric
    /// Overflow Exception (#O)", 8.5.5 "Numeric Underflow Exception (#U)". Where even that is out of range (FSCALE), an
    /// infinity or a zero. SSE delivers no result, but says whether one of this precision would have been inexact
    /// (SDM 1 4.9.1.6 "Inexact-Result (Precision) Exception (#P)"). Of stores from x87 neither is said:
    /// `FPUState.storeReal`.
    private mutating func scaled(
        _ negative: Bool, _ e: Int, _ result: (kept: UInt128, isInexact: Bool, isUp: Bool), by bias: Int,
        _ format: FloatFormat
    ) -> Real {
        if rules == .sse {
            note(result.isInexact, result.isUp)
            return .zero(negative)
        }
        let exponent = e + bias
        let isHuge = exponent > FloatFormat.extended.maxExponent
        if isHuge || exponent < FloatFormat.extended.minExponent {
            if format.maxExponent == FloatFormat.extended.maxExponent { note(true, isHuge) }
            return isHuge ? .infinity(negative) : .zero(negative)
        }
        return finish(negative, exponent, result, format)
    }
}
