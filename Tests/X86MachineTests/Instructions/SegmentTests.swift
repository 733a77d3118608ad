import Testing
import X86Architecture
@testable import X86Machine

/// SDM 3A 5.6 "Privilege Level Checking When Accessing Data Segments", 5.7, 5.8; SDM 2A to 2C.
@Suite struct SegmentTests {
    private func load(_ guest: TestGuest, _ index: Int, _ selector: UInt16) -> Exception? {
        guest.fault { () throws(Interruption) in try guest.p.loadSegment(index, selector) }
    }

    @Test func dataSegmentsAreCheckedForTypePrivilegeAndPresence() {
        // descriptor, RPL, CPL, vector (0: loads)
        let cases: [(UInt64, UInt16, UInt8, UInt8)] = [
            (0x00CF_9300_0000_FFFF, 0, 0, 0), (0x00CF_9300_0000_FFFF, 3, 0, 13), (0x00CF_9300_0000_FFFF, 0, 3, 13),
            (0x00CF_F300_0000_FFFF, 3, 3, 0), (0x00CF_9B00_0000_FFFF, 0, 0, 0),
            (0x00CF_9900_0000_FFFF, 0, 0, 13),  // execute-only code
            (0x00CF_9F00_0000_FFFF, 3, 3, 0),  // conforming code: no privilege check
            (0x00CF_1300_0000_FFFF, 0, 0, 11), (0x0000_8B00_0000_FFFF, 0, 0, 13),
        ]
        for (descriptor, rpl, cpl, vector) in cases {
            let guest = TestGuest()
            guest.setDescriptor(TestGuest.spare, descriptor)
            guest.setLevel(cpl)
            let fault = load(guest, SegmentIndex.ds, TestGuest.spare | rpl)
            #expect(fault?.vector ?? 0 == vector)
            if vector != 0 { #expect(fault?.errorCode == UInt32(TestGuest.spare)) }
        }
    }

    @Test func stackSegmentsMustMatchTheCPLExactly() {
        let cases: [(UInt64, UInt16, UInt8)] = [
            (0x00CF_9300_0000_FFFF, 0, 0), (0x00CF_9300_0000_FFFF, 1, 13), (0x00CF_F300_0000_FFFF, 0, 13),
            (0x00CF_9100_0000_FFFF, 0, 13), (0x00CF_9B00_0000_FFFF, 0, 13), (0x00CF_1300_0000_FFFF, 0, 12),
        ]
        for (descriptor, rpl, vector) in cases {
            let guest = TestGuest()
            guest.setDescriptor(TestGuest.spare, descriptor)
            #expect(load(guest, SegmentIndex.ss, TestGuest.spare | rpl)?.vector ?? 0 == vector)
        }
    }

    @Test func aNullSSLoadsIn64BitModeBelowCPL3WithAMatchingRPL() {
        let guest = TestGuest()
        #expect(load(guest, SegmentIndex.ss, 0) == nil)
        #expect(load(guest, SegmentIndex.ss, 1) == .generalProtection())
        guest.setLevel(3)
        #expect(load(guest, SegmentIndex.ss, 3) == .generalProtection())
    }

    @Test func aNullSelectorMakesADataSegmentUnusable() {
        let guest = TestGuest()
        #expect(load(guest, SegmentIndex.fs, 2) == nil)
        #expect(guest.p.system.segments[SegmentIndex.fs].isUnusable)
        #expect(guest.p.system.segments[SegmentIndex.fs].selector == 2)
    }

    @Test func beyondTheTableRaisesGPNamingTheSelector() {
        let guest = TestGuest()
        guest.p.system.gdtr.limit = 0x5E
        #expect(load(guest, SegmentIndex.ds, 0x58) == .generalProtection(0x58))
        #expect(load(guest, SegmentIndex.ds, 0x0C) == .generalProtection(0x0C), "no LDT is loaded")
    }

    @Test func loadingSetsTheAccessedFlag() {
        let guest = TestGuest()
        guest.setDescriptor(TestGuest.spare, 0x00CF_9200_0000_FFFF)
        #expect(load(guest, SegmentIndex.ds, TestGuest.spare) == nil)
        #expect(guest.read(TestGuest.gdt + UInt64(TestGuest.spare)) == 0x00CF_9300_0000_FFFF)
    }

    @Test func granularityScalesTheLimit() {
        let guest = TestGuest()
        guest.setDescriptor(TestGuest.spare, 0x12C1_9334_5678_0002)
        #expect(load(guest, SegmentIndex.ds, TestGuest.spare) == nil)
        #expect(
            guest.p.system.segments[SegmentIndex.ds]
                == Segment(selector: 0x58, base: 0x1234_5678, limit: 0x1000_2FFF, access: 0xC093))
    }

    @Test func ltrMarksTheTSSBusyAndRefusesABusyOne() {
        let guest = TestGuest()
        guest.write(TestGuest.gdt + 0x58, 0x0000_8900_2000_0067 as UInt64)
        guest.write(TestGuest.gdt + 0x60, 0xFFFF_8000 as UInt64)
        guest.p.setGPR(GPR.rax, 0x58)
        guest.execute([0x0F, 0x00, 0xD8])
        #expect(guest.p.system.segments[SegmentIndex.tr].base == 0xFFFF_8000_0000_2000)
        #expect(guest.read(TestGuest.gdt + 0x58) >> 40 & 0xFF == 0x8B)
        guest.execute([0x0F, 0x00, 0xD8])
        #expect(guest.handledVector == 13 && guest.frame(0) == 0x58)
    }

    @Test func lldtAcceptsAnLDTOrNull() {
        let guest = TestGuest()
        guest.write(TestGuest.gdt + 0x58, 0x0000_8205_0000_0017 as UInt64)
        guest.write(TestGuest.gdt + 0x60, 0 as UInt64)
        guest.write(0x5_0010, 0x00CF_9300_0000_FFFF as UInt64)
        guest.p.setGPR(GPR.rax, 0x58)
        guest.execute([0x0F, 0x00, 0xD0])
        #expect(load(guest, SegmentIndex.ds, 0x14) == nil)
        guest.p.setGPR(GPR.rax, 0)
        guest.execute([0x0F, 0x00, 0xD0])
        #expect(load(guest, SegmentIndex.ds, 0x14) == .generalProtection(0x14))
    }

    @Test func larLslVerrVerwAnswerThroughZF() {
        let guest = TestGuest(), p = guest.p
        p.setGPR(GPR.rbx, UInt64(TestGuest.kernelData))
        guest.execute([0x0F, 0x02, 0xC3])
        #expect(p.gpr(GPR.rax) == 0x00CF_9300 && p.rflags & RFLAGS.zero != 0)
        guest.execute([0x0F, 0x03, 0xC3])
        #expect(p.gpr(GPR.rax) == 0xFFFF_FFFF)
        guest.execute([0x0F, 0x00, 0xE3])
        #expect(p.rflags & RFLAGS.zero != 0)
        p.setGPR(GPR.rbx, UInt64(TestGuest.kernelCode))
        guest.execute([0x0F, 0x00, 0xEB])
        #expect(p.rflags & RFLAGS.zero == 0)
        // CPL 3 does not see kernel data; the destination is unchanged.
        guest.setLevel(3)
        p.setGPR(GPR.rbx, UInt64(TestGuest.kernelData))
        guest.execute([0x0F, 0x02, 0xC3])
        #expect(p.gpr(GPR.rax) == 0xFFFF_FFFF && p.rflags & RFLAGS.zero == 0)
    }

    @Test func lgdtAndSgdtMove10BytesIn64BitMode() {
        let guest = TestGuest(), p = guest.p
        guest.write(0x5_0000, 0x8000_0000_5000_0123 as UInt64)
        guest.write(0x5_0008, UInt16(0xFFFF))
        p.setGPR(GPR.rbx, 0x5_0000)
        guest.execute([0x0F, 0x01, 0x13])
        #expect(p.system.gdtr == DescriptorTable(base: 0xFFFF_8000_0000_5000, limit: 0x123))
        p.setGPR(GPR.rbx, 0x5_0100)
        guest.execute([0x0F, 0x01, 0x03])
        #expect(guest.read(0x5_0100) == 0x8000_0000_5000_0123 && guest.read(0x5_0108) == 0xFFFF)
        guest.write(0x5_0008, UInt16(0x7FFF))
        p.setGPR(GPR.rbx, 0x5_0000)
        p.system.gdtr = DescriptorTable(base: TestGuest.gdt, limit: 0xFFF)
        guest.execute([0x0F, 0x01, 0x13])
        #expect(guest.handledVector == 13, "a non-canonical base")
    }
}
