import X86Architecture

/// One violated check of a VM entry, named: what hardware reports as error 7, error 8 or exit reason 33 only.
public struct VMEntryCheckFailure: Sendable, CustomStringConvertible {
    /// Which of the three groups of checks; decides how the entry fails.
    public enum Group: Sendable, Equatable { case controls, hostState, guestState }
    public let group: Group
    /// Stable name of the check: the name of the function that makes it.
    public let id: StaticString
    /// The SDM section that demands it.
    public let title: StaticString
    /// The field that has the wrong value (the first one, where several do together).
    public let field: VMCSField
    public let value: UInt64
    /// What would have passed.
    public let wanted: String
    /// Exit qualification of a failure with basic exit reason 33.
    public var qualification: EntryFailureQualification = .other

    public var description: String {
        "\(group) check \(id): \(field) = \(hex(value)), wanted \(wanted) (\(title))"
    }
}

/// By its name: static strings reflect as addresses.
extension VMEntryCheckFailure: Digestible {
    func digest(into hash: inout StableHash) { hash.add(state: description) }
}
