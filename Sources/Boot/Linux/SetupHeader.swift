import DriverImage

/// The setup header of a bzImage. Linux, Documentation/x86/boot.rst, "The Real-Mode Kernel Header"; offsets are those
/// of the file and of `struct boot_params` alike.
struct SetupHeader {
    /// What xloadflags says: the protected-mode part has a 64-bit entry at 0x200.
    var has64BitEntry: Bool
    /// Offset in the file of what is loaded.
    var protectedModeOffset: Int
    /// Highest address for the initial RAM disk.
    var initrdAddressMax: UInt64
    var commandLineBytes: Int
    /// Where the kernel wants to end up, and the room that it needs there until it reads its memory map.
    var preferredAddress: UInt64
    var initSize: UInt64
    /// The header's bytes, to be copied into `boot_params`.
    var bytes: Range<Int>

    static let start = 0x1F1

    static func isPresent(_ bytes: [UInt8]) -> Bool {
        bytes.count >= 0x206 && bytes[0x1FE] == 0x55 && bytes[0x1FF] == 0xAA
            && Array(bytes[0x202..<0x206]) == Array("HdrS".utf8)
    }

    init(_ reader: ImageReader) throws(ImageError) {
        guard Self.isPresent(reader.bytes) else {
            throw reader.malformed(0x202, found: "no setup header",
                                   expected: "0xAA55 at 0x1FE and \"HdrS\" (a bzImage)")
        }
        guard reader.bytes.count >= 0x268 else {
            throw reader.malformed(0x1F1, found: "\(reader.bytes.count) bytes",
                                   expected: "a setup header that ends at 0x268: the file is truncated")
        }
        let version = reader.integer(at: 0x206, 2)
        guard version >= 0x20C else {
            throw reader.unsupported(0x206, found: "boot protocol \(version >> 8).\(version & 0xFF)",
                                     expected: "2.12 or later (Linux 3.8)")
        }
        guard reader.integer(at: 0x211, 1) & 1 != 0 else {
            throw reader.unsupported(0x211, found: "a kernel that is loaded low (zImage)", expected: "a bzImage")
        }
        let end = 0x202 + Int(reader.bytes[0x201])
        guard end >= 0x268, end <= 0x290 else {
            throw reader.malformed(0x201, found: "a setup header that ends at \(hex(end))",
                                   expected: "an end between 0x268 and 0x290")
        }
        let sectors = reader.integer(at: Self.start, 1)
        protectedModeOffset = (Int(sectors == 0 ? 4 : sectors) + 1) * 512
        let payloadEnd = UInt64(protectedModeOffset) + reader.integer(at: 0x248, 4) + reader.integer(at: 0x24C, 4)
        let stated = UInt64(protectedModeOffset) + reader.integer(at: 0x1F4, 4) * 16
        guard max(payloadEnd, stated) <= UInt64(reader.bytes.count) else {
            throw reader.malformed(0x24C, found: "a kernel of \(max(payloadEnd, stated)) bytes by its setup header",
                                   expected: "no more than the file's \(reader.bytes.count) bytes: it is truncated")
        }
        has64BitEntry = reader.integer(at: 0x236, 2) & 1 != 0
        initrdAddressMax = reader.integer(at: 0x22C, 4)
        commandLineBytes = Int(reader.integer(at: 0x238, 4))
        preferredAddress = reader.integer(at: 0x258, 8)
        initSize = reader.integer(at: 0x260, 4)
        bytes = Self.start..<end
    }
}
