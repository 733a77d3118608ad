/// Questions about types.
extension BTF {
    /// How many typedefs, qualifiers, array dimensions or nested anonymous members are followed: more is a loop.
    static let depthLimit = 64

    private func error(
        _ kind: ImageError.Kind, _ place: ImagePlace, _ found: String, _ expected: String, _ hint: String? = nil
    ) -> ImageError {
        ImageError(kind, file: file, at: place, found: found, expected: expected, hint: hint)
    }

    // MARK: Types

    public func kind(of type: UInt32) throws(ImageError) -> BTFKind { type == 0 ? .void : try record(type).kind }

    /// Empty for an anonymous type.
    public func name(of type: UInt32) throws(ImageError) -> String {
        type == 0 ? "void" : try string(record(type).nameOffset, of: type)
    }

    /// The type behind typedefs, qualifiers and type tags.
    public func resolve(_ type: UInt32) throws(ImageError) -> UInt32 {
        var number = type
        for _ in 0..<Self.depthLimit {
            guard number != 0 else { return 0 }
            let record = try record(number)
            switch record.kind {
            case .typedef, .const, .volatile, .restrict, .typeTag: number = record.sizeOrType
            default: return number
            }
        }
        throw error(.malformed, .type(type), "a chain of typedefs without an end", "a type")
    }

    /// What a pointer, array, function, variable, typedef or qualifier refers to; nil for others.
    public func target(of type: UInt32) throws(ImageError) -> UInt32? {
        let record = try record(type)
        switch record.kind {
        case .pointer, .typedef, .const, .volatile, .restrict, .typeTag, .function, .variable, .functionPrototype:
            return record.sizeOrType
        case .array: return record.word(0)
        default: return nil
        }
    }

    /// Elements of an array type; nil for others.
    public func elementCount(of type: UInt32) throws(ImageError) -> UInt32? {
        let record = try record(type)
        return record.kind == .array ? record.word(2) : nil
    }

    /// Size in bytes, as sizeof gives it.
    public func size(of type: UInt32) throws(ImageError) -> UInt64 { try size(of: type, depth: 0) }

    private func size(of type: UInt32, depth: Int) throws(ImageError) -> UInt64 {
        guard depth < Self.depthLimit else {
            throw error(.malformed, .type(type), "nested arrays without an end", "a type with a size")
        }
        let resolved = try resolve(type)
        guard resolved != 0 else { throw error(.mismatch, .type(type), "void", "a type with a size") }
        let record = try record(resolved)
        switch record.kind {
        case .int, .structure, .union, .enumeration, .enumeration64, .float, .dataSection:
            return UInt64(record.sizeOrType)
        case .pointer: return 8
        case .array:
            let element = try size(of: record.word(0), depth: depth + 1)
            let (bytes, overflow) = element.multipliedReportingOverflow(by: UInt64(record.word(2)))
            guard !overflow else { throw error(.malformed, .type(type), "an array larger than memory", "a size") }
            return bytes
        case .variable: return try size(of: record.sizeOrType, depth: depth + 1)
        default: throw error(.mismatch, .type(type), "a \(record.kind)", "a type with a size")
        }
    }

    /// The type a C name means: `struct x`, `union x`, `enum x`, or a plain name, which is looked for as a structure,
    /// then a union, an enumeration, a typedef and a base type.
    /// - Throws: `.mismatch` when there is none.
    public func type(named name: String) throws(ImageError) -> UInt32 {
        let order: [[BTFKind]]
        let plain: Substring
        if name.hasPrefix("struct ") {
            (order, plain) = ([[.structure]], name.dropFirst(7))
        } else if name.hasPrefix("union ") {
            (order, plain) = ([[.union]], name.dropFirst(6))
        } else if name.hasPrefix("enum ") {
            (order, plain) = ([[.enumeration, .enumeration64]], name.dropFirst(5))
        } else {
            order = [[.structure], [.union], [.enumeration, .enumeration64], [.typedef], [.int, .float]]
            plain = Substring(name)
        }
        for kinds in order {
            if let first = try types(named: String(plain), kinds: kinds).first { return first }
        }
        throw error(
            .mismatch, .member(name), "no such type", "a type of this kernel",
            "the kernel may be another version than the guest system was written for")
    }

    public func size(of name: String) throws(ImageError) -> UInt64 { try size(of: type(named: name)) }

    // MARK: Members

    /// The members of a structure or union.
    public func members(of type: UInt32) throws(ImageError) -> [BTFMember] {
        let number = try resolve(type)
        guard number != 0 else { throw error(.mismatch, .type(type), "void", "a structure or union") }
        let record = try record(number)
        guard record.kind == .structure || record.kind == .union else {
            throw error(.mismatch, .type(type), "a \(record.kind)", "a structure or union")
        }
        var list: [BTFMember] = []
        for index in 0..<record.elements {
            let name = try string(record.word(3 * index), of: number)
            let offset = record.word(3 * index + 2)
            let width = record.flag ? offset >> 24 : 0
            list.append(BTFMember(
                name: name, type: record.word(3 * index + 1),
                bitOffset: UInt64(record.flag ? offset & 0xff_ffff : offset), bitFieldWidth: width == 0 ? nil : width))
        }
        return list
    }

    /// Where `path` is: a type name, then member names with dots between (`net_device.dev.parent`, `sk_buff.len`).
    /// Members of anonymous structures and unions are named as C names them; `name[n]` selects an array element.
    public func offset(of path: String) throws(ImageError) -> BTFMemberLocation {
        var parts = path.split(separator: ".", omittingEmptySubsequences: false).map { String($0) }
        guard parts.count >= 2, !parts.contains("") else {
            throw error(.mismatch, .member(path), "\"\(path)\"", "a type, a dot and a member")
        }
        let typeName = parts.removeFirst()
        var location = BTFMemberLocation(bitOffset: 0, bitFieldWidth: nil, type: try type(named: typeName))
        for part in parts {
            let pieces = part.split(separator: "[", omittingEmptySubsequences: false)
            let name = String(pieces[0])
            guard let found = try member(name, of: location.type, depth: 0) else {
                throw error(
                    .mismatch, .member(path), "no member \(name)", "a member of this kernel's structure",
                    "the kernel may be another version than the guest system was written for")
            }
            location = BTFMemberLocation(
                bitOffset: location.bitOffset &+ found.bitOffset, bitFieldWidth: found.bitFieldWidth, type: found.type)
            for piece in pieces.dropFirst() { try select(piece, of: &location, path) }
        }
        return location
    }

    /// Byte offset of a member that is not a bit-field inside a byte.
    public func byteOffset(of path: String) throws(ImageError) -> UInt64 {
        let location = try offset(of: path)
        guard let bytes = location.byteOffset else {
            throw error(.mismatch, .member(path), "a bit-field at bit \(location.bitOffset)", "a member on a byte")
        }
        return bytes
    }

    private func select(
        _ piece: Substring, of location: inout BTFMemberLocation, _ path: String
    ) throws(ImageError) {
        let array = try resolve(location.type)
        guard piece.last == "]", let index = UInt32(piece.dropLast()), array != 0,
            let count = try elementCount(of: array), let element = try target(of: array), index < count
        else { throw error(.mismatch, .member(path), "[\(piece)", "an index into an array member") }
        let size = try size(of: element)
        location.bitOffset = location.bitOffset &+ size &* 8 &* UInt64(index)
        location.type = element
    }

    /// Searches a structure and the anonymous structures and unions in it.
    private func member(_ name: String, of type: UInt32, depth: Int) throws(ImageError) -> BTFMember? {
        guard depth < Self.depthLimit else {
            throw error(.malformed, .type(type), "anonymous members nested without an end", "a structure")
        }
        let members = try members(of: type)
        if let found = members.first(where: { $0.name == name }) { return found }
        for inner in members where inner.name.isEmpty && inner.bitFieldWidth == nil {
            let kind = try kind(of: resolve(inner.type))
            guard kind == .structure || kind == .union,
                var found = try member(name, of: inner.type, depth: depth + 1)
            else { continue }
            found.bitOffset = found.bitOffset &+ inner.bitOffset
            return found
        }
        return nil
    }

    // MARK: Enumerators and functions

    /// The enumerators of an enumeration.
    public func enumerators(of type: UInt32) throws(ImageError) -> [BTFEnumerator] {
        let number = try resolve(type)
        guard number != 0 else { throw error(.mismatch, .type(type), "void", "an enumeration") }
        let record = try record(number)
        var list: [BTFEnumerator] = []
        for index in 0..<record.elements {
            switch record.kind {
            case .enumeration:
                let value = record.word(2 * index + 1)
                let extended = record.flag ? Int64(Int32(bitPattern: value)) : Int64(value)
                list.append(BTFEnumerator(name: try string(record.word(2 * index), of: number), value: extended))
            case .enumeration64:
                let value = UInt64(record.word(3 * index + 2)) << 32 | UInt64(record.word(3 * index + 1))
                list.append(BTFEnumerator(
                    name: try string(record.word(3 * index), of: number), value: Int64(bitPattern: value)))
            default: throw error(.mismatch, .type(type), "a \(record.kind)", "an enumeration")
            }
        }
        return list
    }

    /// The value of an enumerator of any enumeration; nil when there is none of that name.
    public func value(ofEnumerator name: String) throws(ImageError) -> Int64? {
        if let found = try base?.value(ofEnumerator: name) { return found }
        for number in firstType..<typeCount {
            let kind = try record(number).kind
            guard kind == .enumeration || kind == .enumeration64 else { continue }
            if let found = try enumerators(of: number).first(where: { $0.name == name }) { return found.value }
        }
        return nil
    }

    /// The prototype of a function type or of what a pointer to one points at.
    public func prototype(of type: UInt32) throws(ImageError) -> BTFPrototype {
        var number = try resolve(type)
        if number != 0, try record(number).kind == .pointer { number = try resolve(record(number).sizeOrType) }
        guard number != 0, try record(number).kind == .functionPrototype else {
            throw error(.mismatch, .type(type), "a \(try kind(of: number))", "a function or a pointer to one")
        }
        let record = try record(number)
        var parameters: [BTFParameter] = []
        for index in 0..<record.elements {
            parameters.append(BTFParameter(
                name: try string(record.word(2 * index), of: number), type: record.word(2 * index + 1)))
        }
        var isVariadic = false
        if let last = parameters.last, last.type == 0, last.name.isEmpty {
            parameters.removeLast()
            isVariadic = true
        }
        return BTFPrototype(returnType: record.sizeOrType, parameters: parameters, isVariadic: isVariadic)
    }

    /// The prototype of the kernel's function of that name; nil when there is none.
    public func prototype(ofFunction name: String) throws(ImageError) -> BTFPrototype? {
        guard let function = try types(named: name, kinds: [.function]).first else { return nil }
        return try prototype(of: record(function).sizeOrType)
    }
}
