/// A value that knows how it enters a digest. Everything else is taken apart field by field.
protocol Digestible {
    func digest(into hash: inout StableHash)
}

/// Digests of plain state structs, complete by construction: every stored property, in declaration order. A field that
/// somebody adds is in the digest without further ado; a kind of value that this cannot take apart is a trap, not a
/// gap.
extension StableHash {
    mutating func add(state value: Any) {
        if let leaf = value as? any Digestible { return leaf.digest(into: &self) }
        let mirror = Mirror(reflecting: value)
        switch mirror.displayStyle {
        case .struct, .tuple:
            for child in mirror.children { add(state: child.value) }
        case .enum:
            // The case's name, then its payload: stable against reordering of cases.
            let label = mirror.children.first?.label ?? String(describing: value)
            add(Array(label.utf8))
            for child in mirror.children { add(state: child.value) }
        default:
            preconditionFailure("state of type \(type(of: value)) has no digest")
        }
    }
}

extension FixedWidthInteger where Self: UnsignedInteger {
    func digest(into hash: inout StableHash) { hash.add(UInt64(self)) }
}
extension FixedWidthInteger where Self: SignedInteger {
    func digest(into hash: inout StableHash) { hash.add(UInt64(bitPattern: Int64(self))) }
}
extension UInt8: Digestible {}
extension UInt16: Digestible {}
extension UInt32: Digestible {}
extension UInt64: Digestible {}
extension UInt: Digestible {}
extension Int8: Digestible {}
extension Int16: Digestible {}
extension Int32: Digestible {}
extension Int64: Digestible {}
extension Int: Digestible {}
extension Bool: Digestible {
    func digest(into hash: inout StableHash) { hash.add(self ? 1 as UInt64 : 0) }
}
extension String: Digestible {
    func digest(into hash: inout StableHash) { hash.add(Array(utf8)) }
}
extension Optional: Digestible {
    func digest(into hash: inout StableHash) {
        hash.add(self == nil ? 0 as UInt64 : 1)
        if let self { hash.add(state: self) }
    }
}
extension Array: Digestible {
    func digest(into hash: inout StableHash) {
        hash.add(UInt64(count))
        for element in self { hash.add(state: element) }
    }
}
extension InlineArray: Digestible {
    func digest(into hash: inout StableHash) {
        for i in indices { hash.add(state: self[i]) }
    }
}
