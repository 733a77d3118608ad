import Testing
@testable import X86Machine

@Suite("Hash of digests: SipHash-2-4-128")
struct StableHashTests {
    /// The published vectors (Aumasson and Bernstein's reference implementation, vectors.h, "vectors_sip128"):
    /// key 00..0F, input 00 01 02 ..., of 0, 8 and 16 bytes.
    @Test("Published test vectors whose input is whole words")
    func vectors() {
        var hash = StableHash(key0: 0x0706_0504_0302_0100, key1: 0x0F0E_0D0C_0B0A_0908)
        #expect(bytes(hash) == "a3817f04ba25a8e66df67214c7550293")
        hash.add(0x0706_0504_0302_0100)
        #expect(bytes(hash) == "3b62a9ba6258f5610f83e264f31497b4")
        hash.add(0x0F0E_0D0C_0B0A_0908)
        #expect(bytes(hash) == "6ee2a4ca67b054bbfd3315bf85230577")
    }

    private func bytes(_ hash: StableHash) -> String {
        (0..<16).map { i in
            let byte = UInt8(truncatingIfNeeded: hash.value >> UInt128(8 * i))
            return (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }

    @Test("Byte arrays hash with their length: a boundary between two of them matters")
    func lengths() {
        var a = StableHash(), b = StableHash()
        a.add([1, 2, 3] as [UInt8]); a.add([] as [UInt8])
        b.add([] as [UInt8]); b.add([1, 2, 3] as [UInt8])
        #expect(a.value != b.value)
    }

    @Test("A digest prints as 32 hexadecimal digits")
    func text() {
        #expect(MachineDigest(0xABC).description == "00000000000000000000000000000abc")
    }

    @Test("State of plain values is taken apart completely: any field changes the digest")
    func reflection() {
        func digest(_ change: (inout SystemState) -> Void) -> UInt128 {
            var state = SystemState(), hash = StableHash()
            change(&state)
            hash.add(state: state)
            return hash.value
        }
        let values = [
            digest { _ in }, digest { $0.cr3 = 1 }, digest { $0.dr.2 = 1 }, digest { $0.pendingSIPI = 0 },
            digest { $0.segments[3].limit = 1 }, digest { $0.fpu.upperYMM[31] = 1 }, digest { $0.activity = .halted },
            digest { $0.blockingByNMI = true }, digest { $0.gdtr.limit = 1 },
        ]
        for (i, a) in values.enumerated() {
            for b in values[(i + 1)...] { #expect(a != b) }
        }
    }
}
