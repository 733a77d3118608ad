import Testing
import X86Architecture
@testable import X86Machine

@Suite("The read-only view's structure walks")
struct StructureWalkTests {
    let machine = Machine(configuration())

    private func store(_ address: UInt64, _ entry: UInt64) {
        machine.memory.storeUnnotified(.init(address), entry)
    }
    /// One 4-KiB page at linear 0x40_3000 -> 0x9000 and one 2-MiB page at 0x80_0000 -> 0x20_0000, tables from 0x1000.
    private func build4Level() {
        store(0x1000, 0x2007)
        store(0x2000, 0x3007)
        store(0x3000 + 2 * 8, 0x4005)
        store(0x4000 + 3 * 8, 0x9003 | PagingEntry.executeDisable)
        store(0x3000 + 4 * 8, 0x20_0087)
    }
    /// An EPT from 0x5000 that maps guest-physical 0 ... 2 MiB to itself in 4-KiB pages, read and write.
    private func buildEPT() -> UInt64 {
        store(0x5000, 0x6007)
        store(0x6000, 0x7007)
        store(0x7000, 0x8007)
        for page in 0..<512 as Range<UInt64> { store(0x8000 + 8 * page, page << 12 | 0x33) }
        return 0x5000 | 3 << 3 | 6
    }

    @Test("SDM 3A 4.5.4: four levels, rights of all entries together, no flag set")
    func fourLevels() {
        build4Level()
        let before = machine.digest
        let walk = machine.view.walkGuest(.init(0x40_3123), cr3: 0x1000, eptp: nil)
        #expect(walk.steps.map(\.location.rawValue) == [0x1000, 0x2000, 0x3010, 0x4018])
        #expect(
            walk.outcome
                == .mapped(
                    .init(0x9123), .init(0x9123), writable: false, user: false, executable: false,
                    shift: 12))
        #expect(machine.digest == before)
    }

    @Test("A 2-MiB page, a missing entry with its level, an address that is not canonical")
    func others() {
        build4Level()
        let view = machine.view
        #expect(
            view.walkGuest(.init(0x81_2345), cr3: 0x1000, eptp: nil).outcome
                == .mapped(.init(0x21_2345), .init(0x21_2345), writable: true, user: true, executable: true, shift: 21))
        #expect(view.walkGuest(.init(0x40_4000), cr3: 0x1000, eptp: nil).outcome == .notPresent(level: 1))
        #expect(view.walkGuest(.init(0xC0_0000), cr3: 0x1000, eptp: nil).outcome == .notPresent(level: 2))
        #expect(view.walkGuest(.init(0x8000_0000_0000), cr3: 0x1000, eptp: nil).outcome == .unreadable)
        #expect(view.walkGuest(.init(0), cr3: 0xC000_0000, eptp: nil).outcome == .unreadable)
    }

    @Test("SDM 3C 31.3.2: the EPT walk gives address and permissions; a structure outside RAM is unreadable")
    func eptWalk() {
        let eptp = buildEPT()
        let found = machine.view.peekEPT(.init(0x5678), eptp: eptp)
        #expect(found?.0 == .init(0x5678) && found?.1 == .readWrite)
        #expect(machine.view.walkEPT(.init(0x20_0000), eptp: eptp).outcome == .notPresent(level: 2))
        #expect(machine.view.walkEPT(.init(0), eptp: 0xC000_0000).outcome == .unreadable(.init(0xC000_0000)))
    }

    @Test("A guest walk through EPT translates every structure and the page")
    func nested() {
        build4Level()
        let eptp = buildEPT()
        store(0x8000 + 8 * 9, 0xA_0000 | 0x33)  // guest-physical 0x9000 is physical 0xA0000
        #expect(machine.view.walkGuest(.init(0x40_3123), cr3: 0x1000, eptp: eptp).physical == .init(0xA_0123))
        store(0x8000 + 8 * 4, 0)  // the page table itself
        #expect(
            machine.view.walkGuest(.init(0x40_3123), cr3: 0x1000, eptp: eptp).outcome == .eptNotPresent(.init(0x4018)))
    }

    @Test("peek follows the processor's mode: paging off, 32-bit with 4-MiB pages, PAE")
    func legacyModes() {
        let p = machine.processors[0]
        defer { withExtendedLifetime(machine) {} }  // A processor does not keep its machine.
        #expect(machine.view.peek(.init(0x1234), processor: 0) == .init(0x1234))
        p.system.cr0 |= CR0.paging | CR0.protectionEnable
        p.system.cr3 = 0x1000
        store(0x1000 + 4, 0x0040_0083)  // entries 1 and, above it, 2 (absent)
        #expect(machine.view.peek(.init(0x40_1234), processor: 0) == .init(0x40_1234))
        #expect(machine.view.peek(.init(0x80_0000), processor: 0) == nil)
        p.system.cr4 |= CR4.physicalAddressExtension
        p.system.pdptes[0] = 0x3001
        build4Level()
        #expect(machine.view.peek(.init(0x40_3123), processor: 0) == .init(0x9123))
        #expect(machine.view.peek(.init(0x4000_0000), processor: 0) == nil)
    }

    @Test("readLinear crosses pages and stops at what is not mapped")
    func readLinear() {
        build4Level()
        store(0x4000 + 4 * 8, 0xB003)
        let p = machine.processors[0]
        defer { withExtendedLifetime(machine) {} }  // A processor does not keep its machine.
        p.system.cr0 |= CR0.paging | CR0.protectionEnable
        p.system.cr4 |= CR4.physicalAddressExtension
        p.system.efer = EFER.longModeEnable | EFER.longModeActive
        p.system.cr3 = 0x1000
        machine.writePhysical([1, 2], at: .init(0x9FFE))
        machine.writePhysical([3, 4], at: .init(0xB000))
        #expect(machine.view.readLinear(.init(0x40_3FFE), as: UInt32.self, processor: 0) == 0x0403_0201)
        #expect(machine.view.readLinear(.init(0x40_4FFE), as: UInt32.self, processor: 0) == nil)
    }
}
