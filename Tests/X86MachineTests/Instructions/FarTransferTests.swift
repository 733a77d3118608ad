import Testing
import X86Architecture
@testable import X86Machine

/// SDM 3A 5.8 "Privilege Level Checking When Transferring Program Control Between Code Segments".
@Suite struct FarTransferTests {
    /// An m16:64 operand at 0x50000, RBX pointing to it.
    private func pointer(_ guest: TestGuest, _ offset: UInt64, _ selector: UInt16) {
        guest.write(0x5_0000, offset)
        guest.write(0x5_0008, selector)
        guest.p.setGPR(GPR.rbx, 0x5_0000)
    }
    private static let jump: [UInt8] = [0x48, 0xFF, 0x2B], call: [UInt8] = [0x48, 0xFF, 0x1B],
        ret: [UInt8] = [0x48, 0xCB]

    /// A 64-bit call gate at selector 0x58 to `selector` : 0x12340.
    private func gate(_ guest: TestGuest, _ selector: UInt16, dpl: UInt64 = 3) {
        guest.write(TestGuest.gdt + 0x58, 0x0001_0000_0000_2340 | UInt64(selector) << 16 | (0x8C | dpl << 5) << 40)
        guest.write(TestGuest.gdt + 0x60, 0 as UInt64)
    }

    @Test func aJumpToA32BitSegmentEntersCompatibilityMode() {
        let guest = TestGuest()
        pointer(guest, 0x1_2345, TestGuest.kernelCode32)
        guest.execute(Self.jump)
        #expect(guest.p.cpu.pointee.rip == 0x1_2345 && guest.p.codeSize == .bits32)
    }

    @Test func aDirectTransferNeedsTheSameLevelOrConformingCode() {
        // selector, CPL, error code (nil: allowed)
        let cases: [(UInt16, UInt8, UInt32?)] = [
            (TestGuest.kernelCode, 0, nil), (TestGuest.userCode, 0, 0x28), (TestGuest.kernelCode, 3, 0x08),
            (TestGuest.conformingCode, 3, nil), (TestGuest.kernelData, 0, 0x10), (0, 0, 0),
            (TestGuest.kernelCode | 3, 0, 0x08),
        ]
        for (selector, cpl, code) in cases {
            let guest = TestGuest()
            guest.setLevel(cpl)
            pointer(guest, 0x1_2345, selector)
            guest.execute(Self.jump)
            if let code {
                #expect(guest.handledVector == 13 && guest.frame(0) == UInt64(code))
            } else {
                #expect(guest.p.cpu.pointee.rip == 0x1_2345 && guest.p.system.cpl == cpl)
            }
        }
    }

    @Test func aCallPushesCSAndRIPAndRETFReturns() {
        let guest = TestGuest()
        pointer(guest, 0x1_2340, TestGuest.kernelCode)
        guest.execute(Self.call)
        #expect(guest.p.gpr(GPR.rsp) == TestGuest.stackTop - 16)
        #expect(guest.frame(0) == TestGuest.code + 3 && guest.frame(1) == UInt64(TestGuest.kernelCode))
        guest.execute(Self.ret)
        #expect(guest.p.cpu.pointee.rip == TestGuest.code + 3 && guest.p.gpr(GPR.rsp) == TestGuest.stackTop)
    }

    // SDM 3A 5.8.5.1 "Stack Switching in 64-bit Mode".
    @Test func aCallGateToAnInnerLevelSwitchesTheStackAndRETFReturnsOutwards() {
        let guest = TestGuest(), p = guest.p
        guest.setLevel(3)
        p.setGPR(GPR.rsp, 0x1_8000)
        gate(guest, TestGuest.kernelCode)
        pointer(guest, 0xDEAD, TestGuest.spare | 3)
        guest.execute(Self.call)
        #expect(p.system.cpl == 0 && p.cpu.pointee.rip == 0x1_2340)
        #expect(p.gpr(GPR.rsp) == TestGuest.rsp(0) - 32)
        #expect(
            [0, 1, 2, 3].map(guest.frame) == [
                TestGuest.code + 3, UInt64(TestGuest.userCode), 0x1_8000, UInt64(TestGuest.userData),
            ])
        #expect(p.system.segments[SegmentIndex.ss].isUnusable)
        guest.execute(Self.ret)
        #expect(p.system.cpl == 3 && p.cpu.pointee.rip == TestGuest.code + 3 && p.gpr(GPR.rsp) == 0x1_8000)
        #expect(p.system.segments[SegmentIndex.ss].selector == TestGuest.userData)
    }

    @Test func aGateIsCheckedForPrivilegeAndPresence() {
        let privilege = TestGuest()
        privilege.setLevel(3)
        gate(privilege, TestGuest.kernelCode, dpl: 0)
        pointer(privilege, 0, TestGuest.spare | 3)
        privilege.execute(Self.call)
        #expect(privilege.handledVector == 13 && privilege.frame(0) == UInt64(TestGuest.spare))
        let jump = TestGuest()
        jump.setLevel(3)
        gate(jump, TestGuest.kernelCode)
        pointer(jump, 0, TestGuest.spare | 3)
        jump.execute(Self.jump)
        #expect(jump.handledVector == 13 && jump.frame(0) == 8, "JMP does not change the level")
    }

    @Test func aNonCanonicalTargetRaisesGP() {
        let guest = TestGuest()
        pointer(guest, 0x8000_0000_0000, TestGuest.kernelCode)
        guest.execute(Self.call)
        #expect(guest.handledVector == 13 && guest.frame(0) == 0)
        #expect(guest.frame(4) == TestGuest.stackTop, "nothing was pushed")
    }

    @Test func retfImmediateReleasesParametersOnBothStacks() {
        let guest = TestGuest(), p = guest.p
        let top = TestGuest.stackTop - 48
        for (n, v) in [0x1_2345, UInt64(TestGuest.userCode), 0, 0, 0x1_7000, UInt64(TestGuest.userData)].enumerated() {
            guest.write(top + UInt64(8 * n), v)
        }
        p.setGPR(GPR.rsp, top)
        guest.execute([0x48, 0xCA, 0x10, 0x00])
        #expect(p.system.cpl == 3 && p.gpr(GPR.rsp) == 0x1_7010)
    }
}
