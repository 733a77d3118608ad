/// One 8259A, edge-triggered unless ELCR says level. Intel 8259A data sheet (231468), "Programming the 8259A".
struct InterruptController8259 {
    /// Base of the vectors (ICW2), initialised to what a PC's firmware leaves.
    var vectorBase: UInt8
    private var irr: UInt8 = 0, isr: UInt8 = 0, imr: UInt8 = 0xFF
    private var lines: UInt8 = 0
    var levelTriggered: UInt8 = 0
    /// The input with the lowest priority; 7 unless rotated.
    private var lowest: UInt8 = 7
    private var initStep = 0
    private var expectsICW4 = false
    private var single = false
    private var autoEOI = false, rotateOnAutoEOI = false
    private var readsISR = false, specialMask = false, polled = false
    /// Slave inputs of a master (IRQ2), in special fully nested mode.
    private var fullyNested = false

    /// `lines`: inputs that are high from the start, without having risen.
    init(vectorBase: UInt8, lines: UInt8 = 0) {
        self.vectorBase = vectorBase
        self.lines = lines
    }

    mutating func setLine(_ input: Int, _ level: Bool) {
        let bit: UInt8 = 1 << UInt8(input)
        if level {
            if levelTriggered & bit != 0 || lines & bit == 0 { irr |= bit }
            lines |= bit
        } else {
            lines &= ~bit
            irr &= ~bit
        }
    }

    /// Priority order: input after `lowest` first.
    private func firstByPriority(_ set: UInt8) -> UInt8? {
        for i in 1...8 {
            let input = (lowest &+ UInt8(i)) & 7
            if set & (1 << input) != 0 { return input }
        }
        return nil
    }

    /// The input that requests service now, if it outranks those in service.
    private var request: UInt8? {
        guard let candidate = firstByPriority(irr & ~imr) else { return nil }
        var blocking = isr
        if specialMask { blocking &= ~imr }
        if fullyNested { blocking &= ~(1 << candidate) }
        guard let serving = firstByPriority(blocking) else { return candidate }
        let rank = (candidate &- lowest &- 1) & 7, servingRank = (serving &- lowest &- 1) & 7
        return rank < servingRank ? candidate : nil
    }

    /// The INT output.
    var output: Bool { request != nil }

    /// INTA: the input acknowledged; 7 (spurious) without an ISR bit when the request has gone.
    mutating func acknowledge() -> (input: UInt8, spurious: Bool) {
        guard let input = request else { return (7, true) }
        let bit: UInt8 = 1 << input
        if levelTriggered & bit == 0 { irr &= ~bit }
        if autoEOI {
            if rotateOnAutoEOI { lowest = input }
        } else {
            isr |= bit
        }
        return (input, false)
    }

    /// Ports 0x20/0xA0 (`command`) and 0x21/0xA1.
    mutating func read(command: Bool) -> UInt8 {
        if polled {
            polled = false
            guard output else { return 0 }
            return 0x80 | acknowledge().input
        }
        return command ? (readsISR ? isr : irr) : imr
    }

    mutating func write(command: Bool, _ value: UInt8) {
        if command { writeCommand(value) } else { writeData(value) }
    }

    private mutating func writeCommand(_ value: UInt8) {
        if value & 0x10 != 0 { // ICW1
            initStep = 1
            expectsICW4 = value & 1 != 0
            single = value & 2 != 0
            irr = 0; isr = 0; imr = 0; lowest = 7
            readsISR = false; specialMask = false; autoEOI = false; fullyNested = false; rotateOnAutoEOI = false
        } else if value & 0x08 != 0 { // OCW3
            if value & 4 != 0 { polled = true }
            if value & 2 != 0 { readsISR = value & 1 != 0 }
            if value & 0x40 != 0 { specialMask = value & 0x20 != 0 }
        } else { // OCW2
            let level = value & 7
            switch value >> 5 {
            case 1, 5: // non-specific EOI, with rotation
                guard let serving = firstByPriority(isr) else { return }
                isr &= ~(1 << serving)
                if value >> 5 == 5 { lowest = serving }
            case 3, 7: // specific EOI, with rotation
                isr &= ~(1 << level)
                if value >> 5 == 7 { lowest = level }
            case 6: lowest = level
            case 0: rotateOnAutoEOI = false
            case 4: rotateOnAutoEOI = true
            default: break
            }
        }
    }

    private mutating func writeData(_ value: UInt8) {
        switch initStep {
        case 1:
            vectorBase = value & 0xF8
            initStep = single ? (expectsICW4 ? 3 : 0) : 2
        case 2:
            initStep = expectsICW4 ? 3 : 0
        case 3:
            autoEOI = value & 2 != 0
            fullyNested = value & 0x10 != 0
            initStep = 0
        default:
            imr = value
        }
    }
}

/// The pair of a PC: the second chip's output is input 2 of the first.
struct InterruptControllers {
    /// OUT of the timer's channel 0 is high at power-on.
    var master = InterruptController8259(vectorBase: 0x08, lines: 1)
    var slave = InterruptController8259(vectorBase: 0x70)

    mutating func setLine(_ irq: Int, _ level: Bool) {
        if irq < 8 { master.setLine(irq, level) } else { slave.setLine(irq - 8, level) }
        cascade()
    }

    private mutating func cascade() { master.setLine(2, slave.output) }

    /// The INTR pin.
    var output: Bool { master.output }

    mutating func acknowledge() -> UInt8 {
        let (input, spurious) = master.acknowledge()
        guard input == 2, !spurious else { return master.vectorBase &+ input }
        let vector = slave.vectorBase &+ slave.acknowledge().input
        // Another request of the second chip is a new edge for the first.
        master.setLine(2, false)
        cascade()
        return vector
    }

    mutating func read(_ port: UInt16) -> UInt8 {
        switch port {
        case 0x4D0: return master.levelTriggered
        case 0x4D1: return slave.levelTriggered
        default:
            defer { cascade() }
            return port < 0xA0 ? master.read(command: port & 1 == 0) : slave.read(command: port & 1 == 0)
        }
    }

    mutating func write(_ port: UInt16, _ value: UInt8) {
        switch port {
        // ELCR: the timer, the keyboard, the cascade, the clock and the FPU are always edge-triggered.
        case 0x4D0: master.levelTriggered = value & 0xF8
        case 0x4D1: slave.levelTriggered = value & 0xDE
        default:
            let command = port & 1 == 0
            if port < 0xA0 { master.write(command: command, value) } else { slave.write(command: command, value) }
            master.setLine(2, false)
        }
        cascade()
    }
}
