import DriverImage
import X86Architecture
import X86Machine

/// The direct boot protocol of Xen's HVM guests: an ELF note names a 32-bit entry. Xen, docs/misc/pvh.pandoc and
/// public/arch-x86/hvm/start_info.h.
enum PVHLoader {
    /// XEN_ELFNOTE_PHYS32_ENTRY.
    private static let noteType: UInt32 = 18
    /// Above the real-mode vectors and page 0; behind the image when that uses low memory itself.
    private static let preferred: UInt64 = 0x7000

    static func entry(_ executable: ExecutableImage, _ bytes: [UInt8]) -> UInt32? {
        guard let note = executable.note(owner: "Xen", type: noteType, in: bytes), note.count >= 4 else { return nil }
        return UInt32(ImageReader(bytes: bytes, name: "").integer(at: note.lowerBound, 4))
    }

    static func load(_ request: BootRequest, into machine: Machine) throws(ImageError) {
        let reader = ImageReader(bytes: request.image, name: request.name)
        let executable = try ExecutableImage(request.image, name: request.name)
        guard let entry = entry(executable, request.image) else {
            throw reader.unsupported(nil, found: "no note of type 18 by \"Xen\"",
                                     expected: "an ELF image with a PVH entry point")
        }
        guard executable.segments.contains(where: { $0.isLoaded.contains(UInt64(entry)) }) else {
            throw reader.malformed(nil, found: "the PVH entry point \(hex(entry))",
                                   expected: "an address inside a segment")
        }
        let ram = machine.memory.lowBytes
        guard executable.end <= ram else { throw BootRequest.tooSmall(request.name, ram, executable.end) }
        for segment in executable.segments {
            machine.writePhysical(Array(request.image[segment.contents]), at: PhysicalAddress(segment.physical))
        }
        var end = pageAligned(max(executable.end, 0x10_0000))
        var placed: [(start: UInt64, module: BootModule)] = []
        for module in request.modules {
            placed.append((end, module))
            let next = pageAligned(end + UInt64(module.bytes.count))
            guard next <= ram else { throw BootRequest.tooSmall(request.name, ram, next) }
            machine.writePhysical(module.bytes, at: PhysicalAddress(end))
            end = next
        }
        func block(_ at: UInt64) -> [UInt8] { startInformation(request, placed, machine.memory, at: at) }
        let low = preferred..<preferred + UInt64(block(preferred).count)
        let isFree = low.upperBound <= FirmwareMemoryMap.conventionalEnd
            && !executable.segments.contains { $0.isLoaded.overlaps(low) }
        let at = isFree ? preferred : end
        guard at + UInt64(low.count) <= ram else {
            throw BootRequest.tooSmall(request.name, ram, at + UInt64(low.count))
        }
        machine.writePhysical(block(at), at: PhysicalAddress(at))
        machine.setBootState(.pvh32(entry: entry, startInformation: UInt32(truncatingIfNeeded: at)))
    }

    private static func pageAligned(_ address: UInt64) -> UInt64 { (address + Page.offsetMask) & ~Page.offsetMask }

    /// `struct hvm_start_info`, version 1, and all it points to.
    private static func startInformation(
        _ request: BootRequest, _ modules: [(start: UInt64, module: BootModule)], _ memory: PhysicalMemory,
        at address: UInt64
    ) -> [UInt8] {
        var t = TableBytes(count: 56)
        func here() -> UInt64 { address + UInt64(t.bytes.count) }
        func string(_ text: String) -> UInt64 {
            let at = here()
            t.bytes += Array(text.utf8) + [0]
            return at
        }
        func align() { while t.bytes.count & 7 != 0 { t.bytes.append(0) } }
        t.set(0x336E_C578, 4, at: 0)
        t.set(1, 4, at: 4)
        t.set(UInt64(modules.count), 4, at: 12)
        t.set(string(request.commandLine), 8, at: 24)
        let words = modules.map { string($0.module.commandLine) }
        align()
        if !modules.isEmpty { t.set(here(), 8, at: 16) }
        for ((start, module), words) in zip(modules, words) {
            for value in [start, UInt64(module.bytes.count), words, 0] { t.append(value, 8) }
        }
        t.set(request.hasACPI ? ACPITables.rootPointer : 0, 8, at: 32)
        let map = FirmwareMemoryMap.entries(memory)
        t.set(here(), 8, at: 40)
        t.set(UInt64(map.count), 4, at: 48)
        for entry in map {
            t.append(entry.base, 8)
            t.append(entry.length, 8)
            t.append(UInt64(entry.type), 8)
        }
        return t.bytes
    }
}
