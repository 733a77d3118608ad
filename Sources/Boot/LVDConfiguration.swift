/// What guest system to put into a machine.
public struct LVDConfiguration: Sendable {
    public enum Isolation: Sendable, Equatable {
        /// Each driver in a domain of its own, the monitor in VMX root operation.
        case isolated
        /// Drivers linked into the kernel, no monitor: the comparison.
        case native
    }

    /// Paths of the driver images, in the order they are loaded.
    public var drivers: [String]
    public var isolation: Isolation = .isolated
    /// The workload as the guest kernel's command line takes it: `tx:1000`.
    public var workload = "tx:1000"
    public var processorCount = 1
    public var seed: UInt64 = 1
    /// Cycles between local APIC timer interrupts; nil leaves the kernel's default, 0 turns the timer off.
    public var timerCycles: UInt64?
    public var memoryBytes: UInt64 = 256 << 20
    /// Folder of the guest images; nil: environment LVDSIM_IMAGES, else `fixtures/images` found upward.
    public var images: String?
    /// File names inside that folder: the weakened builds are `kernel-weak-*.elf`, `monitor-weak-*.elf`.
    public var kernelImage = "kernel.elf"
    public var monitorImage = "monitor.elf"
    public var domainImage = "domain.ko"
    /// vmlinux of the kernel a Linux module was built for; nil: found from the module's release.
    public var vmlinux: String?
    /// More words for the guest kernel's command line.
    public var kernelArguments: [String] = []

    public init(drivers: [String]) { self.drivers = drivers }
}
