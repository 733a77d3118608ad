import Testing
import X86Architecture
@testable import X86Machine

/// Address formation and the accessed and dirty flags, in every paging mode.
@Suite struct PagingTranslationTests {
    @Test func pagesOf4KiB2MiBAnd1GiBTranslateTheirOffsets() {
        let guest = TestGuest()
        guest.map(0xFFFF_8000_0000_0000, to: 0x30_0000, [.writable])
        guest.map(0xFFFF_8000_4000_0000, to: 0x60_0000, [.writable], shift: 21)
        guest.map(0xFFFF_8001_0000_0000, to: 0x1_4000_0000, [.writable], shift: 30)
        #expect(guest.translate(0xFFFF_8000_0000_0ABC, .read) == 0x30_0ABC)
        #expect(guest.translate(0xFFFF_8000_401F_FABC, .read) == 0x7F_FABC)
        #expect(guest.translate(0xFFFF_8001_3FFF_FABC, .read) == 0x1_7FFF_FABC)
    }

    // SDM 3A 4.8 "Accessed and Dirty Flags".
    @Test func aReadSetsAccessedOnEveryLevelAndNoDirty() {
        let guest = TestGuest()
        guest.map(0x80_4000_0000, to: 0x20_0000, [.writable])
        _ = guest.translate(0x80_4000_0000, .read)
        for shift in [12, 21, 30, 39] as [UInt64] {
            let entry = guest.read(guest.entry(0x80_4000_0000, shift: shift))
            #expect(entry & (PagingEntry.accessed | PagingEntry.dirty) == PagingEntry.accessed)
        }
    }

    @Test func aWriteSetsDirtyInTheLastEntryOnly() {
        let guest = TestGuest()
        guest.map(0x80_4000_0000, to: 0x20_0000, [.writable])
        _ = guest.translate(0x80_4000_0000, .write)
        #expect(guest.read(guest.entry(0x80_4000_0000, shift: 12)) & PagingEntry.dirty != 0)
        #expect(guest.read(guest.entry(0x80_4000_0000, shift: 21)) & PagingEntry.dirty == 0)
    }

    @Test func aWriteToACachedCleanPageWalksAgainToSetDirty() {
        let guest = TestGuest()
        let at = guest.map(0x4000_0000, to: 0x20_0000, [.writable])
        _ = guest.translate(0x4000_0000, .read)
        #expect(guest.read(at) & PagingEntry.dirty == 0)
        _ = guest.translate(0x4000_0000, .write)
        #expect(guest.read(at) & PagingEntry.dirty != 0)
        // Cached as dirty: software that clears the flag without invalidating does not see it set again.
        guest.write(at, guest.read(at) & ~PagingEntry.dirty)
        _ = guest.translate(0x4000_0000, .write)
        #expect(guest.read(at) & PagingEntry.dirty == 0)
    }

    @Test func aFaultingAccessSetsNeitherFlagOfTheLastEntry() {
        let guest = TestGuest()
        let at = guest.map(0x4000_0000, to: 0x20_0000, [])
        #expect(guest.translate(0x4000_0000, .write) == nil)
        #expect(guest.read(at) & (PagingEntry.accessed | PagingEntry.dirty) == 0)
    }

    /// 32-bit paging: a directory at 0x200000.
    private func legacyGuest(cr4: UInt64) -> TestGuest {
        let guest = TestGuest()
        guest.p.system.efer = 0
        guest.p.system.cr4 = cr4
        guest.p.system.cr3 = 0x20_0000
        guest.p.system.segments[SegmentIndex.cs].access = 0xC09B
        guest.p.modeChanged()
        return guest
    }

    @Test func paging32BitUses4KiBAnd4MiBPagesWithPSE36() {
        let guest = legacyGuest(cr4: CR4.pageSizeExtensions)
        guest.write(0x20_0000 + 4 * 1, 0x20_1003 as UInt32)
        guest.write(0x20_1000 + 4 * 5, 0x0030_0003 as UInt32)
        // 4 MiB page at 0x5_0080_0000: address bits 39:32 are entry bits 20:13.
        guest.write(0x20_0000 + 4 * 2, 0x0080_0083 as UInt32 | 5 << 13)
        #expect(guest.translate(0x0040_5678, .read) == 0x30_0678)
        #expect(guest.translate(0x0092_3456, .write) == 0x5_0092_3456)
        #expect(guest.read32(0x20_0000 + 4) & 0x60 == 0x20)
        #expect(guest.read32(0x20_1000 + 4 * 5) & 0x60 == 0x20)
        #expect(guest.read32(0x20_0000 + 8) & 0x60 == 0x60)
        // Bit 21 is reserved in a PDE that maps 4 MiB.
        guest.write(0x20_0000 + 4 * 3, 0x0020_0083 as UInt32)
        #expect(
            guest.fault { () throws(Interruption) in _ = try guest.p.translate(LinearAddress(0xC0_0000), .read) }?
                .errorCode == 9)
    }

    @Test func withoutPSETheDirectoryEntryAlwaysNamesATable() {
        let guest = legacyGuest(cr4: 0)
        guest.write(0x20_0000 + 4 * 1, 0x20_1083 as UInt32)
        guest.write(0x20_1000, 0x0030_0003 as UInt32)
        #expect(guest.translate(0x0040_0678, .read) == 0x30_0678)
    }

    @Test func pagingPAEUsesThePDPTERegistersLoadedWithCR3() throws {
        let guest = legacyGuest(cr4: CR4.physicalAddressExtension)
        guest.write(0x20_0020 + 8, 0x20_1001 as UInt64)
        guest.write(0x20_1000 + 8 * 3, 0x0080_0083 as UInt64)
        guest.write(0x20_1000 + 8 * 4, 0x20_2003 as UInt64)
        guest.write(0x20_2000, 0x1_0030_0003 as UInt64)
        try guest.p.setCR3(0x20_0020)
        #expect(guest.translate(0x4060_1234, .read) == 0x80_1234)
        #expect(guest.translate(0x4080_0678, .read) == 0x1_0030_0678)
        // The registers are what counts, not memory.
        guest.write(0x20_0020 + 8, 0 as UInt64)
        #expect(guest.translate(0x4060_5000, .read) == 0x80_5000)
    }

    @Test func reservedBitsInAPDPTEFaultWhenCR3IsLoaded() {
        let guest = legacyGuest(cr4: CR4.physicalAddressExtension)
        guest.write(0x20_0000, 0x20_1003 as UInt64)
        let fault = guest.fault { () throws(Interruption) in try guest.p.setCR3(0x20_0000) }
        #expect(fault == .generalProtection())
    }

    @Test func withoutPagingLinearIsPhysical() {
        let guest = legacyGuest(cr4: 0)
        guest.p.system.cr0 &= ~CR0.paging
        #expect(guest.translate(0xFEDC_BA98, .write) == 0xFEDC_BA98)
    }
}
