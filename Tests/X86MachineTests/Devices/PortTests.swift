import Testing
import X86Architecture
@testable import X86Machine

@Suite("Ports and small devices")
struct PortTests {
    let machine = Machine(configuration(processors: 3, megabytes: 64))
    var p: Processor { machine.processors[0] }

    private func read(_ port: UInt16, _ size: Int = 1) throws -> UInt32 {
        try machine.portRead(port, size: size, from: p)
    }
    private func write(_ port: UInt16, _ value: UInt32, _ size: Int = 1) throws {
        try machine.portWrite(port, size: size, value, from: p)
    }

    @Test("An unclaimed port floats: reads are ones, writes are accepted",
          arguments: [UInt16(0x5000), 0x9000, 0x7F00, 0xCF8])
    func floating(port: UInt16) throws {
        try write(port, 0x1234, 2)
        #expect(try read(port, 1) == 0xFF && read(port, 2) == 0xFFFF && read(port, 4) == 0xFFFF_FFFF)
    }

    @Test("Port 0xF4 ends the run with the value written, whatever its size", arguments: [1, 2, 4])
    func debugExit(size: Int) throws {
        try write(0xF4, 0x21, size)
        #expect(machine.run() == .debugExit(value: 0x21))
    }

    @Test("Port 0xE9 is a console that answers with its number")
    func debugConsole() throws {
        try write(0xE9, 0x41)
        #expect(try read(0xE9) == 0xE9 && machine.serialOutput == [0x41])
    }

    @Test("Firmware configuration: number of processors, RAM size, zeros beyond an item and in unknown ones")
    func firmware() throws {
        try write(0x510, 0x05, 2)
        #expect(try read(0x511) == 3 && read(0x511) == 0 && read(0x511) == 0)
        try write(0x510, 0x03, 2)
        #expect(try (0..<8).map { _ in try read(0x511) } == [0, 0, 0, 4, 0, 0, 0, 0])
        try write(0x510, 0x11, 2)
        #expect(try read(0x511) == 0)
    }

    @Test("Resets: port 0x92 bit 0, 0xCF9 bit 2, 0x64 command 0xFE", arguments: [
        (UInt16(0x92), UInt32(3)), (0xCF9, 6), (0x64, 0xFE),
    ])
    func reset(port: UInt16, value: UInt32) throws {
        try write(port, value)
        #expect(machine.run() == .reset)
    }

    @Test("A20 is on; the keyboard controller is never busy")
    func chipset() throws {
        #expect(try read(0x92) == 2 && read(0x64) == 0xFD)
    }

    @Test("The CMOS clock shows a fixed date that moves with cycles")
    func clock() throws {
        func register(_ n: UInt32) throws -> UInt32 { try write(0x70, n); return try read(0x71) }
        let start = try [0, 2, 4, 7, 8, 9, 6].map(register)
        #expect(start == [0, 0, 0, 1, 1, 0x20, 4])
        // 59 days, 23:59:58 later it is 29 February 2020.
        p.cpu.pointee.cycles = (59 * 86_400 + 86_398) * 2_600_000_000
        let later = try [0, 2, 4, 7, 8, 9].map(register)
        #expect(later == [0x58, 0x59, 0x23, 0x29, 0x02, 0x20])
        #expect(try register(0x0A) & 0x80 == 0 && register(0x0D) == 0x80)
    }

    @Test("An update of the CMOS clock is in progress in the last 2,228 us of a second, unless SET holds it")
    func clockUpdate() throws {
        let begin: UInt64 = 7 * 2_600_000_000 - 2600 * 2228
        for (cycle, status) in [(begin - 2600, 0x26), (begin, 0xA6), (7 * 2_600_000_000, 0x26)] as [(UInt64, UInt32)] {
            p.cpu.pointee.cycles = cycle
            try write(0x70, 0x0A)
            #expect(try read(0x71) == status)
        }
        p.cpu.pointee.cycles = begin
        try write(0x70, 0x0B)
        try write(0x71, 0x82)
        try write(0x70, 0x0A)
        #expect(try read(0x71) == 0x26)
    }

    @Test("The test device's lines reach the interrupt controllers, its latch keeps 32 bits")
    func testDevice() throws {
        try write(0x2000 + 5, 1)
        machine.platform.devices.interruptControllers.write(0x21, 0)
        #expect(machine.platform.devices.interruptControllers.output)
        try write(0xE0, 0xDEAD_BEEF, 4)
        #expect(try read(0xE0, 4) == 0xDEAD_BEEF && read(0xE1) == 0xBE)
    }

    @Test("ACPI 4.8.3.2.1: SLP_EN with the type of S5 in PM1_CNT switches the machine off; SCI_EN is always set")
    func softOff() throws {
        #expect(try read(0x604, 2) == 1 && read(0x600, 4) == 0)
        try write(0x604, 5 << 10, 2)
        #expect(machine.pendingStop == nil)
        try write(0x604, 5 << 10 | 1 << 13, 2)
        #expect(machine.run() == .powerOff)
    }

    @Test("ACPI 4.8.3.3: the power-management timer counts 3,579,545 times a second")
    func powerManagementTimer() throws {
        p.cpu.pointee.cycles = 2 * 2_600_000_000
        #expect(try read(0x608, 4) == 2 * 3_579_545)
    }
}
