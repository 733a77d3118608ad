/// Kinds of BTF type (Documentation/bpf/btf.rst in the Linux sources).
public enum BTFKind: UInt8, Sendable {
    case void = 0
    case int = 1
    case pointer = 2
    case array = 3
    case structure = 4
    case union = 5
    case enumeration = 6
    case forward = 7
    case typedef = 8
    case volatile = 9
    case const = 10
    case restrict = 11
    case function = 12
    case functionPrototype = 13
    case variable = 14
    case dataSection = 15
    case float = 16
    case declarationTag = 17
    case typeTag = 18
    case enumeration64 = 19

    /// Bytes behind the 12-byte `struct btf_type`: fixed, and per element of `vlen`.
    var tail: (fixed: Int, perElement: Int) {
        switch self {
        case .int, .variable, .declarationTag: (4, 0)
        case .array: (12, 0)
        case .structure, .union, .dataSection, .enumeration64: (0, 12)
        case .enumeration, .functionPrototype: (0, 8)
        default: (0, 0)
        }
    }
}

/// Where a member is in its structure.
public struct BTFMemberLocation: Sendable, Equatable {
    /// From the start of the outermost structure of the path.
    public var bitOffset: UInt64
    /// Width when the member is a bit-field, else nil.
    public var bitFieldWidth: UInt32?
    /// Type number of the member.
    public var type: UInt32

    /// Nil for a bit-field that does not start on a byte.
    public var byteOffset: UInt64? { bitOffset % 8 == 0 ? bitOffset / 8 : nil }
}

public struct BTFMember: Sendable, Equatable {
    /// Empty for an anonymous structure or union.
    public var name: String
    public var type: UInt32
    public var bitOffset: UInt64
    /// Nil unless it is a bit-field.
    public var bitFieldWidth: UInt32?
}

public struct BTFParameter: Sendable, Equatable {
    public var name: String
    public var type: UInt32
}

public struct BTFPrototype: Sendable, Equatable {
    /// 0 is void.
    public var returnType: UInt32
    public var parameters: [BTFParameter]
    public var isVariadic: Bool
}

public struct BTFEnumerator: Sendable, Equatable {
    public var name: String
    public var value: Int64
}
