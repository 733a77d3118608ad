import DriverImage

/// What an ELF image is: its parts, and for a module what it says of itself and what it needs.
public struct ImageReport: Sendable {
    private let object: ELFObject
    private let metadata: ModuleMetadata?

    /// - Throws: `ImageError` when a module's own information is malformed.
    public init(_ object: ELFObject) throws(ImageError) {
        self.object = object
        metadata = object.kind == .relocatable ? try ModuleMetadata(object) : nil
    }

    private var kind: String {
        switch object.kind {
        case .relocatable: metadata?.thisModule == nil ? "relocatable object" : "kernel module"
        case .executable: "executable"
        case .shared: "shared object"
        }
    }
    private var imports: [String] {
        object.symbols.filter { $0.place == .undefined && !$0.name.isEmpty }.map(\.name).sorted()
    }
    private var sections: [(index: Int, section: ImageSection)] {
        object.sections.enumerated().filter { $1.isAllocated && $1.size > 0 }.map { ($0, $1) }
    }
    /// Count per relocation type, ascending.
    private var relocations: [(type: UInt32, count: UInt64)] {
        var counts: [UInt32: UInt64] = [:]
        for index in object.sections.indices where object.sections[index].isAllocated {
            for relocation in object.relocations(ofSection: index) { counts[relocation.type, default: 0] += 1 }
        }
        return counts.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
    private func rights(_ section: ImageSection) -> String {
        "r" + (section.isWritable ? "w" : "-") + (section.isExecutable ? "x" : "-")
    }

    public var text: String {
        var table = TextTable()
        table.heading("\(baseName(object.file)): \(kind), ELF64 x86-64")
        if object.kind != .relocatable { table.line("entry  0x\(String(object.entry, radix: 16))") }
        for (label, value) in moduleLines { table.line("\(label)  \(value)") }
        table.line("sections in memory:")
        for (_, section) in sections {
            table.add("  " + section.name, section.size, rights(section))
        }
        let types = relocations
        if !types.isEmpty {
            table.line("relocations:")
            for (type, count) in types { table.add("  " + Self.name(ofRelocation: type), count) }
        }
        let names = imports
        if !names.isEmpty { table.line("imports (\(names.count)): " + names.joined(separator: " ")) }
        return table.text
    }

    private var moduleLines: [(String, String)] {
        guard let metadata else { return [] }
        var lines: [(String, String)] = []
        if let name = metadata.name { lines.append(("name", name)) }
        if let magic = metadata.versionMagic { lines.append(("built for", magic)) }
        if let license = metadata.license { lines.append(("license", license)) }
        if !metadata.dependencies.isEmpty { lines.append(("depends on", metadata.dependencies.joined(separator: " "))) }
        if metadata.hasModuleVersions { lines.append(("symbol versions", "\(metadata.versions.count)")) }
        if let signature = object.signature {
            lines.append(("signature", "\(signature.byteCount) bytes, not verified"))
        }
        return lines
    }

    public var json: JSONValue {
        .object([
            ("image", .string(baseName(object.file))),
            ("kind", .string(kind)),
            ("entry", object.kind == .relocatable ? .null : .hex(object.entry)),
            (
                "module",
                metadata == nil
                    ? .null
                    : .object([
                        ("name", .optional(metadata?.name)),
                        ("versionMagic", .optional(metadata?.versionMagic)),
                        ("license", .optional(metadata?.license)),
                        ("dependsOn", .array((metadata?.dependencies ?? []).map(JSONValue.string))),
                        ("symbolVersions", .count(metadata?.versions.count ?? 0)),
                        ("signed", .bool(object.signature != nil))
                    ])
            ),
            (
                "sections",
                .array(
                    sections.map { _, section in
                        .object([
                            ("name", .string(section.name)), ("bytes", .count(section.size)),
                            ("rights", .string(rights(section)))
                        ])
                    })
            ),
            ("relocations", .object(relocations.map { (Self.name(ofRelocation: $0.type), .count($0.count)) })),
            ("imports", .array(imports.map(JSONValue.string)))
        ])
    }

    /// System V psABI for AMD64, "Relocation Types".
    private static func name(ofRelocation type: UInt32) -> String {
        let names: [UInt32: String] = [0: "NONE", 1: "64", 2: "PC32", 4: "PLT32", 10: "32", 11: "32S", 24: "PC64"]
        return "R_X86_64_" + (names[type] ?? "\(type)")
    }
}
