import Isolation

extension Finding {
    public var json: JSONValue {
        .object([
            ("id", .string(id)),
            ("statement", .string(statement)),
            ("evidence", .string(evidence)),
            ("rip", .hex(rip.rawValue)),
            ("location", .optional(location)),
            ("cycle", .count(cycle)),
            ("processor", .count(processor)),
            ("occurrences", .count(occurrences))
        ])
    }

    /// Rule, what was seen, where: three or four lines.
    public var text: String {
        var text = "\(id)  \(statement)\n    seen: \(evidence)\n    at:   0x\(String(rip.rawValue, radix: 16))"
        if let location { text += " (\(location))" }
        text += ", processor \(processor), cycle \(grouped(cycle))\n"
        if occurrences > 1 { text += "    seen \(grouped(occurrences)) times\n" }
        return text
    }
}
