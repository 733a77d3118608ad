import Foundation
import Testing

@Suite("lvdsim walk and lvdsim explain")
struct WalkTests {
    @Test("before the first instruction there is no paging: linear is physical, and nothing is cached")
    func noPaging() throws {
        let outcome = try Tool.run("walk", BootTests.payload, "0x100010")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.contains("no paging"))
        #expect(outcome.output.contains("  physical 0x100010\n"))
        #expect(outcome.output.contains("cached:\n  nothing\n"))
    }

    @Test("a walk in a 64-bit guest names every level, the page and what is cached")
    func longMode() throws {
        let outcome = try Tool.run("walk", BootTests.payload, "0x100010", "--until", "1000000", "--append", "rounds=1")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.contains("4-level paging"))
        #expect(outcome.output.contains("level 4") && outcome.output.contains("level 3"))
        #expect(outcome.output.contains("  physical 0x100010, "))
        #expect(outcome.output.contains("in use now") && !outcome.output.contains("differs"))
    }

    @Test("an address that is none, and a processor that is not there, are usage errors")
    func usage() throws {
        #expect(try Tool.run("walk", BootTests.payload, "somewhere").status == 64)
        #expect(try Tool.run("walk", BootTests.payload, "0", "--processor", "1").status == 64)
    }

    @Test("both translation policies boot an image alike")
    func policies() throws {
        let eager = try Tool.run("boot", BootTests.payload, "--append", "rounds=1", "--translations", "eager")
        #expect(eager.status == 1 && eager.output.contains("fibonacci 000000000002ff42"))
        #expect(try Tool.run("boot", BootTests.payload, "--translations", "some").status == 64)
    }

    @Test(
        "a number, a name and words are explained with the SDM's title",
        arguments: [
            ("48", "exit reason 48: EPT violation (SDM 3D appendix C"), ("0x80000021", "bit 31: the VM entry failed"),
            ("7", "VM-instruction error 7: VM entry with invalid control field(s) (SDM 3C 33.4"),
            ("vpidIsNotZero", "VM-entry check vpidIsNotZero: vpid Is Not Zero (SDM 3C 29.2.1.1"),
            ("vmfunc", "exit reason 59: VMFUNC"), ("I1", "rule I1: "),
            ("misconfiguration", "exit reason 49: EPT misconfiguration"),
        ])
    func explain(_ asked: String, _ wanted: String) throws {
        let outcome = try Tool.run("explain", asked)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.contains(wanted), "\(outcome.output)")
    }

    @Test("what is unknown is a usage error with examples")
    func unknown() throws {
        let outcome = try Tool.run("explain", "frobnicate")
        #expect(outcome.status == 64 && outcome.errors.contains("lvdsim explain 48"))
    }
}
