import Isolation
import Testing
import X86Architecture
@testable import X86Machine

@Suite("S10: what a domain has lost, no processor translates to")
struct S10Tests {
    static let readable: TranslationRights = [.writable, .eptReadable]
    static let writable: TranslationRights = [.writable, .eptReadable, .eptWritable]

    private func findings(_ prepare: (PaperGuest) -> Void) -> [Finding] {
        let guest = PaperGuest()
        prepare(guest)
        let checker = guest.checker([S10.self])
        guest.enter(checker)
        #expect(checker.coverage.first?.evaluations == 1)
        return checker.findings
    }

    @Test("translations that agree with the view keep it, in the view or of others")
    func clean() {
        let found = findings { guest in
            guest.cacheTranslation(PaperGuest.domainHeap, to: guest.domainHeapPage, Self.writable)
            guest.machine.processors[0].translations.insert(
                Translation(
                    page: PaperGuest.domainHeap, frame: 0x1000, ep4ta: guest.kernelEPT & ~0xfff, rights: Self.writable))
        }
        #expect(found.isEmpty)
    }

    @Test("a page that is gone, one that leads elsewhere, or one that was made read-only breaks it")
    func stale() {
        let lost = PaperGuest.domainHeap + 0x9000
        let gone = findings { $0.cacheTranslation(lost, to: $0.domainHeapPage, Self.readable) }
        #expect(gone.first?.evidence.contains("where its view has nothing") == true)
        let moved = findings { $0.cacheTranslation(PaperGuest.domainHeap, to: $0.page(), Self.readable) }
        #expect(moved.first?.evidence.contains("leads elsewhere") == true)
        let constant = findings { guest in
            let page = guest.page()
            guest.mapDomain(PaperGuest.domainHeap + 0x1000, to: page, [.read, .write], ept: [.read])
            guest.cacheTranslation(PaperGuest.domainHeap + 0x1000, to: page, Self.writable)
        }
        #expect(constant.first?.evidence.contains("forbids writes") == true)
    }

    @Test("while the tree of capabilities is locked it is not judged, and right after it is")
    func whileRevoking() {
        let guest = PaperGuest()
        guest.kernelSymbols = [("capability_tree", 0x100)]
        guest.setKernelWord(0x100, 1)
        guest.cacheTranslation(PaperGuest.domainHeap, to: guest.page(), Self.readable)
        let checker = guest.checker([S10.self])
        guest.enter(checker)
        #expect(checker.findings.isEmpty && checker.coverage.first?.evaluations == 0)
        guest.setKernelWord(0x100, 0)
        guest.leave(checker)
        #expect(checker.findings.count == 1)
    }
}

@Suite("S19: a domain names what it holds")
struct S19Tests {
    /// Where the kernel's tables and one domain's space lie in the kernel's page.
    private static let domains: UInt64 = 0x100, places: UInt64 = 0x200, messages: UInt64 = 0x300, domain: UInt64 = 0x400
    private static let space: UInt64 = 0x10, slots: UInt64 = 0x30, bytes: UInt64 = 64, type: UInt64 = 56
    private static let message: UInt64 = 3 << 32 | 7, name: UInt64 = 1 << 44 | 5 << 12 | 2
    private static let callbackSite = LinearAddress(PaperGuest.sharedCode + 0x40)
    private static let callbackReturnSite = LinearAddress(PaperGuest.sharedCode + 0x30)

    /// A domain that holds one capability of type 2 in slot 2.
    private func paperGuest() -> PaperGuest {
        let guest = PaperGuest()
        guest.kernelSymbols = [
            ("domains", Self.domains), ("lvd_capability_places", Self.places), ("lvd_names_in_messages", Self.messages)
        ]
        guest.setKernelWord(Self.domains, PaperGuest.kernelCode + Self.domain)
        for (n, value) in [Self.space, Self.slots, Self.bytes, Self.type, 8].enumerated() {
            guest.setKernelWord(Self.places + UInt64(n) * 8, value)
        }
        for (n, value) in [Self.message, 0, 2, 0, Self.message, 1, 3, 1, 0].enumerated() {
            guest.setKernelWord(Self.messages + UInt64(n) * 8, value)
        }
        let slot = Self.domain + Self.space + Self.slots + 2 * Self.bytes
        guest.setKernelWord(slot, Self.name)
        guest.setKernelWord(slot + Self.type, 2)
        return guest
    }

    /// Findings after a call of the kernel that was answered, or was not.
    private func judge(_ first: UInt64, second: UInt64 = 0, message: UInt64 = message, answered: Bool = true) -> Int {
        let guest = paperGuest()
        let checker = guest.checker([S19.self])
        guest.enter(checker)
        guest.setRegister(7, message)
        guest.setRegister(2, first)
        guest.setRegister(8, second)
        guest.leave(checker, rip: Self.callbackSite)
        if answered { guest.enter(checker, rip: Self.callbackReturnSite) }
        #expect(checker.coverage.first?.evaluations == (message == Self.message ? second == 0 ? 1 : 2 : 0))
        return checker.findings.count
    }

    @Test("a name that it holds keeps it, and nothing where nothing may be named")
    func clean() {
        #expect(judge(Self.name) == 0)
        #expect(judge(0xdead, message: Self.message + 1) == 0, "a message that names nothing")
    }

    @Test(
        "stale, foreign, forged, none: an answer to each breaks it",
        arguments: [name - 1 << 12, name + 1 << 44, name + 1, name | 0xfff, 3, 0])
    func wrong(name: UInt64) { #expect(judge(name) == 1) }

    @Test("a name of another type breaks it, in whichever slot")
    func anotherType() {
        let guest = paperGuest()
        let checker = guest.checker([S19.self])
        guest.setKernelWord(Self.domain + Self.space + Self.slots + 2 * Self.bytes + Self.type, 3)
        guest.enter(checker)
        guest.setRegister(7, Self.message)
        guest.setRegister(2, Self.name)
        guest.leave(checker, rip: Self.callbackSite)
        guest.enter(checker, rip: Self.callbackReturnSite)
        #expect(checker.findings.first?.evidence.contains("does not hold as such") == true)
        #expect(judge(Self.name, second: Self.name) == 1, "type 2 where 3 is named")
    }

    @Test("one that is refused keeps it")
    func refused() { #expect(judge(3, answered: false) == 0) }
}
