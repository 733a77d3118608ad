/// From ST(0) to memory. Each returns what is to be stored; nil: nothing, because of an unmasked exception.
extension FPUState {
    /// FST, FSTP m32fp and m64fp. An unmasked overflow or underflow stores nothing and pops nothing (SDM 1 8.5.4
    /// "Numeric Overflow Exception (#O)"), and is reported alone, with C1 clear (SDM 1 4.9.1.6 "Inexact-Result
    /// (Precision) Exception (#P)").
    mutating func storeReal(_ format: FloatFormat, pops: Bool) -> UInt64? {
        guard let x = operand(0) else {
            guard stackFault(isOverflow: false) else { return nil }
            if pops { pop() }
            return Real.indefinite.bits(format)
        }
        var e = environment
        let result = e.convert(x, to: format, notesDenormal: false)
        let late = e.raised & ~e.masks & (FloatException.overflow | FloatException.underflow)
        if late != 0 {
            e = environment
            e.raise(late)
        }
        guard conclude(e), late == 0 else { return nil }
        if pops { pop() }
        return result.bits(format)
    }

    /// FSTP m80fp: as it is.
    mutating func storeExtended() -> ExtendedReal? {
        var value = self[0]
        if isEmpty(0) {
            guard stackFault(isOverflow: false) else { return nil }
            value = .indefinite
        } else {
            set(Status.c1, false)
        }
        pop()
        return value
    }

    /// FIST, FISTP, FISTTP (`truncates`), of `bits` bits.
    mutating func storeInteger(bits: Int, truncates: Bool, pops: Bool) -> UInt64? {
        let indefinite: UInt64 = 1 &<< UInt64(bits - 1)
        guard let x = operand(0) else {
            guard stackFault(isOverflow: false) else { return nil }
            if pops { pop() }
            return indefinite
        }
        var e = environment
        if truncates { e.rounding = .towardZero }
        let value = e.toInteger(x, bits: bits).map { UInt64(bitPattern: $0) } ?? indefinite
        guard conclude(e) else { return nil }
        if pops { pop() }
        return value
    }

    // MARK: Packed decimal, SDM 1 4.7 "BCD and Packed BCD Integers"

    /// FBLD: 18 digits in 9 bytes, sign in the tenth. What digits above 9 give is undefined.
    mutating func pushDecimal(_ low: UInt64, _ high: UInt16) {
        var value: UInt64 = 0
        for n in (0..<18).reversed() {
            let digit = n < 16 ? low &>> UInt64(4 * n) & 15 : UInt64(high) &>> UInt64(4 * (n - 16)) & 15
            value = value &* 10 &+ digit
        }
        push(exactly: FloatEnvironment.real(high >> 15 != 0, value))
    }

    /// FBSTP.
    mutating func storeDecimal() -> (low: UInt64, high: UInt16)? {
        // SDM 1 table 4-4 "Packed Decimal Integer Encodings": the indefinite.
        let indefinite: (low: UInt64, high: UInt16) = (0xC000_0000_0000_0000, 0xFFFF)
        guard let x = operand(0) else {
            guard stackFault(isOverflow: false) else { return nil }
            pop()
            return indefinite
        }
        let before = environment
        var e = before
        let value = e.toInteger(x, bits: 64)
        var result = indefinite
        if let value, value.magnitude < 1_000_000_000_000_000_000 {
            var rest = value.magnitude
            result = (0, x.isNegative ? 0x8000 : 0)
            for n in 0..<18 {
                let digit = rest % 10
                rest /= 10
                if n < 16 {
                    result.low |= digit &<< UInt64(4 * n)
                } else {
                    result.high |= UInt16(digit << (4 * (n - 16)))
                }
            }
        } else {
            e = before
            e.raise(FloatException.invalid)
        }
        guard conclude(e) else { return nil }
        pop()
        return result
    }
}
