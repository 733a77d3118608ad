@testable import Boot
import Isolation
import LVD
import Testing
import X86Architecture
@testable import X86Machine

/// A3 to A10 on structures and events made by hand: what keeps each rule, and what breaks it.
@Suite("Rules from attacks")
struct AttackRuleTests {
    static let stacks: UInt64 = 0xffff_ffff_8040_0000

    private func deliver(
        _ guest: PaperGuest, _ checker: Checker, _ vector: UInt8, _ kind: DeliveryKind, frame: UInt64 = stacks + 0xfd8
    ) {
        checker.observe(
            .delivered(
                vector: vector, kind: kind, rip: LinearAddress(PaperGuest.domainCode), rsp: 0,
                frame: LinearAddress(frame)), processor: 0, in: guest.machine.view)
    }
    private func returnFromInterrupt(_ guest: PaperGuest, _ checker: Checker) {
        checker.observe(
            .interruptReturn(
                rip: LinearAddress(PaperGuest.sharedCode), to: LinearAddress(PaperGuest.domainCode)),
            processor: 0, in: guest.machine.view)
    }
    /// Processor 0's interrupt stack, in the kernel and in its domain.
    private func withStacks() -> (PaperGuest, UInt64) {
        let guest = PaperGuest(), page = guest.page()
        guest.interruptStacks = Self.stacks..<Self.stacks + 8 * 4096
        guest.map(Self.stacks, to: page, in: guest.kernelView, [.read, .write])
        guest.mapDomain(Self.stacks, to: page, [.read, .write])
        return (guest, page)
    }

    @Test("A4: a frame on the processor's interrupt stack keeps it, anywhere else breaks it", arguments: [true, false])
    func interruptStack(isOn: Bool) {
        let (guest, _) = withStacks()
        let checker = guest.checker([A4.self])
        guest.enter(checker)
        deliver(guest, checker, 0x40, .external, frame: isOn ? Self.stacks + 0xfd8 : Self.stacks + 0x1fd8)
        #expect(checker.findings.map(\.id) == (isOn ? [] : ["A4"]))
    }

    @Test("A4: a trap gate and a gate without a stack break it, one that is not present does not")
    func gates() {
        for (gate, breaks) in [
            (UInt64(0x8e05) << 32, false), (0x8f05 << 32, true), (0x8e00 << 32, true), (0x0e00 << 32, false)
        ] {
            let (guest, _) = withStacks()
            let page = guest.page()
            guest.map(PaperGuest.kernelCode + 0x5000, to: page, in: guest.kernelView, [.read])
            guest.write(page + 16 * 9, gate)
            guest.machine.processors[0].system.idtr = DescriptorTable(
                base: PaperGuest.kernelCode + 0x5000, limit: 0xfff)
            let checker = guest.checker([A4.self])
            guest.enter(checker)
            #expect(checker.findings.map(\.id) == (breaks ? ["A4"] : []), "\(String(gate, radix: 16))")
        }
    }

    @Test("A5: after an exception the domain may be called anew, but neither returned to nor gone on with")
    func exceptions() {
        for (after, breaks) in [("call", false), ("callback return", true), ("interrupt return", true), ("nmi", false)]
        {
            let guest = PaperGuest()
            let checker = guest.checker([A5.self])
            guest.enter(checker)
            deliver(guest, checker, after == "nmi" ? 2 : 14, after == "nmi" ? .nmi : .hardwareException)
            switch after {
            case "call":
                guest.leave(checker)
                guest.enter(checker)
            case "callback return":
                guest.leave(checker)
                guest.enter(checker, rip: LinearAddress(PaperGuest.sharedCode + 0x30))
            default: returnFromInterrupt(guest, checker)
            }
            #expect(checker.findings.map(\.id) == (breaks ? ["A5"] : []), "\(after)")
        }
    }

    @Test("A6: the local APIC's page in a domain breaks it; a register that does not exit, too")
    func interruptController() {
        let guest = PaperGuest()
        let clean = guest.checker([A6.self])
        guest.enter(clean)
        #expect(clean.findings.isEmpty && clean.coverage.first?.evaluations == 1)
        guest.mapDomain(PaperGuest.domainHeap + 0x7000, to: 0xfee0_0000, [.read])
        let checker = guest.checker([A6.self])
        guest.enter(checker)
        #expect(checker.findings.first?.evidence.contains("local APIC's page") == true)
    }

    @Test("A8: a call that changed RFLAGS.IF must not be returned to", arguments: [true, false], [true, false])
    func interruptFlag(changes: Bool, onCallback: Bool) {
        let guest = PaperGuest(), p = guest.machine.processors[0]
        let checker = guest.checker([A8.self])
        p.setGPR(4, 0x9000)
        p.rflags = onCallback ? 0x202 : 0x2
        guest.enter(checker)
        if onCallback {
            if changes { p.rflags = 0x2 }
            p.setGPR(4, 0x8f00)
            guest.leave(checker, rip: LinearAddress(PaperGuest.sharedCode + 0x40))
            guest.enter(checker, rip: LinearAddress(PaperGuest.sharedCode + 0x30))
        } else {
            // Entered with interrupts off: none may be delivered there and return.
            if changes { deliver(guest, checker, 0x40, .external) }
            guest.leave(checker, rip: LinearAddress(PaperGuest.sharedCode + 0x50))
            guest.enter(checker, rip: LinearAddress(PaperGuest.sharedCode + 0x60))
        }
        #expect(checker.findings.map(\.id) == (changes ? ["A8"] : []))
    }

    @Test("A10: from a domain's view only the kernel's may follow")
    func betweenDomains() {
        let guest = PaperGuest()
        let checker = guest.checker([A10.self])
        guest.enter(checker)
        guest.leave(checker)
        #expect(checker.findings.isEmpty)
        guest.enter(checker)
        checker.observe(
            .eptpSwitch(
                rip: LinearAddress(PaperGuest.domainCode), index: 2, from: guest.domainEPT, to: guest.page() | 0x1e),
            processor: 0, in: guest.machine.view)
        #expect(checker.findings.map(\.id) == ["A10"])
    }
}
