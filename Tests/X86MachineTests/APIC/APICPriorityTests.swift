import Testing
@testable import X86Machine

@Suite("SDM 3A 11.8.3 Interrupt, Task, and Processor Priority")
struct APICPriorityTests {
    @Test("PPR is TPR while nothing is in service")
    func taskPriority() {
        var apic = LocalAPIC(id: 0)
        apic.tpr = 0x35
        #expect(apic.ppr == 0x35)
    }

    @Test("PPR is the class of the highest vector in service when that exceeds TPR's class, with subclass 0")
    func inService() {
        var apic = LocalAPIC(id: 0)
        apic.tpr = 0x35
        apic.isr[0x62] = true
        #expect(apic.ppr == 0x60)
    }

    @Test("PPR is TPR, subclass included, when its class equals the one in service")
    func equalClasses() {
        var apic = LocalAPIC(id: 0)
        apic.tpr = 0x65
        apic.isr[0x62] = true
        #expect(apic.ppr == 0x65)
    }

    @Test("A vector is deliverable only when its class is greater than PPR's", arguments: [
        (UInt8(0x30), UInt8(0x31), false), (0x30, 0x3F, false), (0x30, 0x40, true), (0x2F, 0x30, true),
        (0xFF, 0xFF, false),
    ])
    func deliverable(tpr: UInt8, vector: UInt8, expected: Bool) {
        var apic = LocalAPIC(id: 0)
        apic.tpr = tpr
        apic.accept(vector: vector, levelTriggered: false)
        #expect((apic.highestPending == vector) == expected)
    }

    @Test("Acknowledging moves the highest request from IRR to ISR; a lower one waits for EOI")
    func acknowledge() {
        var apic = LocalAPIC(id: 0)
        apic.accept(vector: 0x41, levelTriggered: false)
        apic.accept(vector: 0x85, levelTriggered: false)
        #expect(apic.acknowledge() == 0x85)
        #expect(apic.isr[0x85] && !apic.irr[0x85] && apic.irr[0x41])
        #expect(apic.highestPending == nil)
        #expect(apic.endOfInterrupt() == nil)
        #expect(apic.highestPending == 0x41)
    }

    @Test("A request whose class has been masked meanwhile acknowledges as the spurious vector, without an ISR bit")
    func spurious() {
        var apic = LocalAPIC(id: 0)
        apic.spurious = 0x1FF
        apic.accept(vector: 0x41, levelTriggered: false)
        apic.tpr = 0x50
        #expect(apic.acknowledge() == 0xFF)
        #expect(apic.isr.highest == nil && apic.irr[0x41])
    }

    @Test("EOI of a level-triggered vector is to be broadcast to I/O APICs (11.8.5)")
    func levelEOI() {
        var apic = LocalAPIC(id: 0)
        apic.accept(vector: 0x51, levelTriggered: true)
        _ = apic.acknowledge()
        #expect(apic.endOfInterrupt() == 0x51)
    }

    @Test("CR8 is bits 7:4 of TPR; writing it clears bits 3:0 (11.8.6)")
    func controlRegister8() {
        var apic = LocalAPIC(id: 0)
        apic.tpr = 0x7A
        #expect(apic.cr8 == 7)
        apic.cr8 = 9
        #expect(apic.tpr == 0x90)
    }
}
