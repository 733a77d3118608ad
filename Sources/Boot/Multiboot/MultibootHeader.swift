import DriverImage

/// The header by which an image says that it is to be booted so. Multiboot Specification 0.6.96, 3.1 "OS image format".
enum MultibootHeader {
    private static let magic: UInt32 = 0x1BAD_B002
    private static let searchBytes = 8192

    /// Spec 3.1.1 "The layout of Multiboot header": within the first 8192 bytes, 4-byte aligned, three words that sum
    /// to 0.
    static func find(_ reader: ImageReader) -> (offset: Int, flags: UInt32)? {
        var at = 0
        while at + 12 <= min(reader.bytes.count, searchBytes) {
            let first = UInt32(reader.integer(at: at, 4)), flags = UInt32(reader.integer(at: at + 4, 4))
            if first == magic, first &+ flags &+ UInt32(reader.integer(at: at + 8, 4)) == 0 { return (at, flags) }
            at += 4
        }
        return nil
    }

    static func check(_ reader: ImageReader) throws(ImageError) {
        guard let (at, flags) = find(reader) else {
            throw reader.unsupported(nil, found: "no multiboot-1 header in the first \(searchBytes) bytes",
                                     expected: "magic \(hex(magic)), flags and checksum")
        }
        // Bits 0 and 1: page-aligned modules, memory map, both always given. Bits 2 to 15 are requirements.
        guard flags & 0xFFFC == 0 else {
            throw reader.unsupported(at + 4, found: "multiboot flags \(hex(flags))",
                                     expected: "no requirement but aligned modules and a memory map")
        }
        guard flags & 0x1_0000 == 0 else {
            throw reader.unsupported(at + 4, found: "load addresses in the multiboot header (bit 16)",
                                     expected: "an ELF image that is loaded by its program headers")
        }
    }
}
