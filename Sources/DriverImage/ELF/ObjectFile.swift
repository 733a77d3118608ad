/// Kinds of ELF file this tool takes.
public enum ObjectKind: Sendable, Equatable {
    /// ET_REL: a kernel module, an object.
    case relocatable
    /// ET_EXEC: the guest kernel and the monitor, vmlinux.
    case executable
    /// ET_DYN.
    case shared
}

/// One entry of the section header table.
public struct ImageSection: Sendable {
    public var name: String
    /// SHT_ value.
    public var type: UInt32
    /// SHF_ bits.
    public var flags: UInt64
    public var address: UInt64
    /// File offset; meaningless for SHT_NOBITS.
    public var offset: UInt64
    public var size: UInt64
    public var link: UInt32
    public var info: UInt32
    /// 1 when the file says 0.
    public var alignment: UInt64

    public var isAllocated: Bool { flags & 2 != 0 }
    public var isWritable: Bool { flags & 1 != 0 }
    public var isExecutable: Bool { flags & 4 != 0 }
    public var hasBytes: Bool { type != SectionType.noBits && type != SectionType.null }
}

/// System V gABI, "Sections": the types that are told apart here.
public enum SectionType {
    public static let null: UInt32 = 0
    public static let programBits: UInt32 = 1
    public static let symbolTable: UInt32 = 2
    public static let stringTable: UInt32 = 3
    public static let relocationsWithAddend: UInt32 = 4
    public static let note: UInt32 = 7
    public static let noBits: UInt32 = 8
    public static let relocations: UInt32 = 9
}

/// One PT_LOAD program header.
public struct ImageLoadSegment: Sendable, Equatable {
    public var offset: UInt64
    public var linearAddress: UInt64
    public var physicalAddress: UInt64
    public var fileSize: UInt64
    public var memorySize: UInt64
}

public struct ImageSymbol: Sendable {
    public enum Place: Sendable, Equatable {
        case undefined
        /// `value` is the address.
        case absolute
        /// `value` is the alignment.
        case common
        /// `value` is the offset in that section (ET_REL) or the address.
        case section(Int)
    }
    /// System V gABI, "Symbol Table": st_info's upper half.
    public enum Binding: Sendable, Equatable { case local, global, weak, other(UInt8) }
    public enum Kind: Sendable, Equatable { case none, object, function, section, file, other(UInt8) }

    public var name: String
    public var value: UInt64
    public var size: UInt64
    public var binding: Binding
    public var kind: Kind
    public var place: Place
}

/// One relocation with addend.
public struct ImageRelocation: Sendable {
    /// Offset in the section it applies to.
    public var offset: UInt64
    /// R_X86_64_ number.
    public var type: UInt32
    /// Index into `ObjectFileReader.symbols`.
    public var symbol: Int
    public var addend: Int64
}

/// An object file as the linker sees it. Whatever an implementation returns has been checked against the file's
/// bounds: section ranges, names, symbol and relocation tables.
public protocol ObjectFileReader: Sendable {
    /// The path as the user gave it.
    var file: String { get }
    var kind: ObjectKind { get }
    /// Entry address of an executable.
    var entry: UInt64 { get }
    /// Index 0 is the null section.
    var sections: [ImageSection] { get }
    /// Index 0 is the null symbol; empty without a symbol table.
    var symbols: [ImageSymbol] { get }
    var loadSegments: [ImageLoadSegment] { get }
    /// The bytes of a section; zeros are not made up for SHT_NOBITS, whose bytes are empty.
    func bytes(ofSection index: Int) -> [UInt8]
    /// The relocations that apply to a section, in file order.
    func relocations(ofSection index: Int) -> [ImageRelocation]
}

extension ObjectFileReader {
    /// The first section of that name.
    public func section(named name: String) -> Int? { sections.firstIndex { $0.name == name } }

    public func bytes(ofSection name: String) -> [UInt8]? { section(named: name).map { bytes(ofSection: $0) } }

    func error(
        _ kind: ImageError.Kind, at place: ImagePlace, found: String, expected: String, hint: String? = nil
    ) -> ImageError {
        ImageError(kind, file: file, at: place, found: found, expected: expected, hint: hint)
    }
}
