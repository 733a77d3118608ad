import DriverImage
import X86Architecture
import X86Machine

/// Boots multiboot-1 images. Multiboot Specification 0.6.96.
public enum Multiboot {
    /// Puts an image, its modules and the information structure into the memory of a machine that has not run, and
    /// processor 0 at the image's entry.
    ///
    /// - Parameters:
    ///   - image: the ELF file, 32 or 64 bits.
    ///   - name: the file's name, for messages.
    ///   - commandLine: what the image is given; by custom its first word is the image's path.
    ///   - modules: in the order in which the image finds them; each begins a page.
    /// - Throws: `ImageError` with file, offset and expectation.
    public static func load(
        image: [UInt8], name: String, commandLine: String, modules: [BootModule], into machine: Machine
    ) throws(ImageError) {
        precondition(machine.statistics.instructions == 0, "images are loaded before the machine runs")
        try MultibootHeader.check(ImageReader(bytes: image, name: name))
        let executable = try ExecutableImage(image, name: name)
        let ram = machine.memory.lowBytes
        guard executable.end <= ram else { throw BootRequest.tooSmall(name, ram, executable.end) }
        for segment in executable.segments {
            machine.writePhysical(Array(image[segment.contents]), at: PhysicalAddress(segment.physical))
        }
        var end = max(pageAligned(executable.end), 0x10_0000)
        var placed: [MultibootInformation.Module] = []
        for module in modules {
            let start = end
            end = pageAligned(start + UInt64(module.bytes.count))
            guard end <= ram else { throw BootRequest.tooSmall(name, ram, end) }
            machine.writePhysical(module.bytes, at: PhysicalAddress(start))
            placed.append(.init(range: start..<start + UInt64(module.bytes.count), commandLine: module.commandLine))
        }
        let information = MultibootInformation(commandLine: commandLine, modules: placed, memory: machine.memory)
        let at = information.place(avoiding: executable, after: end)
        let block = information.bytes(at: at)
        guard at + UInt64(block.count) <= ram else { throw BootRequest.tooSmall(name, ram, at + UInt64(block.count)) }
        machine.writePhysical(block, at: PhysicalAddress(at))
        machine.setBootState(.multiboot32(entry: executable.entry, information: UInt32(at)))
    }

    private static func pageAligned(_ address: UInt64) -> UInt64 { (address + Page.offsetMask) & ~Page.offsetMask }
}

/// The information structure and all it points to, as one block. Spec 3.3 "Boot information format".
struct MultibootInformation {
    struct Module {
        var range: Range<UInt64>
        var commandLine: String
    }
    var commandLine: String
    var modules: [Module]
    var memory: PhysicalMemory

    /// Below the EBDA and clear of the real-mode vectors and of page 0, where images put start-up code.
    private static let preferred: UInt64 = 0x9000
    private static let headerBytes = 88

    /// The preferred place, or behind everything else when the image or the block's size does not allow it.
    func place(avoiding image: ExecutableImage, after end: UInt64) -> UInt64 {
        let range = Self.preferred..<Self.preferred + UInt64(bytes(at: Self.preferred).count)
        guard range.upperBound <= FirmwareMemoryMap.conventionalEnd else { return end }
        return image.segments.contains { $0.isLoaded.overlaps(range) } ? end : Self.preferred
    }

    func bytes(at address: UInt64) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: Self.headerBytes)
        func here() -> UInt32 { UInt32(truncatingIfNeeded: address) + UInt32(block.count) }
        func set(_ value: UInt32, at offset: Int) {
            for i in 0..<4 { block[offset + i] = UInt8(truncatingIfNeeded: value >> UInt32(8 * i)) }
        }
        func append(_ value: UInt64, _ size: Int) {
            for i in 0..<size { block.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * i))) }
        }
        func appendString(_ text: String) -> UInt32 {
            let at = here()
            block += Array(text.utf8) + [0]
            return at
        }
        let commandLineAt = appendString(commandLine)
        let loaderAt = appendString("lvdsim")
        let moduleStrings = modules.map { appendString($0.commandLine) }
        while block.count & 7 != 0 { block.append(0) }
        let modulesAt = here()
        for (module, string) in zip(modules, moduleStrings) {
            append(module.range.lowerBound, 4)
            append(module.range.upperBound, 4)
            append(UInt64(string), 4)
            append(0, 4)
        }
        let mapAt = here()
        for entry in FirmwareMemoryMap.entries(memory) {
            append(20, 4)
            append(entry.base, 8)
            append(entry.length, 8)
            append(UInt64(entry.type), 4)
        }
        let mapBytes = here() - mapAt
        // Memory sizes, command line, modules, memory map, loader's name.
        set(1 << 0 | 1 << 2 | 1 << 3 | 1 << 6 | 1 << 9, at: 0)
        set(UInt32(FirmwareMemoryMap.conventionalEnd >> 10), at: 4)
        set(UInt32((max(memory.lowBytes, 0x10_0000) - 0x10_0000) >> 10), at: 8)
        set(commandLineAt, at: 16)
        set(UInt32(modules.count), at: 20)
        set(modulesAt, at: 24)
        set(mapBytes, at: 44)
        set(mapAt, at: 48)
        set(loaderAt, at: 64)
        return block
    }
}
