import Testing
@testable import X86Machine
import X86Architecture

/// SDM 3C 31.3 "The Extended Page Table Mechanism (EPT)".
@Suite struct EPTTests {
    private typealias T = VMXTestMachine

    /// What an access of the guest at `address` throws, if it is a VM exit.
    static func exit(_ m: VMXTestMachine, _ kind: AccessKind, _ address: UInt64 = VMXTestMachine.page) -> VMExitCause? {
        do throws(Interruption) {
            _ = try m.p.translate(LinearAddress(address), kind)
            return nil
        } catch {
            if case .vmExit(let cause) = error { return cause }
            Issue.record("\(error)")
            return nil
        }
    }

    /// All eight permissions, all three accesses: 24 cases, with the qualification of each violation.
    @Test(arguments: 0..<8 as Range<UInt64>, [AccessKind.read, .write, .execute])
    func `an access succeeds exactly where its permission is set`(_ bits: UInt64, _ kind: AccessKind) {
        let m = guest { $0.mapEPT(T.page, to: T.otherPage, EPTPermissions(bits)) }
        let cause = Self.exit(m, kind)
        // Writable and not readable is a misconfiguration.
        if bits & 3 == 2 {
            #expect(cause?.reason == ExitReason.eptMisconfiguration.rawValue)
            return
        }
        let needed: UInt64 = switch kind { case .read: 1; case .write: 2; case .execute: 4 }
        guard bits & needed == 0 else { return #expect(cause == nil) }
        #expect(cause?.reason == ExitReason.eptViolation.rawValue)
        // Access in bits 2:0, permissions in 5:3, linear address valid (7), access to its translation (8), which is a
        // user-mode (9), writable (10), executable (11 clear) address.
        #expect(cause?.qualification == needed | bits << 3 | 1 << 7 | 1 << 8 | 1 << 9 | 1 << 10)
        #expect(cause?.guestPhysicalAddress?.rawValue == T.page)
        #expect(cause?.guestLinearAddress?.rawValue == T.page)
    }

    @Test func `permissions are the AND of every entry used`() {
        for level in [EPTLevel.pml4e, .pdpte, .pde] {
            let gpa: UInt64 = 1 << 39
            let m = guest {
                $0.mapGuest(0x5000_0000, to: gpa)
                $0.mapEPT(gpa, to: T.otherPage)
                let entry = $0.eptEntry(gpa, level: level)
                $0.store(entry, $0.load(entry) & ~UInt64(2))
            }
            #expect(Self.exit(m, .read, 0x5000_0000) == nil)
            #expect(Self.exit(m, .write, 0x5000_0000)?.qualification == 2 | 0b101 << 3 | 0b1111 << 7)
        }
    }

    @Test func `a missing entry at any level is a violation without permissions`() {
        for level in [EPTLevel.pml4e, .pdpte, .pde, .pte] {
            let gpa: UInt64 = 1 << 39
            let m = guest {
                $0.mapGuest(0x5000_0000, to: gpa)
                $0.mapEPT(gpa, to: T.otherPage)
                $0.store($0.eptEntry(gpa, level: level), UInt64(0))
            }
            let cause = Self.exit(m, .write, 0x5000_0000)
            #expect(cause?.reason == ExitReason.eptViolation.rawValue && cause?.qualification == 2 | 0b1111 << 7)
            #expect(cause?.guestPhysicalAddress?.rawValue == gpa)
        }
    }

    /// SDM 3C 31.3.3.1 "EPT Misconfigurations".
    @Test(arguments: [
        (.pml4e, 1 << 3), (.pml4e, 1 << 7), (.pdpte, 1 << 3), (.pdpte, 1 << 6), (.pde, 1 << 4), (.pde, 1 << 6),
        (.pte, 1 << 46), (.pde, 1 << 47), (.pdpte, 1 << 50), (.pml4e, 1 << 51),
    ] as [(EPTLevel, UInt64)])
    func `a reserved bit in a present entry is a misconfiguration`(_ level: EPTLevel, _ bit: UInt64) {
        let gpa: UInt64 = 1 << 39
        let m = guest {
            $0.mapGuest(0x5000_0000, to: gpa)
            $0.mapEPT(gpa, to: T.otherPage)
            let entry = $0.eptEntry(gpa, level: level)
            $0.store(entry, $0.load(entry) | bit)
        }
        let cause = Self.exit(m, .read, 0x5000_0000)
        #expect(cause?.reason == ExitReason.eptMisconfiguration.rawValue)
        #expect(cause?.qualification == 0 && cause?.guestPhysicalAddress?.rawValue == gpa)
    }
    @Test(arguments: 0..<8 as Range<UInt64>)
    func `memory types 2, 3 and 7 are misconfigurations`(_ type: UInt64) {
        let m = guest { $0.store($0.eptEntry(T.page), T.otherPage | 7 | type << 3) }
        let misconfigured = [2, 3, 7].contains(type)
        #expect(Self.exit(m, .read)?.reason == (misconfigured ? ExitReason.eptMisconfiguration.rawValue : nil))
    }
    @Test func `reserved bits in an entry that is not present do not matter`() {
        let m = guest { $0.store($0.eptEntry(T.page), UInt64(1 << 50 | 7 << 3)) }
        #expect(Self.exit(m, .read)?.reason == ExitReason.eptViolation.rawValue)
    }
    @Test func `bits 62 to 52 are ignored`() {
        let m = guest { $0.store($0.eptEntry(T.page), T.otherPage | 0x37 | 0x7FF << 52) }
        #expect(Self.exit(m, .write) == nil)
    }

    @Test(arguments: [(EPTLevel.pde, 0x20_0000), (.pdpte, 0x4000_0000)] as [(EPTLevel, UInt64)])
    func `large pages map with the offset of their size`(_ level: EPTLevel, _ size: UInt64) throws {
        let gpa: UInt64 = 1 << 39
        let m = guest {
            $0.mapGuest(0x5000_0000, to: gpa + 0x3000)
            $0.store($0.eptEntry(gpa, level: level),
                     EPTEntry(page: PhysicalAddress(0), permissions: .all, isLarge: true).rawValue)
        }
        #expect(try m.p.translate(LinearAddress(0x5000_0123), .read).rawValue == 0x3123)
        let e = try m.p.eptTranslate(GuestPhysicalAddress(gpa + size - 1), .read, isPageWalk: false, linear: nil)
        #expect(e.physical.rawValue == size - 1 && 1 << UInt64(e.shift) == size)
    }
    @Test func `address bits below the size of a large page are reserved`() {
        for (level, bit) in [(EPTLevel.pde, 1 << 20), (.pde, 1 << 12), (.pdpte, 1 << 29)] as [(EPTLevel, UInt64)] {
            let gpa: UInt64 = 1 << 39
            let m = guest {
                $0.mapGuest(0x5000_0000, to: gpa)
                let e = EPTEntry(page: PhysicalAddress(0), permissions: .all, isLarge: true).rawValue
                $0.store($0.eptEntry(gpa, level: level), e | bit)
            }
            #expect(Self.exit(m, .read, 0x5000_0000)?.reason == ExitReason.eptMisconfiguration.rawValue)
        }
    }

    // MARK: Guest paging structures

    @Test func `a guest paging structure that is not mapped is a violation with bit 8 clear`() {
        let m = guest { $0.mapEPT($0.guestPageTable, to: 0, .none) }
        let cause = Self.exit(m, .write)
        #expect(cause?.qualification == 1 | 1 << 7)
        #expect(cause?.guestPhysicalAddress?.rawValue == m.guestPageTable + (T.page >> 39) * 8)
    }
    @Test func `setting a guest accessed flag needs write permission for its page`() {
        let m = guest { $0.mapEPT($0.guestPageTable, to: $0.guestPageTable, .read) }
        let cause = Self.exit(m, .read)
        #expect(cause?.qualification == 0b11 | 0b001 << 3 | 1 << 7)
    }
    @Test func `with the accessed flags set the guest's structures may be read-only`() {
        let m = guest {
            var table = $0.guestPageTable
            for shift: UInt64 in [39, 30, 21, 12] {
                let entry = table + (T.page >> shift & 511) * 8
                $0.store(entry, $0.load(entry) | PagingEntry.accessed)
                $0.mapEPT(table, to: table, .read)
                table = $0.load(entry) & PagingEntry.address
            }
        }
        #expect(Self.exit(m, .read) == nil)
    }
    @Test func `page faults come before violations of the final address`() {
        let m = guest {
            $0.mapGuest(T.page, to: 1 << 39, flags: 0)
        }
        #expect(throws: Interruption.self) { try m.p.translate(LinearAddress(T.page), .write) }
        do throws(Interruption) { _ = try m.p.translate(LinearAddress(T.page), .write) } catch {
            guard case .exception(let e) = error else { Issue.record("\(error)"); return }
            #expect(e.vector == 14)
        }
    }

    // MARK: Accessed and dirty flags

    private func entries(_ m: VMXTestMachine) -> [UInt64] {
        [EPTLevel.pml4e, .pdpte, .pde, .pte].map { m.load(m.eptEntry(T.page, level: $0)) >> 8 & 3 }
    }
    @Test func `without bit 6 of the EPTP no flags are set`() {
        let m = guest()
        _ = Self.exit(m, .write)
        #expect(entries(m) == [0, 0, 0, 0])
    }
    @Test func `accessed is set in every entry used, dirty in the last one by writes`() {
        let m = guest { $0[.eptPointer] |= 1 << 6 }
        _ = Self.exit(m, .read)
        #expect(entries(m) == [1, 1, 1, 1])
        _ = Self.exit(m, .write)
        #expect(entries(m) == [1, 1, 1, 3])
    }
    @Test func `a refused access sets no dirty flag`() {
        let m = guest {
            $0[.eptPointer] |= 1 << 6
            $0.mapEPT(T.page, to: T.otherPage, .read)
        }
        #expect(Self.exit(m, .write) != nil)
        #expect(m.load(m.eptEntry(T.page)) & EPTEntry.dirtyFlag == 0)
    }
    @Test func `with accessed and dirty flags, reads of guest paging structures are writes`() {
        let m = guest {
            $0[.eptPointer] |= 1 << 6
            $0.mapEPT($0.guestPageTable, to: $0.guestPageTable, .read)
        }
        #expect(Self.exit(m, .read)?.qualification == 0b11 | 0b001 << 3 | 1 << 7)
        let other = guest { $0[.eptPointer] |= 1 << 6 }
        _ = Self.exit(other, .read)
        #expect(other.load(other.eptEntry(other.guestPageTable)) & EPTEntry.dirtyFlag != 0)
    }

    @Test func `the exit records addresses and saves the guest at the faulting instruction`() {
        let m = guest {
            $0.mapEPT(T.guestCode, to: T.guestCode, .read)
            $0[.guestRFLAGS] = 0x2
        }
        #expect(m.step() == .exit(48))
        #expect(m[.guestPhysicalAddress] == T.guestCode && m[.guestLinearAddress] == T.guestCode)
        #expect(m[.exitQualification] == 4 | 1 << 3 | 0b1111 << 7)
        #expect(m[.guestRIP] == T.guestCode && m[.guestRFLAGS] & RFLAGS.resume != 0)
        #expect(m[.idtVectoringInformation] == 0)
    }
}
