import Testing
import X86Architecture
@testable import X86Machine

/// SDM 1 11.5 "Intel SSE, SSE2, and SSE3 Exceptions"; the values themselves are compared with silicon in
/// `HostOracleTests`.
@Suite("SSE arithmetic: MXCSR, masked and unmasked exceptions") struct VectorFloatTests {
    private static let one: UInt64 = 0x3F80_0000_3F80_0000, snan: UInt64 = 0x7FA0_0000
    private static let invalid: UInt32 = 1, denormal: UInt32 = 2, zeroDivide: UInt32 = 4, overflow: UInt32 = 8,
        underflow: UInt32 = 16, precision: UInt32 = 32
    private static let allMasked: UInt32 = 0x1F80
    /// With these exceptions unmasked.
    private static func unmasked(_ flags: UInt32) -> UInt32 { allMasked & ~(flags << 7) }

    /// Executes `op xmm0, xmm1` with these contents; 0F prefix supplied.
    private func run(
        _ code: [UInt8], _ a: XMM, _ b: XMM, mxcsr: UInt32 = allMasked, cr4: UInt64 = CR4.osfxsr | CR4.osxmmexcpt
    ) -> TestGuest {
        let guest = TestGuest()
        guest.p.system.cr4 |= cr4
        guest.p.modeChanged()
        guest.p.cpu.pointee.mxcsr = mxcsr
        guest.p.setXMM(0, a)
        guest.p.setXMM(1, b)
        guest.execute(code)
        return guest
    }
    private static let divps: [UInt8] = [0x0F, 0x5E, 0xC1], addps: [UInt8] = [0x0F, 0x58, 0xC1]

    @Test("flags of all elements accumulate and stay")
    func accumulate() {
        // 1/0, SNaN, and 1/3, with OE set before.
        let a = XMM(0x3F80_0000 << 32 | Self.snan, Self.one), b = XMM(0, 0x4040_0000_4040_0000)
        let guest = run(Self.divps, a, b, mxcsr: Self.allMasked | Self.overflow)
        #expect(guest.handledVector == nil)
        let flags = Self.invalid | Self.zeroDivide | Self.overflow | Self.precision
        #expect(guest.p.cpu.pointee.mxcsr == Self.allMasked | flags)
        #expect(guest.p.xmm(0)[0] == 0x7F80_0000_7FE0_0000)
    }

    @Test("an unmasked exception is #XM: flags are set, the destination is not; #UD without CR4.OSXMMEXCPT")
    func unmaskedException() {
        let a = XMM(Self.one, Self.one), b = XMM(0, Self.one), mxcsr = Self.unmasked(Self.zeroDivide)
        let guest = run(Self.divps, a, b, mxcsr: mxcsr)
        #expect(guest.handledVector == 19 && guest.p.xmm(0) == a)
        #expect(guest.p.cpu.pointee.mxcsr == mxcsr | Self.zeroDivide)
        #expect(guest.frame(0) == TestGuest.code, "a fault, without an error code")
        #expect(run(Self.divps, a, b, mxcsr: mxcsr, cr4: CR4.osfxsr).handledVector == 6)
    }

    @Test("an unmasked exception before computing keeps those after computing from being found in any element")
    func priority() {
        // 1/0 in the first element, 1/3 in the others: PE is not set.
        let a = XMM(Self.one, Self.one), b = XMM(0x4040_0000_0000_0000, 0x4040_0000_4040_0000)
        let mxcsr = Self.unmasked(Self.zeroDivide | Self.precision)
        #expect(run(Self.divps, a, b, mxcsr: mxcsr).p.cpu.pointee.mxcsr == mxcsr | Self.zeroDivide)
        // Masked before, unmasked after: both are set.
        let late = Self.unmasked(Self.precision), guest = run(Self.divps, a, b, mxcsr: late)
        #expect(guest.handledVector == 19)
        #expect(guest.p.cpu.pointee.mxcsr == late | Self.zeroDivide | Self.precision)
    }

    // SDM 1 4.9.1.5 "Numeric Underflow Exception (#U)".
    @Test("underflow: masked when tiny and inexact, unmasked when tiny")
    func underflow() {
        // 2^-126 / 2: exact.
        let a = XMM(0x0080_0000_0080_0000, 0x0080_0000_0080_0000), b = XMM(0x4000_0000_4000_0000, 0x4000_0000_4000_0000)
        let masked = run(Self.divps, a, b)
        #expect(masked.p.cpu.pointee.mxcsr == Self.allMasked && masked.p.xmm(0)[0] == 0x0040_0000_0040_0000)
        let mxcsr = Self.unmasked(Self.underflow)
        let guest = run(Self.divps, a, b, mxcsr: mxcsr)
        #expect(guest.handledVector == 19 && guest.p.cpu.pointee.mxcsr == mxcsr | Self.underflow)
    }

    // SDM 1 4.9.1.6 "Inexact-Result (Precision) Exception (#P)": of an unmasked underflow or overflow the result whose
    // exponent has no bounds counts.
    @Test("unmasked underflow and overflow set PE when the result is inexact, whatever a denormal would have lost")
    func inexact() {
        let cvtsd2ss: [UInt8] = [0xF2, 0x0F, 0x5A, 0xC1], both = Self.unmasked(Self.underflow | Self.overflow)
        let cases: [(Double, UInt32)] = [
            (0x1p-140, Self.underflow), (0x1.000002p-140, Self.underflow), (0x1p-300, Self.underflow),
            (0x1.00000001p-140, Self.underflow | Self.precision), (0x1p200, Self.overflow),
            (0x1.00000001p200, Self.overflow | Self.precision),
        ]
        for (value, flags) in cases {
            let guest = run(cvtsd2ss, XMM(7, 7), XMM(value.bitPattern, 0), mxcsr: both)
            #expect(guest.handledVector == 19 && guest.p.xmm(0) == XMM(7, 7))
            #expect(guest.p.cpu.pointee.mxcsr == both | flags, "\(value)")
        }
    }

    // SDM 1 10.2.3.3 "Flush-To-Zero", 10.2.3.4 "Denormals-Are-Zeros".
    @Test("FTZ flushes tiny results, only with underflow masked; DAZ takes denormals for zeros and raises no DE")
    func flushing() {
        let least = XMM(0x0080_0000_8080_0000, 0x3F80_0000_3F80_0000), two = XMM(0x4000_0000_4000_0000, Self.one)
        let ftz = run(Self.divps, least, two, mxcsr: Self.allMasked | 0x8000)
        #expect(ftz.p.xmm(0)[0] == 0x0000_0000_8000_0000)
        #expect(ftz.p.cpu.pointee.mxcsr & 0x3F == Self.underflow | Self.precision)
        let unmasked = run(Self.divps, least, two, mxcsr: Self.unmasked(Self.underflow) | 0x8000)
        #expect(unmasked.handledVector == 19)
        let denormals = XMM(0x0000_0001_8000_0001, 0)
        #expect(run(Self.addps, denormals, XMM(0, 0)).p.cpu.pointee.mxcsr & 0x3F == Self.denormal)
        let daz = run(Self.addps, denormals, XMM(0, 0), mxcsr: Self.allMasked | 0x40)
        #expect(daz.p.cpu.pointee.mxcsr & 0x3F == 0 && daz.p.xmm(0)[0] == 0)
    }

    @Test("COMISS: a QNaN is invalid, for UCOMISS it is not; an unmasked exception leaves the flags")
    func ordered() {
        let qnan = XMM(0x7FC0_0000, 0), one = XMM(Self.one, 0)
        let comiss = run([0x0F, 0x2F, 0xC1], qnan, one), ucomiss = run([0x0F, 0x2E, 0xC1], qnan, one)
        #expect(comiss.p.cpu.pointee.mxcsr & 0x3F == Self.invalid && ucomiss.p.cpu.pointee.mxcsr & 0x3F == 0)
        let unordered = RFLAGS.zero | RFLAGS.parity | RFLAGS.carry
        #expect(comiss.p.rflags & RFLAGS.arithmetic == unordered)
        #expect(ucomiss.p.rflags & RFLAGS.arithmetic == unordered)
        let fault = run([0x0F, 0x2F, 0xC1], qnan, one, mxcsr: Self.unmasked(Self.invalid))
        #expect(fault.handledVector == 19 && fault.p.rflags & RFLAGS.arithmetic == 0)
    }

    @Test("RCPPS and RSQRTPS are within 1.5 * 2^-12, and raise nothing")
    func approximations() {
        var r = SplitMix(seed: 3)
        for _ in 0..<2000 {
            let bits = UInt32(truncatingIfNeeded: r.next()) & 0x807F_FFFF | UInt32(1 + r.below(252)) << 23
            let x = Double(Float(bitPattern: bits)), bound = 1.5 / 4096
            for (code, exact) in [(0x53 as UInt8, 1 / x), (0x52, 1 / x.magnitude.squareRoot())] {
                let operand = code == 0x52 ? bits & 0x7FFF_FFFF : bits
                let guest = run([0x0F, code, 0xC1], XMM(0, 0), XMM(UInt64(operand), 0))
                let got = Double(Float(bitPattern: UInt32(truncatingIfNeeded: guest.p.xmm(0)[0])))
                #expect(((got - exact) / exact).magnitude <= bound, "\(code) of \(x)")
                #expect(guest.p.cpu.pointee.mxcsr == Self.allMasked)
            }
        }
    }
}
