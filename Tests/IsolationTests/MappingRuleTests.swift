import Isolation
import Testing
import X86Architecture

@Suite("I1: no address means something in two views")
struct I1Tests {
    @Test("a clean guest keeps it, and it was evaluated")
    func clean() {
        let guest = PaperGuest()
        let checker = guest.checker([I1.self])
        guest.enter(checker)
        guest.leave(checker)
        #expect(checker.findings.isEmpty)
        #expect(checker.coverage.first?.evaluations == 1)
    }

    @Test("a page of the kernel mapped in a domain at its own address breaks it")
    func kernelPage() {
        let guest = PaperGuest()
        guest.mapDomain(PaperGuest.kernelCode, to: 0x7000, [.read])
        let checker = guest.checker([I1.self])
        guest.enter(checker)
        #expect(checker.findings.count == 1)
        #expect(checker.findings.first?.evidence.contains("kernel:kernel_function") == true)
    }

    @Test("a page that a domain maps while it runs is judged at that write")
    func whileRunning() {
        let guest = PaperGuest()
        guest.mapDomain(PaperGuest.kernelCode, to: 0x7000, [.read])
        let slot = guest.leaf(PaperGuest.kernelCode, guest.domainView)
        let entry = guest.read(slot)
        guest.write(slot, 0)
        let checker = guest.checker([I1.self])
        guest.enter(checker)
        #expect(checker.findings.isEmpty)
        guest.guestWrite(checker, slot, entry)
        #expect(checker.findings.count == 1)
    }

    @Test("a VMFUNC of the domain's own that lands on executable code breaks it; one whose next fetch faults does not")
    func strayFunction() {
        let guest = PaperGuest()
        let checker = guest.checker([I1.self])
        guest.enter(checker)
        guest.leave(checker, rip: LinearAddress(PaperGuest.domainCode + 0x100))
        #expect(checker.findings.isEmpty)
        guest.enter(checker)
        guest.leave(checker, rip: LinearAddress(PaperGuest.kernelCode + 0x100))
        #expect(checker.findings.count == 1)
    }
}

@Suite("I2: a domain cannot write its page table")
struct I2Tests {
    @Test("a clean guest keeps it")
    func clean() {
        let guest = PaperGuest()
        let checker = guest.checker([I2.self])
        guest.enter(checker)
        #expect(checker.findings.isEmpty)
        #expect((checker.coverage.first?.evaluations ?? 0) > 0)
    }

    static let cases: [(guest: PaperGuest.Rights, ept: PaperGuest.Rights, breaks: Bool)] = [
        (.all, .all, true), ([.read], .all, false), (.all, [.read], false)
    ]

    @Test("a table page mapped writable breaks it, read-only in either dimension it does not", arguments: 0..<3)
    func tablePage(number: Int) {
        let (guestRights, eptRights, breaks) = Self.cases[number]
        let guest = PaperGuest()
        let table = guest.leaf(PaperGuest.domainHeap, guest.domainView) & ~0xfff
        for page in [table, guest.domainRoot] {
            guest.mapDomain(PaperGuest.domainHeap + 0x1000, to: page, guestRights, ept: eptRights)
            let checker = guest.checker([I2.self])
            guest.enter(checker)
            #expect(checker.findings.isEmpty != breaks)
        }
    }

    @Test("CR0.WP clear when a domain is entered breaks it")
    func writeProtect() {
        let guest = PaperGuest()
        guest.clearWriteProtect()
        let checker = guest.checker([I2.self])
        guest.enter(checker)
        #expect(checker.findings.first?.evidence.contains("CR0.WP") == true)
    }

    @Test("accessed and dirty flags set by walks are no change of the tables")
    func walkFlags() {
        let guest = PaperGuest()
        let checker = guest.checker([I2.self])
        guest.enter(checker)
        let before = checker.coverage[0].evaluations
        let slot = guest.leaf(PaperGuest.domainHeap, guest.domainView)
        guest.guestWrite(checker, slot, guest.read(slot) | 1 << 5 | 1 << 6)
        #expect(checker.coverage[0].evaluations == before)
        guest.guestWrite(checker, slot, guest.read(slot) & ~2)
        #expect(checker.coverage[0].evaluations > before)
    }
}

@Suite("I3: a process root leads to the domain's own root or nowhere")
struct I3Tests {
    static let otherRoot: UInt64 = 0x9000

    /// Entered under one root, left, and the kernel loads another one, which leads to `alias` in the domain's view.
    private func load(_ guest: PaperGuest, _ checker: Checker, alias: UInt64?) {
        guest.enter(checker)
        guest.leave(checker)
        if let alias { guest.mapEPT(guest.domainEPT, Self.otherRoot, to: alias) }
        guest.load(Self.otherRoot, checker)
    }

    @Test("the alias of the root that calls keeps it, and another that leads to the same or nowhere")
    func clean() {
        for isAlias in [true, false] {
            let guest = PaperGuest()
            let checker = guest.checker([I3.self])
            load(guest, checker, alias: isAlias ? guest.domainRoot : nil)
            guest.load(PaperGuest.cr3, checker)
            guest.enter(checker)
            #expect(checker.findings.isEmpty)
            #expect((checker.coverage.first?.evaluations ?? 0) >= 3)
        }
    }

    @Test("a root that calls and leads nowhere, or elsewhere, breaks it", arguments: [true, false])
    func caller(isMapped: Bool) {
        let guest = PaperGuest()
        let checker = guest.checker([I3.self])
        load(guest, checker, alias: isMapped ? guest.domainHeapPage : nil)
        guest.enter(checker)
        let words = "runs with CR3 0x9000, which leads to \(isMapped ? "physical" : "nothing")"
        #expect(checker.findings.contains { $0.id == "I3" && $0.evidence.contains(words) })
    }

    @Test("a root of another process that leads elsewhere breaks it before it calls")
    func other() {
        let guest = PaperGuest()
        let checker = guest.checker([I3.self])
        load(guest, checker, alias: guest.domainHeapPage)
        guest.load(PaperGuest.cr3, checker)
        guest.enter(checker)
        #expect(checker.findings.map(\.id) == ["I3"])
        #expect(checker.findings.first?.evidence.contains("process root 0x9000 leads to physical") == true)
    }

    @Test("a CR3 that the domain loads itself breaks it if it leads elsewhere, and else does not", arguments: 0..<3)
    func loadedInside(number: Int) {
        let guest = PaperGuest()
        let checker = guest.checker([I3.self])
        guest.enter(checker)
        let page = [guest.domainHeapPage, guest.domainRoot, nil][number]
        if let page { guest.mapEPT(guest.domainEPT, 0xa000, to: page) }
        guest.load(0xa000, checker)
        #expect(checker.findings.map(\.id) == (number == 0 ? ["I3"] : []))
    }
}

@Suite("S3: the flag tells the truth")
struct S3Tests {
    @Test("a clean guest keeps it in both views")
    func clean() {
        let guest = PaperGuest()
        let checker = guest.checker([S3.self])
        guest.enter(checker)
        guest.leave(checker)
        #expect(checker.findings.isEmpty)
        #expect((checker.coverage.first?.evaluations ?? 0) >= 3)
    }

    @Test("the flag of a domain set to 1 breaks it, seen at the write and at a delivery")
    func wrongFlag() {
        let guest = PaperGuest()
        let checker = guest.checker([S3.self])
        guest.enter(checker)
        guest.guestWrite(checker, guest.domainState, 1)
        #expect(checker.findings.count == 1)
        checker.observe(
            .delivered(
                vector: 0x40, kind: .external, rip: LinearAddress(PaperGuest.domainCode), rsp: 0,
                frame: LinearAddress(0)), processor: 0, in: guest.machine.view)
        #expect(checker.findings.reduce(0) { $0 + $1.occurrences } == 2)
    }

    @Test("the flag's page writable in a domain, by its own address or by another, breaks it")
    func writable() {
        for address in [PaperGuest.statePage, PaperGuest.domainHeap + 0x5000] {
            let guest = PaperGuest()
            guest.mapDomain(address, to: guest.domainState, [.read, .write])
            let checker = guest.checker([S3.self])
            guest.enter(checker)
            #expect(checker.findings.first?.evidence.contains("writable") == true)
        }
    }

    @Test("the state page missing in a view breaks it")
    func missing() {
        let guest = PaperGuest()
        guest.write(guest.leaf(PaperGuest.statePage, guest.domainView), 0)
        let checker = guest.checker([S3.self])
        guest.enter(checker)
        #expect(checker.findings.first?.evidence.contains("not mapped") == true)
    }
}
