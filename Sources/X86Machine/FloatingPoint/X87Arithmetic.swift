/// Arithmetic and comparison on the register stack: SDM 1 8.3.5 "Basic Arithmetic Instructions" and 8.3.6 "Comparison
/// and
/// Classification Instructions".
extension FPUState {
    typealias Operation = (inout FloatEnvironment, Real, Real, FloatFormat) -> Real

    /// ST(d) := operation(ST(d), source). `source` nil: an empty register.
    mutating func combine(into d: Int, with source: Real?, pops: Bool = false, _ operation: Operation) {
        if let source, let destination = operand(d) {
            var e = environment
            let result = operation(&e, destination, source, .extended(control: control))
            guard conclude(e) else { return }
            self[d] = result.extended
        } else {
            guard stackFault(isOverflow: false) else { return }
            self[d] = .indefinite
        }
        if pops { pop() }
    }

    /// ST(0) := operation(ST(0)): FSQRT, FRNDINT.
    mutating func change(_ operation: (inout FloatEnvironment, Real, FloatFormat) -> Real) {
        guard let x = operand(0) else {
            if stackFault(isOverflow: false) { self[0] = .indefinite }
            return
        }
        var e = environment
        let result = operation(&e, x, .extended(control: control))
        if conclude(e) { self[0] = result.extended }
    }

    /// ST(0) with `source`. An unmasked exception pops nothing; the result is reported all the same (measured on
    /// processors of both vendors; SDM 2A "FCOM/FCOMP/FCOMPP—Compare Floating-Point Values" has no flags set by #IA).
    private mutating func order(with source: Real?, isSignalling: Bool, pops: Int) -> FloatOrder {
        var order = FloatOrder.unordered
        if let source, let x = operand(0) {
            var e = environment
            order = e.compare(x, source, isSignalling: isSignalling)
            guard conclude(e) else { return order }
        } else {
            guard stackFault(isOverflow: false) else { return order }
        }
        pop(pops)
        return order
    }

    /// FCOM, FUCOM, FTST, FICOM and their popping forms: SDM 1 table 8-6 "Setting of x87 FPU Condition Code Flags for
    /// Floating-Point Number Comparisons".
    mutating func compare(with source: Real?, isSignalling: Bool = true, pops: Int = 0) {
        let order = order(with: source, isSignalling: isSignalling, pops: pops)
        set(Status.c3, order == .equal || order == .unordered)
        set(Status.c2, order == .unordered)
        set(Status.c0, order == .less || order == .unordered)
    }

    /// FCOMI and its kin: ZF, PF and CF for RFLAGS. C1 stays as it was (measured on processors of both vendors; SDM 2A
    /// "FCOMI/FCOMIP/FUCOMI/FUCOMIP—Compare Floating-Point Values and Set EFLAGS" clears it) but for stack underflow.
    mutating func compareToFlags(with source: Real?, isSignalling: Bool, pops: Bool) -> (z: Bool, p: Bool, c: Bool) {
        let before = status & Status.c1 != 0, isUnderflow = source == nil || isEmpty(0)
        let order = order(with: source, isSignalling: isSignalling, pops: pops ? 1 : 0)
        if !isUnderflow { set(Status.c1, before) }
        return (
            order == .equal || order == .unordered, order == .unordered, order == .less || order == .unordered
        )
    }

    // MARK: Constants

    /// FLDL2T, FLDL2E, FLDPI, FLDLG2, FLDLN2: by RC, without #P (SDM 1 8.3.4 "Load Constant Instructions"). 128 bits
    /// are
    /// enough to tell on which side of the 64-bit value the constant is.
    static let logarithmOf10 = (exponent: 1, magnitude: UInt128(0xD49A_784B_CD1B_8AFE) << 64 | 0x492B_F6FF_4DAF_DB4C)
    static let logarithmOfE = (exponent: 0, magnitude: UInt128(0xB8AA_3B29_5C17_F0BB) << 64 | 0xBE87_FED0_691D_3E88)
    static let pi = (exponent: 1, magnitude: UInt128(0xC90F_DAA2_2168_C234) << 64 | 0xC4C6_628B_80DC_1CD1)
    static let decimalLogarithmOf2 =
        (exponent: -2, magnitude: UInt128(0x9A20_9A84_FBCF_F798) << 64 | 0x8F89_59AC_0B7C_9178)
    static let naturalLogarithmOf2 =
        (exponent: -1, magnitude: UInt128(0xB172_17F7_D1CF_79AB) << 64 | 0xC9E3_B398_03F2_F6AF)

    mutating func push(constant: (exponent: Int, magnitude: UInt128)) {
        var rounding = environment
        let value = rounding.round(false, constant.exponent, constant.magnitude, to: .extended).extended
        push { _ in value }
    }
}
