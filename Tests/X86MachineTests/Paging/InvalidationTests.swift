import Testing
import X86Architecture
@testable import X86Machine

/// SDM 3A 4.10.4.1 "Operations that Invalidate TLBs and Paging-Structure Caches": a cached translation is used until an
/// operation drops it, and is gone after.
@Suite struct InvalidationTests {
    static let a: UInt64 = 0x4000_0000

    /// Maps `a` to 0x200000, uses it, and changes the entry to 0x300000 behind the processor's back.
    private func stale(_ bits: TestGuest.PageBits = [.writable], shift: UInt64 = 12, pcid: Bool = false) -> TestGuest {
        let guest = TestGuest()
        if pcid { guest.p.system.cr4 |= CR4.pcidEnable }
        let at = guest.map(Self.a, to: 0x20_0000, bits, shift: shift)
        _ = guest.translate(Self.a, .write)
        guest.write(at, guest.read(at) & ~0xFFFF_F000 | 0x40_0000)
        return guest
    }
    private func isStale(_ guest: TestGuest) -> Bool { guest.translate(Self.a, .read) == 0x20_0000 }

    @Test func aChangedEntryIsNotSeenWithoutInvalidation() {
        let guest = stale()
        #expect(isStale(guest))
        #expect(guest.translate(Self.a, .write) == 0x20_0000)
    }

    @Test func invlpgDropsThePageAndOnlyIt() {
        let guest = stale()
        guest.map(Self.a + 0x1000, to: 0x20_1000, [.writable])
        _ = guest.translate(Self.a + 0x1000, .read)
        guest.p.invalidatePage(LinearAddress(Self.a + 0x1000))
        #expect(isStale(guest))
        guest.p.invalidatePage(LinearAddress(Self.a + 0xFFF))
        #expect(!isStale(guest))
    }

    @Test func invlpgDropsGlobalAndLargePages() {
        let global = stale([.writable, .global])
        global.p.invalidatePage(LinearAddress(Self.a))
        #expect(!isStale(global))
        let large = stale([.writable], shift: 21)
        large.p.invalidatePage(LinearAddress(Self.a + 0x12_3456))
        #expect(!isStale(large))
    }

    @Test func movToCR3DropsAllButGlobalTranslations() throws {
        let guest = stale()
        try guest.p.setCR3(TestGuest.root)
        #expect(!isStale(guest))
        let global = stale([.writable, .global])
        try global.p.setCR3(TestGuest.root)
        #expect(isStale(global))
    }

    @Test func changingPGEDropsGlobalTranslations() throws {
        let guest = stale([.writable, .global])
        try guest.p.setCR4(guest.p.system.cr4 & ~CR4.pageGlobalEnable)
        #expect(!isStale(guest))
    }

    @Test func withoutPGETheGlobalFlagIsIgnored() throws {
        let guest = TestGuest()
        guest.p.system.cr4 &= ~CR4.pageGlobalEnable
        let at = guest.map(Self.a, to: 0x20_0000, [.writable, .global])
        _ = guest.translate(Self.a, .read)
        guest.write(at, guest.read(at) & ~0xFFFF_F000 | 0x40_0000)
        try guest.p.setCR3(TestGuest.root)
        #expect(!isStale(guest))
    }

    @Test func translationsBelongToAPCID() throws {
        let guest = stale(pcid: true)
        // Bit 63: switch without invalidating. PCID 1 has nothing cached for the page; PCID 0 still has.
        try guest.p.setCR3(TestGuest.root | 1 | CR3.keepTranslations)
        #expect(!isStale(guest))
        try guest.p.setCR3(TestGuest.root | CR3.keepTranslations)
        #expect(isStale(guest))
        try guest.p.setCR3(TestGuest.root)
        #expect(!isStale(guest))
    }

    @Test func globalTranslationsServeEveryPCID() throws {
        let guest = stale([.writable, .global], pcid: true)
        try guest.p.setCR3(TestGuest.root | 1)
        #expect(isStale(guest))
    }

    @Test func invpcidTypesDropWhatTheyName() {
        let byAddress = stale(pcid: true)
        byAddress.p.invalidatePage(LinearAddress(Self.a), pcid: 1)
        #expect(isStale(byAddress))
        byAddress.p.invalidatePage(LinearAddress(Self.a), pcid: 0)
        #expect(!isStale(byAddress))
        let global = stale([.writable, .global], pcid: true)
        global.p.invalidatePage(LinearAddress(Self.a), pcid: 0)
        global.p.invalidatePCID(0)
        global.p.invalidateNonGlobal()
        #expect(isStale(global))
        global.p.invalidateAllOfVPID()
        #expect(!isStale(global))
    }

    @Test func clearingPGDropsEverything() throws {
        let guest = stale([.writable, .global])
        guest.p.system.segments[SegmentIndex.cs].access = 0xC09B
        try guest.p.setCR0(guest.p.system.cr0 & ~CR0.paging)
        #expect(guest.p.translations.count == 0)
        #expect(!guest.p.isLongMode)
    }

    @Test func aPageFaultDropsTheTranslationOfItsAddress() {
        let guest = TestGuest()
        let at = guest.map(Self.a, to: 0x20_0000, [])
        _ = guest.translate(Self.a, .read)
        #expect(guest.translate(Self.a, .write) == nil)
        guest.write(at, guest.read(at) & ~0xFFFF_F000 | 0x40_0000)
        #expect(!isStale(guest))
    }

    @Test func moreRightsAreFoundByWalkingAgain() {
        let guest = TestGuest()
        let at = guest.map(Self.a, to: 0x20_0000, [])
        _ = guest.translate(Self.a, .read)
        guest.write(at, guest.read(at) | PagingEntry.writable)
        #expect(guest.translate(Self.a, .write) == 0x20_0000)
    }

    @Test func fewerRightsAreNotNoticedWithoutInvalidation() {
        let guest = stale()
        let at = guest.entry(Self.a, shift: 12)
        guest.write(at, 0 as UInt64)
        #expect(guest.translate(Self.a, .write) == 0x20_0000)
    }
}
