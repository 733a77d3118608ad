import X86Architecture

/// Who answers a port. Unclaimed ports float: reads give ones, writes are lost.
enum PortOwner: UInt8 {
    case none, interruptController, timer, speaker, reset, clock, post, testLatch, debugConsole, debugExit, serial
    case firmwareConfiguration, testLine, powerManagement

    /// The ports of a PC, and of the paravirtual devices that bare-metal test images expect.
    /// `size` is that of the whole access: 0xCF9 answers bytes only, as 0xCF8 takes doublewords.
    static func of(_ port: UInt16, size: Int = 1) -> PortOwner {
        switch port {
        case 0x20, 0x21, 0xA0, 0xA1, 0x4D0, 0x4D1: .interruptController
        case 0x40...0x43: .timer
        case 0x61: .speaker
        case 0x64, 0x92: .reset
        case 0xCF9 where size == 1: .reset
        case 0x70, 0x71: .clock
        case 0x80: .post
        case 0xE0...0xE3: .testLatch
        case 0xE9: .debugConsole
        case 0xF4...0xF7: .debugExit
        case 0x3F8...0x3FF: .serial
        case 0x510, 0x511: .firmwareConfiguration
        case 0x600...0x605, 0x608...0x60B: .powerManagement
        case 0x2000...0x2017: .testLine
        default: .none
        }
    }
}

/// Port I/O, `size` 1, 2 or 4 bytes. Byte-wide devices see a wide access as consecutive byte accesses, as on the ISA
/// bus.
extension Machine {
    func portRead(_ port: UInt16, size: Int, from processor: Processor) throws(Interruption) -> UInt32 {
        var value: UInt32 = 0
        for i in 0..<size {
            let byte = readByte(port &+ UInt16(i), size: size, at: processor.cpu.pointee.cycles)
            value |= UInt32(byte) << UInt32(8 * i)
        }
        return value
    }

    func portWrite(_ port: UInt16, size: Int, _ value: UInt32, from processor: Processor) throws(Interruption) {
        switch PortOwner.of(port) {
        case .debugExit where port == 0xF4:
            stop(.debugExit(value: value))
        case .firmwareConfiguration where port == 0x510 && size >= 2:
            platform.devices.firmware.select(UInt16(truncatingIfNeeded: value))
        default:
            for i in 0..<size {
                let byte = UInt8(truncatingIfNeeded: value >> UInt32(8 * i))
                try writeByte(port &+ UInt16(i), size: size, byte, from: processor)
            }
        }
    }

    private func readByte(_ port: UInt16, size: Int, at cycle: UInt64) -> UInt8 {
        switch PortOwner.of(port, size: size) {
        case .interruptController:
            defer { interruptControllersChanged(at: cycle) }
            return platform.devices.interruptControllers.read(port)
        case .timer:
            return port == 0x43 ? 0xFF : platform.devices.timer.read(channel: Int(port - 0x40), at: cycle)
        case .speaker:
            let tick = platform.devices.timer.tick(at: cycle)
            let output = platform.devices.timer.channels[2].output(at: tick)
            // Bit 4 toggles with every memory refresh, about every 15 us (18 ticks of the timer).
            return platform.devices.control.speaker | (tick / 18 & 1 != 0 ? 0x10 : 0) | (output ? 0x20 : 0)
        case .reset:
            switch port {
            // A20 is on.
            case 0x92: return 2
            // No keyboard controller but its reset line: commands are taken at once (IBF is 0), the rest floats.
            case 0x64: return 0xFD
            default: return platform.devices.control.resetControl
            }
        case .clock: return port == 0x71 ? platform.devices.clock.read(at: cycle) : 0xFF
        case .post: return platform.devices.control.post
        case .testLatch: return UInt8(truncatingIfNeeded: platform.devices.control.latch >> UInt32(8 * (port - 0xE0)))
        // A console that answers with its own number is there.
        case .debugConsole: return 0xE9
        case .serial:
            defer { serialChanged(at: cycle) }
            return platform.devices.serial.read(port - SerialPort.base)
        case .firmwareConfiguration: return port == 0x511 ? platform.devices.firmware.read() : 0
        case .powerManagement:
            return platform.devices.power.read(
                port, at: cycle, cyclesPerSecond: configuration.model.tscFrequency)
        case .none, .debugExit, .testLine: return 0xFF
        }
    }

    private func writeByte(
        _ port: UInt16, size: Int, _ byte: UInt8, from processor: Processor
    ) throws(Interruption) {
        let now = processor.cpu.pointee.cycles
        switch PortOwner.of(port, size: size) {
        case .interruptController:
            platform.devices.interruptControllers.write(port, byte)
            interruptControllersChanged(at: now)
        case .timer:
            try writeTimer(port, byte, at: now)
        case .speaker:
            platform.devices.control.speaker = byte & 3
            platform.devices.timer.setGate2(byte & 1 != 0, at: now)
        case .reset:
            if SystemControl.resets(port, byte) { stop(.reset) }
            if port == 0xCF9 { platform.devices.control.resetControl = byte & 0xE }
        case .clock:
            if port == 0x70 {
                platform.devices.clock.select(byte)
            } else if !platform.devices.clock.write(byte) {
                throw .notModelled("interrupts of the CMOS clock (register B = \(hex(byte)))")
            }
        case .post:
            platform.devices.control.post = byte
        case .testLatch:
            let shift = UInt32(8 * (port - 0xE0))
            platform.devices.control.latch = platform.devices.control.latch & ~(0xFF << shift) | UInt32(byte) << shift
        case .debugConsole:
            transmit(byte, port: port, from: processor)
        case .serial:
            if let sent = platform.devices.serial.write(port - SerialPort.base, byte) {
                transmit(sent, port: SerialPort.base, from: processor)
            }
            serialChanged(at: now)
        case .powerManagement:
            switch platform.devices.power.write(port, byte) {
            case .none: break
            case .powerOff: stop(.powerOff)
            case .notModelled(let what): throw .notModelled(what)
            }
        case .testLine:
            setInterruptLine(Int(port - 0x2000), byte != 0, at: now)
        case .none, .debugExit, .firmwareConfiguration:
            break
        }
    }

    private func writeTimer(_ port: UInt16, _ byte: UInt8, at cycle: UInt64) throws(Interruption) {
        if port == 0x43 {
            guard let channel = platform.devices.timer.control(byte, at: cycle) else {
                throw .notModelled("mode \(byte >> 1 & 7) of the 8254 timer, channel \(byte >> 6)")
            }
            if channel == 0 {
                setInterruptLine(0, platform.devices.timer.channels[0].mode != 0, at: cycle)
                rearmIntervalTimer(at: cycle)
            }
        } else if platform.devices.timer.write(channel: Int(port - 0x40), byte, at: cycle), port == 0x40 {
            if platform.devices.timer.channels[0].mode == 0 { setInterruptLine(0, false, at: cycle) }
            rearmIntervalTimer(at: cycle)
        }
    }

    /// A byte has left the machine.
    func transmit(_ byte: UInt8, port: UInt16, from processor: Processor) {
        platform.serialOutput.append(byte)
        serialSink?(byte)
        if eventMask.contains(.serial) { emit(.serialOutput(port: port, byte: byte), processor) }
    }

    /// Everything that left the serial port and the debug console so far.
    public var serialOutput: [UInt8] { platform.serialOutput }
}

/// Memory-mapped devices other than the local APIC.
extension Machine {
    /// nil where nobody answers.
    func deviceLoad(_ address: PhysicalAddress, size: Int) -> UInt64? {
        let a = address.rawValue
        if a & ~Page.offsetMask == IOAPIC.base {
            let offset = a & Page.offsetMask
            return UInt64(platform.devices.ioapic.load(offset: offset & ~3)) >> (8 * (offset & 3))
        }
        return TestMemory.range.contains(a) ? platform.devices.testMemory.load(a - TestMemory.base, size: size) : nil
    }

    func deviceStore(_ address: PhysicalAddress, size: Int, _ value: UInt64, at cycle: UInt64) {
        let a = address.rawValue
        if a & ~Page.offsetMask == IOAPIC.base {
            platform.devices.ioapic.store(offset: a & Page.offsetMask, UInt32(truncatingIfNeeded: value))
            deliverIOAPIC(at: cycle)
        } else if TestMemory.range.contains(a) {
            platform.devices.testMemory.store(a - TestMemory.base, size: size, value)
        }
    }
}
