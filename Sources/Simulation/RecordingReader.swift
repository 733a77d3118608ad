import Traces

extension Recording {
    /// Whether the text claims to be a recorded run of any version.
    public static func isRecording(_ text: String) -> Bool { text.hasPrefix("lvdsim-run ") }

    public init(text: String) throws(RecordingError) {
        var reader = LineReader(text: text)
        header = try reader.header()
        firstEventLine = reader.number + 1
        (events, end) = try reader.eventsAndEnd()
        isIntact = reader.isIntact
        if events.count != end.count {
            throw RecordingError(
                line: reader.number, found: "\(events.count) events", expected: "\(end.count), as count says")
        }
    }
}

/// Line by line through a recorded run, with the number of the line for messages.
private struct LineReader {
    private var rest: Substring.UTF8View
    private(set) var number = 0
    private(set) var isIntact = false
    private var sum = SHA256()

    init(text: String) { rest = text[...].utf8 }

    private func failure(_ found: String, _ expected: String) -> RecordingError {
        RecordingError(line: number, found: found, expected: expected)
    }
    private func failure(_ line: Substring, _ expected: String) -> RecordingError {
        failure("\"" + line.prefix(60).map { $0.isASCII && $0 >= " " ? String($0) : "?" }.joined() + "\"", expected)
    }

    /// The next line without its newline; nil at the end of the file.
    private mutating func next() -> Substring? {
        if rest.isEmpty { return nil }
        number += 1
        let line = rest.prefix { $0 != UInt8(ascii: "\n") }
        let whole = rest.prefix(line.count + 1)
        rest = rest.dropFirst(whole.count)
        if !line.starts(with: "sha256 ".utf8) { sum.update(whole) }
        return Substring(line)
    }
    private mutating func next(_ expected: String) throws(RecordingError) -> Substring {
        if let line = next() { return line }
        number += 1
        throw failure("the end of the file", expected + ": the file is truncated")
    }

    private func number(_ words: [Substring], _ what: String) throws(RecordingError) -> UInt64 {
        guard words.count == 2, let value = UInt64(words[1]) else {
            throw failure(words.joined(separator: " ")[...], "\(words[0]) and \(what), decimal")
        }
        return value
    }

    private mutating func number(after key: String) throws(RecordingError) -> UInt64 {
        let line = try next(key)
        let words = line.split(separator: " ")
        guard words.first == key[...] else { throw failure(line, "\(key) and a number") }
        return try number(words, "a number")
    }

    mutating func header() throws(RecordingError) -> Recording.Header {
        let first = try next("\"\(Recording.firstLine)\"")
        guard first == Recording.firstLine else { throw failure(first, "\"\(Recording.firstLine)\"") }
        var header = Recording.Header()
        var seen: Set<String> = []
        while true {
            let line = try next("a header line or \"events\"")
            let words = line.split(separator: " ")
            guard let key = words.first else { throw failure("an empty line", "a header line or \"events\"") }
            if line == "events" { break }
            let repeats: Set<Substring> = ["image", "argument", "interrupt"]
            if !repeats.contains(key), !seen.insert(String(key)).inserted { throw failure(line, "\(key) once") }
            try read(key, words, line, &header)
        }
        for key in ["image", "kernel", "isolation", "workload", "cpus", "seed", "memory", "timer"]
        where !seen.contains(key) && !(key == "image" && header.inputs.contains { $0.role == "image" }) {
            throw failure("no \"\(key)\" in the header", "it before \"events\"")
        }
        return header
    }

    private func read(_ key: Substring, _ words: [Substring], _ line: Substring, _ header: inout Recording.Header)
        throws(RecordingError)
    {
        switch key {
        case "image", "kernel", "monitor", "domain", "btf":
            guard words.count >= 3, let sum = words.last, sum.count == 64, sum.allSatisfy(\.isHexDigit) else {
                throw failure(line, "\(key), a file name and its SHA-256")
            }
            let name = line.dropFirst(key.count + 1).dropLast(65)
            header.inputs.append(.init(role: String(key), name: String(name), sha256: String(sum)))
        case "isolation":
            guard line == "isolation isolated" || line == "isolation native" else {
                throw failure(line, "isolation isolated or isolation native")
            }
            header.isolated = line == "isolation isolated"
        case "workload":
            guard words.count == 2, let workload = try? Workload(String(words[1])) else {
                throw failure(line, "a workload, as tx:1000")
            }
            header.workload = workload
        case "cpus":
            guard let count = Int(exactly: try number(words, "processors")), (1...8).contains(count) else {
                throw failure(line, "1 to 8 processors")
            }
            header.processors = count
        case "seed": header.seed = try number(words, "a seed")
        case "memory": header.memoryBytes = try number(words, "bytes")
        case "timer": header.timerCycles = line == "timer default" ? nil : try number(words, "cycles or default")
        case "argument": header.arguments.append(String(line.dropFirst("argument ".count)))
        case "interrupt":
            let text = InterruptTrace.header + "\n" + line.dropFirst("interrupt ".count)
            do {
                header.interrupts.events += try InterruptTrace(text: text, processors: header.processors).events
            } catch {
                throw failure(error.found, error.expected)
            }
        default:
            throw failure(
                line,
                "image, kernel, monitor, domain, isolation, workload, cpus, seed, memory, timer, "
                    + "argument, interrupt or events")
        }
    }

    mutating func eventsAndEnd() throws(RecordingError) -> ([EventRecord], Recording.End) {
        var events: [EventRecord] = []
        while true {
            let line = try next("an event or \"end\"")
            if line == "end" { break }
            do { events.append(try EventRecord(line: line)) } catch { throw failure(error.found, error.expected) }
        }
        var end = Recording.End()
        end.count = Int(clamping: try number(after: "count"))
        end.instructions = try number(after: "instructions")
        end.cycles = try number(after: "cycles")
        let limit = try next("limit")
        guard limit.hasPrefix("limit ") else { throw failure(limit, "limit and a cycle or none") }
        if limit != "limit none" { end.limit = try number(limit.split(separator: " "), "a cycle or none") }
        let digest = try next("digest").split(separator: " ")
        guard digest.count == 2, digest[0] == "digest", digest[1].count == 32, digest[1].allSatisfy(\.isHexDigit) else {
            throw failure(digest.joined(separator: " ")[...], "digest and 32 hexadecimal digits")
        }
        end.digest = String(digest[1])
        let last = try next("sha256 and 64 hexadecimal digits").split(separator: " ")
        guard last.count == 2, last[0] == "sha256", last[1].count == 64 else {
            throw failure(last.joined(separator: " ")[...], "sha256 and 64 hexadecimal digits")
        }
        isIntact = sum.hexadecimal() == last[1]
        if let more = next() { throw failure(more, "nothing after the checksum") }
        return (events, end)
    }
}
