import Testing
@testable import X86Machine
import X86Architecture

/// SDM 3C 31.3.6 "Page-Modification Logging".
@Suite struct PageModificationLogTests {
    private typealias T = VMXTestMachine

    private static func logging(index: UInt64 = 511, flags: Bool = true) -> VMXTestMachine {
        guest {
            if flags { $0[.eptPointer] |= 1 << 6 }
            $0.set(SecondaryControls.enablePML)
            $0[.pmlAddress] = T.modificationLog
            $0[.pmlIndex] = index
            // Accesses to paging structures are writes too; they are dirty already.
            for table in stride(from: UInt64(0x10_0000), to: 0x20_0000, by: 0x1000) {
                let entry = $0.eptEntry(table)
                $0.store(entry, $0.load(entry) | EPTEntry.accessedFlag | EPTEntry.dirtyFlag)
            }
        }
    }
    private static func logged(_ m: VMXTestMachine, _ n: UInt64) -> UInt64 { m.load(T.modificationLog + n * 8) }

    @Test func `setting a dirty flag logs the page and decrements the index`() {
        let m = Self.logging()
        #expect(EPTTests.exit(m, .write, T.page + 0x123) == nil)
        #expect(Self.logged(m, 511) == T.page && m[.pmlIndex] == 510)
    }
    @Test func `reads, and writes to pages that are dirty, are not logged`() {
        let m = Self.logging()
        #expect(EPTTests.exit(m, .read) == nil)
        #expect(m[.pmlIndex] == 511)
        _ = EPTTests.exit(m, .write)
        _ = EPTTests.exit(m, .write)
        #expect(m[.pmlIndex] == 510)
    }
    @Test func `after entry 0 the index is FFFFH, and the next flag to set exits with reason 62`() {
        let m = Self.logging(index: 0)
        #expect(EPTTests.exit(m, .write) == nil)
        #expect(Self.logged(m, 0) == T.page && m[.pmlIndex] == 0xFFFF)
        let cause = EPTTests.exit(m, .write, T.otherPage)
        #expect(cause?.reason == ExitReason.pageModificationLogFull.rawValue && cause?.qualification == 0)
        // The flag is not set; neither is the accessed flag, for which the index counts too.
        #expect(m.load(m.eptEntry(T.otherPage)) & (EPTEntry.dirtyFlag | EPTEntry.accessedFlag) == 0)
        #expect(EPTTests.exit(m, .read, T.otherPage)?.reason == ExitReason.pageModificationLogFull.rawValue)
        #expect(m[.pmlIndex] == 0xFFFF)
    }
    @Test func `without accessed and dirty flags nothing is logged`() {
        let m = Self.logging(flags: false)
        #expect(EPTTests.exit(m, .write) == nil && m[.pmlIndex] == 511)
    }
}
