import DriverImage
import X86Architecture
import X86Machine

/// The guest system of one run: images read, checked, linked and laid out, ready to be put into a machine.
public struct LVDSystem: Sendable {
    public let configuration: LVDConfiguration
    public let layout: GuestLayout
    /// The kernel image as it is loaded, its ABI table filled in.
    public let kernelImage: [UInt8]
    /// The kernel's command line; its first word is the image's name.
    public let commandLine: String
    /// Boot modules in order: the monitor, if any, then the drivers.
    public let modules: [BootModule]

    /// Reads and links everything; touches no machine.
    /// - Throws: `ImageError` when a file is missing, malformed, for another machine or kernel, or imports what
    ///   nothing supplies.
    public init(_ configuration: LVDConfiguration) throws(ImageError) {
        self.configuration = configuration
        let folder = try ImageFolder.locate(configuration.images)
        let kernel = try ELFObject(path: folder + "/" + configuration.kernelImage)
        let tables = try GuestTables(kernel)
        let inputs = try DriverInput.read(configuration.drivers)
        let linux = try DriverInput.kernel(of: inputs, option: configuration.vmlinux)

        var kernelBytes = kernel.contents.bytes(0..<kernel.contents.count)
        if let linux, let index = kernel.section(named: ABITable.section) {
            let section = kernel.sections[index]
            let range = Int(section.offset)..<Int(section.offset + section.size)
            try ABITable.patch(&kernelBytes, range, file: kernel.file, from: linux)
        }
        kernelImage = kernelBytes

        var modules: [BootModule] = []
        var monitorSymbols = SymbolMap([])
        let isolated = configuration.isolation == .isolated
        var runtime: ELFObject?
        if isolated {
            let monitor = try ELFObject(path: folder + "/" + configuration.monitorImage)
            monitorSymbols = SymbolMap(monitor)
            modules.append(BootModule(
                bytes: monitor.contents.bytes(0..<monitor.contents.count), commandLine: "monitor"))
            runtime = try ELFObject(path: folder + "/" + configuration.domainImage)
        }
        var drivers: [DriverLayout] = []
        for (index, input) in inputs.enumerated() {
            let placement = DriverPlacement(index: index, input: input, runtime: runtime, tables: tables, linux: linux)
            let (module, layout) = try placement.link()
            modules.append(module)
            drivers.append(layout)
        }
        try Self.checkRoom(kernel, modules)
        self.modules = modules
        commandLine = Self.commandLine(configuration)

        let symbols = SymbolMap(kernel)
        var crossing: Range<UInt64>?
        if let start = symbols["__vmfunc_text_start"], let end = symbols["__vmfunc_text_end"],
            start.rawValue <= end.rawValue
        {
            crossing = start.rawValue..<end.rawValue
        }
        layout = GuestLayout(
            kernel: symbols, monitor: monitorSymbols, drivers: drivers, vmFunctionSites: tables.vmFunctionSites,
            crossingPages: crossing, sharedRanges: tables.sharedRanges, statePage: symbols["vmfunc_state_page"],
            results: symbols["lvd_results"], isolated: isolated, procedureNames: tables.procedureNames)
    }

    private static func commandLine(_ configuration: LVDConfiguration) -> String {
        var words = [
            configuration.kernelImage, "workload=\(configuration.workload)", "cpus=\(configuration.processorCount)",
            "seed=\(configuration.seed)",
        ]
        if let cycles = configuration.timerCycles { words.append("timer=\(cycles)") }
        return (words + configuration.kernelArguments).joined(separator: " ")
    }

    /// A machine with this system in its memory and processor 0 at the kernel's multiboot entry.
    public func makeMachine() throws(ImageError) -> Machine {
        var machineConfiguration = MachineConfiguration()
        machineConfiguration.memoryBytes = configuration.memoryBytes
        machineConfiguration.processorCount = configuration.processorCount
        machineConfiguration.seed = configuration.seed
        let machine = Machine(machineConfiguration)
        try load(into: machine)
        return machine
    }

    /// Puts this system into a machine that has not run.
    /// - Throws: `ImageError` when the machine's memory does not hold it.
    public func load(into machine: Machine) throws(ImageError) {
        try Multiboot.load(
            image: kernelImage, name: configuration.kernelImage, commandLine: commandLine, modules: modules,
            into: machine)
    }

    /// The monitor's own memory, LVD_MONITOR_PHYS in Sources/Guest/include/lvd/layout.h: nothing is loaded into it.
    static let monitorMemory: Range<UInt64> = 0x100_0000..<0x180_0000

    private static func checkRoom(_ kernel: ELFObject, _ modules: [BootModule]) throws(ImageError) {
        var end: UInt64 = 0
        for segment in kernel.loadSegments {
            let (last, overflow) = segment.physicalAddress.addingReportingOverflow(segment.memorySize)
            end = max(end, overflow ? .max : last)
        }
        for module in modules where end <= monitorMemory.lowerBound {
            end = (end + 4095) / 4096 * 4096 + UInt64(module.bytes.count)
        }
        guard end <= monitorMemory.lowerBound else {
            throw ImageError(
                .unsupported, file: kernel.file, at: .file, found: "a kernel with modules up to physical \(end)",
                expected: "at most \(monitorMemory.lowerBound), where the monitor's memory begins")
        }
    }
}

/// A file handed to the kernel by the boot loader.
public struct BootModule: Sendable {
    public var bytes: [UInt8]
    /// `NAME key=value ...`
    public var commandLine: String
    public init(bytes: [UInt8], commandLine: String) {
        self.bytes = bytes
        self.commandLine = commandLine
    }
}

extension SymbolMap {
    /// The functions and objects of an executable.
    init(_ image: ELFObject) {
        var list: [Symbol] = []
        for symbol in image.symbols where !symbol.name.isEmpty && symbol.kind != .section && symbol.kind != .file {
            guard case .section = symbol.place else { continue }
            list.append(Symbol(name: symbol.name, address: .init(symbol.value), size: symbol.size))
        }
        self.init(list)
    }

    /// What one link defined.
    init(_ image: LinkedImage) {
        self.init(image.symbols.map { Symbol(name: $0.name, address: .init($0.address), size: $0.size) })
    }
}
