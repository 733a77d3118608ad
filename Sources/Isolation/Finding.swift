import X86Architecture

/// A rule was broken: which, where, when, and on what evidence.
public struct Finding: Sendable, Equatable {
    /// The rule's id, forever the same: `I1`, `A2`.
    public var id: String
    /// What the rule says.
    public var statement: String
    /// What was seen instead.
    public var evidence: String
    public var rip: LinearAddress
    /// `rip` as `image:symbol+offset`, when an image holds it.
    public var location: String?
    /// The clock of that processor.
    public var cycle: UInt64
    public var processor: Int
    /// How often the same evidence was seen at the same place; the rest describes the first time.
    public var occurrences: UInt64 = 1

    public init(
        id: String, statement: String, evidence: String, rip: LinearAddress, location: String?, cycle: UInt64,
        processor: Int
    ) {
        self.id = id
        self.statement = statement
        self.evidence = evidence
        self.rip = rip
        self.location = location
        self.cycle = cycle
        self.processor = processor
    }
}
