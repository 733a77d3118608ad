import Isolation
import Testing
import X86Architecture
import X86Machine

@Suite("A1: a crossing with the wrong list index aborts")
struct A1Tests {
    /// CPUID with the monitor's abort leaf, as a VM exit.
    func abort(_ guest: PaperGuest, _ checker: Checker, leaf: UInt64 = 0x4bf0_0033) {
        guest.setRAX(leaf)
        checker.observe(
            .vmExit(
                reason: ExitReason.cpuid.rawValue, qualification: 0, rip: LinearAddress(PaperGuest.sharedCode + 0x80)),
            processor: 0, in: guest.machine.view)
    }
    func delivered(_ guest: PaperGuest, _ checker: Checker, _ kind: DeliveryKind) {
        checker.observe(
            .delivered(
                vector: 0x40, kind: kind, rip: PaperGuest.callSite, rsp: 0, frame: LinearAddress(0)), processor: 0,
            in: guest.machine.view)
    }

    @Test("the right index at each site keeps it")
    func clean() {
        let guest = PaperGuest()
        let checker = guest.checker([A1.self])
        for _ in 0..<3 {
            guest.enter(checker)
            guest.leave(checker)
        }
        checker.finish()
        #expect(checker.findings.isEmpty)
        #expect(checker.coverage.first?.evaluations == 6)
    }

    @Test("the wrong index and then the abort keeps it, an interrupt in between or not")
    func aborted() {
        for interrupted in [false, true] {
            let guest = PaperGuest()
            let checker = guest.checker([A1.self])
            guest.leave(checker, rip: PaperGuest.callSite)
            if interrupted {
                delivered(guest, checker, .external)
                guest.enter(checker)
                guest.leave(checker)
                checker.observe(
                    .interruptReturn(rip: LinearAddress(PaperGuest.kernelCode), to: PaperGuest.callSite), processor: 0,
                    in: guest.machine.view)
            }
            abort(guest, checker)
            #expect(checker.findings.isEmpty)
        }
    }

    @Test("the wrong index and then anything else breaks it", arguments: 0..<4)
    func continued(what: Int) {
        let guest = PaperGuest()
        let checker = guest.checker([A1.self])
        guest.leave(checker, rip: PaperGuest.callSite)
        switch what {
        case 0: guest.enter(checker)
        case 1: abort(guest, checker, leaf: 1)
        case 2: delivered(guest, checker, .hardwareException)
        default: checker.finish()
        }
        #expect(checker.findings.map(\.id) == ["A1"])
        #expect(checker.findings.first?.location?.hasPrefix("kernel:vmfunc_trampoline") == true)
    }
}

@Suite("A2: the EPTP list holds two views")
struct A2Tests {
    @Test("a clean list keeps it, and one that the kernel is rewriting")
    func clean() {
        let guest = PaperGuest()
        let list = guest.installList()
        let checker = guest.checker([A2.self])
        guest.enter(checker)
        guest.leave(checker)
        guest.guestWrite(checker, list + 8, 0)
        guest.guestWrite(checker, list + 8, guest.domainEPT)
        guest.enter(checker)
        #expect(checker.findings.isEmpty)
        #expect((checker.coverage.first?.evaluations ?? 0) >= 5)
    }

    @Test("a third valid entry breaks it at the write, wherever it is", arguments: [UInt64(2), 3, 511])
    func third(index: UInt64) {
        let guest = PaperGuest()
        let list = guest.installList()
        let checker = guest.checker([A2.self])
        guest.enter(checker)
        guest.guestWrite(checker, list + index * 8, guest.domainEPT)
        #expect(checker.findings.count == 1)
        #expect(checker.findings.first?.evidence.hasPrefix("entry \(index) ") == true)
    }

    @Test("entry 0 that is not the kernel's, or entry 1 that is, breaks it")
    func wrongEntries() {
        for (index, value) in [(UInt64(0), false), (1, true)] {
            let guest = PaperGuest()
            let list = guest.installList()
            guest.write(list + index * 8, value ? guest.kernelEPT : guest.domainEPT)
            let checker = guest.checker([A2.self])
            guest.enter(checker)
            #expect(checker.findings.count == 1)
        }
    }

    @Test("an entry with a reserved bit or another walk length is not valid, and so no third entry")
    func invalidEntries() {
        let guest = PaperGuest()
        let list = guest.installList()
        guest.write(list + 2 * 8, guest.domainEPT | 1 << 7)
        guest.write(list + 3 * 8, guest.domainEPT & ~(7 << 3))
        let checker = guest.checker([A2.self])
        guest.enter(checker)
        #expect(checker.findings.isEmpty)
    }

    @Test("a list that a domain can write breaks it")
    func writableList() {
        let guest = PaperGuest()
        let list = guest.installList()
        guest.mapDomain(PaperGuest.domainHeap + 0x3000, to: list, [.read, .write])
        let checker = guest.checker([A2.self])
        guest.enter(checker)
        #expect(checker.findings.first?.evidence.contains("writable") == true)
    }
}
