import DriverImage
import X86Architecture
import X86Machine

/// Boots Linux without firmware: a bzImage, or the vmlinux inside it, by the 64-bit or the 32-bit boot protocol.
/// Linux, Documentation/x86/boot.rst.
enum LinuxLoader {
    /// Low memory that the loader uses; the kernel has copied all of it before it reuses the place.
    private enum Low {
        static let gdt: UInt64 = 0x6000, bootParameters: UInt64 = 0x7000, commandLine: UInt64 = 0x8000
        static let pageTables: UInt64 = 0x9000
    }
    /// Where the protected-mode part of a bzImage is loaded by custom; it moves itself to where it wants to be.
    private static let protectedModeStart: UInt64 = 0x10_0000
    /// COMMAND_LINE_SIZE of x86, without the terminating zero.
    private static let defaultCommandLineBytes = 2047
    private static let defaultInitrdMax: UInt64 = 0x7FFF_FFFF

    /// - Parameter is32: enter in 32-bit protected mode.
    static func load(_ request: BootRequest, is32: Bool, into machine: Machine) throws(ImageError) {
        let reader = ImageReader(bytes: request.image, name: request.name)
        let memory = machine.memory
        var parameters = TableBytes(count: 4096)
        let end: UInt64, entry: UInt64
        var initrdMax = defaultInitrdMax, commandLineBytes = defaultCommandLineBytes
        if SetupHeader.isPresent(request.image) {
            let header = try SetupHeader(reader)
            parameters.bytes.replaceSubrange(header.bytes, with: request.image[header.bytes])
            let kernel = Array(request.image[header.protectedModeOffset...])
            end = max(protectedModeStart + UInt64(kernel.count), header.preferredAddress &+ header.initSize)
            try check(reader, needs: end, memory)
            machine.writePhysical(kernel, at: PhysicalAddress(protectedModeStart))
            guard is32 || header.has64BitEntry else {
                throw reader.unsupported(0x236, found: "a kernel without a 64-bit entry", expected: "XLF_KERNEL_64",
                                         hint: "--protocol linux32 enters it in 32-bit mode")
            }
            entry = protectedModeStart + (is32 ? 0 : 0x200)
            initrdMax = header.initrdAddressMax
            commandLineBytes = header.commandLineBytes
        } else {
            let executable = try ExecutableImage(request.image, name: request.name)
            guard executable.is64, !is32 else {
                throw reader.unsupported(4, found: "an ELF file", expected: "a bzImage, for the 32-bit boot protocol",
                                         hint: "a vmlinux is entered in 64-bit mode, or by --protocol pvh")
            }
            end = executable.end
            try check(reader, needs: end, memory)
            for segment in executable.segments {
                machine.writePhysical(Array(request.image[segment.contents]), at: PhysicalAddress(segment.physical))
            }
            entry = UInt64(executable.entry)
            synthesizeHeader(&parameters)
        }
        let commandLine = Array(request.commandLine.utf8)
        guard commandLine.count <= commandLineBytes else {
            throw reader.mismatch(nil, found: "a command line of \(commandLine.count) bytes",
                                  expected: "at most \(commandLineBytes)", hint: "shorten --append")
        }
        machine.writePhysical(commandLine + [0], at: PhysicalAddress(Low.commandLine))
        try placeInitrd(request, &parameters, above: end, max: initrdMax, reader, machine)
        finish(&parameters, memory, rootPointer: request.hasACPI ? ACPITables.rootPointer : 0)
        machine.writePhysical(parameters.bytes, at: PhysicalAddress(Low.bootParameters))
        machine.writePhysical(GuestDescriptors.linuxGDT(is32: is32), at: PhysicalAddress(Low.gdt))
        if is32 {
            machine.setBootState(
                .linux32(entry: UInt32(truncatingIfNeeded: entry), parameters: UInt32(Low.bootParameters),
                         gdt: Low.gdt))
        } else {
            machine.writePhysical(GuestDescriptors.identityMap(at: Low.pageTables),
                                  at: PhysicalAddress(Low.pageTables))
            machine.setBootState(
                .linux64(entry: entry, parameters: Low.bootParameters, pageTables: Low.pageTables, gdt: Low.gdt))
        }
    }

    private static func check(_ reader: ImageReader, needs end: UInt64, _ memory: PhysicalMemory) throws(ImageError) {
        guard end <= memory.lowBytes else { throw BootRequest.tooSmall(reader.name, memory.lowBytes, end) }
    }

    /// What a boot loader for bzImages would have copied from the image. boot.rst, "The Real-Mode Kernel Header".
    private static func synthesizeHeader(_ p: inout TableBytes) {
        p.set(0xAA55, 2, at: 0x1FE)
        p.set("HdrS", at: 0x202)
        p.set(0x20F, 2, at: 0x206)
        p.set(1, 1, at: 0x211)  // LOADED_HIGH
        p.set(defaultInitrdMax, 4, at: 0x22C)
        p.set(0x20_0000, 4, at: 0x230)
        p.set(UInt64(defaultCommandLineBytes), 4, at: 0x238)
    }

    /// As high as the kernel and the memory allow, as boot loaders do.
    private static func placeInitrd(
        _ request: BootRequest, _ p: inout TableBytes, above end: UInt64, max: UInt64, _ reader: ImageReader,
        _ machine: Machine
    ) throws(ImageError) {
        guard let initrd = request.modules.first else { return }
        let top = min(machine.memory.lowBytes, max &+ 1)
        let size = UInt64(initrd.bytes.count)
        guard size <= top, (top - size) & ~Page.offsetMask >= end else {
            throw BootRequest.tooSmall(reader.name, top, end + size + Page.size)
        }
        let start = (top - size) & ~Page.offsetMask
        machine.writePhysical(initrd.bytes, at: PhysicalAddress(start))
        p.set(start, 4, at: 0x218)
        p.set(size, 4, at: 0x21C)
    }

    /// Loader type "unassigned", the command line, the memory map. Linux, Documentation/x86/zero-page.rst.
    private static func finish(_ p: inout TableBytes, _ memory: PhysicalMemory, rootPointer: UInt64) {
        p.set(0xFF, 1, at: 0x210)
        p.set(Low.commandLine, 4, at: 0x228)
        p.set(rootPointer, 8, at: 0x70)
        let map = FirmwareMemoryMap.entries(memory)
        p.set(UInt64(map.count), 1, at: 0x1E8)
        for (n, entry) in map.enumerated() {
            p.set(entry.base, 8, at: 0x2D0 + 20 * n)
            p.set(entry.length, 8, at: 0x2D8 + 20 * n)
            p.set(UInt64(entry.type), 4, at: 0x2E0 + 20 * n)
        }
    }
}

/// What the processor needs in memory to be in a 64-bit or flat 32-bit mode.
enum GuestDescriptors {
    /// Selectors 0x10 (code) and 0x18 (data): __BOOT_CS and __BOOT_DS. SDM 3A 3.4.5 "Segment Descriptors".
    static func linuxGDT(is32: Bool) -> [UInt8] {
        var t = TableBytes(count: 32)
        t.set(is32 ? 0x00CF_9B00_0000_FFFF : 0x00AF_9B00_0000_FFFF, 8, at: 0x10)
        t.set(0x00CF_9300_0000_FFFF, 8, at: 0x18)
        return t.bytes
    }

    /// The first 4 GiB mapped one to one by 2-MiB pages: six pages of tables. SDM 3A 4.5 "4-Level Paging".
    static func identityMap(at address: UInt64) -> [UInt8] {
        var t = TableBytes(count: 6 * 4096)
        t.set(address + 0x1000 | 3, 8, at: 0)
        for n in 0..<4 { t.set(address + 0x2000 + UInt64(n) << 12 | 3, 8, at: 0x1000 + 8 * n) }
        for n in 0..<2048 { t.set(UInt64(n) << 21 | 0x83, 8, at: 0x2000 + 8 * n) }
        return t.bytes
    }
}
