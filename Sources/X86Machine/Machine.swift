import X86Architecture

/// How a machine is built. Everything a run depends on is here or in what is loaded into memory.
public struct MachineConfiguration: Sendable {
    /// Bytes of RAM from physical address 0 (a hole below 4 GiB is left for MMIO from 0xC000_0000).
    public var memoryBytes: UInt64 = 256 << 20
    public var processorCount = 1
    /// Seeds RDRAND and nothing else.
    public var seed: UInt64 = 1
    public init() {}
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
}

/// The whole machine: N processors, memory, devices, one clock, one event queue ordered by (cycle, sequence).
public final class Machine {
    public let configuration: MachineConfiguration
    public let memory: PhysicalMemory
    var processors: [Processor] = []

    public init(_ configuration: MachineConfiguration) {
        self.configuration = configuration
        memory = PhysicalMemory(bytes: configuration.memoryBytes)
        processors = (0..<configuration.processorCount).map { Processor(index: $0, machine: self) }
    }
}

/// What observers, LVD, Isolation and Reports see: reads only.
public struct MachineView {
    unowned let machine: Machine
    init(_ machine: Machine) { self.machine = machine }
}
