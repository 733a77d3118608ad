#if arch(x86_64)
import Testing
@testable import X86Machine

/// The integer arithmetic against the processor that the tests run on: results and exception flags in all rounding
/// modes, precisions, with DAZ and FTZ.
@Suite("Floating point against the host's processor") struct FloatHostTests {
    typealias Operation = @Sendable (inout FloatEnvironment, Real, Real, FloatFormat) -> UInt64
    /// Opcode after the mandatory prefix, whether the result is in RAX, and what ours does.
    static let sse: [(name: String, code: [UInt8], isInteger: Bool, ours: Operation)] = [
        ("ADD", [0x0F, 0x58, 0xC1], false, { e, a, b, f in e.add(a, b, to: f).bits(f) }),
        ("SUB", [0x0F, 0x5C, 0xC1], false, { e, a, b, f in e.subtract(a, b, to: f).bits(f) }),
        ("MUL", [0x0F, 0x59, 0xC1], false, { e, a, b, f in e.multiply(a, b, to: f).bits(f) }),
        ("DIV", [0x0F, 0x5E, 0xC1], false, { e, a, b, f in e.divide(a, by: b, to: f).bits(f) }),
        ("SQRT", [0x0F, 0x51, 0xC0], false, { e, a, _, f in e.squareRoot(a, to: f).bits(f) }),
        ("MIN", [0x0F, 0x5D, 0xC1], false, { e, a, b, f in e.minimum(a, b).bits(f) }),
        ("MAX", [0x0F, 0x5F, 0xC1], false, { e, a, b, f in e.maximum(a, b).bits(f) }),
        ("CVT", [0x0F, 0x5A, 0xC0], false, { e, a, _, f in
            let to: FloatFormat = f.precision == 24 ? .double : .single
            return e.convert(a, to: to).bits(to)
        }),
        // CMPNLTSS to RAX through XMM0: all ones where not less.
        ("CMPNLT", [0x0F, 0xC2, 0xC1, 5], false, { e, a, b, f in
            e.compare(a, b, isSignalling: true) == .less ? 0 : f.precision == 24 ? 0xFFFF_FFFF : ~0
        }),
        ("CMPEQ", [0x0F, 0xC2, 0xC1, 0], false, { e, a, b, f in
            e.compare(a, b, isSignalling: false) != .equal ? 0 : f.precision == 24 ? 0xFFFF_FFFF : ~0
        }),
        ("CVT to 64-bit integer", [0x48, 0x0F, 0x2D, 0xC0], true, { e, a, _, _ in
            e.toInteger(a, bits: 64).map { UInt64(bitPattern: $0) } ?? 1 << 63
        }),
        ("CVT to 32-bit integer", [0x0F, 0x2D, 0xC0], true, { e, a, _, _ in
            e.toInteger(a, bits: 32).map { UInt64(UInt32(truncatingIfNeeded: $0)) } ?? 1 << 31
        }),
        ("CVTT to 64-bit integer", [0x48, 0x0F, 0x2C, 0xC0], true, { e, a, _, _ in
            e.rounding = .towardZero
            return e.toInteger(a, bits: 64).map { UInt64(bitPattern: $0) } ?? 1 << 63
        })
    ]

    @Test("SSE: results and flags of every operation are those of silicon", arguments: sse.indices)
    func scalar(index: Int) {
        guard let host = VectorHost() else { print("skipped: the host maps no executable memory"); return }
        let (name, code, isInteger, ours) = Self.sse[index]
        var r = SplitMix(seed: UInt64(index))
        var state = VectorHost.State()
        for n in 0..<4000 {
            let f: FloatFormat = n & 1 == 0 ? .single : .double
            let mxcsr = UInt32(0x1F80 | r.below(4) << 13 | (r.oneIn(4) ? 0x40 : 0) | (r.oneIn(4) ? 0x8000 : 0))
            let a = r.float(f), b = r.float(f)
            state.image[3] = UInt64(mxcsr)
            (state.image[20], state.image[22]) = (a, b)
            let after = host.run([f.precision == 24 ? 0xF3 : 0xF2] + code, state)
            var e = FloatEnvironment(mxcsr: mxcsr)
            let result = ours(&e, e.unpack(a, f), e.unpack(b, f), f)
            let isSingle = !isInteger && (name == "CVT" ? f.precision == 53 : f.precision == 24)
            let theirs = isInteger ? after.registers[0] : isSingle ? after.image[20] & 0xFFFF_FFFF : after.image[20]
            let flags = UInt8(after.image[3] & 0x3F)
            let what = "\(name) \(f.precision) bits, \(hex(a)), \(hex(b)), MXCSR \(hex(UInt64(mxcsr)))"
            #expect(result == theirs, "\(what): \(hex(result)), host \(hex(theirs))")
            #expect(e.raised == flags, "\(what): raised \(hex(UInt64(e.raised))), host \(hex(UInt64(flags)))")
        }
    }

    @Test("Integers are converted as silicon does, in all rounding modes")
    func fromInteger() {
        guard let host = VectorHost() else { print("skipped: the host maps no executable memory"); return }
        var r = SplitMix(seed: 99)
        var state = VectorHost.State()
        for n in 0..<4000 {
            let f: FloatFormat = n & 1 == 0 ? .single : .double
            let mxcsr = UInt32(0x1F80 | r.below(4) << 13)
            let value = Int64(bitPattern: r.operand()) >> Int64(r.below(64))
            state.registers[0] = UInt64(bitPattern: value)
            state.image[3] = UInt64(mxcsr)
            state.image[20] = 0
            let after = host.run([f.precision == 24 ? 0xF3 : 0xF2, 0x48, 0x0F, 0x2A, 0xC0], state)
            var e = FloatEnvironment(mxcsr: mxcsr)
            let result = e.convert(FloatEnvironment.fromInteger(value), to: f).bits(f)
            #expect(result == after.image[20], "\(value), MXCSR \(hex(UInt64(mxcsr)))")
            #expect(UInt64(e.raised) == after.image[3] & 0x3F, "\(value), MXCSR \(hex(UInt64(mxcsr)))")
        }
    }

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

    private func hex(_ x: UInt64) -> String { "0x" + String(x, radix: 16) }
}
#endif
