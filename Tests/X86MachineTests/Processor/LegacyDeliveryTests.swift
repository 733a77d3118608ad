import Testing
import X86Architecture
@testable import X86Machine

/// Delivery and return outside IA-32e mode: SDM 3A 6.12 "Exception and Interrupt Handling", SDM 3B 21.1.4.
@Suite struct LegacyDeliveryTests {
    static let kernelCode: UInt16 = 0x08, kernelData: UInt16 = 0x10, userCode: UInt16 = 0x1B, userData: UInt16 = 0x23

    /// 32-bit protected mode without paging; a 32-bit TSS; gates of 8 bytes for all vectors.
    private func protected(cpl: UInt8 = 0) -> TestGuest {
        let guest = TestGuest(), p = guest.p
        for (n, d) in [
            0, 0x00CF_9B00_0000_FFFF, 0x00CF_9300_0000_FFFF, 0x00CF_FB00_0000_FFFF,
            0x00CF_F300_0000_FFFF,
        ].enumerated() {
            guest.write(TestGuest.gdt + UInt64(8 * n), UInt64(d))
        }
        for v in 0..<256 { setGate(guest, UInt8(v)) }
        p.system.cr0 = 0x11
        p.system.efer = 0
        p.system.segments[SegmentIndex.cs] = Segment(
            selector: cpl == 3 ? Self.userCode : Self.kernelCode, base: 0, limit: .max,
            access: 0xC09B | UInt32(cpl) << 5)
        let data = Segment(
            selector: cpl == 3 ? Self.userData : Self.kernelData, base: 0, limit: .max,
            access: 0xC093 | UInt32(cpl) << 5)
        for n in [SegmentIndex.ss, SegmentIndex.ds, SegmentIndex.es] { p.system.segments[n] = data }
        p.system.cpl = cpl
        guest.write(TestGuest.tss + 4, UInt32(0x3_0000))
        guest.write(TestGuest.tss + 8, UInt32(Self.kernelData))
        p.modeChanged()
        return guest
    }
    private func setGate(_ guest: TestGuest, _ v: UInt8, type: UInt64 = 0xE, selector: UInt16 = kernelCode) {
        let target = TestGuest.handlers + 16 * UInt64(v)
        guest.write(TestGuest.idt + 8 * UInt64(v), target & 0xFFFF | UInt64(selector) << 16 | (0x80 | type) << 40)
    }
    private func words(_ guest: TestGuest, _ n: Int) -> [UInt32] {
        (0..<n).map { guest.read32(guest.p.gpr(GPR.rsp) + UInt64(4 * $0)) }
    }

    @Test func a32BitGateAtTheSameLevelPushesEFLAGSCSEIP() {
        let guest = protected()
        guest.p.raise(.generalProtection(0x10))
        #expect(guest.handledVector == 13)
        #expect(guest.p.gpr(GPR.rsp) == TestGuest.stackTop - 16)
        #expect(words(guest, 4) == [0x10, UInt32(TestGuest.code), 8, UInt32(RFLAGS.resume | 2)])
    }

    @Test func a32BitGateToAnInnerLevelPushesSSAndESPOnTheTSSStack() {
        let guest = protected(cpl: 3)
        guest.p.raise(.invalidOpcode)
        #expect(guest.p.system.cpl == 0)
        #expect(guest.p.gpr(GPR.rsp) == 0x3_0000 - 20)
        #expect(
            words(guest, 5) == [
                UInt32(TestGuest.code), UInt32(Self.userCode), UInt32(RFLAGS.resume | 2),
                UInt32(TestGuest.stackTop), UInt32(Self.userData),
            ])
        #expect(guest.p.system.segments[SegmentIndex.ss].selector == Self.kernelData)
    }

    @Test func a16BitGatePushesWords() {
        let guest = protected()
        setGate(guest, 6, type: 6)
        guest.p.raise(.invalidOpcode)
        #expect(guest.p.gpr(GPR.rsp) == TestGuest.stackTop - 6)
        #expect(guest.read(guest.p.gpr(GPR.rsp)) & 0xFFFF_FFFF_FFFF == 0x0002_0008_0000)
    }

    @Test func aWrongStackSegmentInTheTSSRaisesTSNamingIt() {
        let guest = protected(cpl: 3)
        guest.write(TestGuest.tss + 8, UInt32(Self.userData))
        // The double fault that follows would need the stack, too: look at the first fault by its own delivery.
        let fault = guest.fault { () throws(Interruption) in
            try guest.p.deliverInProtectedMode(DeliveredEvent(vector: 6, kind: .external, returnRIP: 0))
        }
        #expect(fault == .invalidTSS(UInt32(Self.userData & ~3) | 1))
    }

    @Test func a32BitIRETReturnsToTheOuterLevelAndDropsInnerDataSegments() {
        let guest = protected(cpl: 3)
        let p = guest.p
        p.raise(.invalidOpcode)
        try? p.loadSegment(SegmentIndex.ds, Self.kernelData)
        guest.execute([0xCF])
        #expect(p.system.cpl == 3)
        #expect(p.cpu.pointee.rip == TestGuest.code)
        #expect(p.gpr(GPR.rsp) == TestGuest.stackTop)
        #expect(p.system.segments[SegmentIndex.ss].selector == Self.userData)
        #expect(p.system.segments[SegmentIndex.ds].isUnusable)
        #expect(!p.system.segments[SegmentIndex.es].isUnusable)
        #expect(p.system.flags & RFLAGS.resume != 0)
    }

    @Test func realModeUsesTheVectorTableAndIRETReturns() {
        let guest = TestGuest(), p = guest.p
        p.reset(.powerUp)
        try? p.loadSegment(SegmentIndex.ss, 0x2000)
        p.setGPR(GPR.rsp, 0x100)
        p.system.segments[SegmentIndex.cs] = Segment(selector: 0x1000, base: 0x1_0000, limit: 0xFFFF, access: 0x93)
        p.cpu.pointee.rip = 0x123
        p.system.flags |= RFLAGS.interrupt
        guest.write(0x21 * 4, 0x0200_0456 as UInt32)
        p.deliver(DeliveredEvent(vector: 0x21, kind: .external, returnRIP: 0x123))
        #expect(p.cpu.pointee.rip == 0x456)
        #expect(p.system.segments[SegmentIndex.cs].base == 0x2000)
        #expect(p.gpr(GPR.rsp) == 0xFA)
        #expect(guest.read(0x2_00FA) & 0xFFFF_FFFF_FFFF == 0x0202_1000_0123)
        #expect(p.system.flags & RFLAGS.interrupt == 0)
        guest.execute([0xCF])
        #expect(p.cpu.pointee.rip == 0x123)
        #expect(p.system.segments[SegmentIndex.cs].base == 0x1_0000)
        #expect(p.system.flags & RFLAGS.interrupt != 0)
    }
}
