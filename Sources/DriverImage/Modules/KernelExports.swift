/// What a kernel or module exports (EXPORT_SYMBOL) and the CRC of each export's prototype (MODVERSIONS).
///
/// `struct kernel_symbol { int value_offset, name_offset, namespace_offset; }` in `__ksymtab` and `__ksymtab_gpl`
/// (include/linux/export.h with CONFIG_HAVE_ARCH_PREL32_RELOCATIONS), each with a CRC of the same index in `__kcrctab`
/// or `__kcrctab_gpl`. They survive in the stripped vmlinux of a distribution's bzImage.
public struct KernelExports: Sendable {
    public let crcs: [String: UInt32]

    /// An executable kernel: the tables hold final, place-relative values.
    public init(_ vmlinux: ELFObject) throws(ImageError) {
        var crcs: [String: UInt32] = [:]
        for suffix in ["", "_gpl"] {
            guard let table = vmlinux.section(named: "__ksymtab" + suffix) else { continue }
            try Self.read(vmlinux, table: table, crcTable: "__kcrctab" + suffix, into: &crcs)
        }
        self.crcs = crcs
    }

    private static func read(
        _ file: ELFObject, table index: Int, crcTable: String, into crcs: inout [String: UInt32]
    ) throws(ImageError) {
        let table = file.sections[index]
        func malformed(_ offset: UInt64, _ found: String, _ expected: String) -> ImageError {
            file.error(
                .malformed, at: .sectionOffset(section: table.name, offset: offset), found: found, expected: expected)
        }
        guard table.hasBytes, table.size % 12 == 0 else {
            throw malformed(0, "\(table.size) bytes", "entries of 12 bytes")
        }
        let count = table.size / 12
        guard let crcIndex = file.section(named: crcTable), file.sections[crcIndex].hasBytes,
            file.sections[crcIndex].size == count * 4
        else { throw malformed(0, "no \(crcTable) of \(count) entries", "a CRC for each export (MODVERSIONS)") }
        guard let stringsIndex = file.section(named: "__ksymtab_strings"), file.sections[stringsIndex].hasBytes else {
            throw malformed(0, "no __ksymtab_strings", "the names of the exports")
        }
        let strings = file.sections[stringsIndex]
        let crcStart = Int(file.sections[crcIndex].offset)
        for entry in 0..<Int(count) {
            let offset = UInt64(entry) * 12 + 4
            let distance = file.contents.integer(at: Int(table.offset + offset), as: Int32.self)
            let address = table.address &+ offset &+ UInt64(bitPattern: Int64(distance))
            let place = address &- strings.address
            guard place < strings.size,
                let name = file.contents.string(
                    at: Int(strings.offset + place), limit: Int(strings.offset + strings.size))
            else { throw malformed(offset, "a name at \(hex(address))", "a name in __ksymtab_strings") }
            crcs[name] = file.contents.integer(at: crcStart + entry * 4, as: UInt32.self)
        }
    }

    /// Checks a module against this kernel the way the kernel's `check_version` does.
    /// - Throws: `.mismatch` naming the first symbol whose CRC differs.
    public func check(_ module: ModuleMetadata, file: String, kernel: String) throws(ImageError) {
        for version in module.versions {
            // An export of another module that this one depends on is not in the kernel's table.
            guard let crc = crcs[version.name], crc != version.crc else { continue }
            throw ImageError(
                .mismatch, file: file, at: .symbol(version.name), found: "CRC \(hex(version.crc))",
                expected: "\(hex(crc)), as in \(kernel)",
                hint: "the module was built against another kernel; its structures may be laid out otherwise")
        }
    }
}
