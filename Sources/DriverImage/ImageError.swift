/// Where in an image something is wrong.
public enum ImagePlace: Sendable, Equatable {
    /// The file as a whole, or a byte of it that belongs to no section.
    case file
    /// A byte offset from the start of the file.
    case fileOffset(UInt64)
    case section(String)
    case sectionOffset(section: String, offset: UInt64)
    case symbol(String)
    /// A symbol, and the section and offset of the reference to it.
    case reference(symbol: String, section: String, offset: UInt64)
    /// A BTF type, by its number.
    case type(UInt32)
    /// A member, enumerator or type that was asked for by name.
    case member(String)
}

extension ImagePlace: CustomStringConvertible {
    public var description: String {
        switch self {
        case .file: "file"
        case .fileOffset(let offset): "offset \(hex(offset))"
        case .section(let name): "section \(name)"
        case .sectionOffset(let section, let offset): "section \(section)+\(hex(offset))"
        case .symbol(let name): "symbol \(name)"
        case .reference(let symbol, let section, let offset): "symbol \(symbol), used at \(section)+\(hex(offset))"
        case .type(let number): "BTF type \(number)"
        case .member(let name): "\(name)"
        }
    }
}

/// A user's image cannot be used. Never our bug: says in which file, where, what was found, what was expected
/// and what to do about it.
public struct ImageError: Error, Sendable, Equatable {
    public enum Kind: Sendable {
        /// There is no such file.
        case missing
        /// The file exists and cannot be read.
        case unreadable
        /// The bytes contradict the format.
        case malformed
        /// Well-formed, but not something this tool takes (another architecture, an unknown relocation).
        case unsupported
        /// An import that nothing supplies.
        case unresolved
        /// Two well-formed images that do not belong together (a symbol's CRC, a kernel's release).
        case mismatch
    }

    public var kind: Kind
    /// The path as the user gave it.
    public var file: String
    public var place: ImagePlace
    public var found: String
    public var expected: String
    public var hint: String?

    public init(
        _ kind: Kind, file: String, at place: ImagePlace, found: String, expected: String, hint: String? = nil
    ) {
        self.kind = kind
        self.file = file
        self.place = place
        self.found = found
        self.expected = expected
        self.hint = hint
    }

    /// 66 no such input, 74 input or output failed, 65 bad input data (sysexits.h numbers).
    public var exitCode: Int32 {
        switch kind {
        case .missing: 66
        case .unreadable: 74
        case .malformed, .unsupported, .unresolved, .mismatch: 65
        }
    }
}

extension ImageError: CustomStringConvertible {
    /// Two lines at most: what is wrong, and the hint.
    public var description: String {
        let head = printable("\(file): \(place): found \(found), expected \(expected)")
        guard let hint else { return head }
        return head + "\n  hint: " + printable(hint)
    }

    /// Names come from the image, which may be hostile: nothing in them reaches a terminal as a control character.
    private func printable(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0..<0x20, 0x7f..<0xa0, 0x200e...0x200f, 0x202a...0x202e, 0x2066...0x2069:
                result += "\\u{\(String(scalar.value, radix: 16))}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

func hex(_ value: some BinaryInteger) -> String { "0x" + String(value, radix: 16) }
