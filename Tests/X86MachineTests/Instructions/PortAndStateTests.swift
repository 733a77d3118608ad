import Testing
import X86Architecture
@testable import X86Machine

@Suite struct PortAndStateTests {
    // SDM 1 19.5.2 "I/O Permission Bit Map".
    @Test func aboveIOPLTheBitMapOfTheTSSDecides() {
        // clear bit, limit of the TSS, port, size, allowed
        let cases: [(Bool, UInt32, UInt16, Int, Bool)] = [
            (true, 0x100, 0xE9, 1, true), (false, 0x100, 0xE9, 1, false), (true, 0x100, 0xE9, 4, true),
            (true, 0x100, 0xE7, 4, false), (true, 0x85, 0xE9, 1, false), (true, 0x66, 0xE9, 1, false),
        ]
        for (clear, limit, port, size, allowed) in cases {
            let guest = TestGuest()
            guest.setLevel(3)
            guest.p.system.segments[SegmentIndex.tr].limit = limit
            for n in 0..<32 { guest.write(TestGuest.tss + 0x68 + UInt64(n), UInt8(0xFF)) }
            // Ports E8 to EF.
            if clear { guest.write(TestGuest.tss + 0x68 + 0x1D, UInt8(0x00)) }
            let fault = guest.fault { () throws(Interruption) in try guest.p.checkPort(port, size: size) }
            #expect(fault == (allowed ? nil : .generalProtection()))
        }
    }

    @Test func iopl3NeedsNoBitMap() {
        let guest = TestGuest()
        guest.setLevel(3)
        guest.p.system.flags |= RFLAGS.ioPrivilege
        #expect(guest.fault { () throws(Interruption) in try guest.p.checkPort(0x80, size: 1) } == nil)
    }

    @Test func outAndRepOutsReachThePort() {
        let guest = TestGuest(), p = guest.p
        p.setGPR(GPR.rax, 0x41)
        guest.execute([0xE6, 0xE9])
        guest.write(0x5_0000, 0x4443_42 as UInt64)
        p.setGPR(GPR.rsi, 0x5_0000)
        p.setGPR(GPR.rcx, 3)
        p.setGPR(GPR.rdx, 0xE9)
        guest.execute([0xF3, 0x6E])
        #expect(guest.machine.serialOutput == [0x41, 0x42, 0x43, 0x44])
        #expect(p.gpr(GPR.rsi) == 0x5_0003 && p.gpr(GPR.rcx) == 0)
    }

    @Test func aFaultInALaterIterationKeepsTheEarlierOnes() {
        let guest = TestGuest(), p = guest.p
        guest.map(0x4000_0000, to: 0x20_0000, [.writable])
        p.setGPR(GPR.rsi, 0x4000_0FFE)
        p.setGPR(GPR.rcx, 5)
        p.setGPR(GPR.rdx, 0xE9)
        guest.execute([0xF3, 0x6E])
        #expect(guest.handledVector == 14)
        #expect(p.gpr(GPR.rsi) == 0x4000_1000 && p.gpr(GPR.rcx) == 3)
        #expect(guest.frame(1) == TestGuest.code)
    }

    @Test func cpuidReportsTheModelAndWhatDependsOnState() {
        let guest = TestGuest(), p = guest.p
        func leaf(_ eax: UInt64, _ ecx: UInt64 = 0) -> [UInt64] {
            p.setGPR(GPR.rax, eax)
            p.setGPR(GPR.rcx, ecx)
            guest.execute([0x0F, 0xA2])
            return [GPR.rax, GPR.rbx, GPR.rcx, GPR.rdx].map { p.gpr($0) }
        }
        #expect(leaf(0) == [0xD, 0x756E_6547, 0x6C65_746E, 0x4965_6E69])
        #expect(leaf(1)[0] == 0x306F2)
        #expect(leaf(0x8000_0008)[0] == 0x302E)
        #expect(leaf(0x8000_0001)[3] & 1 << 11 != 0, "SYSCALL in 64-bit mode")
        #expect(leaf(0x4000_0000) == leaf(0xD), "above the highest basic leaf")
        #expect(leaf(0xB, 1)[2] == 0x201)
        #expect(leaf(7, 1) == [0, 0, 0, 0])
    }

    @Test func rdtscNeedsCPL0WithTSD() {
        let guest = TestGuest()
        guest.p.system.cr4 |= CR4.timeStampDisable
        guest.p.cpu.pointee.cycles = 0x1_0000_0000
        guest.execute([0x0F, 0x31])
        #expect(guest.p.gpr(GPR.rax) < 1000 && guest.p.gpr(GPR.rdx) == 1)
        guest.setLevel(3)
        guest.execute([0x0F, 0x31])
        #expect(guest.handledVector == 13)
    }

    @Test func intNReturnsAfterItselfAndItsFaultsPointAtIt() {
        let guest = TestGuest()
        guest.setLevel(3)
        guest.setGate(0x80, dpl: 3)
        guest.execute([0xCD, 0x80])
        #expect(guest.handledVector == 0x80 && guest.frame(0) == TestGuest.code + 2)
        let refused = TestGuest()
        refused.setLevel(3)
        refused.execute([0xCD, 0x80])
        #expect(refused.handledVector == 13 && refused.frame(0) == 0x80 << 3 | 2 && refused.frame(1) == TestGuest.code)
    }

    @Test func int3IsATrapAndIntoAsksOF() {
        let guest = TestGuest()
        guest.execute([0xCC])
        #expect(guest.handledVector == 3 && guest.frame(0) == TestGuest.code + 1)
    }

    @Test func fxsaveAndFxrstorKeepTheRegisterFile() {
        let guest = TestGuest(), p = guest.p
        p.system.cr4 |= CR4.osfxsr
        p.system.cr0 &= ~CR0.emulation
        p.system.fpu.initialize()
        p.system.fpu.status = 5 << 11
        p.system.fpu.tag = 0x3FFF
        p.system.fpu.significands[7] = 0x8000_0000_0000_0000
        p.system.fpu.exponents[7] = 0x3FFF
        p.cpu.pointee.mxcsr = 0x1F85
        for n in 0..<16 { p.setXMM(n, XMM(UInt64(n) &* 0x0101_0101_0101, UInt64(n) &+ 1)) }
        let vectors = (0..<16).map { p.xmm($0) }
        let saved = p.system.fpu
        p.setGPR(GPR.rbx, 0x5_0000)
        guest.execute([0x48, 0x0F, 0xAE, 0x03])
        #expect(guest.read(0x5_0000) == 0x37F | 5 << 27 | 0x80 << 32)
        #expect(guest.read32(0x5_0000 + 24) == 0x1F85 && guest.read32(0x5_0000 + 28) == 0xFFFF)
        // ST2 is physical register 7.
        #expect(guest.read(0x5_0000 + 64) == 0x8000_0000_0000_0000)
        #expect(guest.read(0x5_0000 + 160 + 16 * 3) == 3 * 0x0101_0101_0101)
        p.system.fpu = FPUState()
        p.cpu.pointee.mxcsr = FPUState.mxcsrReset
        for n in 0..<16 { p.setXMM(n, XMM(0, 0)) }
        guest.execute([0x48, 0x0F, 0xAE, 0x0B])
        #expect(p.system.fpu == saved && p.cpu.pointee.mxcsr == 0x1F85 && (0..<16).map { p.xmm($0) } == vectors)
    }

    @Test func fxrstorChecksAlignmentTSAndMXCSR() {
        let guest = TestGuest(), p = guest.p
        p.system.cr4 |= CR4.osfxsr
        p.setGPR(GPR.rbx, 0x5_0008)
        guest.execute([0x0F, 0xAE, 0x0B])
        #expect(guest.handledVector == 13)
        let reserved = TestGuest()
        reserved.p.system.cr4 |= CR4.osfxsr
        reserved.p.setGPR(GPR.rbx, 0x5_0000)
        reserved.write(0x5_0018, 0x1_0000 as UInt64)
        reserved.execute([0x0F, 0xAE, 0x0B])
        #expect(reserved.handledVector == 13)
        let switched = TestGuest()
        switched.p.system.cr0 |= CR0.taskSwitched
        switched.p.setGPR(GPR.rbx, 0x5_0000)
        switched.execute([0x0F, 0xAE, 0x03])
        #expect(switched.handledVector == 7)
    }

    // SDM 1 13.7 "Operation of XSAVE", 13.8 "Operation of XRSTOR".
    @Test func xsaveAndXrstorFollowTheRequestedFeatureBitmap() {
        let guest = TestGuest(), p = guest.p
        p.setGPR(GPR.rbx, 0x5_0000)
        p.setGPR(GPR.rax, 7)
        guest.execute([0x0F, 0xAE, 0x23])
        #expect(guest.handledVector == 6, "without CR4.OSXSAVE")
        p.system.cr4 |= CR4.osxsave
        p.setGPR(GPR.rcx, 0)
        p.setGPR(GPR.rdx, 0)
        p.setGPR(GPR.rax, 3)
        guest.execute([0x0F, 0x01, 0xD1])
        #expect(p.system.xcr0 == 3)
        p.system.fpu.initialize()
        p.setXMM(2, XMM(0, 0x1234))
        p.setGPR(GPR.rax, 2)
        guest.execute([0x0F, 0xAE, 0x23])
        #expect(guest.read(0x5_0000) == 0 && guest.read(0x5_0000 + 160 + 40) == 0x1234 && guest.read(0x5_0200) == 2)
        p.system.fpu.control = 0x27F
        p.setXMM(2, XMM(0, 0))
        // x87 is requested but not in the image: it becomes its initial state.
        p.setGPR(GPR.rax, 3)
        guest.execute([0x0F, 0xAE, 0x2B])
        #expect(p.xmm(2)[1] == 0x1234 && p.system.fpu.control == 0x37F)
        guest.write(0x5_0200, 4 as UInt64)
        guest.execute([0x0F, 0xAE, 0x2B])
        #expect(guest.handledVector == 13)
    }

    @Test func xsetbvRefusesWhatTheModelLacksAndX87Clear() {
        for value in [0, 2, 5, 15] as [UInt64] {
            let guest = TestGuest()
            guest.p.system.cr4 |= CR4.osxsave
            guest.p.setGPR(GPR.rax, value)
            guest.p.setGPR(GPR.rdx, 0)
            guest.execute([0x0F, 0x01, 0xD1])
            #expect(guest.handledVector == 13)
        }
    }

    @Test func clacAndStacNeedSMAPInTheModel() {
        let guest = TestGuest()
        guest.execute([0x0F, 0x01, 0xCB])
        #expect(guest.handledVector == 6)
        let smap = TestGuest(model: .haswellEP.including(.smap))
        smap.execute([0x0F, 0x01, 0xCB])
        #expect(smap.p.system.flags & RFLAGS.alignmentCheck != 0)
        smap.execute([0x0F, 0x01, 0xCA])
        #expect(smap.p.system.flags & RFLAGS.alignmentCheck == 0)
    }
}
