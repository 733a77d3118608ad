/// Bytes of a structure that software finds in memory: little-endian fields at offsets.
struct TableBytes {
    var bytes: [UInt8]
    init(count: Int = 0) { bytes = [UInt8](repeating: 0, count: count) }
    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func set(_ value: UInt64, _ size: Int, at offset: Int) {
        for i in 0..<size { bytes[offset + i] = UInt8(truncatingIfNeeded: value >> UInt64(8 * i)) }
    }
    mutating func set(_ text: String, at offset: Int) {
        for (i, byte) in text.utf8.enumerated() { bytes[offset + i] = byte }
    }
    mutating func append(_ value: UInt64, _ size: Int) {
        for i in 0..<size { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * i))) }
    }
    /// Makes the sum of `range` zero by the byte at `offset`.
    mutating func setChecksum(at offset: Int, of range: Range<Int>) {
        bytes[offset] = 0
        bytes[offset] = 0 &- bytes[range].reduce(0, &+)
    }
}
