import Testing
import X86Architecture
@testable import X86Machine

/// SDM 3A 4.6.1 "Determination of Access Rights", 4.7 "Page-Fault Exceptions".
@Suite struct PagingPermissionTests {
    struct Case: Sendable {
        var bits: TestGuest.PageBits
        var kind: AccessKind
        var user = false
        var implicit = false
        var writeProtect = true
        var smep = false, smap = false, ac = false
        /// Page-fault error code; nil: allowed.
        var code: UInt32?
    }

    static let cases: [Case] = [
        // Supervisor pages.
        Case(bits: [], kind: .read), Case(bits: [], kind: .read, user: true, code: 0x5),
        Case(bits: [], kind: .write, code: 0x3), Case(bits: [], kind: .write, writeProtect: false),
        Case(bits: [.writable], kind: .write), Case(bits: [.writable], kind: .write, user: true, code: 0x7),
        Case(bits: [], kind: .execute), Case(bits: [], kind: .execute, user: true, code: 0x15),
        Case(bits: [.noExecute], kind: .execute, code: 0x11), Case(bits: [.noExecute], kind: .read),
        // User pages.
        Case(bits: [.user], kind: .read, user: true), Case(bits: [.user], kind: .write, user: true, code: 0x7),
        Case(bits: [.user], kind: .write, user: true, writeProtect: false, code: 0x7),
        Case(bits: [.user, .writable], kind: .write, user: true), Case(bits: [.user], kind: .execute, user: true),
        Case(bits: [.user, .noExecute], kind: .execute, user: true, code: 0x15),
        Case(bits: [.user], kind: .write, code: 0x3), Case(bits: [.user], kind: .execute),
        // SMEP, SMAP.
        Case(bits: [.user], kind: .execute, smep: true, code: 0x11),
        Case(bits: [.user], kind: .execute, user: true, smep: true),
        Case(bits: [.user], kind: .read, smap: true, code: 0x1), Case(bits: [.user], kind: .read, smap: true, ac: true),
        Case(bits: [.user, .writable], kind: .write, smap: true, code: 0x3),
        Case(bits: [.user, .writable], kind: .write, smap: true, ac: true),
        Case(bits: [.user], kind: .read, implicit: true, smap: true, ac: true, code: 0x1),
        Case(bits: [.user], kind: .read, user: true, smap: true),
        Case(bits: [], kind: .read, user: true, implicit: true),
    ]

    @Test(arguments: cases) func anAccessIsAllowedOrFaultsWithTheArchitecturalErrorCode(_ c: Case) {
        let guest = TestGuest()
        guest.map(0x4000_0000, to: 0x20_0000, c.bits)
        guest.setLevel(c.user ? 3 : 0)
        let p = guest.p
        if !c.writeProtect { p.system.cr0 &= ~CR0.writeProtect }
        if c.smep { p.system.cr4 |= CR4.smep }
        if c.smap { p.system.cr4 |= CR4.smap }
        if c.ac { p.system.flags |= RFLAGS.alignmentCheck }
        let a = LinearAddress(0x4000_0123)
        // Twice: by the walk and, when allowed, from the cached translation.
        for _ in 0..<2 {
            let fault = guest.fault { () throws(Interruption) in
                _ = try p.translate(a, c.kind, c.implicit ? .supervisor : .current)
            }
            #expect(fault?.errorCode == c.code)
            if c.code != nil { #expect(fault?.vector == 14 && fault?.faultingAddress == a) }
        }
    }

    @Test func everyLevelMustAllowTheAccess() {
        for shift in [39, 30, 21] as [UInt64] {
            let guest = TestGuest()
            guest.map(0x4000_0000, to: 0x20_0000, [.writable, .user])
            let at = guest.entry(0x4000_0000, shift: shift)
            guest.write(at, guest.read(at) & ~PagingEntry.writable)
            let fault = guest.fault { () throws(Interruption) in
                _ = try guest.p.translate(LinearAddress(0x4000_0000), .write)
            }
            #expect(fault?.errorCode == 0x3)
        }
    }

    @Test func reservedBitsFaultWithRSVDBeforePermissions() {
        // Bit 46 is MAXPHYADDR of the model; bit 7 is reserved in a PML4E; bit 13 in a PDE that maps 2 MiB.
        for (shift, bit) in [(12, 46), (21, 51), (30, 47), (39, 7)] as [(UInt64, UInt64)] {
            let guest = TestGuest()
            guest.map(0x80_4000_0000, to: 0x20_0000, [])
            let at = guest.entry(0x80_4000_0000, shift: shift)
            guest.write(at, guest.read(at) | 1 << bit)
            let fault = guest.fault { () throws(Interruption) in
                _ = try guest.p.translate(LinearAddress(0x80_4000_0000), .write)
            }
            #expect(fault?.errorCode == 0xB)
        }
        let guest = TestGuest()
        let at = guest.map(0x4000_0000, to: 0x20_0000, [], shift: 21)
        guest.write(at, guest.read(at) | 1 << 13)
        #expect(
            guest.fault { () throws(Interruption) in _ = try guest.p.translate(LinearAddress(0x4000_0000), .read) }?
                .errorCode == 0x9)
    }

    @Test func executeDisableIsReservedWithoutNXE() {
        let guest = TestGuest()
        guest.map(0x4000_0000, to: 0x20_0000, [.noExecute])
        guest.p.system.efer &= ~EFER.executeDisableEnable
        #expect(
            guest.fault { () throws(Interruption) in _ = try guest.p.translate(LinearAddress(0x4000_0000), .read) }?
                .errorCode == 0x9)
        // And fetches do not set I/D in the error code then.
        let fault = guest.fault { () throws(Interruption) in
            _ = try guest.p.translate(LinearAddress(0x7000_0000), .execute)
        }
        #expect(fault?.errorCode == 0)
    }

    @Test func anAbsentEntryAtAnyLevelFaultsWithPClear() {
        for shift in [12, 21, 30, 39] as [UInt64] {
            let guest = TestGuest()
            guest.map(0x80_4000_0000, to: 0x20_0000, [.writable])
            guest.write(guest.entry(0x80_4000_0000, shift: shift), 0 as UInt64)
            let fault = guest.fault { () throws(Interruption) in
                _ = try guest.p.translate(LinearAddress(0x80_4000_0000), .write)
            }
            #expect(fault?.errorCode == 0x2)
        }
    }
}
