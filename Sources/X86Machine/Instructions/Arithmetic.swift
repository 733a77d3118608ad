// Addition, subtraction, comparison. Semantic functions know no machine: a sink for flags, operands, a result.
// Named after the semantics column of the instruction tables.

/// SDM 2A "ADD-Add".
@inline(__always) func add<W: Width, F: FlagSink>(_ f: F, _ a: W, _ b: W) -> W {
    let r = a &+ b
    f.set(FlagKind.add, r, a, b)
    return r
}
/// SDM 2A "ADC-Add With Carry".
@inline(__always) func adc<W: Width, F: FlagSink>(_ f: F, _ a: W, _ b: W) -> W {
    let r = a &+ b &+ (f.carry ? 1 : 0)
    f.set(FlagKind.adc, r, a, b)
    return r
}
/// SDM 2B "SUB-Subtract".
@inline(__always) func sub<W: Width, F: FlagSink>(_ f: F, _ a: W, _ b: W) -> W {
    let r = a &- b
    f.set(FlagKind.sub, r, a, b)
    return r
}
/// SDM 2B "SBB-Integer Subtraction With Borrow".
@inline(__always) func sbb<W: Width, F: FlagSink>(_ f: F, _ a: W, _ b: W) -> W {
    let r = a &- b &- (f.carry ? 1 : 0)
    f.set(FlagKind.sbb, r, a, b)
    return r
}
/// SDM 2A "CMP-Compare Two Operands".
@inline(__always) func cmp<W: Width, F: FlagSink>(_ f: F, _ a: W, _ b: W) { f.set(FlagKind.sub, a &- b, a, b) }
/// SDM 2B "NEG-Two's Complement Negation": CF is set unless the operand is 0, as by 0 - operand.
@inline(__always) func neg<W: Width, F: FlagSink>(_ f: F, _ a: W) -> W { sub(f, 0, a) }
/// SDM 2A "INC-Increment by 1".
@inline(__always) func inc<W: Width, F: FlagSink>(_ f: F, _ a: W) -> W {
    let r = a &+ 1
    f.setKeepingCarry(FlagKind.inc, r)
    return r
}
/// SDM 2A "DEC-Decrement by 1".
@inline(__always) func dec<W: Width, F: FlagSink>(_ f: F, _ a: W) -> W {
    let r = a &- 1
    f.setKeepingCarry(FlagKind.dec, r)
    return r
}
/// SDM 2A "ADCX-Unsigned Integer Addition of Two Operands With Carry Flag": CF alone.
@inline(__always) func adcx<W: Width, F: FlagSink>(_ f: F, _ a: W, _ b: W) -> W {
    let (x, c1) = a.addingReportingOverflow(b)
    let (r, c2) = x.addingReportingOverflow(f.carry ? 1 : 0)
    f.set(carry: c1 || c2)
    return r
}
/// SDM 2A "ADOX-Unsigned Integer Addition of Two Operands With Overflow Flag": OF alone.
@inline(__always) func adox<W: Width, F: FlagSink>(_ f: F, _ a: W, _ b: W) -> W {
    let (x, c1) = a.addingReportingOverflow(b)
    let (r, c2) = x.addingReportingOverflow(f.overflow ? 1 : 0)
    f.set(carry: f.carry, overflow: c1 || c2)
    return r
}
