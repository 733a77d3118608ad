/// One bit per vector (IRR, ISR, TMR).
struct VectorSet: Equatable {
    private(set) var words: InlineArray<4, UInt64> = .init(repeating: 0)

    static func == (a: Self, b: Self) -> Bool { (0..<4).allSatisfy { a.words[$0] == b.words[$0] } }

    subscript(_ vector: UInt8) -> Bool {
        get { words[Int(vector >> 6)] >> UInt64(vector & 63) & 1 != 0 }
        set {
            let bit: UInt64 = 1 << UInt64(vector & 63)
            let word = words[Int(vector >> 6)]
            words[Int(vector >> 6)] = newValue ? word | bit : word & ~bit
        }
    }

    var highest: UInt8? {
        for i in [3, 2, 1, 0] where words[i] != 0 { return UInt8(i * 64 + 63 - words[i].leadingZeroBitCount) }
        return nil
    }

    /// 32 vectors at a time, as the registers show them (index 0...7).
    func register(_ index: Int) -> UInt32 { UInt32(truncatingIfNeeded: words[index >> 1] >> UInt64(32 * (index & 1))) }
}
