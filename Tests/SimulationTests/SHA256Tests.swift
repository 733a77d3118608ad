import Simulation
import Testing

@Suite("SHA-256 (FIPS 180-4)")
struct SHA256Tests {
    static func digest(_ text: String) -> String {
        var sum = SHA256()
        sum.update(text.utf8)
        return sum.hexadecimal()
    }

    @Test(
        "the published vectors",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            )
        ])
    func vectors(text: String, expected: String) {
        #expect(Self.digest(text) == expected)
    }

    @Test("a million times a, fed in blocks that do not fit")
    func long() {
        var sum = SHA256()
        for _ in 0..<10_000 { sum.update(repeatElement(UInt8(ascii: "a"), count: 100)) }
        #expect(sum.hexadecimal() == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }
}
