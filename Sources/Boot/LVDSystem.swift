import DriverImage
import X86Architecture
import X86Machine

/// The guest system of one run: images read, checked, linked and laid out, ready to be put into a machine.
public struct LVDSystem: Sendable {
    public let configuration: LVDConfiguration
    public let layout: GuestLayout

    /// Reads and links everything; touches no machine.
    /// - Throws: `ImageError` when a file is missing, malformed, for another machine or kernel, or imports what
    ///   nothing supplies.
    public init(_ configuration: LVDConfiguration) throws(ImageError) {
        self.configuration = configuration
        layout = GuestLayout(
            kernel: SymbolMap([]), monitor: SymbolMap([]), drivers: [], vmFunctionSites: [],
            isolated: configuration.isolation == .isolated)
    }

    /// A machine with this system in its memory and processor 0 at the kernel's multiboot entry.
    public func makeMachine() throws(ImageError) -> Machine {
        var machineConfiguration = MachineConfiguration()
        machineConfiguration.memoryBytes = configuration.memoryBytes
        machineConfiguration.processorCount = configuration.processorCount
        machineConfiguration.seed = configuration.seed
        return Machine(machineConfiguration)
    }
}
