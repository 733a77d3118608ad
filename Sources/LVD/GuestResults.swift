import Boot
import X86Architecture
import X86Machine

/// `struct lvd_results` of the guest kernel (Sources/Guest/include/lvd/results.h, version 2), read from its memory.
public struct GuestResults: Sendable, Equatable {
    public enum Status: UInt32, Sendable {
        case ok = 0, panic = 1, badBoot = 2, driver = 3, incomplete = 4, killed = 5, monitor = 6, running = 0xff

        public var meaning: String {
            switch self {
            case .ok: "completed"
            case .panic: "the guest kernel met something it cannot continue from"
            case .badBoot: "the guest kernel could not use its modules or command line"
            case .driver: "the driver did not initialise, or no device appeared"
            case .incomplete: "the workload did not complete"
            case .killed: "the domain broke a rule and was terminated"
            case .monitor: "the monitor met something it cannot continue from"
            case .running: "not finished"
            }
        }
    }

    /// Why a domain was terminated; all zero when none was.
    public struct Kill: Sendable, Equatable {
        public var cause: UInt32
        public var processor: UInt32
        public var detail: UInt64
        public var rip: UInt64
        public var address: UInt64
        /// lvd/causes.h.
        public var meaning: String {
            let texts = [
                "raised an exception", "touched memory outside its view", "met a broken EPT entry",
                "executed VMFUNC with an invalid function or list entry",
                "reached a crossing with the wrong list index",
                "accessed a control register", "accessed a model-specific register", "accessed an I/O port",
                "accessed a descriptor-table register", "accessed a debug register", "executed XSETBV",
                "called the monitor", "kept the processor without making progress", "executed a VMX instruction",
                "changed the interrupt flag across a crossing", "nested calls until the kernel stack ran short",
                "sent a message that makes no sense", "caused a triple fault",
                "caused an exit that has no business in a domain", "asked to be terminated",
                "named a capability that nobody was ever given", "named a capability of another domain",
                "named a capability that it no longer holds", "named a capability of another type"
            ]
            return (1...texts.count).contains(Int(cause)) ? texts[Int(cause) - 1] : "for an unknown cause (\(cause))"
        }
    }

    /// One driver's part of the workload.
    public struct Driver: Sendable, Equatable {
        public var name: String
        public var requested: UInt64
        public var completed: UInt64
        /// As the driver itself counted them, since it was last loaded.
        public var txPackets: UInt64
        public var txBytes: UInt64
        /// How often its domain was terminated, and how often it was loaded again.
        public var kills: UInt32
        public var restarts: UInt32
    }

    /// What the choices of the guest system came to (`struct lvd_counters`); all zero in images without it.
    public struct Counters: Sendable, Equatable {
        /// Processors that the monitor has left again.
        public var promoted: UInt64 = 0
        /// Crossings around which extended state was saved and restored.
        public var extendedSaves: UInt64 = 0
        /// How often the kernel found its own extended state unchanged behind a call.
        public var extendedChecks: UInt64 = 0
        /// From a thread that an interrupt had found inside a domain to another thread, and such threads that went on
        /// on another processor.
        public var switchesInside: UInt64 = 0
        public var migrationsInside: UInt64 = 0
        /// Capabilities of all domains and of the kernel; `left` when the last domain has gone, with pages
        /// of memory and blocks of the kernel's heap.
        public var capabilitiesMade: UInt64 = 0
        public var capabilitiesGranted: UInt64 = 0
        public var capabilitiesRevoked: UInt64 = 0
        public var capabilitiesLeft: UInt64 = 0
        /// Started, and of those ended for what they did in ring 3.
        public var processes: UInt64 = 0
        public var processesKilled: UInt64 = 0
        public init() {}
    }
    public var counters = Counters()

    /// nil: a number that this version of the structure does not know.
    public var status: Status?
    public var requested: UInt64
    public var completed: UInt64
    /// Operations that the processors have completed so far: `completed` is filled in at the end.
    public var progress: UInt64
    public var txPackets: UInt64
    public var txBytes: UInt64
    /// Of the workload's loop, by the time-stamp counter: the largest of the processors.
    public var cycles: UInt64
    public var kill: Kill
    public var message: String
    /// In the order in which they were loaded.
    public var drivers: [Driver]

    /// nil when the kernel has not got so far as to set it up.
    public init?(_ machine: MachineView, layout: GuestLayout) {
        // The kernel image is linked at a fixed distance from where it is loaded (lvd/layout.h, LVD_KERNEL_BASE).
        guard let address = layout.results, address.rawValue >= Self.kernelBase else { return nil }
        let base = PhysicalAddress(address.rawValue - Self.kernelBase)
        func word(_ offset: UInt64) -> UInt64 { machine.readPhysical(base + offset, as: UInt64.self) }
        func half(_ offset: UInt64) -> UInt32 { machine.readPhysical(base + offset, as: UInt32.self) }
        guard word(0) == Self.magic, half(8) == 2 else { return nil }
        status = Status(rawValue: half(12))
        (requested, completed) = (word(24), word(32))
        progress = (0..<Self.processorsMax).reduce(0) { $0 &+ word(224 + $1 * 64) }
        (txPackets, txBytes, cycles) = (word(40), word(48), word(56))
        kill = Kill(cause: half(64), processor: half(68), detail: word(72), rip: word(80), address: word(88))
        func text(_ offset: UInt64, _ length: UInt64) -> String {
            var bytes: [UInt8] = []
            for i in 0..<length {
                let byte = machine.readPhysical(base + (offset + i), as: UInt8.self)
                if byte == 0 { break }
                bytes.append(byte >= 0x20 && byte < 0x7f ? byte : UInt8(ascii: "?"))
            }
            return String(decoding: bytes, as: UTF8.self)
        }
        if let symbol = layout.kernel["lvd_counters"], symbol.rawValue >= Self.kernelBase {
            let at = PhysicalAddress(symbol.rawValue - Self.kernelBase)
            func counter(_ n: UInt64) -> UInt64 { machine.readPhysical(at + n * 8, as: UInt64.self) }
            counters.promoted = counter(0)
            (counters.extendedSaves, counters.extendedChecks) = (counter(1), counter(2))
            (counters.switchesInside, counters.migrationsInside) = (counter(3), counter(4))
            // Images of others end there.
            let bytes = layout.kernel.symbol(named: "lvd_counters")?.size ?? 0
            if bytes >= 72 {
                (counters.capabilitiesMade, counters.capabilitiesGranted) = (counter(5), counter(6))
                (counters.capabilitiesRevoked, counters.capabilitiesLeft) = (counter(7), counter(8))
            }
            if bytes >= 88 { (counters.processes, counters.processesKilled) = (counter(9), counter(10)) }
        }
        message = text(96, 128)
        drivers = (0..<min(UInt64(half(Self.driversOffset)), Self.driversMax)).map { number in
            let at = Self.driversOffset + 8 + number * Self.driverBytes
            return Driver(
                name: text(at, 32), requested: word(at + 32), completed: word(at + 40), txPackets: word(at + 48),
                txBytes: word(at + 56), kills: half(at + 64), restarts: half(at + 68))
        }
    }
    private static let driversOffset: UInt64 = 224 + processorsMax * 64
    private static let driverBytes: UInt64 = 72
    private static let driversMax: UInt64 = 4
    private static let kernelBase: UInt64 = 0xffff_ffff_8000_0000
    private static let processorsMax: UInt64 = 8
    private static let magic: UInt64 = 0x0031_5345_5244_564c
}
