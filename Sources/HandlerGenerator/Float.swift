import InstructionTable

/// SSE's floating-point rows: the semantics column is the mnemonic, a name with ps, pd, ss or sd, or a conversion.
/// All run out of line, by `Processor`'s forms in Engine/FloatForms.swift.
enum FloatRows {
    /// Of an element of the destination, `a`, and one of the source, `b`, in the format F; `imm` is the immediate.
    private static let operations: [String: String] = [
        "add": "u.add(a, b, F)", "sub": "u.subtract(a, b, F)", "mul": "u.multiply(a, b, F)",
        "div": "u.divide(a, b, F)", "min": "u.minimum(a, b, F)", "max": "u.maximum(a, b, F)",
        "sqrt": "u.squareRoot(b, F)", "cmp": "u.matches(a, b, imm, F) ? ~0 : 0",
        "round": "u.roundToIntegral(b, imm, F)",
        "rcp": "Approximation.reciprocal(b)", "rsqrt": "Approximation.reciprocalSquareRoot(b)",
    ]
    /// Elements, what becomes of the others, types of source and result, and the conversion.
    private static let conversions: [String: (Int, String, Int, Int, String)] = [
        "cvtps2pd": (2, "keep", 32, 64, "u.convert(b, Single.self, to: Double64.self)"),
        "cvtss2sd": (1, "keep", 32, 64, "u.convert(b, Single.self, to: Double64.self)"),
        "cvtpd2ps": (2, "clear", 64, 32, "u.convert(b, Double64.self, to: Single.self)"),
        "cvtsd2ss": (1, "keep", 64, 32, "u.convert(b, Double64.self, to: Single.self)"),
        "cvtdq2ps": (4, "keep", 32, 32, "u.convert(integer: Int64(Int32(bitPattern: b)), to: Single.self)"),
        "cvtdq2pd": (2, "keep", 32, 64, "u.convert(integer: Int64(Int32(bitPattern: b)), to: Double64.self)"),
        "cvtps2dq": (4, "keep", 32, 32, toInteger("Single", "false")),
        "cvttps2dq": (4, "keep", 32, 32, toInteger("Single", "true")),
        "cvtpd2dq": (2, "clear", 64, 32, toInteger("Double64", "false")),
        "cvttpd2dq": (2, "clear", 64, 32, toInteger("Double64", "true")),
    ]
    private static func toInteger(_ format: String, _ truncates: String) -> String {
        "UInt32(bitPattern: u.integer(b, \(format).self, as: Int32.self, truncates: \(truncates)))"
    }

    /// The call that executes a row, nil when its semantics are not these. `m`: the type of its memory operand.
    static func call(_ row: InstructionRow, _ name: String, _ m: String) -> String? {
        if let (count, others, from, to, f) = conversions[name] {
            return elements(m, count, others, from, to, f)
        }
        let suffix = String(name.suffix(2)), base = String(name.dropLast(2))
        let format = suffix.hasSuffix("s") ? "Single" : "Double64", bits = format == "Single" ? 32 : 64
        if ["ps", "pd", "ss", "sd"].contains(suffix), let operation = operations[base] {
            let f = operation.replacing("F)", with: "\(format).self)").replacing("imm", with: immediate)
            return elements(m, suffix.hasPrefix("p") ? 128 / bits : 1, "keep", bits, bits, f)
        }
        let truncates = name.hasPrefix("cvtt")
        switch name {
        case "haddps", "haddpd", "hsubps", "hsubpd":
            let f = base == "hadd" ? "add" : "subtract", a = "UInt\(bits)"
            return "floatNeighbours(i.pointee) { (u: inout FloatEnvironment, a: \(a), b: \(a)) in "
                + "u.\(f)(a, b, \(format).self) }"
        case "addsubps", "addsubpd": return "floatAddSubtract(i.pointee, \(format).self)"
        case "dpps", "dppd": return "floatDotProduct(i.pointee, \(format).self)"
        case "comiss", "comisd", "ucomiss", "ucomisd":
            return "floatCompare(i.pointee, \(m), \(format).self, isSignalling: \(base == "comi"))"
        case "cvtsi2ss", "cvtsi2sd":
            return "floatFromGeneral(i.pointee, UInt\(row.rmOperand?.width ?? 32).self, \(format).self)"
        case "cvtpi2ps", "cvtpi2pd": return "floatFromMMX(i.pointee, \(format).self)"
        case "cvtss2si", "cvttss2si", "cvtsd2si", "cvttsd2si", "cvtps2pi", "cvttps2pi", "cvtpd2pi", "cvttpd2pi":
            let source = name.contains("s2") ? "Single" : "Double64"
            if name.hasSuffix("pi") { return "floatToMMX(i.pointee, \(m), \(source).self, truncates: \(truncates))" }
            return "floatToGeneral(i.pointee, \(m), \(source).self, Int\(row.operands[0].width).self, "
                + "truncates: \(truncates))"
        default: return nil
        }
    }
    private static let immediate = "UInt8(truncatingIfNeeded: i.pointee.immediate)"

    private static func elements(_ m: String, _ count: Int, _ others: String, _ from: Int, _ to: Int, _ f: String)
        -> String
    {
        "floatElements(i.pointee, \(m), \(count), .\(others)) "
            + "{ (u: inout FloatEnvironment, a: UInt\(from), b: UInt\(from)) -> UInt\(to) in \(f) }"
    }
}
