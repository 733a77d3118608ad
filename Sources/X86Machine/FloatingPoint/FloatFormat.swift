/// IEEE-754 arithmetic in integers, for SSE and x87, the same on every host: SDM 1 chapter 4 "Data Types".
///
/// How to use it. A `FloatEnvironment` holds what a control register says (`init(mxcsr:)`, `init(control:)`) and
/// collects
/// what the operations raise:
///
///     var e = FloatEnvironment(mxcsr: fpu.mxcsr)
///     let sum = e.pack(e.add(e.unpack(a, .double), e.unpack(b, .double), to: .double), .double)
///     if e.isUnmasked { /* #XM (SSE), result not stored */ }
///     fpu.mxcsr |= UInt32(e.raised)
///
/// Operands are unpacked to `Real`, which serves all formats; each operation rounds its result to the format in `to:`,
/// and `pack` makes bits of it. `unpack` applies DAZ, rounding applies FTZ. NaNs follow the rules of the register that
/// the
/// environment was made from. For packed operands use one environment for all elements: `raised` then follows SDM 1
/// 11.5.2 "SIMD Floating-Point Exception Conditions" by itself (see `raised`).
///
/// Other operations of the environment: `subtract`, `multiply`, `divide`, `squareRoot`, `convert` (between formats),
/// `compare`, `minimum`, `maximum`, `roundToIntegral`, `toInteger`, `fromInteger`.
///
/// A binary interchange format: SDM 1 table 4-3 "Length, Precision, and Range of Floating-Point Data Types".
struct FloatFormat {
    /// Bits of the significand, with the integer bit.
    let precision: Int
    /// Exponent of the largest finite values; the smallest normal ones have `1 - maxExponent`.
    let maxExponent: Int
    var minExponent: Int { 1 - maxExponent }

    static let single = FloatFormat(precision: 24, maxExponent: 127)
    static let double = FloatFormat(precision: 53, maxExponent: 1023)
    static let extended = FloatFormat(precision: 64, maxExponent: 16383)

    /// What x87 arithmetic rounds to: the precision-control field of FCW (SDM 1 8.1.5.2 "Precision Control Field")
    /// limits the significand, not the exponent. The reserved encoding counts as extended precision.
    static func extended(control: UInt16) -> FloatFormat {
        switch control >> 8 & 3 {
        case 0: FloatFormat(precision: 24, maxExponent: 16383)
        case 2: FloatFormat(precision: 53, maxExponent: 16383)
        default: .extended
        }
    }
}

/// Flag bits of MXCSR and FSW, in bits 5:0 of both: SDM 1 4.9.1 "Floating-Point Exception Conditions".
enum FloatException {
    static let invalid: UInt8 = 1
    static let denormal: UInt8 = 2
    static let zeroDivide: UInt8 = 4
    static let overflow: UInt8 = 8
    static let underflow: UInt8 = 0x10
    static let precision: UInt8 = 0x20
    /// Found before the result is computed: when unmasked, there is no result.
    static let preComputation = invalid | denormal | zeroDivide
}

/// Encoding of RC in MXCSR and FCW and of the immediate of ROUNDSS: SDM 1 table 4-8 "Rounding Modes and Encoding of
/// Rounding Control (RC) Field".
enum FloatRounding: UInt8 {
    case nearestEven, down, up, towardZero
    init(control: UInt8) { self = FloatRounding(rawValue: control & 3) ?? .nearestEven }
}

/// Outcome of a comparison.
enum FloatOrder { case less, equal, greater, unordered }

/// A register's image in the double extended-precision format: 64-bit significand; sign with 15-bit exponent.
struct ExtendedReal: Equatable {
    var significand: UInt64
    var signExponent: UInt16
    /// SDM 1 4.2.2 "Floating-Point Data Types", table 4-3: the real indefinite.
    static let indefinite = ExtendedReal(significand: 0xC000_0000_0000_0000, signExponent: 0xFFFF)
}
