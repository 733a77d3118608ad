/// A kernel's type information: sizes, member offsets, enumerators and prototypes as its own compiler laid them out.
/// Format: Documentation/bpf/btf.rst in the Linux sources.
///
/// Type numbers start at 1; 0 is void. A module's split BTF continues the numbers and strings of the base (vmlinux).
public final class BTF: Sendable {
    public let file: String
    let contents: FileContents
    let base: BTF?
    private let strings: Range<Int>
    /// File offset of each type of this part; `firstType` is the number of the first.
    let offsets: [UInt32]
    let firstType: UInt32
    private let stringBase: UInt32
    /// Hash of a name -> first type with it; `nextWithHash` chains the others, in type order.
    private let firstWithHash: [UInt64: UInt32]
    private let nextWithHash: [UInt32: UInt32]

    /// One more than the last type number.
    public var typeCount: UInt32 { firstType + UInt32(offsets.count) }

    /// The `.BTF` section of an ELF file, or a file that is nothing but BTF (as /sys/kernel/btf/vmlinux).
    public convenience init(path: String, base: BTF? = nil) throws(ImageError) {
        let contents = try FileContents(path: path)
        if Self.isRaw(contents) {
            try self.init(raw: contents, base: base)
        } else {
            try self.init(ELFObject(contents), base: base)
        }
    }

    /// Whether a file is BTF and nothing else.
    public static func isRaw(_ contents: FileContents) -> Bool {
        contents.count >= 2 && contents.integer(at: 0, as: UInt16.self) == magic
    }

    public convenience init(raw contents: FileContents, base: BTF? = nil) throws(ImageError) {
        try self.init(contents, range: 0..<contents.count, base: base)
    }

    public convenience init(_ object: ELFObject, base: BTF? = nil) throws(ImageError) {
        guard let index = object.section(named: ".BTF"), object.sections[index].hasBytes else {
            throw object.error(
                .unsupported, at: .section(".BTF"), found: "no type information",
                expected: "a kernel built with CONFIG_DEBUG_INFO_BTF")
        }
        let section = object.sections[index]
        let start = Int(section.offset)
        try self.init(object.contents, range: start..<(start + Int(section.size)), base: base)
    }

    static let magic: UInt16 = 0xeb9f

    /// `range` is where in the file the BTF is; it must be inside it.
    init(_ contents: FileContents, range: Range<Int>, base: BTF?) throws(ImageError) {
        file = contents.name
        self.contents = contents
        self.base = base
        let parts = try Self.readHeader(contents, range)
        strings = parts.strings
        firstType = base?.typeCount ?? 1
        stringBase = base.map { $0.stringBase + UInt32($0.strings.count) } ?? 0
        var offsets: [UInt32] = []
        offsets.reserveCapacity(parts.types.count / 20)
        var position = parts.types.lowerBound
        let end = parts.types.upperBound
        var firstWithHash: [UInt64: UInt32] = [:]
        var lastWithHash: [UInt64: UInt32] = [:]
        var nextWithHash: [UInt32: UInt32] = [:]
        while position < end {
            let number = firstType + UInt32(offsets.count)
            guard end - position >= 12 else {
                throw Self.malformed(contents, .type(number), "\(end - position) bytes", "a type of 12 bytes or more")
            }
            let information = contents.integer(at: position + 4, as: UInt32.self)
            let elements = Int(information & 0xffff)
            guard let kind = BTFKind(rawValue: UInt8(information >> 24 & 0x1f)), kind != .void else {
                throw Self.malformed(contents, .type(number), "kind \(information >> 24 & 0x1f)", "a kind from 1 to 19")
            }
            let (fixed, perElement) = kind.tail
            let size = 12 + fixed + elements * perElement
            guard end - position >= size else {
                throw Self.malformed(
                    contents, .type(number), "\(end - position) bytes left", "\(size) for its \(elements) elements")
            }
            offsets.append(UInt32(position))
            let name = contents.integer(at: position, as: UInt32.self)
            if name >= stringBase, Self.isLookedUp(kind) {
                let start = Int(name - stringBase)
                guard start < parts.strings.count else {
                    throw Self.malformed(contents, .type(number), "a name at \(name)", "a name inside the strings")
                }
                if let hash = Self.hash(contents, parts.strings.lowerBound + start, parts.strings.upperBound) {
                    if let last = lastWithHash.updateValue(number, forKey: hash) {
                        nextWithHash[last] = number
                    } else {
                        firstWithHash[hash] = number
                    }
                }
            }
            position += size
        }
        self.offsets = offsets
        self.firstWithHash = firstWithHash
        self.nextWithHash = nextWithHash
    }

    private static func isLookedUp(_ kind: BTFKind) -> Bool {
        switch kind {
        case .structure, .union, .enumeration, .enumeration64, .typedef, .function, .int, .float: true
        default: false
        }
    }

    private static func readHeader(
        _ contents: FileContents, _ range: Range<Int>
    ) throws(ImageError) -> (types: Range<Int>, strings: Range<Int>) {
        let place = ImagePlace.section(".BTF")
        guard range.count >= 24 else {
            throw malformed(contents, place, "\(range.count) bytes", "a header of 24 bytes")
        }
        let start = range.lowerBound
        guard contents.integer(at: start, as: UInt16.self) == magic else {
            throw malformed(contents, place, "magic \(hex(contents.integer(at: start, as: UInt16.self)))", hex(magic))
        }
        let version = contents.integer(at: start + 2, as: UInt8.self)
        guard version == 1 else { throw malformed(contents, place, "version \(version)", "version 1") }
        func word(_ offset: Int) -> UInt64 { UInt64(contents.integer(at: start + offset, as: UInt32.self)) }
        let header = word(4)
        func part(_ offset: UInt64, _ length: UInt64, _ what: String) throws(ImageError) -> Range<Int> {
            let first = header + offset
            guard header >= 24, first + length <= UInt64(range.count) else {
                throw malformed(
                    contents, place, "\(what) of \(length) bytes at \(first)",
                    "a range inside its \(range.count) bytes")
            }
            return (start + Int(first))..<(start + Int(first + length))
        }
        let types = try part(word(8), word(12), "types")
        let strings = try part(word(16), word(20), "strings")
        guard strings.isEmpty || contents.integer(at: strings.upperBound - 1, as: UInt8.self) == 0 else {
            throw malformed(contents, place, "strings without a final NUL", "NUL-terminated strings")
        }
        return (types, strings)
    }

    private static func malformed(
        _ contents: FileContents, _ place: ImagePlace, _ found: String, _ expected: String
    ) -> ImageError {
        ImageError(.malformed, file: contents.name, at: place, found: found, expected: expected)
    }

    // MARK: Names

    /// FNV-1a of the string at `offset`; nil when it is empty.
    private static func hash(_ contents: FileContents, _ offset: Int, _ end: Int) -> UInt64? {
        let bytes = UnsafeRawBufferPointer(start: contents.base + offset, count: end - offset)
        var value: UInt64 = 0xcbf2_9ce4_8422_2325
        var index = 0
        while index < bytes.count, bytes[index] != 0 {
            value = (value ^ UInt64(bytes[index])) &* 0x100_0000_01b3
            index += 1
        }
        return index == 0 ? nil : value
    }

    private static func hash(_ name: String) -> UInt64 {
        name.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    func string(_ offset: UInt32, of type: UInt32) throws(ImageError) -> String {
        if offset < stringBase, let base { return try base.string(offset, of: type) }
        let start = strings.lowerBound + Int(offset - stringBase)
        if offset == 0 && strings.isEmpty { return "" }
        guard start < strings.upperBound, let text = contents.string(at: start, limit: strings.upperBound) else {
            throw Self.malformed(contents, .type(type), "a name at \(offset)", "a name inside the strings")
        }
        return text
    }

    /// The types of that name and those kinds, base first, in number order.
    public func types(named name: String, kinds: [BTFKind]) throws(ImageError) -> [UInt32] {
        var found = try base?.types(named: name, kinds: kinds) ?? []
        var next = firstWithHash[Self.hash(name)]
        while let number = next {
            let type = try record(number)
            if kinds.contains(type.kind), try string(type.nameOffset, of: number) == name { found.append(number) }
            next = nextWithHash[number]
        }
        return found
    }

    // MARK: Records

    /// One `struct btf_type`.
    struct Record {
        var nameOffset: UInt32
        var kind: BTFKind
        var elements: Int
        /// Bit-fields in a structure, signedness of an enumeration, union behind a forward declaration.
        var flag: Bool
        /// Size in bytes or type number, as the kind has it.
        var sizeOrType: UInt32
        /// File offset of what follows.
        var tail: Int
        /// The file the tail is in.
        var contents: FileContents

        func word(_ index: Int) -> UInt32 { contents.integer(at: tail + 4 * index) }
    }

    func record(_ number: UInt32) throws(ImageError) -> Record {
        if number < firstType, number > 0, let base { return try base.record(number) }
        guard number >= firstType, number < typeCount else {
            throw Self.malformed(contents, .type(number), "a reference to it", "a type number below \(typeCount)")
        }
        let position = Int(offsets[Int(number - firstType)])
        let information = contents.integer(at: position + 4, as: UInt32.self)
        return Record(
            nameOffset: contents.integer(at: position), kind: BTFKind(rawValue: UInt8(information >> 24 & 0x1f))!,
            elements: Int(information & 0xffff), flag: information >> 31 != 0,
            sizeOrType: contents.integer(at: position + 8), tail: position + 12, contents: contents)
    }
}
