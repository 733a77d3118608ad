import Testing
import X86Architecture
@testable import X86Machine

/// HLT passes time to the next event: an idle guest costs the host nothing, whatever its clock says. Counted in the
/// scheduler's turns and in instructions, not in the host's time.
@Suite("Idle guests")
struct IdleTests {
    private static let second: UInt64 = 2_600_000_000
    private static let hour = 3600 * second

    /// STI, then HLT in a loop, on processor 0; the others are halted.
    private func guest(_ processors: Int) -> TestGuest {
        let guest = TestGuest(processors: processors)
        guest.load([0xFB, 0xF4, 0xEB, 0xFD], at: TestGuest.code)
        for p in guest.machine.processors {
            p.apic.spurious = 0x1FF
            p.apic[.lint0] = 0x700
            guard p.index > 0 else { continue }
            p.system.activity = .halted
            p.system.flags |= RFLAGS.interrupt
        }
        return guest
    }

    @Test("one timer, an hour away: fewer than twenty turns and five instructions", arguments: [1, 4])
    func farTimer(_ processors: Int) {
        let guest = guest(processors), machine = guest.machine
        guest.load([0x48, 0xCF], at: TestGuest.handlers + 16 * 0x50)  // iretq
        guest.p.apic[.timer] = 0x4_0050
        guest.p.tscDeadline = Self.hour
        #expect(machine.run(.cycle(Self.hour - Self.second)) == .limit)
        #expect(machine.statistics.instructions == 2, "STI, HLT")
        #expect(guest.p.system.activity == .halted)
        #expect(machine.run(.cycle(Self.hour + Self.second)) != .limit, "then nothing is left that could end the wait")
        #expect(machine.statistics.instructions == 5, "IRETQ, JMP, HLT")
        #expect(machine.platform.clock >= Self.hour)
        #expect(machine.turns < 20, "\(machine.turns) turns")
    }

    @Test("a tick 18.2 times a second for an hour: instructions and turns by the tick", arguments: [1, 4])
    func ticks(_ processors: Int) throws {
        let guest = guest(processors), machine = guest.machine
        guest.load([0xB0, 0x20, 0xE6, 0x20, 0x48, 0xCF], at: TestGuest.handlers + 16 * 0x40)  // EOI, iretq
        let initialization: [(UInt16, UInt32)] = [
            (0x20, 0x11), (0x21, 0x40), (0x21, 4), (0x21, 1), (0x21, 0xFE), (0x43, 0x34), (0x40, 0), (0x40, 0)
        ]
        for (port, value) in initialization { try machine.portWrite(port, size: 1, value, from: guest.p) }
        #expect(machine.run(.cycle(Self.hour)) == .limit)
        let ticks: UInt64 = 3600 * 1_193_182 / 65_536
        #expect(machine.statistics.instructions == 2 + 5 * ticks, "MOV, OUT, IRETQ, JMP, HLT each")
        #expect(machine.turns < 6 * ticks, "\(machine.turns) turns")
    }
}
