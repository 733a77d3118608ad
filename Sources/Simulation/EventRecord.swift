import X86Architecture
import X86Machine

/// One event of a run as it is hashed, recorded and compared: docs/reference/record-format.md.
public struct EventRecord: Sendable, Equatable {
    public enum Kind: UInt8, Sendable, CaseIterable {
        case eptpSwitch, vmExit, vmEntry, delivered, interruptReturn, controlRegisterWrite, eptViolation, halted, serial
        case vmEntryFailure

        public var name: String {
            switch self {
            case .eptpSwitch: "eptp-switch"
            case .vmExit: "vm-exit"
            case .vmEntry: "vm-entry"
            case .delivered: "delivered"
            case .interruptReturn: "interrupt-return"
            case .controlRegisterWrite: "cr-write"
            case .eptViolation: "ept-violation"
            case .halted: "halted"
            case .serial: "serial"
            case .vmEntryFailure: "vm-entry-failure"
            }
        }
        public var fields: [String] {
            switch self {
            case .eptpSwitch: ["rip", "index", "from", "to"]
            case .vmExit: ["reason", "qualification", "rip"]
            case .vmEntry: ["rip", "eptp"]
            case .delivered: ["vector", "kind", "rip", "rsp", "frame"]
            case .interruptReturn: ["rip", "to"]
            case .controlRegisterWrite: ["register", "old", "new", "rip"]
            case .eptViolation: ["address", "qualification", "rip"]
            case .halted: ["rip"]
            case .serial: ["port", "byte"]
            case .vmEntryFailure: ["field", "value", "rip"]
            }
        }
    }

    public var cycle: UInt64
    public var processor: Int
    public var kind: Kind
    /// In the order of `kind.fields`; the rest is 0.
    public var values: InlineArray<5, UInt64>
    /// What the values do not say, for readers: no part of a recording or of a comparison.
    public var note: String?

    public static func == (a: Self, b: Self) -> Bool {
        guard a.cycle == b.cycle, a.processor == b.processor, a.kind == b.kind else { return false }
        return (0..<5).allSatisfy { a.values[$0] == b.values[$0] }
    }

    /// What takes part in a run's identity: all but what only happens because somebody watches.
    public static let mask = EventMask.all.subtracting(.watch)

    /// nil for the kinds outside `mask`.
    public init?(_ event: Event, processor: Int, cycle: UInt64) {
        let kind: Kind
        var v: InlineArray<5, UInt64> = .init(repeating: 0)
        switch event {
        case .eptpSwitch(let rip, let index, let from, let to):
            kind = .eptpSwitch
            v[0] = rip.rawValue; v[1] = UInt64(index); v[2] = from; v[3] = to
        case .vmExit(let reason, let qualification, let rip):
            kind = .vmExit
            v[0] = UInt64(reason); v[1] = qualification; v[2] = rip.rawValue
        case .vmEntry(let rip, let eptp):
            kind = .vmEntry
            v[0] = rip.rawValue; v[1] = eptp
        case .vmEntryFailure(let failure, let rip):
            kind = .vmEntryFailure
            v[0] = UInt64(failure.field.rawValue); v[1] = failure.value; v[2] = rip.rawValue
            note = failure.description
        case .delivered(let vector, let how, let rip, let rsp, let frame):
            kind = .delivered
            v[0] = UInt64(vector); v[1] = UInt64(how.rawValue); v[2] = rip.rawValue; v[3] = rsp; v[4] = frame.rawValue
        case .interruptReturn(let rip, let to):
            kind = .interruptReturn
            v[0] = rip.rawValue; v[1] = to.rawValue
        case .controlRegisterWrite(let register, let old, let new, let rip):
            kind = .controlRegisterWrite
            v[0] = UInt64(register); v[1] = old; v[2] = new; v[3] = rip.rawValue
        case .eptViolation(let address, let qualification, let rip):
            kind = .eptViolation
            v[0] = address.rawValue; v[1] = qualification; v[2] = rip.rawValue
        case .halted(let rip):
            kind = .halted
            v[0] = rip.rawValue
        case .serialOutput(let port, let byte):
            kind = .serial
            v[0] = UInt64(port); v[1] = UInt64(byte)
        case .watchedWrite, .instruction:
            return nil
        }
        (self.cycle, self.processor, self.kind, values) = (cycle, processor, kind, v)
    }

    func add(to hash: inout StableHash) {
        hash.add(cycle)
        hash.add(UInt64(processor) << 8 | UInt64(kind.rawValue))
        for i in 0..<kind.fields.count { hash.add(values[i]) }
    }
}

// MARK: Text

extension EventRecord: CustomStringConvertible {
    public var description: String {
        var text = "\(cycle) \(processor) \(kind.name)"
        for (i, field) in kind.fields.enumerated() { text += " \(field)=\(String(values[i], radix: 16))" }
        return text
    }

    /// - Throws: what is wrong with the line, as (found, expected).
    init(line: Substring) throws(RecordingError.Mistake) {
        let words = line.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count >= 3, let cycle = UInt64(words[0]), let processor = Int(words[1]), processor >= 0 else {
            throw .init(found: "\"\(line.prefix(60))\"", expected: "an event: cycle, processor, kind, fields")
        }
        guard let kind = Kind.allCases.first(where: { $0.name == words[2] }) else {
            throw .init(
                found: "event \"\(words[2].prefix(30))\"",
                expected: "one of "
                    + Kind.allCases.map(\.name).joined(separator: ", "))
        }
        let fields = kind.fields
        guard words.count == 3 + fields.count else {
            throw .init(
                found: "\(words.count - 3) fields", expected: "\(kind.name) with " + fields.joined(separator: ", "))
        }
        var values: InlineArray<5, UInt64> = .init(repeating: 0)
        for (i, field) in fields.enumerated() {
            let parts = words[3 + i].split(separator: "=", maxSplits: 1)
            guard parts.count == 2, parts[0] == field, let value = UInt64(parts[1], radix: 16) else {
                throw .init(found: "\"\(words[3 + i].prefix(30))\"", expected: "\(field)= and hexadecimal digits")
            }
            values[i] = value
        }
        (self.cycle, self.processor, self.kind, self.values) = (cycle, processor, kind, values)
    }
}
