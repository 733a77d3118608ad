import DriverImage

/// Little-endian fields of a table in a guest image.
struct TableReader {
    let bytes: [UInt8]

    func word(_ offset: Int) -> UInt64 {
        bytes[offset..<(offset + 8)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    func half(_ offset: Int) -> UInt32 {
        bytes[offset..<(offset + 4)].reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }
    /// A fixed-size field holding a NUL-terminated string.
    func text(_ offset: Int, _ size: Int) -> String {
        let field = bytes[offset..<(offset + size)]
        return String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
    }
}

/// The tables that the guest kernel's image carries for its loader (Sources/Guest/include/lvd/boot.h).
struct GuestTables {
    /// What a driver inside the kernel may import.
    var exports: [String: UInt64]
    /// What a domain may import.
    var sharedExports: [String: UInt64]
    var vmFunctionSites: [VMFunctionSite]
    var sharedRanges: [SharedRange]
    var procedureNames: [ProcedureName]

    init(_ kernel: ELFObject) throws(ImageError) {
        exports = try Self.exports(kernel, ".lvd_export")
        sharedExports = try Self.exports(kernel, ".lvd_shared_export")
        vmFunctionSites = []
        for (table, offset) in try Self.entries(kernel, ".lvd_vmfunc_sites", size: 16) {
            vmFunctionSites.append(VMFunctionSite(
                address: .init(table.word(offset)), expectedECX: table.half(offset + 8)))
        }
        sharedRanges = []
        for (table, offset) in try Self.entries(kernel, ".lvd_shared_ranges", size: 64) {
            let start = table.word(offset)
            let end = table.word(offset + 8)
            let permissions = table.half(offset + 16)
            guard start < end, start % 4096 == 0, end % 4096 == 0,
                let backing = SharedRange.Backing(rawValue: table.half(offset + 20))
            else {
                throw ImageError(
                    .malformed, file: kernel.file,
                    at: .sectionOffset(section: ".lvd_shared_ranges", offset: UInt64(offset)),
                    found: "a range that is empty, not whole pages or of an unknown backing",
                    expected: "struct lvd_shared_range")
            }
            sharedRanges.append(SharedRange(
                name: table.text(offset + 24, 40), range: start..<end, writable: permissions & 2 != 0,
                executable: permissions & 4 != 0, backing: backing))
        }
        procedureNames = try Self.entries(kernel, ".lvd_rpc_names", size: 64).map { table, offset in
            ProcedureName(
                isCallback: table.half(offset) != 0, kind: table.half(offset + 4), number: table.half(offset + 8),
                name: table.text(offset + 16, 48))
        }
    }

    private static func exports(_ kernel: ELFObject, _ section: String) throws(ImageError) -> [String: UInt64] {
        var map: [String: UInt64] = [:]
        for (table, offset) in try entries(kernel, section, size: 64) {
            map[table.text(offset + 8, 56)] = table.word(offset)
        }
        return map
    }

    /// The entries of a table; none when the image has no such section.
    private static func entries(
        _ kernel: ELFObject, _ section: String, size: Int
    ) throws(ImageError) -> [(TableReader, Int)] {
        guard let bytes = kernel.bytes(ofSection: section) else { return [] }
        guard bytes.count % size == 0 else {
            throw ImageError(
                .malformed, file: kernel.file, at: .section(section), found: "\(bytes.count) bytes",
                expected: "entries of \(size) bytes")
        }
        let reader = TableReader(bytes: bytes)
        return stride(from: 0, to: bytes.count, by: size).map { (reader, $0) }
    }
}

/// `struct lvd_abi_slot`: where a build of the guest system keeps the layout of Linux structures.
enum ABITable {
    static let section = ".lvd_abi"
    static let slotSize = 64

    /// Overwrites every slot in `range` of `image` with the value the kernel's own types give.
    static func patch(
        _ image: inout [UInt8], _ range: Range<Int>, file: String, from kernel: LinuxKernel
    ) throws(ImageError) {
        guard range.count % slotSize == 0 else {
            throw ImageError(
                .malformed, file: file, at: .section(section), found: "\(range.count) bytes",
                expected: "slots of \(slotSize) bytes")
        }
        for start in stride(from: range.lowerBound, to: range.upperBound, by: slotSize) {
            let slot = TableReader(bytes: Array(image[start..<(start + slotSize)]))
            let value = try kernel.value(ofSlot: slot.text(4, slotSize - 4))
            for byte in 0..<4 { image[start + byte] = UInt8(truncatingIfNeeded: value >> UInt32(8 * byte)) }
        }
    }
}
