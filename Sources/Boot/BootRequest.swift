import DriverImage
import X86Machine

/// How an image is put into a machine and entered.
public enum BootProtocol: String, CaseIterable, Sendable {
    case multiboot, pvh, linux64, linux32
}

/// An image that is to run on the bare machine, with what a boot loader would give it.
public struct BootRequest: Sendable {
    public var image: [UInt8]
    /// The file's name, for messages.
    public var name: String
    /// What the image is given, complete.
    public var commandLine: String
    /// For Linux the first one is the initial RAM disk.
    public var modules: [BootModule]
    /// ACPI tables are in memory.
    public var hasACPI: Bool

    public init(image: [UInt8], name: String, commandLine: String, modules: [BootModule] = [], hasACPI: Bool = true) {
        self.image = image; self.name = name; self.commandLine = commandLine; self.modules = modules
        self.hasACPI = hasACPI
    }

    /// What the image itself asks for: a multiboot header, a Linux setup header, Linux's notes, a PVH note.
    public func protocolOfImage() throws(ImageError) -> BootProtocol {
        let reader = ImageReader(bytes: image, name: name)
        if MultibootHeader.find(reader) != nil { return .multiboot }
        if SetupHeader.isPresent(image) {
            return try SetupHeader(reader).has64BitEntry ? .linux64 : .linux32
        }
        guard image.count >= 4, reader.integer(at: 0, 4) == 0x464C_457F else {
            throw reader.unsupported(
                0, found: "neither an ELF file nor a bzImage",
                expected: "a Linux bzImage or vmlinux, or an ELF file with a multiboot-1 header or a PVH entry")
        }
        let executable = try ExecutableImage(image, name: name)
        // LINUX_ELFNOTE_BUILD_SALT is in every kernel.
        if executable.is64, executable.note(owner: "Linux", type: 0x100, in: image) != nil { return .linux64 }
        if PVHLoader.entry(executable, image) != nil { return .pvh }
        throw reader.unsupported(
            nil, found: "an ELF file without a boot protocol",
            expected: "a multiboot-1 header, Linux's notes, or a PVH note",
            hint: "--protocol says by which one to boot it all the same")
    }

    /// Puts the image and what it is given into the memory of a machine that has not run, and processor 0 at the
    /// image's entry.
    /// - Throws: `ImageError` with file, place and expectation.
    public func load(by bootProtocol: BootProtocol, into machine: Machine) throws(ImageError) {
        precondition(machine.statistics.instructions == 0, "images are loaded before the machine runs")
        if hasACPI { ACPITables.install(into: machine) }
        switch bootProtocol {
        case .multiboot:
            RealModeFirmware.install(into: machine)
            try Multiboot.load(image: image, name: name, commandLine: commandLine, modules: modules, into: machine)
        case .pvh: try PVHLoader.load(self, into: machine)
        case .linux64: try LinuxLoader.load(self, is32: false, into: machine)
        case .linux32: try LinuxLoader.load(self, is32: true, into: machine)
        }
    }

    static func tooSmall(_ name: String, _ ram: UInt64, _ needed: UInt64) -> ImageError {
        ImageError(
            .mismatch, file: name, at: .file, found: "an image that needs memory up to \(needed >> 20) MiB",
            expected: "at most the \(ram >> 20) MiB that the machine has below 4 GiB",
            hint: "give the machine more memory")
    }
}
