import X86Architecture

/// How a machine is built. Everything a run depends on is here or in what is loaded into memory.
public struct MachineConfiguration: Sendable {
    /// Bytes of RAM from physical address 0 (a hole below 4 GiB is left for MMIO from 0xC000_0000).
    public var memoryBytes: UInt64 = 256 << 20
    public var processorCount = 1
    /// What CPUID reports and which features exist.
    public var model = ProcessorModel.haswellEP
    /// Seeds RDRAND and nothing else.
    public var seed: UInt64 = 1
    /// Hash every event of `EventMask.hashed` into `Machine.eventDigest`, whether or not an observer asks for it.
    public var hashesEvents = false
    public var translations = TranslationPolicy.tagged
    public init() {}
}

/// What becomes of cached translations at VM entries, VM exits and EPTP switches. Both are allowed: SDM 3C 31.4.2
/// "Creating and Using Cached Translation Information" lets a processor drop them at any time.
public enum TranslationPolicy: String, Sendable, CaseIterable {
    /// They stay, tagged with VPID, PCID and EP4TA: a forgotten INVEPT or INVVPID shows.
    case tagged
    /// All of them go, as on machines and emulators that hide what was forgotten.
    case eager
}

public enum RunLimit: Sendable {
    case none
    /// Retired instructions, all processors together.
    case instructions(UInt64)
    /// The machine clock.
    case cycle(UInt64)
}

/// Why `Machine.run` returned.
public enum StopReason: Sendable, Equatable {
    /// The guest wrote `value` to the debug-exit port.
    case debugExit(value: UInt32)
    /// Shutdown (triple fault), VMX abort, every processor halted with nothing to wake it: text names which.
    case guestDied(String)
    case notModelled(String)
    case limit
    /// `Machine.requestStop` (an observer's verdict, SIGINT).
    case requested
    /// The guest asked for a reset (ports 0x92, 0xCF9, 0x64).
    case reset
    /// The guest switched the machine off (ACPI S5).
    case powerOff
}

/// What the other end of the serial line has to say when it is asked.
public enum SerialInput: Sendable {
    case byte(UInt8)
    /// To be asked again: ten milliseconds of the machine later.
    case nothingYet
    case end
}

/// The whole machine: N processors, memory, devices, one clock, one event queue ordered by (cycle, sequence).
public final class Machine {
    public let configuration: MachineConfiguration
    public let memory: PhysicalMemory
    let timing = Timing.haswell
    @exclusivity(unchecked) private(set) var processors: [Processor] = []
    /// Architectural state outside the processors: a plain value, copied by a snapshot.
    @exclusivity(unchecked) var platform: PlatformState
    /// Set by `stop(_:)`, returned by `run`.
    @exclusivity(unchecked) var pendingStop: StopReason?
    /// How often `run` has chosen what happens next: what waiting costs the host. No state of the machine.
    @exclusivity(unchecked) var turns: UInt64 = 0
    /// Inside `run` or `step`.
    @exclusivity(unchecked) var isRunning = false
    /// What somebody listens to; checked before an event is made, so that an unwatched run pays one test.
    @exclusivity(unchecked) private(set) var eventMask: EventMask = []
    @exclusivity(unchecked) private var observers: [Observer] = []
    /// Called for every byte that leaves the first serial port or the debug console; `serialOutput` keeps them all
    /// anyway.
    public var serialSink: ((UInt8) -> Void)?

    /// Asked for the next character when the guest waits for one at the first serial port (`supplySerialInput` does not
    /// wait). Runs repeat if what it answers depends on nothing but how often it was asked.
    public var serialSource: (() -> SerialInput)?

    public init(_ configuration: MachineConfiguration) {
        self.configuration = configuration
        memory = PhysicalMemory(bytes: configuration.memoryBytes)
        platform = PlatformState(configuration)
        processors = (0..<configuration.processorCount).map { Processor(index: $0, machine: self) }
        if configuration.hashesEvents { eventMask = .hashed }
        for processor in processors {
            processor.reset(.powerUp)
            // SDM 3A 9.4.3 "MP Initialization Protocol Algorithm for MP Systems": all but the bootstrap processor wait.
            if processor.index > 0 { processor.system.activity = .waitForSIPI }
        }
    }

    // MARK: Stopping

    /// Ends the run at the next instruction boundary of the running processor. The first reason wins.
    func stop(_ reason: StopReason) {
        if pendingStop == nil { pendingStop = reason }
        for processor in processors { processor.yieldSoon() }
    }
    /// Makes `run` return `.requested` at the next instruction boundary. For observers.
    public func requestStop() { stop(.requested) }

    // MARK: Events

    public func addObserver(_ observer: Observer) {
        observers.append(observer)
        eventMask.formUnion(observer.events)
        for processor in processors { processor.translationContextChanged() }
    }
    public func removeObserver(_ observer: Observer) {
        observers.removeAll { $0 === observer }
        eventMask = observers.reduce(into: configuration.hashesEvents ? .hashed : []) { $0.formUnion($1.events) }
        for processor in processors { processor.translationContextChanged() }
    }

    /// Reports what just happened on `processor`. Callers test `eventMask` first.
    func emit(_ event: Event, _ processor: Processor) {
        if configuration.hashesEvents, !event.mask.isDisjoint(with: .hashed) {
            event.hash(into: &platform.eventHash, processor: processor.index, cycle: processor.cpu.pointee.cycles)
        }
        guard !observers.isEmpty else { return }
        let view = MachineView(self)
        for observer in observers where observer.events.contains(event.mask) {
            observer.observe(event, processor: processor.index, in: view)
        }
    }
}

/// Devices, timed events and counters: everything architectural that no processor owns.
struct PlatformState {
    var devices: Devices
    var events = EventQueue()
    /// The machine clock: every event up to this cycle has happened.
    var clock: UInt64 = 0
    /// Running hash of the event stream (`MachineConfiguration.hashesEvents`).
    var eventHash = StableHash()
    var serialOutput: [UInt8] = []
    var slice: Slice?
    var idle = IdleTimers()
    init(_ configuration: MachineConfiguration) {
        devices = Devices(configuration)
    }
}
