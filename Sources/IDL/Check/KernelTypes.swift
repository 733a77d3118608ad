import DriverImage

/// A kernel's own types, to hold an interface against.
public final class KernelTypes: Sendable {
    private let btf: BTF
    public init(_ btf: BTF) { self.btf = btf }

    /// The structure or union of a projection; nil when the kernel has none of that tag.
    func type(of projection: Projection) -> UInt32? {
        try? btf.type(named: projection.kind.rawValue + " " + projection.type.text)
    }
    /// Of `struct TAG` or `union TAG`.
    func size(ofTag key: String) -> UInt64? { try? btf.size(of: key) }
    func hasStructure(_ tag: String) -> Bool { (try? btf.type(named: "struct " + tag)) != nil }

    /// Where a member path of a structure is; nil when there is none.
    func member(_ path: String, ofStructure tag: String, kind: Projection.Kind = .structure) -> BTFMemberLocation? {
        (try? btf.offset(of: "\(kind.rawValue) \(tag).\(path)"))
    }

    /// Why `member` cannot be named in a projection's expressions; nil when it can.
    func lacks(_ member: String, in projection: Projection) -> String? {
        guard type(of: projection) != nil else { return nil }
        guard self.member(member, ofStructure: projection.type.text, kind: projection.kind) == nil else { return nil }
        return "this kernel's \(projection.kind.rawValue) \(projection.type.text) has no member '\(member)'"
    }

    func prototype(_ function: String) -> BTFPrototype? { (try? btf.prototype(ofFunction: function)) ?? nil }
    func prototype(of type: UInt32) -> BTFPrototype? { try? btf.prototype(of: type) }
    func memberNames(of projection: Projection) -> [String] {
        guard let type = type(of: projection), let members = try? btf.members(of: type) else { return [] }
        return members.map(\.name)
    }

    /// A type's form as far as an interface can see it.
    enum Form: Equatable {
        case void
        case scalar(bytes: UInt64)
        case pointer
        case aggregate(kind: Projection.Kind, tag: String)
        case array(count: UInt32, element: UInt32)
        case function

        var described: String {
            switch self {
            case .void: "void"
            case .scalar(let bytes): "an integer of \(bytes) byte\(bytes == 1 ? "" : "s")"
            case .pointer: "a pointer"
            case .aggregate(let kind, let tag): tag.isEmpty ? "an unnamed \(kind.rawValue)" : "\(kind.rawValue) \(tag)"
            case .array(let count, _): "an array of \(count)"
            case .function: "a function"
            }
        }
    }

    /// Nil when the type information is damaged.
    func form(of type: UInt32) -> Form? {
        guard let resolved = try? btf.resolve(type) else { return nil }
        guard resolved != 0, let kind = try? btf.kind(of: resolved) else { return resolved == 0 ? .void : nil }
        switch kind {
        case .int, .enumeration, .enumeration64, .float: return (try? btf.size(of: resolved)).map { .scalar(bytes: $0) }
        case .pointer: return .pointer
        case .structure, .union:
            return .aggregate(
                kind: kind == .union ? .union : .structure, tag: (try? btf.name(of: resolved)) ?? "")
        case .array:
            guard let count = try? btf.elementCount(of: resolved), let element = try? btf.target(of: resolved) else {
                return nil
            }
            return .array(count: count, element: element)
        case .functionPrototype, .function: return .function
        case .forward: return .aggregate(kind: .structure, tag: (try? btf.name(of: resolved)) ?? "")
        default: return nil
        }
    }

    /// What a pointer type points to.
    func pointee(of type: UInt32) -> UInt32? {
        guard let resolved = try? btf.resolve(type), resolved != 0, (try? btf.kind(of: resolved)) == .pointer else {
            return nil
        }
        return try? btf.target(of: resolved)
    }
}
