// Bitwise operations on whole operands.

/// SDM 2A "AND-Logical AND".
@inline(__always) func logical_and<W: Width, F: FlagSink>(_ f: F, _ a: W, _ b: W) -> W {
    let r = a & b
    f.set(FlagKind.logic, r, 0, 0)
    return r
}
/// SDM 2B "OR-Logical Inclusive OR".
@inline(__always) func logical_or<W: Width, F: FlagSink>(_ f: F, _ a: W, _ b: W) -> W {
    let r = a | b
    f.set(FlagKind.logic, r, 0, 0)
    return r
}
/// SDM 2D "XOR-Logical Exclusive OR".
@inline(__always) func logical_xor<W: Width, F: FlagSink>(_ f: F, _ a: W, _ b: W) -> W {
    let r = a ^ b
    f.set(FlagKind.logic, r, 0, 0)
    return r
}
/// SDM 2B "TEST-Logical Compare".
@inline(__always) func test<W: Width, F: FlagSink>(_ f: F, _ a: W, _ b: W) { f.set(FlagKind.logic, a & b, 0, 0) }
/// SDM 2B "NOT-One's Complement Negation": no flags.
@inline(__always) func complement<W: Width, F: FlagSink>(_ f: F, _ a: W) -> W { ~a }
/// SDM 2A "BSWAP-Byte Swap"; of a 16-bit register undefined, 0 on silicon.
@inline(__always) func bswap<W: Width, F: FlagSink>(_ f: F, _ a: W) -> W { W.bitWidth == 16 ? 0 : a.byteSwapped }
