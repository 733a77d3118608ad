import Testing
@testable import X86Machine

@Suite("8259A pair (data sheet 231468)")
struct InterruptControllerTests {
    private func initialised() -> InterruptControllers {
        var pic = InterruptControllers()
        pic.write(0x20, 0x11)
        for value in [0x30, 4, 1, 0] as [UInt8] { pic.write(0x21, value) }
        pic.write(0xA0, 0x11)
        for value in [0x38, 2, 1, 0] as [UInt8] { pic.write(0xA1, value) }
        return pic
    }

    @Test("Initialisation words set the vector bases; a request raises INTR and is acknowledged as base + input")
    func acknowledge() {
        var pic = initialised()
        #expect(!pic.output)
        pic.setLine(4, true)
        #expect(pic.output)
        #expect(pic.acknowledge() == 0x34)
        #expect(!pic.output)
    }

    @Test("A masked input does not request; unmasking shows it")
    func mask() {
        var pic = initialised()
        pic.write(0x21, 0x10)
        pic.setLine(4, true)
        #expect(!pic.output)
        pic.write(0x21, 0)
        #expect(pic.output)
    }

    @Test("Inputs of the second chip come through input 2")
    func cascade() {
        var pic = initialised()
        pic.setLine(12, true)
        #expect(pic.acknowledge() == 0x3C)
        pic.write(0x20, 0x0B)
        #expect(pic.read(0x20) == 0x04, "ISR of the first chip")
        pic.write(0xA0, 0x20)
        pic.write(0x20, 0x20)
        #expect(pic.read(0x20) == 0)
    }

    @Test("A lower priority waits for EOI, a higher one interrupts")
    func nesting() {
        var pic = initialised()
        pic.setLine(4, true)
        _ = pic.acknowledge()
        pic.setLine(6, true)
        #expect(!pic.output)
        pic.setLine(1, true)
        #expect(pic.acknowledge() == 0x31)
        pic.write(0x20, 0x20)
        #expect(!pic.output)
        pic.write(0x20, 0x20)
        #expect(pic.acknowledge() == 0x36)
    }

    @Test("A request that goes away before acknowledge is spurious: input 7, no in-service bit")
    func spurious() {
        var pic = initialised()
        pic.setLine(4, true)
        pic.setLine(4, false)
        #expect(pic.acknowledge() == 0x37)
        pic.write(0x20, 0x0B)
        #expect(pic.read(0x20) == 0)
    }

    @Test("INTR reaches processor 0 through LINT0 in ExtINT mode, and directly while its APIC is off")
    func wiring() throws {
        let machine = Machine(configuration(processors: 2))
        machine.platform.devices.interruptControllers = initialised()
        machine.setInterruptLine(4, true, at: 0)
        let p = machine.processors[0]
        defer { withExtendedLifetime(machine) {} }  // A processor does not keep its machine.
        #expect(!p.hasPendingInterrupt, "LINT0 is masked after power-up")
        try p.apicStore(offset: 0xF0, size: 4, 0x1FF)
        try p.apicStore(offset: 0x350, size: 4, 0x700)
        #expect(p.hasPendingInterrupt && !machine.processors[1].hasPendingInterrupt)
        #expect(p.acknowledgeInterrupt() == 0x34)
        #expect(p.apic.isr.highest == nil, "ExtINT bypasses ISR")
        machine.setInterruptLine(1, true, at: 0)
        try p.writeAPICBase(0xFEE0_0000 | APICBase.bsp)
        #expect(p.acknowledgeInterrupt() == 0x31)
    }
}
