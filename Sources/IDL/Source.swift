/// The text of one interface file. Positions are byte offsets into its UTF-8.
public struct IDLSource: Sendable {
    /// As the user gave it.
    public let name: String
    let bytes: [UInt8]
    /// Offset of the first byte of each line.
    private let lineStarts: [Int]

    public init(name: String, bytes: [UInt8]) {
        self.name = name
        self.bytes = bytes
        var starts = [0]
        for (offset, byte) in bytes.enumerated() where byte == UInt8(ascii: "\n") { starts.append(offset + 1) }
        lineStarts = starts
    }
    public init(name: String, text: String) { self.init(name: name, bytes: Array(text.utf8)) }

    /// Line and column of an offset, both from 1; a column is a Unicode scalar.
    public func position(of offset: Int) -> (line: Int, column: Int) {
        var low = 0, high = lineStarts.count
        while low + 1 < high {
            let middle = (low + high) / 2
            if lineStarts[middle] <= offset { low = middle } else { high = middle }
        }
        let before = bytes[lineStarts[low]..<min(max(offset, lineStarts[low]), bytes.count)]
        return (low + 1, before.lazy.filter { $0 & 0xC0 != 0x80 }.count + 1)
    }

    /// The text of a line (from 1), without its end; bytes that are not UTF-8 appear as replacement characters.
    func line(_ number: Int) -> String {
        let start = lineStarts[number - 1]
        var end = start
        while end < bytes.count, bytes[end] != UInt8(ascii: "\n"), bytes[end] != UInt8(ascii: "\r") { end += 1 }
        return String(decoding: bytes[start..<end], as: UTF8.self)
    }

    func text(_ span: SourceSpan) -> String { String(decoding: bytes[span.start..<span.end], as: UTF8.self) }
}

/// A stretch of a source: byte offsets, the end excluded.
public struct SourceSpan: Sendable, Equatable {
    public var start: Int
    public var end: Int

    func through(_ other: SourceSpan) -> SourceSpan { SourceSpan(start: start, end: max(end, other.end)) }
}
