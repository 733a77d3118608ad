import Testing
@testable import X86Machine

/// What operations raise; their results and flags are compared with silicon by `HostOracleTests`.
@Suite("Floating-point environment") struct FloatEnvironmentTests {
    @Test("FTZ and DAZ: a denormal result becomes a zero with #U and #P, a denormal operand a zero without #D")
    func flushing() {
        var e = FloatEnvironment(mxcsr: 0x9F80)
        let smallest = e.unpack(0x0080_0000, .single), half = e.unpack(0xBF00_0000, .single)
        #expect(e.pack(e.multiply(smallest, half, to: .single), .single) == 0x8000_0000)
        #expect(e.raised == FloatException.underflow | FloatException.precision)
        e = FloatEnvironment(mxcsr: 0x1FC0)
        let one = e.unpack(0x3F80_0000, .single)
        #expect(e.pack(e.multiply(e.unpack(0x8000_0001, .single), one, to: .single), .single) == 0x8000_0000)
        #expect(e.raised == 0)
    }

    @Test("An unmasked invalid operand, division by zero or denormal ends the operation before the other flags")
    func unmaskedEarly() {
        var e = FloatEnvironment(mxcsr: 0x1F80 & ~0x80)
        _ = e.divide(e.unpack(0x3F80_0000, .single), by: e.unpack(0x4040_0000, .single), to: .single)
        #expect(e.raised == FloatException.precision)
        _ = e.add(e.unpack(0x7F80_0000, .single), e.unpack(0xFF80_0000, .single), to: .single)
        #expect(e.raised == FloatException.invalid)
        #expect(e.isUnmasked)
    }
}
