import DriverImage

/// A 64-bit image as a 32-bit ELF file with the same bytes at the same physical addresses: what multiboot loaders that
/// know no 64-bit ELF take (QEMU's `-kernel`).
enum ELF32Image {
    private static let headerBytes = 52
    private static let programHeaderBytes = 32
    private static let pageBytes = 4096

    /// - Parameter file: the image's name, for messages.
    /// - Throws: `ImageError` when a segment or the entry is not below 4 GiB.
    static func make(_ image: [UInt8], file: String) throws(ImageError) -> [UInt8] {
        let elf = try ELFObject(name: file, bytes: image)
        let segments = elf.loadSegments.filter { $0.memorySize > 0 }
        func narrow(_ value: UInt64, _ what: String) throws(ImageError) -> UInt32 {
            guard let result = UInt32(exactly: value) else {
                throw ImageError(
                    .unsupported, file: file, at: .file, found: "\(what) 0x\(String(value, radix: 16))",
                    expected: "one below 4 GiB")
            }
            return result
        }
        var entry = elf.entry
        for segment in segments where elf.entry >= segment.linearAddress {
            let offset = elf.entry - segment.linearAddress
            if offset < segment.memorySize { entry = segment.physicalAddress &+ offset }
        }
        var header: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 1, 1, 1] + [UInt8](repeating: 0, count: 9)
        func append<T: FixedWidthInteger>(_ value: T) {
            withUnsafeBytes(of: value.littleEndian) { header.append(contentsOf: $0) }
        }
        append(UInt16(2))  // ET_EXEC
        append(UInt16(3))  // EM_386
        append(UInt32(1))
        append(try narrow(entry, "entry"))
        append(UInt32(headerBytes))
        append(UInt32(0))
        append(UInt32(0))
        append(UInt16(headerBytes))
        append(UInt16(programHeaderBytes))
        append(UInt16(segments.count))
        append(UInt16(40))
        append(UInt16(0))
        append(UInt16(0))
        let contentStart = (headerBytes + segments.count * programHeaderBytes + pageBytes - 1) / pageBytes * pageBytes
        var contents: [UInt8] = []
        for segment in segments {
            let physical = try narrow(segment.physicalAddress, "segment")
            append(UInt32(1))  // PT_LOAD
            append(try narrow(UInt64(contentStart + contents.count), "file offset"))
            append(physical)
            append(physical)
            append(try narrow(segment.fileSize, "size"))
            append(try narrow(segment.memorySize, "size"))
            append(UInt32(7))
            append(UInt32(pageBytes))
            contents += image[Int(segment.offset)..<Int(segment.offset + segment.fileSize)]
            while contents.count % pageBytes != 0 { contents.append(0) }
        }
        return header + [UInt8](repeating: 0, count: contentStart - header.count) + contents
    }
}

/// A file of an exported guest system.
public struct ExportedFile: Sendable {
    public var name: String
    public var bytes: [UInt8]
}

extension LVDSystem {
    /// The files with which any multiboot-1 loader boots this system elsewhere, the kernel first, and the options that
    /// make QEMU do it in the folder they are in.
    public func export() throws(ImageError) -> (files: [ExportedFile], qemu: [String]) {
        var files = [
            ExportedFile(name: "kernel.elf", bytes: kernelImage),
            ExportedFile(
                name: "kernel32.elf", bytes: try ELF32Image.make(kernelImage, file: configuration.kernelImage)),
        ]
        var initrd: [String] = []
        for (index, module) in modules.enumerated() {
            let name = "module\(index)"
            files.append(ExportedFile(name: name, bytes: module.bytes))
            initrd.append("\(name) \(module.commandLine)")
        }
        // The loader puts the image's path first, as our command line does.
        let arguments = commandLine.split(separator: " ").dropFirst().joined(separator: " ")
        let qemu = [
            "-kernel", "kernel32.elf", "-append", arguments, "-initrd", initrd.joined(separator: ","),
            "-m", "\(configuration.memoryBytes >> 20)", "-smp", "\(configuration.processorCount)", "-cpu", "max",
            "-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-serial", "stdio", "-display", "none", "-no-reboot",
        ]
        return (files, qemu)
    }
}
