/// Memory of the test device, 64 KiB at 0xFF00_0000: holds what was written and is reached as a device is, so that test
/// images see what instructions do to device memory. It costs nothing until it is written.
struct TestMemory {
    static let base: UInt64 = 0xFF00_0000
    static let range = base..<base + 0x1_0000
    private var bytes: [UInt8] = []

    /// Bytes beyond the end read as ones.
    func load(_ offset: UInt64, size: Int) -> UInt64 {
        var value: UInt64 = 0
        for n in 0..<size {
            let at = Int(offset) + n
            let byte: UInt8 = at >= Self.range.count ? 0xFF : at < bytes.count ? bytes[at] : 0
            value |= UInt64(byte) << UInt64(8 * n)
        }
        return value
    }

    mutating func store(_ offset: UInt64, size: Int, _ value: UInt64) {
        if bytes.isEmpty { bytes = [UInt8](repeating: 0, count: Self.range.count) }
        for n in 0..<size where Int(offset) + n < bytes.count {
            bytes[Int(offset) + n] = UInt8(truncatingIfNeeded: value >> UInt64(8 * n))
        }
    }
}
