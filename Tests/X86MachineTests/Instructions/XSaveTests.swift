import Testing
@testable import X86Architecture
@testable import X86Machine

/// SDM 1 chapter 13 "Managing State Using the XSAVE Feature Set".
@Suite("XSAVE and its relatives") struct XSaveTests {
    private static let area: UInt64 = 0x5_0000, header: UInt64 = 0x5_0200
    private static let x87: UInt64 = 1, sse: UInt64 = 2, avx: UInt64 = 4, compacted: UInt64 = 1 << 63
    // Of [rbx].
    private static let xsave: [UInt8] = [0x48, 0x0F, 0xAE, 0x23], xrstor: [UInt8] = [0x48, 0x0F, 0xAE, 0x2B]
    private static let xsaveopt: [UInt8] = [0x48, 0x0F, 0xAE, 0x33], xsavec: [UInt8] = [0x48, 0x0F, 0xC7, 0x23]
    private static let xsaves: [UInt8] = [0x48, 0x0F, 0xC7, 0x2B], xrstors: [UInt8] = [0x48, 0x0F, 0xC7, 0x1B]

    /// A processor with every form, everything enabled, and RFBM `requested`.
    private func guest(_ requested: UInt64, model: ProcessorModel = .max) -> TestGuest {
        let guest = TestGuest(model: model), p = guest.p
        p.system.cr4 |= CR4.osfxsr | CR4.osxsave
        p.system.xcr0 = 7
        p.system.fpu.initialize()
        p.modeChanged()
        p.setGPR(GPR.rax, requested)
        p.setGPR(GPR.rdx, 0)
        p.setGPR(GPR.rbx, Self.area)
        for n in 0..<110 as Range<UInt64> { guest.write(Self.area + 8 * n, n >= 64 && n < 72 ? 0 : 0xEE as UInt64) }
        return guest
    }
    @Test("XSTATE_BV tells what is in use; XSAVE writes initial state, too, XSAVEOPT does not")
    func inUse() {
        for (code, writesInitial) in [(Self.xsave, true), (Self.xsaveopt, false)] {
            let guest = guest(7)
            guest.p.setXMM(3, XMM(5, 6))
            guest.execute(code)
            #expect(guest.handledVector == nil && guest.read(Self.header) == Self.sse)
            #expect(guest.read(Self.area + 160 + 48) == 5)
            #expect((guest.read(Self.area) != 0xEE) == writesInitial)
            #expect((guest.read(Self.area + 576) != 0xEE) == writesInitial)
        }
    }

    @Test("bits of XSTATE_BV that are not asked for stay; the compacted forms write the whole field")
    func bitmap() {
        let guest = guest(Self.avx)
        guest.write(Self.header, Self.x87)
        guest.p.system.fpu.upperYMM[31] = 9
        guest.execute(Self.xsave)
        #expect(guest.read(Self.header) == Self.x87 | Self.avx && guest.read(Self.area + 576 + 248) == 9)
        #expect(guest.read32(Self.area + 24) == 0x1F80, "MXCSR goes with AVX state")
        for code in [Self.xsavec, Self.xsaves] {
            let guest = self.guest(Self.avx)
            guest.write(Self.header, Self.x87)
            guest.p.system.fpu.upperYMM[31] = 9
            guest.execute(code)
            #expect(guest.read(Self.header) == Self.avx && guest.read(Self.header + 8) == Self.avx | Self.compacted)
        }
    }

    @Test("what XSAVE, XSAVEC and XSAVES wrote, XRSTOR and XRSTORS restore; what was initial becomes initial")
    func roundTrip() {
        for (save, restore) in [(Self.xsave, Self.xrstor), (Self.xsavec, Self.xrstor), (Self.xsaves, Self.xrstors)] {
            let guest = guest(7), p = guest.p
            p.cpu.pointee.mxcsr = 0x1FA0
            for n in 0..<32 { p.system.fpu.upperYMM[n] = UInt64(n) }
            guest.execute(save)
            p.cpu.pointee.mxcsr = 0x1F80
            p.setXMM(4, XMM(1, 1))
            p.system.fpu.control = 0x27F
            for n in 0..<32 { p.system.fpu.upperYMM[n] = 0 }
            guest.execute(restore)
            #expect(guest.handledVector == nil && p.cpu.pointee.mxcsr == 0x1FA0 && p.xmm(4) == XMM(0, 0))
            #expect(p.system.fpu.control == 0x37F && p.system.fpu.upperYMM[31] == 31)
        }
    }

    @Test("a header with reserved bits, a format or a component that is not there is #GP(0)")
    func headers() {
        // word of the header, value, code
        let cases: [(UInt64, UInt64, [UInt8])] = [
            (0, 8, Self.xrstor), (8, 1, Self.xrstor), (16, 1, Self.xrstor), (8, Self.compacted | 8, Self.xrstor),
            (8, 0, Self.xrstors),
        ]
        for (offset, value, code) in cases {
            let guest = guest(7)
            guest.write(Self.header + offset, value)
            guest.write(Self.area + 24, 0x1F80 as UInt64)
            guest.execute(code)
            #expect(guest.handledVector == 13, "\(offset): \(value)")
        }
        let outside = guest(7)
        outside.write(Self.header, Self.avx)
        outside.write(Self.header + 8, Self.sse | Self.compacted)
        outside.execute(Self.xrstor)
        #expect(outside.handledVector == 13, "in use but not in the format")
        let plain = guest(7, model: .haswellEP)
        plain.write(Self.header + 8, Self.sse | Self.compacted)
        plain.execute(Self.xrstor)
        #expect(plain.handledVector == 13, "no compacted format without XSAVEC")
    }

    @Test("forms that the processor lacks are #UD; alignment is 64 bytes; XSAVES needs CPL 0")
    func refused() {
        for code in [Self.xsavec, Self.xsaves, Self.xrstors] {
            let guest = guest(7, model: .haswellEP)
            guest.execute(code)
            #expect(guest.handledVector == 6)
        }
        let unaligned = guest(7)
        unaligned.p.setGPR(GPR.rbx, Self.area + 16)
        unaligned.execute(Self.xsavec)
        #expect(unaligned.handledVector == 13)
        let user = guest(7)
        user.setLevel(3)
        user.execute(Self.xsaves)
        #expect(user.handledVector == 13)
    }
}
