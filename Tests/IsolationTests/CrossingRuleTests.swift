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
        checker.finish(in: guest.machine.view)
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
        default: checker.finish(in: guest.machine.view)
        }
        #expect(checker.findings.map(\.id) == ["A1"])
        #expect(checker.findings.first?.location?.hasPrefix("kernel:vmfunc_trampoline") == true)
    }
}
