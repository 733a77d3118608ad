/// The register stack and the status word: SDM 1 8.1 "x87 FPU Execution Environment". What an instruction does to them
/// is
/// a method of `FPUState` in this folder; SystemX87.swift has the operands, pointers and faults.
extension FPUState {
    /// Bits of FSW.
    enum Status {
        static let stackFault: UInt16 = 1 << 6
        static let errorSummary: UInt16 = 1 << 7
        static let c0: UInt16 = 1 << 8
        static let c1: UInt16 = 1 << 9
        static let c2: UInt16 = 1 << 10
        static let c3: UInt16 = 1 << 14
    }

    private func physical(_ n: Int) -> Int { (top + n) & 7 }

    /// ST(n). Writing makes it valid; FSTENV tells what it is (`fullTag`).
    subscript(n: Int) -> ExtendedReal {
        get { ExtendedReal(significand: significands[physical(n)], signExponent: exponents[physical(n)]) }
        set {
            let r = physical(n)
            significands[r] = newValue.significand
            exponents[r] = newValue.signExponent
            tag &= ~(3 &<< UInt16(2 * r))
        }
    }
    func isEmpty(_ n: Int) -> Bool { tag &>> UInt16(2 * physical(n)) & 3 == 3 }
    mutating func free(_ n: Int) { tag |= 3 &<< UInt16(2 * physical(n)) }
    /// An operand; nil when the register is empty.
    func operand(_ n: Int) -> Real? { isEmpty(n) ? nil : Real(self[n]) }

    mutating func moveTop(by n: Int) {
        status = status & ~0x3800 | UInt16((top + n) & 7) << 11
    }
    /// FINCSTP, FDECSTP: tags and contents stay.
    mutating func turnTop(by n: Int) {
        moveTop(by: n)
        set(Status.c1, false)
    }
    mutating func pop(_ count: Int = 1) {
        for _ in 0..<count {
            free(0)
            moveTop(by: 1)
        }
    }

    mutating func set(_ bits: UInt16, _ on: Bool) { status = on ? status | bits : status & ~bits }

    var environment: FloatEnvironment { FloatEnvironment(control: control) }

    /// Records what an operation raised, and in C1 how it rounded. False: its result is not to be stored, because of an
    /// unmasked exception found before it was computed.
    mutating func conclude(_ e: FloatEnvironment) -> Bool {
        set(Status.c1, e.roundedUp && !e.isUnmaskedEarly)
        status |= UInt16(e.raised)
        updateErrorSummary()
        return !e.isUnmaskedEarly
    }

    /// SDM 1 8.5.1.1 "Stack Overflow or Underflow Exception (#IS)". True: masked, the indefinite is the result.
    mutating func stackFault(isOverflow: Bool) -> Bool {
        set(Status.c1, isOverflow)
        status |= UInt16(FloatException.invalid) | Status.stackFault
        updateErrorSummary()
        return control & UInt16(FloatException.invalid) != 0
    }

    // MARK: Loading

    /// Pushes what `make` returns; with an unmasked #D as well (measured on processors of both vendors; SDM 1 8.5.2
    /// "Denormal Operand Exception (#D)" would leave TOP unchanged).
    mutating func push(_ make: (inout FloatEnvironment) -> ExtendedReal) {
        guard isEmpty(7) else {
            if stackFault(isOverflow: true) {
                moveTop(by: -1)
                self[0] = .indefinite
            }
            return
        }
        var e = environment
        let value = make(&e)
        guard conclude(e) || e.raised & ~e.masks & FloatException.invalid == 0 else { return }
        moveTop(by: -1)
        self[0] = value
    }
    /// FLD ST(i).
    mutating func pushRegister(_ n: Int) {
        guard isEmpty(n) else {
            let value = self[n]
            push { _ in value }
            return
        }
        guard stackFault(isOverflow: false) else { return }
        moveTop(by: -1)
        self[0] = .indefinite
    }
    /// FSTPNCE: FSTP ST(i) that takes an empty register without a fault. Not in the SDM.
    mutating func copyTopUnchecked(to n: Int) {
        if isEmpty(0) {
            set(Status.c1, false)
            pop()
        } else {
            copyTop(to: n, pops: true)
        }
    }
    /// What fits the extended format.
    mutating func push(exactly real: Real) {
        let value = real.extended
        push { _ in value }
    }
    /// FLD m32fp, m64fp.
    mutating func push(_ real: Real) {
        push { e in e.convert(real, to: .extended).extended }
    }

    // MARK: Moves within the stack

    /// FST ST(i), FSTP ST(i).
    mutating func copyTop(to n: Int, pops: Bool) {
        if isEmpty(0) {
            guard stackFault(isOverflow: false) else { return }
            self[n] = .indefinite
        } else {
            self[n] = self[0]
            set(Status.c1, false)
        }
        if pops { pop() }
    }
    mutating func exchange(_ n: Int) {
        if isEmpty(0) || isEmpty(n) {
            guard stackFault(isOverflow: false) else { return }
            if isEmpty(0) { self[0] = .indefinite }
            if isEmpty(n) { self[n] = .indefinite }
        } else {
            set(Status.c1, false)
        }
        (self[0], self[n]) = (self[n], self[0])
    }
    /// FCMOVcc: an empty register is a fault whether or not the condition holds.
    mutating func move(from n: Int, if condition: Bool) {
        if isEmpty(0) || isEmpty(n) {
            if stackFault(isOverflow: false) { self[0] = .indefinite }
            return
        }
        if condition { self[0] = self[n] }
    }

    // MARK: Sign and class

    /// FCHS, FABS: raw, without exceptions of the operand.
    mutating func changeSign(_ f: (UInt16) -> UInt16) {
        guard !isEmpty(0) else {
            if stackFault(isOverflow: false) { self[0] = .indefinite }
            return
        }
        self[0].signExponent = f(self[0].signExponent)
        set(Status.c1, false)
    }

    /// FXAM: SDM 2A "FXAM—Examine Floating-Point", table 3-42.
    mutating func examine() {
        set(Status.c0 | Status.c2 | Status.c3, false)
        set(Status.c1, self[0].signExponent >> 15 != 0)
        guard let x = operand(0) else {
            status |= Status.c3 | Status.c0
            return
        }
        switch x.kind {
        case .unsupported: break
        case .quietNaN, .signallingNaN: status |= Status.c0
        case .infinity: status |= Status.c2 | Status.c0
        case .zero: status |= Status.c3
        case .finite: status |= x.isDenormal ? Status.c3 | Status.c2 : Status.c2
        }
    }
}
