import CELF

/// An ELF64 little-endian x86-64 file, read through libelf.
///
/// libelf finds and converts the tables; every offset, size, index and name is checked here before it is used, so that
/// the worst a corrupt file can do is an `ImageError`.
public struct ELFObject: ObjectFileReader {
    public let file: String
    public let kind: ObjectKind
    public let entry: UInt64
    public let sections: [ImageSection]
    public let symbols: [ImageSymbol]
    public let loadSegments: [ImageLoadSegment]
    /// Appended to a signed kernel module, behind the ELF file proper.
    public let signature: ModuleSignature?
    public let contents: FileContents
    private let relocationTables: [[ImageRelocation]?]

    public init(path: String) throws(ImageError) {
        try self.init(FileContents(path: path))
    }

    public init(name: String, bytes: [UInt8]) throws(ImageError) {
        try self.init(FileContents(name: name, bytes: bytes))
    }

    public init(_ contents: FileContents) throws(ImageError) {
        self.contents = contents
        file = contents.name
        signature = try ModuleSignature(contents)
        kind = try ELFHeader.check(contents)
        let tables = try ELFTables(contents)
        defer { tables.close() }
        entry = tables.entry
        sections = try tables.readSections()
        loadSegments = try tables.readLoadSegments()
        symbols = try tables.readSymbols(sections)
        relocationTables = try tables.readRelocations(sections, symbolCount: symbols.count, kind: kind)
    }

    public func bytes(ofSection index: Int) -> [UInt8] {
        let section = sections[index]
        guard section.hasBytes else { return [] }
        return contents.bytes(Int(section.offset)..<Int(section.offset + section.size))
    }

    public func relocations(ofSection index: Int) -> [ImageRelocation] { relocationTables[index] ?? [] }
}

/// System V gABI, "ELF Header": what must hold before libelf sees the file.
enum ELFHeader {
    static let size = 64

    static func check(_ contents: FileContents) throws(ImageError) -> ObjectKind {
        func error(_ kind: ImageError.Kind, _ offset: UInt64, _ found: String, _ expected: String,
                   _ hint: String? = nil) -> ImageError {
            ImageError(kind, file: contents.name, at: .fileOffset(offset), found: found, expected: expected, hint: hint)
        }
        guard contents.count >= 4, contents.bytes(0..<4) == [0x7f, 0x45, 0x4c, 0x46] else {
            throw error(.malformed, 0, "no ELF magic", "an ELF file",
                        "a compressed module (.ko.xz, .ko.zst) must be decompressed first")
        }
        guard contents.count >= size else {
            throw error(.malformed, 0, "\(contents.count) bytes", "an ELF header of \(size) bytes")
        }
        let identity = contents.bytes(0..<16)
        guard identity[4] == 2 else {
            throw error(.unsupported, 4, "ELF class \(identity[4])", "64-bit objects (class 2)")
        }
        guard identity[5] == 1 else {
            throw error(.unsupported, 5, "data encoding \(identity[5])", "little-endian (1)")
        }
        guard identity[6] == 1 else { throw error(.malformed, 6, "ELF version \(identity[6])", "version 1") }
        let machine = contents.integer(at: 18, as: UInt16.self)
        guard machine == 62 else {
            throw error(.unsupported, 18, "machine \(machine)\(machineName(machine))", "x86-64 (62)",
                        "this tool runs x86-64 images only")
        }
        let kind: ObjectKind
        switch contents.integer(at: 16, as: UInt16.self) {
        case 1: kind = .relocatable
        case 2: kind = .executable
        case 3: kind = .shared
        case let type:
            throw error(.unsupported, 16, "ELF type \(type)", "a relocatable (1), executable (2) or shared (3) file")
        }
        try checkTable(contents, "section header table", offsetAt: 40, entrySizeAt: 58, countAt: 60, entrySize: 64)
        try checkTable(contents, "program header table", offsetAt: 32, entrySizeAt: 54, countAt: 56, entrySize: 56)
        return kind
    }

    private static func checkTable(
        _ contents: FileContents, _ what: String, offsetAt: Int, entrySizeAt: Int, countAt: Int, entrySize: UInt64
    ) throws(ImageError) {
        let offset = contents.integer(at: offsetAt, as: UInt64.self)
        let count = contents.integer(at: countAt, as: UInt16.self)
        guard offset != 0 || count != 0 else { return }
        let stated = contents.integer(at: entrySizeAt, as: UInt16.self)
        guard UInt64(stated) == entrySize else {
            throw ImageError(
                .malformed, file: contents.name, at: .fileOffset(UInt64(entrySizeAt)),
                found: "\(what) entries of \(stated) bytes", expected: "\(entrySize)")
        }
        // Extended numbering (a count in section 0) begins at 65,280 entries: no module comes near.
        guard count != 0 && count < 0xff00 else {
            throw ImageError(
                .unsupported, file: contents.name, at: .fileOffset(UInt64(countAt)),
                found: "\(what) with \(count) entries", expected: "1 to 65279")
        }
        guard offset >= UInt64(size), contents.holds(offset, UInt64(count) * entrySize) else {
            throw ImageError(
                .malformed, file: contents.name, at: .fileOffset(UInt64(offsetAt)),
                found: "\(what) of \(count) entries at \(hex(offset)) in a file of \(contents.count) bytes",
                expected: "a table inside the file", hint: "the file is truncated or its header is damaged")
        }
    }

    private static func machineName(_ machine: UInt16) -> String {
        switch machine {
        case 3: " (i386)"
        case 40: " (Arm)"
        case 183: " (AArch64)"
        case 243: " (RISC-V)"
        default: ""
        }
    }
}
