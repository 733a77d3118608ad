/// Interrupts from outside a machine, each at an exact cycle: the one model that every trace format is read into.
public struct InterruptTrace: Sendable, Equatable {
    public enum Source: Sendable, Equatable {
        /// A fixed interrupt through the local APIC, vector 16 to 255.
        case vector(UInt8)
        case nmi
    }

    public struct Event: Sendable, Equatable {
        /// The machine clock.
        public var cycle: UInt64
        public var processor: Int
        public var source: Source
        public init(cycle: UInt64, processor: Int, source: Source) {
            self.cycle = cycle
            self.processor = processor
            self.source = source
        }
    }

    /// Ascending by cycle; equal cycles in the order of the file.
    public var events: [Event]
    public init(events: [Event] = []) { self.events = events }
}

/// A line of a text format that cannot be read.
public struct TraceError: Error, Sendable, Equatable, CustomStringConvertible {
    /// From 1.
    public var line: Int
    public var found: String
    public var expected: String
    public init(line: Int, found: String, expected: String) {
        self.line = line
        self.found = found
        self.expected = expected
    }
    public var description: String { "line \(line): found \(found), expected \(expected)" }
}
