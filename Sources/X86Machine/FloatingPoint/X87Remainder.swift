/// FPREM, FPREM1, FSCALE, FXTRACT.
extension FPUState {
    /// How far one FPREM reduces the exponents' difference when it is 64 or more: SDM 2A "FPREM—Partial Remainder"
    /// leaves
    /// it to the processor (32 to 63).
    private static func reduction(_ distance: Int) -> Int { 32 + distance % 32 }

    /// `toNearest`: FPREM1. C0, C3 and C1 get the low bits of the quotient; where there is none (NaNs, invalid
    /// operands) the SDM leaves C0 and C3 open, and they stay.
    mutating func remainder(toNearest: Bool) {
        guard let a = operand(0), let b = operand(1) else {
            set(Status.c2, false)
            if stackFault(isOverflow: false) { self[0] = .indefinite }
            return
        }
        var e = environment
        var quotient: UInt64?
        var isPartial = false
        let result = Self.remainder(a, b, toNearest, &e, &quotient, &isPartial)
        let isDelivered = conclude(e)
        set(Status.c2, isPartial && isDelivered)
        guard isDelivered else { return }
        self[0] = result.extended
        guard let quotient else { return }
        set(Status.c0, quotient & 4 != 0)
        set(Status.c3, quotient & 2 != 0)
        set(Status.c1, quotient & 1 != 0)
    }

    private static func remainder(
        _ a: Real, _ b: Real, _ toNearest: Bool, _ e: inout FloatEnvironment, _ quotient: inout UInt64?,
        _ isPartial: inout Bool
    ) -> Real {
        if let nan = e.resultOfNaN(a, b) { return nan }
        if a.isInfinity || b.isZero { return e.invalid() }
        e.noteDenormal(a)
        e.noteDenormal(b)
        quotient = 0
        if a.isZero { return a }
        if b.isInfinity { return e.convert(a, to: .extended, notesDenormal: false) }
        let distance = a.exponent - b.exponent
        if distance < -1 || distance == -1 && !toNearest {
            return e.convert(a, to: .extended, notesDenormal: false)
        }
        guard distance < 64 else {
            isPartial = true
            // The exponent of the quotient that is taken away, QQ, is a multiple of 2^(distance - reduction).
            let places = reduction(distance)
            let rest = UInt64(truncatingIfNeeded: (UInt128(a.significand) &<< UInt128(places)) % UInt128(b.significand))
            return exactly(a.isNegative, rest, unit: b.exponent - 63 + distance - places, &e)
        }
        // In units of the last place of b (of a, where a is the smaller).
        let isSmaller = distance < 0
        let dividend = UInt128(a.significand) &<< UInt128(isSmaller ? 0 : distance)
        let divisor = isSmaller ? UInt128(b.significand) &<< 1 : UInt128(b.significand)
        var (q, rest) = dividend.quotientAndRemainder(dividingBy: divisor)
        var negative = a.isNegative
        if toNearest, rest &<< 1 > divisor || rest &<< 1 == divisor && q & 1 != 0 {
            q &+= 1
            rest = divisor &- rest
            negative.toggle()
        }
        quotient = UInt64(truncatingIfNeeded: q)
        if rest == 0 { return .zero(a.isNegative) }
        return exactly(negative, UInt64(truncatingIfNeeded: rest), unit: b.exponent - 63 - (isSmaller ? 1 : 0), &e)
    }

    private static func exactly(_ negative: Bool, _ magnitude: UInt64, unit: Int, _ e: inout FloatEnvironment) -> Real {
        let real = FloatEnvironment.real(negative, magnitude, unit: unit)
        return e.convert(real, to: .extended, notesDenormal: false)
    }

    /// SDM 2A "FSCALE—Scale", table 3-40.
    mutating func scale() {
        guard let a = operand(0), let b = operand(1) else {
            if stackFault(isOverflow: false) { self[0] = .indefinite }
            return
        }
        var e = environment
        let result = Self.scaled(a, by: b, &e)
        if conclude(e) { self[0] = result.extended }
    }

    private static func scaled(_ a: Real, by b: Real, _ e: inout FloatEnvironment) -> Real {
        if let nan = e.resultOfNaN(a, b) { return nan }
        if b.isInfinity && (b.isNegative ? a.isInfinity : a.isZero) { return e.invalid() }
        e.noteDenormal(a)
        e.noteDenormal(b)
        if a.isInfinity || a.isZero { return a }
        if b.isInfinity { return b.isNegative ? .zero(a.isNegative) : .infinity(a.isNegative) }
        // Beyond 2^17 every result is out of range; more would only overflow here.
        let places: Int =
            b.isZero || b.exponent < 0 ? 0 : b.exponent > 17 ? 1 << 18 : Int(b.significand &>> UInt64(63 - b.exponent))
        let exponent = a.exponent + (b.isNegative ? -places : places)
        return e.round(a.isNegative, exponent, UInt128(a.significand) &<< 64, to: .extended)
    }

    /// FXTRACT: the exponent to ST(0), the significand pushed above it.
    mutating func extract() {
        guard let a = operand(0), isEmpty(7) else {
            guard stackFault(isOverflow: !isEmpty(0)) else { return }
            self[0] = .indefinite
            moveTop(by: -1)
            self[0] = .indefinite
            return
        }
        var e = environment
        let exponent: Real, significand: Real
        if let nan = e.resultOfNaN(a) {
            (exponent, significand) = (nan, nan)
        } else if a.isInfinity {
            (exponent, significand) = (.infinity(false), a)
        } else if a.isZero {
            e.raise(FloatException.zeroDivide)
            (exponent, significand) = (.infinity(true), a)
        } else {
            e.noteDenormal(a)
            exponent = FloatEnvironment.fromInteger(Int64(a.exponent))
            significand = Real(kind: .finite, isNegative: a.isNegative, significand: a.significand)
        }
        guard conclude(e) else { return }
        self[0] = exponent.extended
        moveTop(by: -1)
        self[0] = significand.extended
    }
}
