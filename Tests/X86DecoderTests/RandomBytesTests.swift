import Testing
import X86Decoder

@Suite("Random byte strings") struct RandomBytesTests {
    private struct Bytes {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
            return z ^ z >> 31
        }
        private static let openings: [UInt8] = [
            0x66, 0x67, 0xF0, 0xF2, 0xF3, 0x2E, 0x36, 0x64, 0x65, 0x40, 0x48, 0x4F, 0x0F, 0x38, 0x3A, 0xC4, 0xC5,
        ]
        /// Up to 20 bytes; those at the beginning are often prefixes and escapes, sometimes nothing else.
        mutating func string() -> [UInt8] {
            if next() % 16 == 0 { return (0..<10 + Int(next() % 11)).map { _ in Self.openings[Int(next() % 9)] } }
            let count = Int(next() % 21), opening = Int(next() % 4) * Int(next() % 5)
            return (0..<count).map { n in
                let r = next()
                return n < opening ? Self.openings[Int(r % 17)] : UInt8(truncatingIfNeeded: r >> 8)
            }
        }
    }

    @Test("the decoder ends with an instruction of 1 to 15 bytes, which its own bytes alone give too, or with an error",
          arguments: [CodeSize.bits16, .bits32, .bits64])
    func random(size: CodeSize) {
        var r = Bytes(state: UInt64(size == .bits16 ? 16 : size == .bits32 ? 32 : 64))
        var instructions = 0, truncated = 0, tooLong = 0, undefined = 0
        for _ in 0..<500_000 {
            let bytes = r.string()
            do {
                let i = try Decoder.decode(bytes, size), length = Int(i.length)
                instructions += 1
                guard (1...min(15, bytes.count)).contains(length), Int(i.row) < InstructionInfo.rowCount else {
                    Issue.record("\(bytes): length \(length), row \(i.row)")
                    continue
                }
                _ = Formatter.format(i, at: 0)
                let alone = try? Decoder.decode(Array(bytes.prefix(length)), size)
                if alone?.row != i.row || alone?.length != i.length { Issue.record("\(bytes): not from its own bytes") }
                let shorter = Result { () throws(DecodingError) in
                    try Decoder.decode(Array(bytes.prefix(length - 1)), size)
                }
                if case .failure(.truncated) = shorter {} else { Issue.record("\(bytes): reads less than its length") }
            } catch DecodingError.truncated {
                truncated += 1
                if bytes.count >= 15 { Issue.record("\(bytes): truncated after 15 bytes") }
            } catch DecodingError.tooLong {
                tooLong += 1
                if bytes.count < 15 { Issue.record("\(bytes): too long") }
            } catch { undefined += 1 }
        }
        print("\(size): \(instructions) instructions, \(truncated) truncated, \(tooLong) too long,"
            + " \(undefined) undefined")
        #expect(instructions > 100_000 && truncated > 10_000 && tooLong > 1_000 && undefined > 10_000)
    }
}
