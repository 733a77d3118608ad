import Testing
@testable import X86Machine
import X86Architecture

/// "Mode-based execute control for EPT": SDM 3C 31.3.2 "EPT Translation Mechanism", 31.3.3.2 "EPT Violations".
@Suite struct ModeBasedExecuteTests {
    private typealias T = VMXTestMachine
    private static let supervisor: UInt64 = 1 << 2, user: UInt64 = 1 << 10

    /// A guest that maps `T.page` for user or supervisor mode, with these execute bits in its EPT entry only.
    private static func fetch(user isUser: Bool, bits: UInt64, modeBased: Bool = true) -> VMExitCause? {
        let m = guest {
            if modeBased { $0.set(SecondaryControls.modeBasedExecuteControl) }
            $0.mapGuest(T.page, to: T.page, flags: PagingEntry.writable | (isUser ? PagingEntry.user : 0))
            for level in [EPTLevel.pml4e, .pdpte, .pde] {
                let entry = $0.eptEntry(T.page, level: level)
                $0.store(entry, $0.load(entry) | user)
            }
            $0.store($0.eptEntry(T.page), T.otherPage | 6 << 3 | 1 | bits)
            for page in [T.guestCode, T.handlers] {
                let entry = $0.eptEntry(page)
                $0.store(entry, $0.load(entry) | user)
            }
        }
        return EPTTests.exit(m, .execute)
    }

    @Test(arguments: [false, true], [0, supervisor, user, supervisor | user])
    func `bit 2 lets supervisor-mode addresses be fetched from, bit 10 user-mode ones`(_ isUser: Bool, _ bits: UInt64) {
        let cause = Self.fetch(user: isUser, bits: bits)
        if bits & (isUser ? Self.user : Self.supervisor) != 0 { return #expect(cause == nil) }
        // Fetch (2), readable (3), XS in bit 5, XU in bit 6; linear address and its translation, user-mode (9),
        // writable (10).
        let wanted: UInt64 = 1 << 2 | 1 << 3 | (bits & Self.supervisor) << 3 | (bits & Self.user) >> 4
            | 0b11 << 7 | (isUser ? 1 << 9 : 0) | 1 << 10
        #expect(cause?.reason == ExitReason.eptViolation.rawValue && cause?.qualification == wanted)
    }
    @Test func `without the control bit 2 is for both and bit 10 is ignored`() {
        #expect(Self.fetch(user: true, bits: Self.supervisor, modeBased: false) == nil)
        let cause = Self.fetch(user: true, bits: Self.user, modeBased: false)
        #expect(cause?.qualification == 0b1111 << 7 | 1 << 3 | 1 << 2)
    }
    /// An invalid memory type tells: only an entry that is present can be misconfigured.
    @Test(arguments: [(true, ExitReason.eptMisconfiguration), (false, .eptViolation)])
    func `an entry with only bit 10 is present with the control`(_ modeBased: Bool, _ reason: ExitReason) {
        let m = guest {
            if modeBased { $0.set(SecondaryControls.modeBasedExecuteControl) }
            $0.store($0.eptEntry(T.page), T.otherPage | 2 << 3 | Self.user)
        }
        #expect(EPTTests.exit(m, .read)?.reason == reason.rawValue)
    }
}
