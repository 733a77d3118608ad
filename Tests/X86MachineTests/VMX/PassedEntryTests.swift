import Testing
@testable import X86Machine
import X86Architecture

/// VM entries that spare checks because an entry with the same inputs passed them.
@Suite struct PassedEntryTests {
    private typealias T = VMXTestMachine

    /// A machine in VMX root operation whose guest has run once.
    private func exited() -> VMXTestMachine {
        let m = guest()
        m.run(Code.cpuid)
        precondition(!m.p.vmx.inNonRoot && m.p.engine.passedEntry.covers(EntryChecks(m.p)))
        return m
    }

    @Test func `an entry with the same VMCS is covered, and one with another RIP, RSP or status flags`() {
        let m = exited()
        m[.guestRIP] += 2
        m[.guestRSP] -= 64
        m[.guestRFLAGS] ^= RFLAGS.arithmetic
        #expect(m.p.engine.passedEntry.covers(EntryChecks(m.p)))
        #expect(m.launch() && m.p.gpr(GPR.rsp) == T.guestStack - 64)
    }
    @Test func `no violated check is spared after an entry that passed`() {
        let cases = EntryCheckTests.controlCases + EntryCheckTests.hostCases + EntryCheckTests.registerCases
            + EntryCheckTests.segmentCases + EntryCheckTests.nonRegisterCases
        for c in cases {
            let m = exited()
            c.change(m)
            #expect(!m.launch(), "\(c.id)")
            #expect(m.p.vmx.entryFailure.map { "\($0.id)" } == c.failing[0])
            // Nor is it the next time.
            #expect(!m.launch(), "\(c.id)")
        }
    }
    @Test func `a RIP that is not canonical is refused`() {
        let m = exited()
        m[.guestRIP] = 1 << 48
        #expect(!m.launch() && m.p.vmcs.u32(.exitReason) == 0x8000_0021)
    }
    @Test func `an entry that depends on memory outside the VMCS is checked each time`() {
        let m = VMXTestMachine().prepared()
        m[.vmcsLinkPointer] = T.otherVMCS
        #expect(m.launch())
        m.run(Code.cpuid)
        #expect(!m.p.engine.passedEntry.covers(EntryChecks(m.p)))
        m.store(T.otherVMCS, UInt32(0))
        #expect(!m.launch())
    }
    @Test func `another VMCS is checked for itself`() {
        let m = exited()
        m.makeCurrent(T.otherVMCS)
        m.fillVMCS()
        #expect(!m.p.engine.passedEntry.covers(EntryChecks(m.p)))
        #expect(m.launch())
    }
}
