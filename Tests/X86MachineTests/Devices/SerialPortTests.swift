import Testing
@testable import X86Machine

@Suite("16550 UART (PC16550D data sheet)")
struct SerialPortTests {
    let machine = Machine(configuration())
    var p: Processor { machine.processors[0] }

    private func read(_ register: UInt16) throws -> UInt8 {
        UInt8(try machine.portRead(0x3F8 + register, size: 1, from: p))
    }
    private func write(_ register: UInt16, _ value: UInt8) throws {
        try machine.portWrite(0x3F8 + register, size: 1, UInt32(value), from: p)
    }
    private func receive(_ bytes: [UInt8]) {
        for byte in bytes { machine.platform.devices.serial.receive(byte) }
        machine.serialChanged(at: 0)
    }
    private var line: Bool { machine.platform.devices.serial.interruptLine }

    @Test("Transmitter and holding register are empty again at once: LSR 60H; bytes reach the host in order")
    func transmit() throws {
        var sunk: [UInt8] = []
        machine.serialSink = { sunk.append($0) }
        for byte in Array("ok\n".utf8) {
            #expect(try read(5) & 0x60 == 0x60)
            try write(0, byte)
        }
        #expect(machine.serialOutput == Array("ok\n".utf8) && sunk == machine.serialOutput)
    }

    @Test("DLAB gives registers 0 and 1 to the divisor latch")
    func divisorLatch() throws {
        try write(3, 0x83)
        try write(0, 0x0C)
        try write(1, 0x01)
        #expect(try read(0) == 0x0C && read(1) == 0x01)
        try write(3, 0x03)
        #expect(try read(1) == 0)
        #expect(machine.serialOutput.isEmpty)
    }

    @Test("Received data: LSR bit 0, interrupt 4 while enabled, gone when read; the line needs OUT2")
    func receiveInterrupt() throws {
        try write(1, 1)
        receive([0x41])
        #expect(try read(5) & 1 == 1 && read(2) == 4)
        #expect(!line)
        try write(4, 8)
        #expect(line)
        #expect(try read(0) == 0x41 && read(5) & 1 == 0 && read(2) == 1)
        #expect(!line)
    }

    @Test("Transmitter empty interrupts when enabled and after each byte; reading IIR clears it")
    func transmitInterrupt() throws {
        try write(1, 2)
        #expect(try read(2) == 2)
        #expect(try read(2) == 1)
        try write(0, 0x41)
        #expect(try read(2) == 2)
    }

    @Test("IIR priorities: line status, then received data, then transmitter")
    func priorities() throws {
        try write(1, 7)
        receive([1, 2])
        #expect(try read(2) == 6)
        #expect(try read(5) & 2 == 2, "overrun without FIFO")
        #expect(try read(2) == 4)
        _ = try read(0)
        #expect(try read(2) == 2)
    }

    @Test("FIFO: 16 bytes, IIR shows it enabled, trigger level against time-out, resetting empties it")
    func fifo() throws {
        try write(2, 0x81) // trigger at 8
        try write(1, 1)
        receive([1, 2, 3])
        #expect(try read(2) == 0xCC)
        receive([4, 5, 6, 7, 8])
        #expect(try read(2) == 0xC4)
        receive(Array(9...16))
        #expect(try read(5) & 2 == 0)
        receive([17])
        #expect(try read(5) & 2 == 2)
        #expect(try read(0) == 1)
        try write(2, 0x83)
        #expect(try read(5) & 1 == 0)
    }

    @Test("Loopback: sent bytes are received, modem outputs appear as inputs, nothing leaves")
    func loopback() throws {
        try write(4, 0x1A)
        try write(0, 0x55)
        #expect(try read(0) == 0x55)
        #expect(try read(6) == 0x90)
        #expect(machine.serialOutput.isEmpty)
    }

    @Test("Input from the host arrives at its cycle, one character time apart, on IRQ 4")
    func hostInput() throws {
        try write(2, 1)
        try write(1, 1)
        try write(4, 8)
        machine.supplySerialInput([0x61, 0x62], atCycle: 1000)
        machine.advanceClock(to: 999)
        #expect(try read(5) & 1 == 0)
        machine.advanceClock(to: 1000)
        #expect(try read(0) == 0x61 && read(5) & 1 == 0)
        machine.advanceClock(to: 1000 + 2_600_000_000 * 10 / 115_200)
        #expect(try read(0) == 0x62)
    }

    @Test("Input waits until somebody takes it: the receiver interrupt is on and the receiver empty, one byte a time")
    func source() throws {
        var left: [UInt8] = [1, 2]
        machine.serialSource = { left.isEmpty ? .end : .byte(left.removeFirst()) }
        func pass() { machine.advanceClock(to: machine.platform.events.nextCycle) }
        p.system.activity = .halted
        p.boundaryWork = false
        try write(3, 3)
        #expect(try read(5) & 1 == 0 && machine.platform.events.isEmpty)
        try write(1, 1)
        pass()
        #expect(try left == [2] && read(5) & 1 == 1 && machine.platform.events.isEmpty)
        #expect(try read(0) == 1)
        pass()
        #expect(try left == [] && read(0) == 2)
        pass()
        #expect(machine.serialSource == nil && machine.platform.events.isEmpty)
    }

    @Test("Software that polls the line status, and does nothing else there, is taken to wait for input")
    func polling() throws {
        machine.serialSource = { .byte(9) }
        p.system.activity = .halted
        p.boundaryWork = false
        for _ in 0..<63 { _ = try read(5) }
        #expect(machine.platform.events.isEmpty)
        _ = try read(5)
        machine.advanceClock(to: machine.platform.events.nextCycle)
        #expect(try read(0) == 9)
    }
}
