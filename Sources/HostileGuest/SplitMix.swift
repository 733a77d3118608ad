/// Deterministic random numbers (Steele, Lea, Flood: "Fast splittable pseudorandom number generators").
public struct SplitMix: RandomNumberGenerator {
    public var state: UInt64
    public init(seed: UInt64) { state = seed }
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
    public mutating func below(_ n: Int) -> Int { Int(next() % UInt64(n)) }
    public mutating func oneIn(_ n: Int) -> Bool { below(n) == 0 }
    /// Values at which carries and signs change are as likely as others.
    public mutating func operand() -> UInt64 {
        switch below(8) {
        case 0: [0, 1, ~0, 1 << 63, 1 << 31, 1 << 15, 1 << 7, 0x7fff_ffff_ffff_ffff][below(8)]
        case 1: UInt64(bitPattern: Int64(Int8(truncatingIfNeeded: next())))
        case 2: UInt64(UInt32(truncatingIfNeeded: next()))
        case 3: 1 << UInt64(below(64))
        default: next()
        }
    }
}
