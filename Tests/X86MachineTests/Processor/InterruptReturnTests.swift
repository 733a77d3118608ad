import Testing
import X86Architecture
@testable import X86Machine

/// SDM 2A "IRET/IRETD/IRETQ—Interrupt Return" in IA-32e mode.
@Suite struct InterruptReturnTests {
    static let iretq: [UInt8] = [0x48, 0xCF]

    /// A 64-bit frame on the stack: RIP, CS, RFLAGS, RSP, SS.
    private func push(_ guest: TestGuest, _ rip: UInt64, _ cs: UInt16, _ flags: UInt64, _ rsp: UInt64, _ ss: UInt16) {
        let top = TestGuest.stackTop - 40
        for (n, v) in [rip, UInt64(cs), flags, rsp, UInt64(ss)].enumerated() { guest.write(top + UInt64(8 * n), v) }
        guest.p.setGPR(GPR.rsp, top)
    }

    @Test func iretqAlwaysRestoresRSPAndSS() {
        let guest = TestGuest()
        push(guest, 0x1_2345, TestGuest.kernelCode, 0x202, 0x1_7003, TestGuest.kernelData)
        guest.execute(Self.iretq)
        #expect(guest.p.cpu.pointee.rip == 0x1_2345)
        #expect(guest.p.gpr(GPR.rsp) == 0x1_7003)
        #expect(guest.p.rflags == 0x202)
    }

    @Test func iretqToCPL3LoadsUserSegments() {
        let guest = TestGuest()
        push(guest, 0x1_2345, TestGuest.userCode, 0x3202, 0x1_7000, TestGuest.userData)
        guest.execute(Self.iretq)
        #expect(guest.p.system.cpl == 3)
        #expect(guest.p.system.segments[SegmentIndex.cs].selector == TestGuest.userCode)
        #expect(guest.p.system.segments[SegmentIndex.ss].selector == TestGuest.userData)
        #expect(guest.p.rflags == 0x3202)
    }

    @Test func iretqReturnsToCompatibilityMode() {
        let guest = TestGuest()
        push(guest, 0x1_2345, TestGuest.userCode32, 0x202, 0x1_7000, TestGuest.userData)
        guest.execute(Self.iretq)
        #expect(!guest.p.is64BitMode && guest.p.isLongMode && guest.p.codeSize == .bits32)
    }

    @Test func aNullSSIsAllowedBelowCPL3In64BitModeOnly() {
        let guest = TestGuest()
        push(guest, 0x1_2345, TestGuest.kernelCode, 2, 0x1_7000, 0)
        guest.execute(Self.iretq)
        #expect(guest.p.system.segments[SegmentIndex.ss].isUnusable)
        let user = TestGuest()
        push(user, 0x1_2345, TestGuest.userCode, 2, 0x1_7000, 3)
        user.execute(Self.iretq)
        #expect(user.handledVector == 13 && user.frame(0) == 0)
    }

    @Test func whatIsWrongInTheFrameFaultsWithRIPAtTheIRET() {
        // CS, SS, RIP, vector, error code
        let cases: [(UInt16, UInt16, UInt64, UInt8, UInt64)] = [
            (0, TestGuest.kernelData, 0, 13, 0),
            (TestGuest.kernelData, TestGuest.kernelData, 0, 13, 0x10),
            (0xFF8, TestGuest.kernelData, 0, 13, 0xFF8),
            (TestGuest.kernelCode, TestGuest.userData, 0, 13, 0x20),
            (TestGuest.kernelCode, TestGuest.kernelCode, 0, 13, 0x08),
            (TestGuest.kernelCode, TestGuest.kernelData, 0x8000_0000_0000, 13, 0),
            (TestGuest.userCode & ~3, TestGuest.kernelData, 0, 13, 0x28),
        ]
        for (cs, ss, rip, vector, code) in cases {
            let guest = TestGuest()
            guest.p.system.gdtr.limit = 0x7F
            push(guest, rip, cs, 2, 0x1_7000, ss)
            let rsp = guest.p.gpr(GPR.rsp)
            guest.execute(Self.iretq)
            #expect(guest.handledVector == vector)
            #expect(guest.frame(0) == code)
            #expect(guest.frame(1) == TestGuest.code && guest.frame(4) == rsp)
        }
    }

    @Test func aStackSegmentThatIsNotPresentRaisesSS() {
        let guest = TestGuest()
        guest.setDescriptor(TestGuest.spare, 0x00CF_1300_0000_FFFF)
        push(guest, 0x1_2345, TestGuest.kernelCode, 2, 0x1_7000, TestGuest.spare)
        guest.execute(Self.iretq)
        #expect(guest.handledVector == 12 && guest.frame(0) == UInt64(TestGuest.spare))
    }

    @Test func returningInwardsIsRefused() {
        let guest = TestGuest()
        guest.setLevel(3)
        push(guest, 0x1_2345, TestGuest.kernelCode, 2, 0x1_7000, TestGuest.kernelData)
        guest.execute(Self.iretq)
        #expect(guest.handledVector == 13 && guest.frame(0) == UInt64(TestGuest.kernelCode))
    }

    // SDM 2A IRET: IOPL changes at CPL 0 only, IF up to IOPL.
    @Test func atCPL3TheInterruptFlagAndIOPLStay() {
        let guest = TestGuest()
        guest.setLevel(3)
        guest.p.system.flags = 0x202
        push(guest, 0x1_2345, TestGuest.userCode, 0x3002 | RFLAGS.carry, 0x1_7000, TestGuest.userData)
        guest.execute(Self.iretq)
        #expect(guest.p.rflags == 0x203)
    }

    @Test func ntIn64BitModeRaisesGP() {
        let guest = TestGuest()
        guest.p.system.flags |= RFLAGS.nestedTask
        push(guest, 0x1_2345, TestGuest.kernelCode, 2, 0x1_7000, TestGuest.kernelData)
        guest.execute(Self.iretq)
        #expect(guest.handledVector == 13)
    }

    // SDM 3A 6.7.1 "Handling Multiple NMIs".
    @Test func iretUnblocksNMIs() {
        let guest = TestGuest()
        guest.p.system.pendingNMI = true
        #expect(guest.p.serviceBoundary())
        #expect(guest.handledVector == 2)
        guest.p.system.pendingNMI = true
        #expect(!guest.p.serviceBoundary())
        guest.execute(Self.iretq)
        #expect(guest.p.serviceBoundary())
        #expect(guest.handledVector == 2)
    }

    @Test func fsAndGSBasesSurviveAReturnToCPL3() {
        let guest = TestGuest()
        guest.p.system.segments[SegmentIndex.gs].base = 0xFFFF_8000_1234_0000
        push(guest, 0x1_2345, TestGuest.userCode, 2, 0x1_7000, TestGuest.userData)
        guest.execute(Self.iretq)
        #expect(guest.p.cpu.pointee.segmentBase.5 == 0xFFFF_8000_1234_0000)
    }
}
