import X86Decoder

/// Instruction bytes that exercise every path of a decoder: prefixes x maps x opcodes x ModRM x SIB.
struct Enumeration {
    var size: CodeSize
    var prefixes: [UInt8]
    /// 0F, 0F 38 and so on.
    var escape: [UInt8]
    var opcodes: ClosedRange<UInt8> = 0...255
    /// All 256 ModRM bytes, or those that differ in reg, in memory form and in register.
    var everyModRM = false
    /// All 256 SIB bytes with every ModRM byte that has one, for a few opcodes.
    var everySIB = false

    /// SIB bytes: plain, no index, no base, scaled, all registers high.
    static let sib: [UInt8] = [0x00, 0x24, 0x25, 0x65, 0xdb, 0xff]
    /// After ModRM and SIB: displacement and immediate bytes that differ, with signs that differ.
    static let otherSigns: [UInt8] = [
        0x7f, 0x12, 0xf3, 0x84, 0x65, 0x76, 0x07, 0x98, 0x19, 0xaa, 0x2b, 0xbc, 0x3d, 0xce,
    ]
    static let tail: [UInt8] = [0x81, 0x12, 0xf3, 0x04, 0xe5, 0x76, 0x07, 0x98, 0x19, 0xaa, 0x2b, 0xbc, 0x3d, 0xce]

    var queries: [Zydis.Query] {
        opcodes.flatMap { opcode in
            let start = prefixes + escape + [opcode]
            return (everySIB ? Self.everySIBTail : everyModRM ? Self.everyTail : Self.tails[Int(opcode & 7)]).map {
                Zydis.Query(size: size, bytes: Array((start + $0).prefix(15)))
            }
        }
    }

    /// Displacements of both signs.
    private static let everySIBTail: [[UInt8]] = {
        var result: [[UInt8]] = []
        for modRM in 0..<0xc0 as Range<UInt8> where modRM & 7 == 4 {
            for sib in 0...255 as ClosedRange<UInt8> {
                let end = sib & 1 == 0 ? tail : otherSigns
                result.append([modRM, sib] + end)
            }
        }
        return result
    }()
    private static let everyTail = (UInt8.min...UInt8.max).flatMap { tails(modRM: $0, everySIB: true) }
    /// By the opcode's low bits, which choose the ModRM.reg that is tried with every SIB byte.
    private static let tails = (0..<8 as Range<UInt8>).map { low in
        (UInt8.min...UInt8.max).filter(isRepresentative).flatMap { tails(modRM: $0, everySIB: $0 >> 3 & 7 == low) }
    }
    private static func tails(modRM: UInt8, everySIB: Bool) -> [[UInt8]] {
        guard modRM & 7 == 4 && modRM < 0xc0 else { return [[modRM] + tail] }
        return (everySIB ? sib : [sib[Int(modRM >> 3 & 3)]]).map { [modRM, $0] + tail }
    }

    private static func isRepresentative(_ modRM: UInt8) -> Bool {
        switch modRM >> 6 {
        case 0: [1, 4, 5, 6].contains(modRM & 7)
        case 1, 2: [3, 4].contains(modRM & 7) && modRM >> 3 & 7 < 2
        default: [0, 5].contains(modRM & 7)
        }
    }

    static let escapes: [[UInt8]] = [[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]]
    /// Orders and repetitions within and across the prefix groups (SDM 2A 2.1.1 "Instruction Prefixes").
    static let legacyPrefixes: [[UInt8]] = [
        [], [0x66], [0xf2], [0xf3], [0x67], [0xf0], [0x2e], [0x64], [0x66, 0x67], [0x66, 0xf2], [0xf3, 0x66],
        [0xf2, 0xf3], [0xf3, 0xf2], [0xf0, 0x66], [0xf0, 0xf3], [0x67, 0xf3], [0x64, 0x36], [0x66, 0x66], [0x65, 0x67],
    ]
    /// With REX, also where a legacy prefix after it makes it void (SDM 2A 2.2.1 "REX Prefixes").
    static let rexPrefixes: [[UInt8]] = [
        [0x40], [0x41], [0x42], [0x44], [0x48], [0x4f], [0x66, 0x48], [0xf3, 0x48], [0xf2, 0x48], [0xf3, 0x66, 0x4d],
        [0x66, 0xf2, 0x41], [0x48, 0x66], [0x4f, 0xf3], [0x48, 0x41], [0xf0, 0x48], [0x67, 0x4c], [0x67, 0x66, 0x43],
    ]

    /// The three-byte maps share the prefix logic of the others.
    static let shortPrefixes: [[UInt8]] = [[], [0x66], [0xf2], [0xf3], [0x67], [0xf0], [0x66, 0xf2], [0xf3, 0x66]]
    static let shortREXPrefixes: [[UInt8]] = [[0x4f], [0x66, 0x48], [0xf2, 0x48], [0xf3, 0x48], [0x66, 0xf2, 0x41]]

    static func legacy(_ size: CodeSize) -> [Enumeration] {
        escapes.flatMap { escape in
            let isShort = escape.count == 2, hasREX = size == .bits64
            let prefixes = isShort ? shortPrefixes + (hasREX ? shortREXPrefixes : [])
                : legacyPrefixes + (hasREX ? rexPrefixes : [])
            return prefixes.enumerated().map { n, prefix in
                // The prefixes that choose rows of 0F 01, 0F 1E and others by the whole ModRM byte.
                let isMandatory = escape.count == 1 && [[0x66], [0xf2], [0xf3]].contains(prefix)
                return Enumeration(size: size, prefixes: prefix, escape: escape, everyModRM: n == 0 || isMandatory)
            }
        }
    }

    /// Address forms: MOV r, r/m with every ModRM and SIB byte, under what changes addresses.
    static func addresses(_ size: CodeSize) -> [Enumeration] {
        let prefixes: [[UInt8]] = [[], [0x67], [0x64], [0x67, 0x36]]
        let rex: [[UInt8]] = size == .bits64 ? [[0x41], [0x42], [0x43], [0x4f], [0x67, 0x43], [0x65, 0x4f]] : []
        return (prefixes + rex).map {
            Enumeration(size: size, prefixes: $0, escape: [], opcodes: 0x8b...0x8b, everySIB: true)
        }
    }

    /// Random byte strings, often with a legal opening.
    static func random(_ size: CodeSize, count: Int) -> [Zydis.Query] {
        var state: UInt64 = size == .bits64 ? 64 : size == .bits32 ? 32 : 16
        func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
            return z ^ z >> 31
        }
        let openings = legacyPrefixes + escapes + (size == .bits64 ? rexPrefixes : [])
        return (0..<count).map { _ in
            var bytes = (0..<Int(next() % 3)).flatMap { _ in openings[Int(next() % UInt64(openings.count))] }
            while bytes.count < 15 { bytes.append(UInt8(truncatingIfNeeded: next() >> 8)) }
            return Zydis.Query(size: size, bytes: Array(bytes.prefix(15)))
        }
    }

    /// C5 and C4 with each map, pp, W, L and with vvvv that is used and not.
    static func vex(_ size: CodeSize) -> [Enumeration] {
        var result: [Enumeration] = []
        for low in 0..<8 as Range<UInt8> {
            for v: UInt8 in size == .bits64 ? [0x78, 0x50] : [0x78] {
                result.append(Enumeration(size: size, prefixes: [], escape: [0xc5, 0x80 | v | low]))
                for map: UInt8 in 1...3 {
                    for w: UInt8 in v == 0x78 ? [0, 0x80] : [0] {
                        result.append(Enumeration(size: size, prefixes: [], escape: [0xc4, 0xe0 | map, w | v | low]))
                    }
                }
            }
        }
        for prefix: UInt8 in [0x66, 0xf2, 0xf3, 0xf0, 0x67, 0x2e, 0x48] {
            result.append(Enumeration(size: size, prefixes: [prefix], escape: [0xc5, 0xf9]))
        }
        if size == .bits64 {
            for rxb: UInt8 in [0x00, 0x20, 0x40, 0x80] {
                for map: UInt8 in 1...3 {
                    result.append(Enumeration(size: size, prefixes: [], escape: [0xc4, rxb | map, 0x39]))
                }
            }
        }
        return result
    }
}
