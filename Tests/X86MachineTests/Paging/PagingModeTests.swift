import Testing
import X86Architecture
@testable import X86Machine

/// The rights, flags and error codes of every kind of entry in every paging mode. SDM 3A chapter 4 "Paging".
@Suite struct PagingModeTests {
    /// A mapping of `linear` whose last entry is at `entry`, `bytes` wide.
    struct Mapping: Sendable, CustomStringConvertible {
        var description: String
        var isLong = false, isPAE = false
        var linear: UInt64
        var entry: UInt64
        var bytes = 8
        /// Entries above the last: address and value.
        var upper: [(UInt64, UInt64)]
        /// The last entry without rights.
        var value: UInt64
        /// Bits that are reserved in the last entry, by tables 4-4 to 4-20.
        var reserved: [UInt64]
    }
    static let mappings: [Mapping] = [
        Mapping(
            description: "32-bit, 4 KiB", linear: 0x40_5000, entry: 0x20_1014, bytes: 4,
            upper: [(0x20_0004, 0x20_1007)], value: 0x30_0001, reserved: []),
        Mapping(
            description: "32-bit, 4 MiB", linear: 0x80_5000, entry: 0x20_0008, bytes: 4,
            upper: [], value: 0x40_0081, reserved: [21]),
        Mapping(
            description: "PAE, 4 KiB", isPAE: true, linear: 0x4080_5000, entry: 0x20_2028,
            upper: [(0x20_0008, 0x20_1001), (0x20_1020, 0x20_2007)], value: 0x30_0001, reserved: [46, 51, 52, 62]),
        Mapping(
            description: "PAE, 2 MiB", isPAE: true, linear: 0x4060_5000, entry: 0x20_1018,
            upper: [(0x20_0008, 0x20_1001)], value: 0x40_0081, reserved: [13, 20, 46, 51, 52, 62]),
        Mapping(
            description: "4-level, 4 KiB", isLong: true, linear: 0x80_4080_5000, entry: 0x20_4028,
            upper: [(0x20_0008, 0x20_1007), (0x20_1008, 0x20_2007), (0x20_2020, 0x20_4007)], value: 0x30_0001,
            reserved: [46, 51]),
        Mapping(
            description: "4-level, 2 MiB", isLong: true, linear: 0x80_4060_5000, entry: 0x20_2018,
            upper: [(0x20_0008, 0x20_1007), (0x20_1008, 0x20_2007)], value: 0x40_0081, reserved: [13, 20, 46, 51]),
        Mapping(
            description: "4-level, 1 GiB", isLong: true, linear: 0x80_4060_5000, entry: 0x20_1008,
            upper: [(0x20_0008, 0x20_1007)], value: 0x4000_0081, reserved: [13, 29, 46, 51])
    ]

    private func guest(_ m: Mapping, _ bits: UInt64) throws -> TestGuest {
        let guest = TestGuest(), p = guest.p
        if !m.isLong {
            p.system.efer = m.isPAE ? EFER.executeDisableEnable : 0
            p.system.cr4 = m.isPAE ? CR4.physicalAddressExtension : CR4.pageSizeExtensions
            p.system.segments[SegmentIndex.cs].access = 0xC09B
            p.modeChanged()
        }
        func write(_ at: UInt64, _ value: UInt64) {
            if m.bytes == 4 { guest.write(at, UInt32(truncatingIfNeeded: value)) } else { guest.write(at, value) }
        }
        for (at, value) in m.upper { write(at, value) }
        write(m.entry, m.value | bits)
        try p.setCR3(0x20_0000)
        return guest
    }
    private func code(_ guest: TestGuest, _ m: Mapping, _ kind: AccessKind, _ privilege: Privilege = .current)
        -> UInt32?
    {
        guest.fault { () throws(Interruption) in _ = try guest.p.translate(LinearAddress(m.linear), kind, privilege) }?
            .errorCode
    }
    private func entry(_ guest: TestGuest, _ m: Mapping) -> UInt64 {
        m.bytes == 4 ? UInt64(guest.read32(m.entry)) : guest.read(m.entry)
    }

    @Test("U/S and R/W decide over user-mode accesses; CR0.WP over supervisor-mode writes (4.6.1)", arguments: mappings)
    func rights(_ m: Mapping) throws {
        let supervisor = try guest(m, PagingEntry.writable), readOnly = try guest(m, PagingEntry.user)
        #expect(code(supervisor, m, .write) == nil && code(supervisor, m, .read, .user) == 0x5)
        #expect(code(supervisor, m, .write, .user) == 0x7)
        #expect(code(readOnly, m, .read, .user) == nil && code(readOnly, m, .write, .user) == 0x7)
        #expect(code(readOnly, m, .write) == 0x3)
        readOnly.p.system.cr0 &= ~CR0.writeProtect
        #expect(code(readOnly, m, .write) == nil)
    }

    @Test(
        "SMEP stops fetches from user pages in every mode, and the error code has I/D then (4.6.1, 4.7)",
        arguments: mappings)
    func smep(_ m: Mapping) throws {
        let guest = try guest(m, PagingEntry.user | PagingEntry.writable)
        #expect(code(guest, m, .execute) == nil)
        guest.p.system.cr4 |= CR4.smep
        #expect(code(guest, m, .execute) == 0x11)
    }

    @Test(
        "SMAP stops supervisor data accesses to user pages, unless AC allows explicit ones (4.6.1)",
        arguments: mappings)
    func smap(_ m: Mapping) throws {
        let guest = try guest(m, PagingEntry.user | PagingEntry.writable)
        guest.p.system.cr4 |= CR4.smap
        #expect(code(guest, m, .read) == 0x1 && code(guest, m, .write) == 0x3)
        guest.p.system.flags |= RFLAGS.alignmentCheck
        #expect(code(guest, m, .write) == nil && code(guest, m, .read, .supervisor) == 0x1)
    }

    @Test("a read sets A, a write sets A and D, in the entry that maps the page (4.8)", arguments: mappings)
    func accessedAndDirty(_ m: Mapping) throws {
        let guest = try guest(m, PagingEntry.writable)
        #expect(code(guest, m, .read) == nil)
        #expect(entry(guest, m) & 0x60 == PagingEntry.accessed)
        #expect(code(guest, m, .write) == nil)
        #expect(entry(guest, m) & 0x60 == PagingEntry.accessed | PagingEntry.dirty)
    }

    @Test("a reserved bit faults with RSVD, whatever the rights (tables 4-4 to 4-20)", arguments: mappings)
    func reserved(_ m: Mapping) throws {
        for bit in m.reserved {
            let guest = try guest(m, 1 << bit)
            #expect(code(guest, m, .read, .user) == 0xD, "bit \(bit)")
            #expect(entry(guest, m) & 0x60 == 0)
        }
    }

    @Test(
        "XD stops fetches where NXE is set and is reserved where it is not; 32-bit entries have none (4.6.1)",
        arguments: mappings)
    func executeDisable(_ m: Mapping) throws {
        guard m.bytes == 8 else {
            #expect(code(try guest(m, 0), m, .execute) == nil)
            return
        }
        let guest = try guest(m, PagingEntry.executeDisable)
        #expect(code(guest, m, .execute) == 0x11 && code(guest, m, .read) == nil)
        let without = try self.guest(m, PagingEntry.executeDisable)
        without.p.system.efer &= ~EFER.executeDisableEnable
        #expect(code(without, m, .read) == 0x9)
    }

    @Test("PWT, PCD and PAT choose a memory type and change neither address nor rights (4.9)", arguments: mappings)
    func memoryTypes(_ m: Mapping) throws {
        let isLarge = m.value & PagingEntry.pageSize != 0
        let plain = try guest(m, 0).translate(m.linear, .read)
        let typed = try guest(m, 0x18 | (isLarge ? 1 << 12 : 1 << 7))
        #expect(plain != nil && typed.translate(m.linear, .read) == plain)
        #expect(code(typed, m, .write) == 0x3)
    }

    @Test("the delivery of a page fault loads CR2 with the faulting address, to the byte (4.7)")
    func faultingAddress() {
        let guest = TestGuest()
        // mov al, [0x70000123]
        guest.execute([0x8A, 0x04, 0x25, 0x23, 0x01, 0x00, 0x70])
        #expect(guest.handledVector == 14 && guest.p.system.cr2 == 0x7000_0123)
        #expect(guest.frame(0) == 0 && guest.frame(1) == TestGuest.code)
    }

    @Test("5-level paging is not there: CPUID says so and CR4.LA57 cannot be set (2.5)")
    func noFiveLevels() {
        let guest = TestGuest()
        #expect(guest.p.identification(7, 0).ecx & 1 << 16 == 0)
        #expect(guest.p.identification(0x8000_0008, 0).eax >> 8 & 0xFF == 48)
        guest.p.setGPR(GPR.rax, guest.p.system.cr4 | 1 << 12)
        guest.execute([0x0F, 0x22, 0xE0])
        #expect(guest.handledVector == 13 && guest.p.system.cr4 & 1 << 12 == 0)
    }
}
