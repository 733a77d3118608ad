import Testing
@testable import X86Machine
import X86Architecture

/// SDM 3C 31.4 "Caching Translation Information".
@Suite struct CachedTranslationTests {
    private typealias T = VMXTestMachine

    /// A guest that has read `page` (0 there, 2 in `otherPage`), whose EPT entry then moves to `otherPage`.
    private func stale(_ change: (VMXTestMachine) -> Void = { _ in }) throws -> VMXTestMachine {
        let m = guest(change)
        #expect(try read(m) == 0)
        m.mapEPT(T.page, to: T.otherPage)
        m.store(T.otherPage, UInt64(2))
        return m
    }
    private func read(_ m: VMXTestMachine) throws -> UInt64 { try m.p.load(LinearAddress(T.page), as: UInt64.self) }
    /// To the root, one instruction there, and back.
    private func inRoot(_ m: VMXTestMachine, _ body: (VMXTestMachine) -> Void = { _ in }) {
        m.run(Code.cpuid)
        precondition(!m.p.vmx.inNonRoot)
        body(m)
        precondition(m.launch())
    }
    private func invept(_ m: VMXTestMachine, _ type: INVEPTType, _ eptp: UInt64) {
        m.store(T.data, eptp)
        m.p.setGPR(GPR.rax, type.rawValue)
        m.run(Code.invept)
        #expect(m.succeeded)
    }
    private func invvpid(_ m: VMXTestMachine, _ type: INVVPIDType, _ vpid: UInt64, _ address: UInt64 = 0) {
        m.store(T.data, vpid)
        m.store(T.data + 8, address)
        m.p.setGPR(GPR.rax, type.rawValue)
        m.run(Code.invvpid)
        #expect(m.succeeded)
    }

    @Test func `a stale translation stays in use without INVEPT`() throws {
        let m = try stale()
        #expect(try read(m) == 0)
    }
    @Test func `with eager translations a forgotten INVEPT does not show`() throws {
        for (policy, wanted) in [(TranslationPolicy.tagged, 0), (.eager, 2)] as [(TranslationPolicy, UInt64)] {
            let m = VMXTestMachine(translations: policy).prepared()
            #expect(m.launch())
            #expect(try read(m) == 0)
            m.mapEPT(T.page, to: T.otherPage)
            m.store(T.otherPage, UInt64(2))
            inRoot(m)
            #expect(try read(m) == wanted)
        }
    }
    @Test func `with eager translations an EPTP switch drops what was cached for the EPT entered`() throws {
        for (policy, wanted) in [(TranslationPolicy.tagged, 0), (.eager, 2)] as [(TranslationPolicy, UInt64)] {
            let m = VMXTestMachine(translations: policy).prepared()
            m.set(SecondaryControls.enableVMFunctions)
            m[.vmFunctionControls] = 1
            m.store(T.eptpList, m.eptp)
            m.store(T.eptpList + 8, EPTPointer(root: PhysicalAddress(m.newEPT())).rawValue)
            #expect(m.launch())
            #expect(try read(m) == 0)
            m.mapEPT(T.page, to: T.otherPage)
            m.store(T.otherPage, UInt64(2))
            for index: UInt64 in [1, 0] {
                m.p.setGPR(GPR.rax, 0)
                m.p.setGPR(GPR.rcx, index)
                #expect(m.run(Code.vmfunc) == .completed)
            }
            #expect(try read(m) == wanted)
        }
    }
    @Test func `the view of the cache shows a stale translation with its tags`() throws {
        let m = try stale()
        // The root's own page of 1 GiB is there as well.
        func combined(_ a: UInt64) -> [CachedTranslation] {
            m.machine.view.cachedTranslations(of: LinearAddress(a), processor: 0).filter { $0.eptRoot != nil }
        }
        let found = combined(T.page + 5)
        #expect(found.count == 1 && found[0].frame.rawValue == T.page && found[0].vpid == 1 && found[0].isInUse)
        #expect(found[0].eptRoot?.rawValue == m.ept && found[0].eptPermissions == .all)
        inRoot(m) { _ in #expect(combined(T.page).map(\.isInUse) == [false]) }
    }
    @Test func `with a VPID it survives a VM exit and the next entry`() throws {
        let m = try stale()
        inRoot(m)
        #expect(try read(m) == 0)
    }
    @Test func `without VPIDs a VM exit and an entry drop it`() throws {
        let m = try stale { $0.clear(.enableVPID) }
        inRoot(m)
        #expect(try read(m) == 2)
    }
    @Test func `INVEPT single-context of its EPTP drops it`() throws {
        let m = try stale()
        inRoot(m) { invept($0, .singleContext, $0.eptp) }
        #expect(try read(m) == 2)
    }
    @Test func `INVEPT single-context of another EPTP does not`() throws {
        let m = try stale()
        inRoot(m) { invept($0, .singleContext, EPTPointer(root: PhysicalAddress($0.newEPT())).rawValue) }
        #expect(try read(m) == 0)
    }
    @Test func `INVEPT all-context drops it`() throws {
        let m = try stale()
        inRoot(m) { invept($0, .allContexts, 0) }
        #expect(try read(m) == 2)
    }
    @Test func `INVEPT does not touch translations made without EPT`() throws {
        let m = VMXTestMachine().prepared()
        _ = try m.p.load(LinearAddress(T.page), as: UInt64.self)
        let before = m.p.translations.count
        invept(m, .allContexts, 0)
        #expect(m.p.translations.count >= before)
    }
    @Test(arguments: [(.individualAddress, 1, VMXTestMachine.page, 2),
                      (.individualAddress, 1, VMXTestMachine.otherPage, 0),
                      (.individualAddress, 2, VMXTestMachine.page, 0), (.singleContext, 1, 0, 2),
                      (.singleContext, 2, 0, 0),
                      (.allContexts, 0, 0, 2), (.singleContextRetainingGlobals, 1, 0, 2)]
          as [(INVVPIDType, UInt64, UInt64, UInt64)])
    func `INVVPID drops what its type and VPID name`(_ type: INVVPIDType, _ vpid: UInt64, _ address: UInt64,
                                                     _ wanted: UInt64) throws {
        let m = try stale()
        inRoot(m) { invvpid($0, type, vpid, address) }
        #expect(try read(m) == wanted)
    }
    @Test func `INVVPID retaining globals keeps global translations, single-context drops them`() throws {
        for (type, wanted) in [(INVVPIDType.singleContextRetainingGlobals, 0),
                               (.singleContext, 2)] as [(INVVPIDType, UInt64)] {
            let m = try stale {
                $0[.guestCR4] |= CR4.pageGlobalEnable
                $0.mapGuest(T.page, to: T.page, flags: PagingEntry.writable | PagingEntry.global)
            }
            inRoot(m) { invvpid($0, type, 1) }
            #expect(try read(m) == wanted)
        }
    }
    @Test func `VPIDs tag translations: another VPID walks for itself`() throws {
        let m = try stale()
        inRoot(m) { $0[.virtualProcessorIdentifier] = 2 }
        #expect(try read(m) == 2)
        inRoot(m) { $0[.virtualProcessorIdentifier] = 1 }
        #expect(try read(m) == 0)
    }
    @Test func `an EPT violation drops the translation it contradicts`() throws {
        let m = try stale()
        m.mapEPT(T.page, to: T.otherPage, .read)
        // A write by the stale translation: it was made by a read, so the guest's dirty flag makes it walk.
        #expect(EPTTests.exit(m, .write)?.reason == 48)
        #expect(try read(m) == 2)
    }
    @Test func `INVLPG in the guest drops combined mappings of the page`() throws {
        let m = try stale()
        m.run(Code.invlpg(T.page))
        #expect(try read(m) == 2)
    }
    @Test func `MOV to CR3 in the guest drops combined mappings of its VPID, not the root's translations`() throws {
        let m = try stale()
        m.p.setGPR(GPR.rax, m.p.system.cr3)
        #expect(m.run(Code.movToCR(3)) == .completed)
        #expect(try read(m) == 2)
    }
    @Test func `the root's own translations are not used by the guest`() throws {
        let m = VMXTestMachine().prepared()
        _ = try m.p.load(LinearAddress(T.page), as: UInt64.self)
        m.mapEPT(T.page, to: T.otherPage)
        m.store(T.otherPage, UInt64(9))
        #expect(m.launch())
        #expect(try read(m) == 9)
    }
}
