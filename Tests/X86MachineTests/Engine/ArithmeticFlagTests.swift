import CEngineState
import Testing
import X86Architecture
@testable import X86Machine

/// Flags by their definitions, bit by bit: SDM 1 3.4.3.1 "Status Flags".
private struct Definition {
    var result: UInt8, carry: Bool, overflow: Bool, adjust: Bool
    /// a + b + c, or a - b - c.
    init(_ a: UInt8, _ b: UInt8, _ c: Int, subtract: Bool) {
        let sign = subtract ? -1 : 1
        let unsigned = Int(a) + sign * (Int(b) + c)
        let signed = Int(Int8(bitPattern: a)) + sign * (Int(Int8(bitPattern: b)) + c)
        let nibble = Int(a & 15) + sign * (Int(b & 15) + c)
        result = UInt8(truncatingIfNeeded: unsigned)
        carry = unsigned < 0 || unsigned > 255
        overflow = signed < -128 || signed > 127
        adjust = nibble < 0 || nibble > 15
    }
    init(logic: UInt8) { (result, carry, overflow, adjust) = (logic, false, false, false) }
    var flags: UInt64 {
        var f: UInt64 = 0
        if carry { f |= RFLAGS.carry }
        if overflow { f |= RFLAGS.overflow }
        if adjust { f |= RFLAGS.adjust }
        if result == 0 { f |= RFLAGS.zero }
        if result & 0x80 != 0 { f |= RFLAGS.sign }
        if (0..<8).reduce(0, { $0 + Int(result >> UInt8($1) & 1) }) % 2 == 0 { f |= RFLAGS.parity }
        return f
    }
}

@Suite("Arithmetic flags by brute force over 8-bit operands") struct ArithmeticFlagTests {
    private let guest = TestGuest()
    private var cpu: CPUPointer { guest.p.cpu }
    private var flags: LiveFlags { LiveFlags(cpu) }

    private func each(_ body: (UInt8, UInt8, Int) -> (UInt8, Definition)) {
        for a in 0...255 as ClosedRange<UInt8> {
            for b in 0...255 as ClosedRange<UInt8> {
                for c in 0...1 {
                    cpu.pointee.arithmeticFlags = UInt64(c)
                    let (result, expected) = body(a, b, c)
                    let got = cpu.pointee.arithmeticFlags
                    if result != expected.result || got != expected.flags {
                        let wanted = "\(expected.result) with \(expected.flags)"
                        Issue.record("\(a), \(b), carry \(c): \(result) with \(got), not \(wanted)")
                        return
                    }
                }
            }
        }
    }

    @Test("ADD and SUB ignore CF, ADC and SBB add and subtract it")
    func sums() {
        each { a, b, _ in (add(flags, a, b), Definition(a, b, 0, subtract: false)) }
        each { a, b, _ in (sub(flags, a, b), Definition(a, b, 0, subtract: true)) }
        each { (adc(flags, $0, $1), Definition($0, $1, $2, subtract: false)) }
        each { (sbb(flags, $0, $1), Definition($0, $1, $2, subtract: true)) }
    }
    @Test("CMP sets the flags of SUB; NEG those of 0 - operand")
    func comparison() {
        each { a, b, _ in
            cmp(flags, a, b); return (a &- b, Definition(a, b, 0, subtract: true))
        }
        each { a, _, _ in (neg(flags, a), Definition(0, a, 0, subtract: true)) }
    }
    @Test("INC and DEC set all flags but CF")
    func increments() {
        each { a, _, c in
            var d = Definition(a, 1, 0, subtract: false)
            d.carry = c == 1
            return (inc(flags, a), d)
        }
        each { a, _, c in
            var d = Definition(a, 1, 0, subtract: true)
            d.carry = c == 1
            return (dec(flags, a), d)
        }
    }
    @Test("AND, OR and XOR clear CF and OF")
    func logic() {
        each { a, b, _ in (logical_and(flags, a, b), Definition(logic: a & b)) }
        each { a, b, _ in (logical_or(flags, a, b), Definition(logic: a | b)) }
        each { a, b, _ in (logical_xor(flags, a, b), Definition(logic: a ^ b)) }
    }
    @Test("A shift of n is n shifts of one; CF is the last bit out")
    func shifts() {
        for a in 0...255 as ClosedRange<UInt8> {
            for n in 1...8 as ClosedRange<UInt8> {
                var left = a, right = a, signed = Int8(bitPattern: a)
                var leftOut = false, rightOut = false, signedOut = false
                for _ in 0..<n {
                    leftOut = left & 0x80 != 0
                    rightOut = right & 1 != 0
                    signedOut = signed & 1 != 0
                    (left, right, signed) = (left << 1, right >> 1, signed >> 1)
                }
                #expect(shl(flags, a, n) == left && cpu.pointee.carryFlag == leftOut)
                #expect(shr(flags, a, n) == right && cpu.pointee.carryFlag == rightOut)
                #expect(sar(flags, a, n) == UInt8(bitPattern: signed) && cpu.pointee.carryFlag == signedOut)
            }
        }
    }
    @Test("A masked count of 0 changes neither operand nor flags", arguments: [0, 32, 64, 96] as [UInt8])
    func noShift(count: UInt8) {
        for image in [0, RFLAGS.arithmetic, RFLAGS.carry | RFLAGS.zero] {
            cpu.pointee.arithmeticFlags = image
            #expect(shl(flags, 0x81 as UInt32, count) == 0x81 && rcr(flags, 0x81 as UInt32, count) == 0x81)
            #expect(rol(flags, 0x81 as UInt32, count) == 0x81 && cpu.pointee.arithmeticFlags == image)
        }
    }
    @Test("Every combination of the six flags can be loaded and read back, and survives a rotate but for CF and OF")
    func combinations() {
        for n in 0..<64 as Range<UInt64> {
            let bits = [RFLAGS.carry, RFLAGS.parity, RFLAGS.adjust, RFLAGS.zero, RFLAGS.sign, RFLAGS.overflow]
            let image = bits.enumerated().reduce(0) { $0 | (n >> UInt64($1.offset) & 1 != 0 ? $1.element : 0) }
            guest.p.rflags = image
            #expect(guest.p.rflags == image | 2)
            let keeps = ~(RFLAGS.carry | RFLAGS.overflow)
            _ = rol(flags, 0x80 as UInt8, 1)
            #expect(guest.p.rflags & keeps == (image | 2) & keeps && cpu.pointee.carryFlag)
            guest.p.rflags = image
            flags.set(carry: false)
            #expect(guest.p.rflags == image & ~RFLAGS.carry | 2)
        }
    }
    @Test("A condition and its opposite are never both true, and say what their flags say")
    func conditions() {
        for n in 0..<64 as Range<UInt64> {
            let c = n & 1 != 0, p = n & 2 != 0, z = n & 8 != 0, s = n & 16 != 0, o = n & 32 != 0
            cpu.pointee.arithmeticFlags = (c ? 1 : 0) | (p ? 4 : 0) | (z ? 0x40 : 0) | (s ? 0x80 : 0) | (o ? 0x800 : 0)
            let expected = [o, c, z, c || z, s, p, s != o, z || s != o]
            for cc in 0..<8 as Range<UInt8> {
                #expect(cpu.pointee.condition(cc * 2) == expected[Int(cc)])
                #expect(cpu.pointee.condition(cc * 2 + 1) != expected[Int(cc)])
            }
        }
    }
}
