/// The formats of SSE's elements.
protocol ElementFormat {
    associatedtype Bits: FixedWidthInteger & UnsignedInteger
    static var format: FloatFormat { get }
}
enum Single: ElementFormat {
    typealias Bits = UInt32
    static var format: FloatFormat { .single }
}
enum Double64: ElementFormat {
    typealias Bits = UInt64
    static var format: FloatFormat { .double }
}

/// Operations of SSE on one element, bits to bits. For an instruction with several, one environment serves them all.
extension FloatEnvironment {
    private func real<F: ElementFormat>(_ x: F.Bits, _: F.Type) -> Real { unpack(UInt64(x), F.format) }
    private func bits<F: ElementFormat>(_ r: Real, _: F.Type) -> F.Bits {
        F.Bits(truncatingIfNeeded: pack(r, F.format))
    }

    mutating func add<F: ElementFormat>(_ a: F.Bits, _ b: F.Bits, _: F.Type) -> F.Bits {
        bits(add(real(a, F.self), real(b, F.self), to: F.format), F.self)
    }
    mutating func subtract<F: ElementFormat>(_ a: F.Bits, _ b: F.Bits, _: F.Type) -> F.Bits {
        bits(subtract(real(a, F.self), real(b, F.self), to: F.format), F.self)
    }
    mutating func multiply<F: ElementFormat>(_ a: F.Bits, _ b: F.Bits, _: F.Type) -> F.Bits {
        bits(multiply(real(a, F.self), real(b, F.self), to: F.format), F.self)
    }
    mutating func divide<F: ElementFormat>(_ a: F.Bits, _ b: F.Bits, _: F.Type) -> F.Bits {
        bits(divide(real(a, F.self), by: real(b, F.self), to: F.format), F.self)
    }
    mutating func squareRoot<F: ElementFormat>(_ a: F.Bits, _: F.Type) -> F.Bits {
        bits(squareRoot(real(a, F.self), to: F.format), F.self)
    }
    mutating func minimum<F: ElementFormat>(_ a: F.Bits, _ b: F.Bits, _: F.Type) -> F.Bits {
        bits(minimum(real(a, F.self), real(b, F.self)), F.self)
    }
    mutating func maximum<F: ElementFormat>(_ a: F.Bits, _ b: F.Bits, _: F.Type) -> F.Bits {
        bits(maximum(real(a, F.self), real(b, F.self)), F.self)
    }
    mutating func compare<F: ElementFormat>(
        _ a: F.Bits, _ b: F.Bits, _: F.Type, isSignalling: Bool
    ) -> FloatOrder {
        compare(real(a, F.self), real(b, F.self), isSignalling: isSignalling)
    }
    /// SDM 2A "CMPPS—Compare Packed Single Precision Floating-Point Values": the eight predicates.
    mutating func matches<F: ElementFormat>(_ a: F.Bits, _ b: F.Bits, _ predicate: UInt8, _: F.Type) -> Bool {
        let kind = predicate & 3
        let order = compare(a, b, F.self, isSignalling: kind == 1 || kind == 2)
        let holds = switch kind {
        case 0: order == .equal
        case 1: order == .less
        case 2: order == .less || order == .equal
        default: order == .unordered
        }
        return holds != (predicate & 4 != 0)
    }

    mutating func convert<F: ElementFormat, G: ElementFormat>(_ a: F.Bits, _: F.Type, to _: G.Type) -> G.Bits {
        bits(convert(real(a, F.self), to: G.format), G.self)
    }
    mutating func convert<F: ElementFormat>(integer x: Int64, to _: F.Type) -> F.Bits {
        bits(convert(Self.fromInteger(x), to: F.format), F.self)
    }
    /// What is not representable gives the integer indefinite.
    mutating func integer<F: ElementFormat, I: FixedWidthInteger & SignedInteger>(
        _ a: F.Bits, _: F.Type, as _: I.Type, truncates: Bool
    ) -> I {
        let mode = rounding
        defer { rounding = mode }
        if truncates { rounding = .towardZero }
        guard let value = toInteger(real(a, F.self), bits: I.bitWidth) else { return I.min }
        return I(truncatingIfNeeded: value)
    }
    /// SDM 2B "ROUNDPS—Round Packed Single Precision Floating-Point Values": bit 2 of the immediate chooses MXCSR's
    /// rounding instead of that in bits 1:0, bit 3 suppresses the precision exception.
    mutating func roundToIntegral<F: ElementFormat>(_ a: F.Bits, _ control: UInt8, _: F.Type) -> F.Bits {
        let mode = rounding
        defer { rounding = mode }
        if control & 4 == 0 { rounding = FloatRounding(control: control) }
        let result = roundToIntegral(real(a, F.self))
        if control & 8 != 0 { suppressPrecision() }
        return bits(result, F.self)
    }
}

/// RCPPS and RSQRTPS: SDM 2B "RCPPS—Compute Reciprocals of Packed Single Precision Floating-Point Values", "RSQRTPS—
/// Compute Reciprocals of Square Roots of Packed Single Precision Floating-Point Values". The manual bounds the
/// relative error by 1.5 * 2^-12 and leaves the value to the part; here it is the quotient rounded to the nearest
/// number with 12 fraction bits, for RSQRTPS by the root with 63 of them: an error below 1.01 * 2^-13. Denormal
/// operands count as zeros, tiny results are zeros; no flags, whatever MXCSR says.
enum Approximation {
    private static let format = FloatFormat(precision: 13, maxExponent: FloatFormat.single.maxExponent)
    /// All masked, FTZ and DAZ.
    private static let mxcsr: UInt32 = 0x9FC0

    static func reciprocal(_ a: UInt32) -> UInt32 {
        let e = FloatEnvironment(mxcsr: mxcsr)
        return quotient(e.unpack(UInt64(a), .single))
    }
    static func reciprocalSquareRoot(_ a: UInt32) -> UInt32 {
        var e = FloatEnvironment(mxcsr: mxcsr)
        return quotient(e.squareRoot(e.unpack(UInt64(a), .single), to: .extended))
    }
    private static func quotient(_ divisor: Real) -> UInt32 {
        var e = FloatEnvironment(mxcsr: mxcsr)
        let result = e.divide(FloatEnvironment.fromInteger(1), by: divisor, to: format)
        return UInt32(truncatingIfNeeded: e.pack(result, .single))
    }
}
