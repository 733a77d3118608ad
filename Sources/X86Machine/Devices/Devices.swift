import X86Architecture

/// All devices, as values: a snapshot is a copy.
struct Devices {
    var serial = SerialPort()
    var interruptControllers = InterruptControllers()
    var timer: IntervalTimer
    var clock: RealTimeClock
    var firmware: FirmwareConfiguration
    var control = SystemControl()
    var power = PowerManagement()
    var ioapic = IOAPIC()
    var testMemory = TestMemory()

    init(_ configuration: MachineConfiguration) {
        timer = IntervalTimer(cyclesPerSecond: configuration.model.tscFrequency)
        clock = RealTimeClock(cyclesPerSecond: configuration.model.tscFrequency, memoryBytes: configuration.memoryBytes)
        firmware = FirmwareConfiguration(configuration)
    }
}

/// Interrupt lines and the events of devices.
extension Machine {
    /// An ISA interrupt line: to the 8259 pair, and to the I/O APIC (where line 0 is input 2, as on every PC).
    func setInterruptLine(_ irq: Int, _ level: Bool, at cycle: UInt64) {
        platform.devices.interruptControllers.setLine(irq, level)
        platform.devices.ioapic.setLine(irq == 0 ? 2 : irq, level)
        interruptControllersChanged(at: cycle)
        deliverIOAPIC(at: cycle)
    }

    /// The INTR pin is wired to processor 0's LINT0.
    func interruptControllersChanged(at cycle: UInt64) {
        if platform.devices.interruptControllers.output { processors[0].wake(at: cycle) }
    }

    func deliverIOAPIC(at cycle: UInt64) {
        while let message = platform.devices.ioapic.nextMessage() { send(message, at: cycle) }
    }

    func serialChanged(at cycle: UInt64) {
        setInterruptLine(4, platform.devices.serial.interruptLine, at: cycle)
        guard serialSource != nil, platform.devices.serial.isReadyForInput, !platform.devices.serial.asksSource
        else { return }
        platform.devices.serial.asksSource = true
        platform.devices.serial.readySince = cycle
        schedule(.serialSource, at: cycle &+ platform.devices.serial.characterCycles(configuration.model.tscFrequency))
    }

    /// One character time after the guest became ready for input it is asked for; somebody types who looks at the
    /// screen: while the guest is busy, for up to a tenth of a second, the next key waits.
    private func askSerialSource(at cycle: UInt64) {
        platform.devices.serial.asksSource = false
        guard let source = serialSource, platform.devices.serial.isReadyForInput else { return }
        let frequency = configuration.model.tscFrequency
        if processors.contains(where: \.isRunnable), cycle &- platform.devices.serial.readySince < frequency / 10 {
            platform.devices.serial.asksSource = true
            schedule(.serialSource, at: cycle &+ frequency / 1000)
            return
        }
        switch source() {
        case .byte(let byte):
            platform.devices.serial.receive(byte)
            serialChanged(at: cycle)
        case .nothingYet:
            platform.devices.serial.asksSource = true
            schedule(.serialSource, at: cycle &+ frequency / 100)
        case .end:
            serialSource = nil
        }
    }

    /// Bytes that the other end of the serial line sends from `cycle` on, one character time apart.
    public func supplySerialInput(_ bytes: [UInt8], atCycle cycle: UInt64) {
        let idle = platform.devices.serial.incoming.isEmpty
        platform.devices.serial.incoming += bytes
        if idle, !bytes.isEmpty { schedule(.serialInput, at: cycle) }
    }

    /// A timed event happens.
    func perform(_ event: TimedEvent, at cycle: UInt64) {
        switch event {
        case .interrupt(let vector, let index): processors[index].receive(vector: vector, at: cycle)
        case .nmi(let index): processors[index].receiveNMI(at: cycle)
        case .preemptionTimer(let index): processors[index].wake(at: cycle)
        case .apicTimer(let index): processors[index].timerExpired(at: cycle)
        case .intervalTimer:
            setInterruptLine(0, false, at: cycle)
            setInterruptLine(0, true, at: cycle)
            rearmIntervalTimer(at: cycle)
        case .serialSource: askSerialSource(at: cycle)
        case .serialInput:
            platform.devices.serial.receive(platform.devices.serial.incoming.removeFirst())
            serialChanged(at: cycle)
            guard !platform.devices.serial.incoming.isEmpty else { return }
            let distance = platform.devices.serial.characterCycles(configuration.model.tscFrequency)
            schedule(.serialInput, at: cycle &+ distance)
        }
    }

    func rearmIntervalTimer(at cycle: UInt64) {
        cancel(.intervalTimer)
        if let next = platform.devices.timer.nextInterrupt(after: cycle) { schedule(.intervalTimer, at: next) }
    }
}
