/// A JSON value whose members keep the order in which they were written, so that equal runs give equal bytes.
public indirect enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    /// Integers beyond 2^53 lose precision in many readers: write those as `hex`.
    case integer(Int64)
    case unsigned(UInt64)
    /// Tenths, written with one decimal: no floating point on the way.
    case tenths(UInt64)
    case string(String)
    case array([JSONValue])
    case object([(String, JSONValue)])

    public static func count(_ n: UInt64) -> JSONValue { .unsigned(n) }
    public static func count(_ n: Int) -> JSONValue { .integer(Int64(n)) }
    /// Addresses and other bit patterns: a string, `0x` and lower-case digits.
    public static func hex(_ value: UInt64) -> JSONValue { .string("0x" + String(value, radix: 16)) }
    public static func optional(_ text: String?) -> JSONValue { text.map(JSONValue.string) ?? .null }

    public static func == (a: JSONValue, b: JSONValue) -> Bool { a.text(indent: nil) == b.text(indent: nil) }
}

extension JSONValue {
    /// - Parameter indent: blanks per level, or nil for everything on one line.
    public func text(indent: Int? = 2) -> String {
        var text = ""
        write(to: &text, indent: indent, level: 0)
        return text
    }

    private func write(to text: inout String, indent: Int?, level: Int) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .integer(let value): text += String(value)
        case .unsigned(let value): text += String(value)
        case .tenths(let value): text += "\(value / 10).\(value % 10)"
        case .string(let value): Self.write(value, to: &text)
        case .array(let values):
            Self.write(brackets: "[]", count: values.count, to: &text, indent: indent, level: level) { i, text in
                values[i].write(to: &text, indent: indent, level: level + 1)
            }
        case .object(let members):
            Self.write(brackets: "{}", count: members.count, to: &text, indent: indent, level: level) { i, text in
                Self.write(members[i].0, to: &text)
                text += indent == nil ? ":" : ": "
                members[i].1.write(to: &text, indent: indent, level: level + 1)
            }
        }
    }

    private static func write(
        brackets: String, count: Int, to text: inout String, indent: Int?, level: Int,
        element: (Int, inout String) -> Void
    ) {
        text.append(brackets.first!)
        for i in 0..<count {
            if i > 0 { text += "," }
            if let indent { text += "\n" + String(repeating: " ", count: indent * (level + 1)) }
            element(i, &text)
        }
        if let indent, count > 0 { text += "\n" + String(repeating: " ", count: indent * level) }
        text.append(brackets.last!)
    }

    /// RFC 8259 section 7 "Strings".
    private static func write(_ value: String, to text: inout String) {
        text += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
