/// The project's own text format, specified in docs/reference/interrupt-trace.md.
///
///     lvdsim-interrupts 1
///     # cycle  processor  what
///     120000   0          0x31
///     150000   1          nmi
extension InterruptTrace {
    public static let header = "lvdsim-interrupts 1"

    /// - Parameter processors: how many the machine has; an event for another one is an error.
    public init(text: String, processors: Int) throws(TraceError) {
        var events: [Event] = []
        var number = 0
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            number += 1
            if number == 1 {
                guard trimmed(line) == Self.header else {
                    throw TraceError(line: 1, found: quoted(line), expected: "\"\(Self.header)\"")
                }
                continue
            }
            let words = line.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" || $0 == "\r" }
            if words.isEmpty { continue }
            let event = try Self.event(words, line: number, processors: processors)
            if let last = events.last, event.cycle < last.cycle {
                throw TraceError(
                    line: number, found: "cycle \(event.cycle)", expected: "\(last.cycle) or more: events ascend")
            }
            events.append(event)
        }
        self.init(events: events)
    }

    private static func event(_ words: [Substring], line: Int, processors: Int) throws(TraceError) -> Event {
        guard words.count == 3 else {
            throw TraceError(
                line: line, found: "\(words.count) words", expected: "cycle, processor, and a vector or nmi")
        }
        guard let cycle = UInt64(words[0]) else {
            throw TraceError(line: line, found: quoted(words[0]), expected: "a cycle, decimal")
        }
        guard let processor = Int(words[1]), (0..<processors).contains(processor) else {
            throw TraceError(line: line, found: quoted(words[1]), expected: "a processor from 0 to \(processors - 1)")
        }
        if words[2] == "nmi" { return Event(cycle: cycle, processor: processor, source: .nmi) }
        let vector = words[2].hasPrefix("0x") ? UInt8(words[2].dropFirst(2), radix: 16) : UInt8(words[2])
        // SDM 3A 11.5.2 "Valid Interrupt Vectors": the local APIC accepts 16 to 255.
        guard let vector, vector >= 16 else {
            throw TraceError(line: line, found: quoted(words[2]), expected: "a vector from 16 to 255, or nmi")
        }
        return Event(cycle: cycle, processor: processor, source: .vector(vector))
    }

    public var text: String {
        var text = Self.header + "\n# cycle processor what\n"
        for event in events {
            switch event.source {
            case .vector(let vector): text += "\(event.cycle) \(event.processor) 0x\(String(vector, radix: 16))\n"
            case .nmi: text += "\(event.cycle) \(event.processor) nmi\n"
            }
        }
        return text
    }
}

private func trimmed(_ line: Substring) -> Substring {
    var line = line
    while let last = line.last, last == " " || last == "\t" || last == "\r" { line.removeLast() }
    return line
}

/// At most 40 characters, so that a binary file gives a message and not a screen.
private func quoted(_ text: Substring) -> String {
    if text.isEmpty { return "an empty line" }
    let safe = text.prefix(40).map { $0.isASCII && $0 >= " " && $0 != "\u{7f}" ? $0 : "?" }
    return "\"" + String(safe) + (text.count > 40 ? "…\"" : "\"")
}
