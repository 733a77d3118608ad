/// What a Linux kernel module says about itself: `.modinfo`, `__versions`, `.gnu.linkonce.this_module`.
public struct ModuleMetadata: Sendable {
    /// One entry of `__versions`: the CRC of the prototype an import was compiled against (MODVERSIONS).
    public struct SymbolVersion: Sendable, Equatable {
        public var name: String
        public var crc: UInt32
    }

    /// `struct module` as the build laid it out, zero but for its name and two function pointers.
    public struct ThisModule: Sendable, Equatable {
        /// Section index.
        public var section: Int
        public var size: UInt64
        /// Offset of the pointer that the relocation to `init_module` fills.
        public var initOffset: UInt64?
        /// Offset of the pointer that the relocation to `cleanup_module` fills.
        public var cleanupOffset: UInt64?
    }

    /// `.modinfo` entries in file order.
    public let information: [(key: String, value: String)]
    public let versions: [SymbolVersion]
    public let thisModule: ThisModule?
    /// Sections that direct a kernel's code patching, with what happens to each here.
    public let patchSections: [PatchSection]

    public subscript(_ key: String) -> String? { information.first { $0.key == key }?.value }

    public var name: String? { self["name"] }
    public var license: String? { self["license"] }
    /// Release, preemption and options of the kernel it was built for: `6.1.0-56-amd64 SMP preempt mod_unload ...`.
    public var versionMagic: String? { self["vermagic"] }
    /// The first word of `vermagic`: what `uname -r` prints on that kernel.
    public var kernelRelease: String? {
        versionMagic.flatMap { $0.split(separator: " ").first.map { String($0) } }
    }
    /// Modules that must be loaded before it.
    public var dependencies: [String] {
        (self["depends"] ?? "").split(separator: ",").map { String($0) }
    }
    /// Names of its parameters, in file order.
    public var parameters: [String] {
        var names: [String] = []
        for (key, value) in information where key == "parm" || key == "parmtype" {
            let name = String(value.prefix { $0 != ":" })
            if !names.contains(name) { names.append(name) }
        }
        return names
    }
    /// Built with CONFIG_MODVERSIONS.
    public var hasModuleVersions: Bool { !versions.isEmpty }

    public init(_ object: some ObjectFileReader) throws(ImageError) {
        information = try Self.readInformation(object)
        versions = try Self.readVersions(object)
        thisModule = try Self.readThisModule(object)
        patchSections = object.sections.compactMap { PatchSection(named: $0.name, bytes: $0.size) }
    }

    /// NUL-terminated `key=value` strings, with padding NULs between them.
    private static func readInformation(
        _ object: some ObjectFileReader
    ) throws(ImageError) -> [(key: String, value: String)] {
        guard let bytes = object.bytes(ofSection: ".modinfo") else { return [] }
        var entries: [(key: String, value: String)] = []
        var start = 0
        while start < bytes.count {
            guard let end = bytes[start...].firstIndex(of: 0) else {
                throw object.error(
                    .malformed, at: .sectionOffset(section: ".modinfo", offset: UInt64(start)),
                    found: "a string without an end", expected: "NUL-terminated key=value")
            }
            if end > start {
                guard let equals = bytes[start..<end].firstIndex(of: 0x3d) else {
                    throw object.error(
                        .malformed, at: .sectionOffset(section: ".modinfo", offset: UInt64(start)),
                        found: "\"\(String(decoding: bytes[start..<end], as: UTF8.self))\"", expected: "key=value")
                }
                entries.append(
                    (
                        String(decoding: bytes[start..<equals], as: UTF8.self),
                        String(decoding: bytes[(equals + 1)..<end], as: UTF8.self)
                    ))
            }
            start = end + 1
        }
        return entries
    }

    /// `struct modversion_info { unsigned long crc; char name[56]; }` (include/linux/module.h).
    private static func readVersions(_ object: some ObjectFileReader) throws(ImageError) -> [SymbolVersion] {
        guard let bytes = object.bytes(ofSection: "__versions") else { return [] }
        guard bytes.count % 64 == 0 else {
            throw object.error(
                .malformed, at: .section("__versions"), found: "\(bytes.count) bytes", expected: "entries of 64 bytes")
        }
        var versions: [SymbolVersion] = []
        for start in stride(from: 0, to: bytes.count, by: 64) {
            let nameBytes = bytes[(start + 8)..<(start + 64)]
            guard let end = nameBytes.firstIndex(of: 0) else {
                throw object.error(
                    .malformed, at: .sectionOffset(section: "__versions", offset: UInt64(start)),
                    found: "a name without an end", expected: "a NUL-terminated name of at most 55 bytes")
            }
            let crc = bytes[start..<(start + 4)].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            versions.append(
                SymbolVersion(
                    name: String(decoding: bytes[(start + 8)..<end], as: UTF8.self), crc: crc))
        }
        return versions
    }

    private static func readThisModule(_ object: some ObjectFileReader) throws(ImageError) -> ThisModule? {
        guard let index = object.section(named: ".gnu.linkonce.this_module") else { return nil }
        let section = object.sections[index]
        var module = ThisModule(section: index, size: section.size)
        for relocation in object.relocations(ofSection: index) {
            let name = object.symbols[relocation.symbol].name
            guard name == "init_module" || name == "cleanup_module" else { continue }
            guard relocation.type == Relocation.absolute64.rawValue,
                section.size >= 8, relocation.offset <= section.size - 8
            else {
                throw object.error(
                    .malformed, at: .reference(symbol: name, section: section.name, offset: relocation.offset),
                    found: "relocation type \(relocation.type)", expected: "R_X86_64_64 inside the section")
            }
            if name == "init_module" { module.initOffset = relocation.offset }
            if name == "cleanup_module" { module.cleanupOffset = relocation.offset }
        }
        return module
    }
}
