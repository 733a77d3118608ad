import Testing
import X86Architecture
@testable import X86Machine

/// SDM 2B "SYSCALL—Fast System Call" and its relatives.
@Suite struct SystemCallTests {
    private func guest(level: UInt8) -> TestGuest {
        let guest = TestGuest()
        guest.p.system.star = UInt64(TestGuest.kernelCode) << 32 | UInt64(TestGuest.userCode32) << 48
        guest.p.system.lstar = 0xFFFF_8000_0000_1000
        guest.p.system.fmask = RFLAGS.interrupt | RFLAGS.trap
        guest.setLevel(level)
        return guest
    }

    @Test func syscallSavesRIPAndRFLAGSAndLoadsFlatKernelSegments() {
        let guest = guest(level: 3), p = guest.p
        p.rflags = 0x202 | RFLAGS.carry
        guest.execute([0x0F, 0x05])
        #expect(p.cpu.pointee.rip == 0xFFFF_8000_0000_1000)
        #expect(p.gpr(GPR.rcx) == TestGuest.code + 2)
        #expect(p.gpr(GPR.r11) == 0x203)
        #expect(p.rflags == 0x003)
        #expect(p.system.cpl == 0)
        #expect(p.system.segments[SegmentIndex.cs] == Segment(selector: 8, base: 0, limit: .max, access: 0xA09B))
        #expect(p.system.segments[SegmentIndex.ss] == Segment(selector: 0x10, base: 0, limit: .max, access: 0xC093))
    }

    @Test func sysretLoadsUserSegmentsOfItsOperandSize() {
        for (bytes, code, is64Bit) in [([0x48, 0x0F, 0x07], 0x2B, true), ([0x0F, 0x07], 0x1B, false)]
            as [([UInt8], UInt16, Bool)]
        {
            let guest = guest(level: 0), p = guest.p
            p.setGPR(GPR.rcx, is64Bit ? 0x7FFF_FFFF_F000 : 0xDEAD_0000_1234)
            p.setGPR(GPR.r11, ~0)
            guest.execute(bytes)
            #expect(p.system.cpl == 3)
            #expect(p.system.segments[SegmentIndex.cs].selector == code)
            #expect(p.system.segments[SegmentIndex.ss].selector == 0x23)
            #expect(p.is64BitMode == is64Bit)
            #expect(p.cpu.pointee.rip == (is64Bit ? 0x7FFF_FFFF_F000 : 0x1234))
            // RF and VM are not loaded.
            #expect(p.rflags == 0x3C_7FD7)
        }
    }

    @Test func sysretToANonCanonicalRCXRaisesGPAtCPL0() {
        let guest = guest(level: 0)
        guest.p.setGPR(GPR.rcx, 0x8000_0000_0000)
        guest.execute([0x48, 0x0F, 0x07])
        #expect(guest.handledVector == 13 && guest.frame(0) == 0 && guest.frame(2) == UInt64(TestGuest.kernelCode))
    }

    @Test func withoutSCEBothRaiseUD() {
        for bytes in [[0x0F, 0x05], [0x48, 0x0F, 0x07]] as [[UInt8]] {
            let guest = guest(level: 0)
            guest.p.system.efer &= ~EFER.systemCallEnable
            guest.execute(bytes)
            #expect(guest.handledVector == 6)
        }
    }

    @Test func sysenterAndSysexitUseTheirMSRs() {
        let guest = guest(level: 3), p = guest.p
        guest.execute([0x0F, 0x34])
        #expect(guest.handledVector == 13)
        guest.setLevel(3)
        p.system.sysenterCS = 8
        p.system.sysenterESP = 0x1_9000
        p.system.sysenterEIP = 0x1_2340
        p.system.flags |= RFLAGS.interrupt
        guest.execute([0x0F, 0x34])
        #expect(p.cpu.pointee.rip == 0x1_2340 && p.gpr(GPR.rsp) == 0x1_9000 && p.system.cpl == 0 && p.is64BitMode)
        #expect(p.system.flags & RFLAGS.interrupt == 0)
        p.setGPR(GPR.rdx, 0x1_5000)
        p.setGPR(GPR.rcx, 0x1_6000)
        guest.execute([0x48, 0x0F, 0x35])
        #expect(p.cpu.pointee.rip == 0x1_5000 && p.gpr(GPR.rsp) == 0x1_6000 && p.system.cpl == 3)
        #expect(p.system.segments[SegmentIndex.cs].selector == 8 + 32 | 3)
    }

    @Test func swapgsExchangesGSBaseWithTheMSR() {
        let guest = guest(level: 0), p = guest.p
        p.system.segments[SegmentIndex.gs].base = 0x1111
        p.system.kernelGSBase = 0x2222
        guest.execute([0x0F, 0x01, 0xF8])
        #expect(p.cpu.pointee.segmentBase.5 == 0x2222 && p.system.kernelGSBase == 0x1111)
    }

    @Test func fsgsbaseInstructionsNeedCR4AndCanonicalValues() {
        let guest = guest(level: 3), p = guest.p
        p.setGPR(GPR.rax, 0x1234_5678_9000)
        guest.execute([0xF3, 0x48, 0x0F, 0xAE, 0xD0])
        #expect(guest.handledVector == 6)
        guest.setLevel(3)
        p.system.cr4 |= CR4.fsgsbase
        guest.execute([0xF3, 0x48, 0x0F, 0xAE, 0xD0])
        guest.execute([0xF3, 0x48, 0x0F, 0xAE, 0xC3])
        #expect(p.gpr(GPR.rbx) == 0x1234_5678_9000)
        guest.execute([0xF3, 0x0F, 0xAE, 0xC3])
        #expect(p.gpr(GPR.rbx) == 0x5678_9000)
        p.setGPR(GPR.rax, 0x8000_0000_0000)
        guest.execute([0xF3, 0x48, 0x0F, 0xAE, 0xD8])
        #expect(guest.handledVector == 13)
    }
}
