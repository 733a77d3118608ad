import Testing
@testable import X86Machine

@Suite("SDM 3A 11.6 Issuing Interprocessor Interrupts")
struct InterruptMessageTests {
    let machine = Machine(configuration(processors: 4))
    var all: [Processor] { machine.processors }

    init() throws {
        for p in machine.processors {
            p.system.activity = .active
            try p.apicStore(offset: 0xF0, size: 4, 0x1FF)
        }
    }

    private func send(_ low: UInt32, to destination: UInt32 = 0) throws {
        try all[0].apicStore(offset: 0x310, size: 4, UInt64(destination) << 24)
        try all[0].apicStore(offset: 0x300, size: 4, UInt64(low))
    }
    private func received(_ vector: UInt8) -> [Int] { all.filter { $0.apic.irr[vector] }.map(\.index) }

    @Test("Physical destination: the processor with that ID, or all for FFH")
    func physical() throws {
        try send(0x40, to: 2)
        #expect(received(0x40) == [2])
        try send(0x41, to: 0xFF)
        #expect(received(0x41) == [0, 1, 2, 3])
    }

    @Test("Shorthands: self, all, all excluding self")
    func shorthands() throws {
        try send(0x42 | 1 << 18)
        #expect(received(0x42) == [0])
        try send(0x52 | 2 << 18)
        #expect(received(0x52) == [0, 1, 2, 3])
        try send(0x62 | 3 << 18)
        #expect(received(0x62) == [1, 2, 3])
    }

    @Test("11.6.2.2: logical flat destination is a bit mask over LDR")
    func logicalFlat() throws {
        for p in all { try p.apicStore(offset: 0xD0, size: 4, UInt64(1 << p.index) << 24) }
        try send(0x43 | 1 << 11, to: 0b1010)
        #expect(received(0x43) == [1, 3])
    }

    @Test("11.6.2.2: logical cluster destination compares the cluster and masks the members")
    func logicalCluster() throws {
        for p in all {
            try p.apicStore(offset: 0xE0, size: 4, 0x0FFF_FFFF)
            let ldr: UInt64 = UInt64(p.index / 2) << 4 | 1 << UInt64(p.index % 2)
            try p.apicStore(offset: 0xD0, size: 4, ldr << 24)
        }
        try send(0x44 | 1 << 11, to: 0x12)
        #expect(received(0x44) == [3])
    }

    @Test("11.6.2.4: lowest priority goes to one processor, the one with the smallest PPR, then the lowest ID")
    func lowestPriority() throws {
        for (p, tpr) in zip(all, [0x50, 0x30, 0x20, 0x20] as [UInt8]) { p.apic.tpr = tpr }
        try send(0x45 | 1 << 8, to: 0xFF)
        #expect(received(0x45) == [2])
    }

    @Test("NMI delivery mode makes an NMI pending, whatever the vector")
    func nmi() throws {
        try send(0x400, to: 1)
        #expect(all.map(\.system.pendingNMI) == [false, true, false, false])
    }

    @Test("INIT then SIPI: the SIPI counts although the INIT has not been taken; without INIT it is lost (9.4)")
    func initAndStartup() throws {
        try send(0x4500 | 3 << 18)
        try send(0x4608 | 3 << 18)
        #expect(all.map(\.system.pendingINIT) == [false, true, true, true])
        #expect(all.map(\.system.pendingSIPI) == [nil, 8, 8, 8])
        let other = Machine(configuration(processors: 2))
        other.processors[1].system.activity = .active
        other.processors[1].receiveSIPI(vector: 8, at: 0)
        #expect(other.processors[1].system.pendingSIPI == nil)
    }

    @Test("INIT level de-assert does nothing")
    func deassert() throws {
        try send(0x8500 | 3 << 18)
        #expect(all.allSatisfy { !$0.system.pendingINIT })
    }

    @Test("11.5.3: sending a vector below 16 is an error and sends nothing")
    func illegalVector() throws {
        try send(0x0F, to: 1)
        try all[0].apicStore(offset: 0x280, size: 4, 0)
        #expect(all[0].apicLoad(offset: 0x280) == UInt64(APICError.sendIllegalVector))
        #expect(received(0x0F).isEmpty)
    }

    @Test("A software-disabled or globally disabled APIC accepts no fixed interrupt")
    func disabled() throws {
        try all[1].apicStore(offset: 0xF0, size: 4, 0xFF)
        try all[2].writeAPICBase(0xFEE0_0000)
        try send(0x46 | 3 << 18)
        #expect(received(0x46) == [3])
    }

    @Test("11.12.10: x2APIC destinations are 32 bits; the logical ID is cluster and member of the ID")
    func x2apic() throws {
        for p in all { try p.writeAPICBase(0xFEE0_0000 | APICBase.enable | APICBase.x2apic) }
        try all[0].writeAPICMSR(0x830, 3 << 32 | 0x47)
        #expect(received(0x47) == [3])
        try all[0].writeAPICMSR(0x830, 0b0110 << 32 | 1 << 11 | 0x48)
        #expect(received(0x48) == [1, 2])
        try all[0].writeAPICMSR(0x83F, 0x49)
        #expect(received(0x49) == [0])
    }

    @Test("A waiting processor wakes no earlier than the sender's clock")
    func clocks() throws {
        all[1].system.activity = .halted
        all[0].cpu.pointee.cycles = 700
        try send(0x4A, to: 1)
        #expect(all[1].cpu.pointee.cycles == 700)
        #expect(all[1].isRunnable)
    }
}
