import X86Architecture

/// Who answers a port. Unclaimed ports float: reads give ones, writes are lost.
enum PortOwner: UInt8 {
    case none, debugExit, debugConsole, post, serial, firmwareConfiguration, interruptController, timer, clock, reset, speaker
}

extension Devices {
    /// The ports of a PC (and of the paravirtual devices that bare-metal test images expect).
    static func owner(ofPort port: UInt16) -> PortOwner {
        switch port {
        case 0x20, 0x21, 0xA0, 0xA1, 0x4D0, 0x4D1: .interruptController
        case 0x40...0x43: .timer
        case 0x61: .speaker
        case 0x64, 0x92, 0xCF9: .reset
        case 0x70, 0x71: .clock
        case 0x80: .post
        case 0xE9: .debugConsole
        case 0xF4: .debugExit
        case 0x3F8...0x3FF: .serial
        case 0x510, 0x511: .firmwareConfiguration
        default: .none
        }
    }
}

/// Port I/O. `size` is 1, 2 or 4 bytes.
extension Machine {
    func portRead(_ port: UInt16, size: Int, from processor: Processor) throws(Interruption) -> UInt32 {
        // Byte-wide devices see a wide access as consecutive byte accesses, as on the ISA bus.
        var value: UInt32 = 0
        for i in 0..<size {
            let byte = portReadByte(port &+ UInt16(i), at: processor.cpu.pointee.cycles)
            value |= UInt32(byte) << UInt32(8 * i)
        }
        return value
    }

    func portWrite(_ port: UInt16, size: Int, _ value: UInt32, from processor: Processor) throws(Interruption) {
        switch Devices.owner(ofPort: port) {
        case .debugExit:
            stop(.debugExit(value: value))
        case .firmwareConfiguration where port == 0x510:
            break
        default:
            for i in 0..<size {
                portWriteByte(port &+ UInt16(i), UInt8(truncatingIfNeeded: value >> UInt32(8 * i)), from: processor)
            }
        }
    }

    private func portReadByte(_ port: UInt16, at cycle: UInt64) -> UInt8 {
        switch Devices.owner(ofPort: port) {
        case .serial: port == 0x3FD ? 0x60 : 0
        case .debugConsole: 0xE9
        default: 0xFF
        }
    }

    private func portWriteByte(_ port: UInt16, _ byte: UInt8, from processor: Processor) {
        switch Devices.owner(ofPort: port) {
        case .serial where port == 0x3F8: transmit(byte, port: port, from: processor)
        case .debugConsole: transmit(byte, port: port, from: processor)
        default: break
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

/// All devices, as values.
struct Devices {
    init(_ configuration: MachineConfiguration) {}
}

extension Machine {
    /// Memory-mapped devices other than the local APIC; nil where nobody answers.
    func deviceLoad(_ address: PhysicalAddress, size: Int) -> UInt64? { nil }
    func deviceStore(_ address: PhysicalAddress, size: Int, _ value: UInt64) {}

    func perform(_ event: TimedEvent, at cycle: UInt64) {
        switch event {
        case .interrupt(let vector, let index): processors[index].receive(vector: vector, at: cycle)
        case .nmi(let index): processors[index].receiveNMI(at: cycle)
        case .apicTimer, .pit, .serialInput: break
        }
    }

    /// Puts a timed event into the queue. A running processor that would run past it returns first.
    func schedule(_ event: TimedEvent, at cycle: UInt64) {
        let earlier = cycle < platform.events.nextCycle
        platform.events.schedule(event, at: max(cycle, platform.clock))
        if earlier { for processor in processors { processor.yieldSoon() } }
    }

    /// An interrupt message to the processor's local APIC when the machine clock reaches `atCycle`
    /// (now, when that has passed). Accepted or refused there as any fixed interrupt is.
    public func injectInterrupt(vector: UInt8, processor: Int, atCycle cycle: UInt64) {
        schedule(.interrupt(vector: vector, processor: processor), at: cycle)
    }
    /// An NMI at the processor's pin at `atCycle`.
    public func injectNMI(processor: Int, atCycle cycle: UInt64) {
        schedule(.nmi(processor: processor), at: cycle)
    }
}
