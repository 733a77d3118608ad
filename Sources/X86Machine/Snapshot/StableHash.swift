/// A 128-bit hash that is the same in every process and on every host: SipHash-2-4 with 128-bit output
/// (J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF", 2012), fixed zero key, over 64-bit words.
///
/// As every input is a whole number of words, the result equals reference SipHash of their little-endian bytes.
public struct StableHash: Sendable {
    private var v0: UInt64, v1: UInt64, v2: UInt64, v3: UInt64
    private var words: UInt64 = 0

    public init(key0: UInt64 = 0, key1: UInt64 = 0) {
        v0 = key0 ^ 0x736f_6d65_7073_6575
        v1 = key1 ^ 0x646f_7261_6e64_6f6d ^ 0xee
        v2 = key0 ^ 0x6c79_6765_6e65_7261
        v3 = key1 ^ 0x7465_6462_7974_6573
    }

    @inline(__always) private mutating func round() {
        v0 = v0 &+ v1; v1 = v1 &<< 13 | v1 &>> 51; v1 ^= v0; v0 = v0 &<< 32 | v0 &>> 32
        v2 = v2 &+ v3; v3 = v3 &<< 16 | v3 &>> 48; v3 ^= v2
        v0 = v0 &+ v3; v3 = v3 &<< 21 | v3 &>> 43; v3 ^= v0
        v2 = v2 &+ v1; v1 = v1 &<< 17 | v1 &>> 47; v1 ^= v2; v2 = v2 &<< 32 | v2 &>> 32
    }

    @inline(__always) public mutating func add(_ word: UInt64) {
        v3 ^= word
        round()
        round()
        v0 ^= word
        words &+= 1
    }
    public mutating func add(_ flag: Bool) { add(flag ? 1 as UInt64 : 0) }
    public mutating func add(_ words: UnsafeBufferPointer<UInt64>) {
        for word in words { add(word) }
    }
    /// Length first, then eight bytes to the word, the last one padded with zeros.
    public mutating func add(_ bytes: [UInt8]) {
        add(UInt64(bytes.count))
        var word: UInt64 = 0
        for (i, byte) in bytes.enumerated() {
            word |= UInt64(byte) << UInt64(8 * (i & 7))
            if i & 7 == 7 { add(word); word = 0 }
        }
        if bytes.count & 7 != 0 { add(word) }
    }

    /// The hash of everything added so far; more may be added afterwards.
    public var value: UInt128 {
        var h = self
        let length = (words &* 8) &<< 56
        h.v3 ^= length
        h.round(); h.round()
        h.v0 ^= length
        h.v2 ^= 0xee
        h.round(); h.round(); h.round(); h.round()
        let low = h.v0 ^ h.v1 ^ h.v2 ^ h.v3
        h.v1 ^= 0xdd
        h.round(); h.round(); h.round(); h.round()
        let high = h.v0 ^ h.v1 ^ h.v2 ^ h.v3
        return UInt128(high) << 64 | UInt128(low)
    }
}
