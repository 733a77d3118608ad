import Testing
@testable import X86Machine

@Suite("82093AA I/O APIC")
struct IOAPICTests {
    let machine = Machine(configuration(processors: 2))

    init() throws {
        for p in machine.processors {
            p.system.activity = .active
            try p.apicStore(offset: 0xF0, size: 4, 0x1FF)
        }
    }

    private func program(_ input: UInt32, _ entry: UInt64) {
        for half in 0..<2 as Range<UInt32> {
            machine.deviceStore(.init(0xFEC0_0000), size: 4, UInt64(0x10 + 2 * input + half), at: 0)
            machine.deviceStore(.init(0xFEC0_0010), size: 4, entry >> UInt64(32 * half) & 0xFFFF_FFFF, at: 0)
        }
    }

    @Test("Version register: 24 inputs")
    func version() {
        machine.deviceStore(.init(0xFEC0_0000), size: 4, 1, at: 0)
        #expect(machine.deviceLoad(.init(0xFEC0_0010), size: 4) == 23 << 16 | 0x20)
    }

    @Test("An edge sends one message to the destination; ISA line 0 is input 2")
    func edge() {
        program(2, 1 << 56 | 0x50)
        machine.setInterruptLine(0, false, at: 0)
        machine.setInterruptLine(0, true, at: 0)
        #expect(machine.processors[1].apic.irr[0x50] && !machine.processors[0].apic.irr[0x50])
        _ = machine.processors[1].apic.acknowledge()
        machine.setInterruptLine(0, true, at: 0)
        #expect(!machine.processors[1].apic.irr[0x50])
        machine.setInterruptLine(0, false, at: 0)
        machine.setInterruptLine(0, true, at: 0)
        #expect(machine.processors[1].apic.irr[0x50])
    }

    @Test("A masked edge is lost")
    func masked() {
        program(5, 1 << 16 | 0x51)
        machine.setInterruptLine(5, true, at: 0)
        program(5, 0x51)
        #expect(!machine.processors[0].apic.irr[0x51])
    }

    @Test("A level interrupts again after EOI while it is still active, not before (Remote IRR)")
    func level() throws {
        let p = machine.processors[0]
        defer { withExtendedLifetime(machine) {} }  // A processor does not keep its machine.
        program(9, 1 << 15 | 0x52)
        machine.setInterruptLine(9, true, at: 0)
        #expect(p.apic.acknowledge() == 0x52)
        #expect(!p.apic.irr[0x52])
        try p.apicStore(offset: 0xB0, size: 4, 0)
        #expect(p.apic.irr[0x52])
        _ = p.apic.acknowledge()
        machine.setInterruptLine(9, false, at: 0)
        try p.apicStore(offset: 0xB0, size: 4, 0)
        #expect(!p.apic.irr[0x52])
    }
}
