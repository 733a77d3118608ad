import DriverImage

extension LinkedImage {
    /// The little-endian 64-bit word at a linear address.
    func word(at address: UInt64) -> UInt64 {
        for segment in segments where address >= segment.address {
            let start = Int(address - segment.address)
            guard start + 8 <= segment.bytes.count else { continue }
            return segment.bytes[start..<(start + 8)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        return 0
    }

    func half(at address: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: word(at: address)) }

    func permissions(at address: UInt64) -> String? {
        segments.first { address >= $0.address && address < $0.address + UInt64($0.bytes.count) }?
            .permissions.description
    }
}
