import Traces

/// A recorded run: the format of docs/reference/record-format.md, version 1.
public struct Recording: Sendable {
    public static let firstLine = "lvdsim-run 1"

    /// An input, by the name of its file and the SHA-256 of its bytes.
    public struct Input: Sendable, Equatable {
        public var role: String
        public var name: String
        public var sha256: String
        public init(role: String, name: String, sha256: String) {
            self.role = role
            self.name = name
            self.sha256 = sha256
        }
    }

    public struct Header: Sendable, Equatable {
        public var inputs: [Input] = []
        public var isolated = true
        public var workload = Workload(name: "tx", operations: 1)
        public var processors = 1
        public var seed: UInt64 = 1
        public var memoryBytes: UInt64 = 0
        /// nil: the guest kernel's default.
        public var timerCycles: UInt64?
        public var arguments: [String] = []
        public var interrupts = InterruptTrace()
        public init() {}
    }

    public struct End: Sendable, Equatable {
        public var count = 0
        public var instructions: UInt64 = 0
        public var cycles: UInt64 = 0
        /// The cycle at which the run was given up; nil when the guest ended it.
        public var limit: UInt64?
        public var digest = ""
        public init() {}
    }

    public var header: Header
    public var events: [EventRecord]
    /// Line in the file of the first event, for messages.
    public var firstEventLine = 0
    public var end: End
    /// Whether the last line is the checksum of what precedes it.
    public var isIntact = true
}

/// A recorded run that cannot be read.
public struct RecordingError: Error, Sendable, CustomStringConvertible {
    struct Mistake: Error {
        var found: String
        var expected: String
    }
    public var line: Int
    public var found: String
    public var expected: String
    public var description: String { "line \(line): found \(found), expected \(expected)" }
}

// MARK: Writing

extension Recording.Header {
    /// Everything up to and including the line before the first event.
    public var text: String {
        var text = Recording.firstLine + "\n"
        for input in inputs { text += "\(input.role) \(input.name) \(input.sha256)\n" }
        text += "isolation \(isolated ? "isolated" : "native")\n"
        text += "workload \(workload)\ncpus \(processors)\nseed \(seed)\nmemory \(memoryBytes)\n"
        text += "timer \(timerCycles.map(String.init) ?? "default")\n"
        for argument in arguments { text += "argument \(argument)\n" }
        for event in interrupts.events {
            let what =
                switch event.source {
                case .vector(let vector): "0x" + String(vector, radix: 16)
                case .nmi: "nmi"
                }
            text += "interrupt \(event.cycle) \(event.processor) \(what)\n"
        }
        return text + "events\n"
    }
}

extension Recording.End {
    /// Everything after the last event but the checksum.
    public var text: String {
        "end\ncount \(count)\ninstructions \(instructions)\ncycles \(cycles)\n"
            + "limit \(limit.map(String.init) ?? "none")\ndigest \(digest)\n"
    }
}

/// Writes a recorded run piece by piece and closes it with its checksum.
public struct RecordingWriter {
    private var sum = SHA256()
    private let sink: (String) -> Void
    public private(set) var count = 0

    public init(_ header: Recording.Header, to sink: @escaping (String) -> Void) {
        self.sink = sink
        write(header.text)
    }
    private mutating func write(_ text: String) {
        sum.update(text.utf8)
        sink(text)
    }
    public mutating func write(_ event: EventRecord) {
        count += 1
        write(event.description + "\n")
    }
    public mutating func finish(_ end: Recording.End) {
        write(end.text)
        sink("sha256 \(sum.hexadecimal())\n")
        sum = SHA256()
    }
}
