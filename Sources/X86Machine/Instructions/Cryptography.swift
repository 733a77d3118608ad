// PCLMULQDQ, AES and SHA.

/// SDM 2B "PCLMULQDQ-Carry-Less Multiplication Quadword".
func pclmulqdq(_ a: XMM, _ b: XMM, _ imm: UInt8) -> XMM {
    let x = UInt128(a[Int(imm & 1)]), y = b[Int(imm &>> 4 & 1)]
    var product: UInt128 = 0
    for n in 0..<64 as Range<UInt64> where y &>> n & 1 != 0 { product ^= x &<< UInt128(n) }
    return XMM(UInt64(truncatingIfNeeded: product), UInt64(truncatingIfNeeded: product &>> 64))
}

/// SDM 1 12.13.3 "Advanced Encryption Standard Instructions": the state is a 4x4 matrix of bytes, column by column.
private enum AES {
    /// FIPS 197, 4.2: multiplication of polynomials modulo x^8 + x^4 + x^3 + x + 1.
    static func multiply(_ a: UInt8, _ b: UInt8) -> UInt8 {
        var a = a, b = b, product: UInt8 = 0
        while b != 0 {
            if b & 1 != 0 { product ^= a }
            a = a &<< 1 ^ (a & 0x80 != 0 ? 0x1b : 0)
            b &>>= 1
        }
        return product
    }
    /// FIPS 197, 5.1.1: the multiplicative inverse, then an affine transformation.
    static let substitution: [UInt8] = (0..<256).map { n in
        let x = UInt8(n)
        var inverse: UInt8 = 1
        // x^254 is the inverse of x, and 0 for 0.
        for _ in 0..<254 { inverse = multiply(inverse, x) }
        func rotated(_ k: UInt8) -> UInt8 { inverse &<< k | inverse &>> (8 &- k) }
        return inverse ^ rotated(1) ^ rotated(2) ^ rotated(3) ^ rotated(4) ^ 0x63
    }
    static let inverseSubstitution: [UInt8] = {
        var table = [UInt8](repeating: 0, count: 256)
        for (n, value) in substitution.enumerated() { table[Int(value)] = UInt8(n) }
        return table
    }()
    static func substitute(_ a: Bytes, _ table: [UInt8]) -> Bytes { Bytes.each(a) { table[Int($0)] } }
    /// Row r is rotated left by r columns; `direction` 3 is the inverse.
    static func shiftRows(_ a: Bytes, _ direction: Int) -> Bytes {
        Bytes.each { n in a[(n & 3) + 4 * ((n / 4 + (n & 3) * direction) & 3)] }
    }
    private static let doubled: [UInt8] = (0..<256).map { multiply(UInt8($0), 2) }
    static func mixColumns(_ a: Bytes) -> Bytes {
        let doubled = doubled
        func at(_ n: Int, _ k: Int) -> UInt8 { a[n & ~3 | (n + k) & 3] }
        return Bytes.each { n in doubled[Int(at(n, 0) ^ at(n, 1))] ^ at(n, 1) ^ at(n, 2) ^ at(n, 3) }
    }
    /// Three more times: the matrix of MixColumns to the fourth power is the identity.
    static func inverseMixColumns(_ a: Bytes) -> Bytes { mixColumns(mixColumns(mixColumns(a))) }
}

/// SDM 2A "AESENC-Perform One Round of an AES Encryption Flow" and its relatives.
func aesenclast(_ a: Bytes, _ key: Bytes) -> Bytes { AES.substitute(AES.shiftRows(a, 1), AES.substitution) ^ key }
func aesenc(_ a: Bytes, _ key: Bytes) -> Bytes {
    AES.mixColumns(AES.substitute(AES.shiftRows(a, 1), AES.substitution)) ^ key
}
func aesdeclast(_ a: Bytes, _ key: Bytes) -> Bytes {
    AES.substitute(AES.shiftRows(a, 3), AES.inverseSubstitution) ^ key
}
func aesdec(_ a: Bytes, _ key: Bytes) -> Bytes {
    AES.inverseMixColumns(AES.substitute(AES.shiftRows(a, 3), AES.inverseSubstitution)) ^ key
}
func aesimc(_ b: Bytes) -> Bytes { AES.inverseMixColumns(b) }
/// SDM 2A "AESKEYGENASSIST-AES Round Key Generation Assist".
func aeskeygenassist(_ b: Bytes, _ imm: UInt8) -> Doublewords {
    let s = Doublewords(AES.substitute(b, AES.substitution).bits), constant = UInt32(imm)
    return Doublewords(
        s[1], rotate(s[1], right: 8) ^ constant, s[3], rotate(s[3], right: 8) ^ constant)
}

@inline(__always) private func rotate(_ x: UInt32, right n: UInt32) -> UInt32 { x &>> n | x &<< (32 &- n) }
@inline(__always) private func choose(_ x: UInt32, _ y: UInt32, _ z: UInt32) -> UInt32 { x & y ^ ~x & z }
@inline(__always) private func majority(_ x: UInt32, _ y: UInt32, _ z: UInt32) -> UInt32 { x & y ^ x & z ^ y & z }

/// SDM 2B "SHA1RNDS4-Perform Four Rounds of SHA1 Operation".
func sha1rnds4(_ x: Doublewords, _ w: Doublewords, _ imm: UInt8) -> Doublewords {
    var (a, b, c, d, e) = (x[3], x[2], x[1], x[0], 0 as UInt32)
    let constants: InlineArray<4, UInt32> = [0x5A82_7999, 0x6ED9_EBA1, 0x8F1B_BCDC, 0xCA62_C1D6]
    let kind = Int(imm & 3)
    for n in 0..<4 {
        let f = kind == 0 ? choose(b, c, d) : kind == 2 ? majority(b, c, d) : b ^ c ^ d
        let next = f &+ rotate(a, right: 27) &+ w[3 - n] &+ e &+ constants[kind]
        (a, b, c, d, e) = (next, a, rotate(b, right: 2), c, d)
    }
    return Doublewords(d, c, b, a)
}
/// SDM 2B "SHA1NEXTE-Calculate SHA1 State Variable E after Four Rounds".
func sha1nexte(_ a: Doublewords, _ b: Doublewords) -> Doublewords {
    Doublewords(b[0], b[1], b[2], b[3] &+ rotate(a[3], right: 2))
}
/// SDM 2B "SHA1MSG1-Perform an Intermediate Calculation for the Next Four SHA1 Message Dwords".
func sha1msg1(_ a: Doublewords, _ b: Doublewords) -> Doublewords {
    Doublewords(b[2] ^ a[0], b[3] ^ a[1], a[0] ^ a[2], a[1] ^ a[3])
}
/// SDM 2B "SHA1MSG2-Perform a Final Calculation for the Next Four SHA1 Message Dwords".
func sha1msg2(_ a: Doublewords, _ b: Doublewords) -> Doublewords {
    let w16 = rotate(a[3] ^ b[2], right: 31)
    return Doublewords(
        rotate(a[0] ^ w16, right: 31), rotate(a[1] ^ b[0], right: 31), rotate(a[2] ^ b[1], right: 31), w16)
}
/// SDM 2B "SHA256RNDS2-Perform Two Rounds of SHA256 Operation": XMM0 holds the message with its constants.
func sha256rnds2(_ x: Doublewords, _ y: Doublewords, _ wk: Doublewords) -> Doublewords {
    var (a, b, c, d, e, f, g, h) = (y[3], y[2], x[3], x[2], y[1], y[0], x[1], x[0])
    for n in 0..<2 {
        let s1 = rotate(e, right: 6) ^ rotate(e, right: 11) ^ rotate(e, right: 25)
        let s0 = rotate(a, right: 2) ^ rotate(a, right: 13) ^ rotate(a, right: 22)
        let t = choose(e, f, g) &+ s1 &+ wk[n] &+ h
        (a, b, c, d, e, f, g, h) = (t &+ majority(a, b, c) &+ s0, a, b, c, t &+ d, e, f, g)
    }
    return Doublewords(f, e, b, a)
}
/// SDM 2B "SHA256MSG1-Perform an Intermediate Calculation for the Next Four SHA256 Message Dwords".
func sha256msg1(_ a: Doublewords, _ b: Doublewords) -> Doublewords {
    func s(_ x: UInt32) -> UInt32 { rotate(x, right: 7) ^ rotate(x, right: 18) ^ x &>> 3 }
    return Doublewords(a[0] &+ s(a[1]), a[1] &+ s(a[2]), a[2] &+ s(a[3]), a[3] &+ s(b[0]))
}
/// SDM 2B "SHA256MSG2-Perform a Final Calculation for the Next Four SHA256 Message Dwords".
func sha256msg2(_ a: Doublewords, _ b: Doublewords) -> Doublewords {
    func s(_ x: UInt32) -> UInt32 { rotate(x, right: 17) ^ rotate(x, right: 19) ^ x &>> 10 }
    let w16 = a[0] &+ s(b[2]), w17 = a[1] &+ s(b[3])
    return Doublewords(w16, w17, a[2] &+ s(w16), a[3] &+ s(w17))
}
