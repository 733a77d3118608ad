/// One C function or block as it grows: lines with their indentation, and names for values in between.
final class CText {
    private(set) var lines: [String] = []
    private var depth = 0
    private var counters: [String: Int] = [:]

    /// Long lines are broken behind a comma or in front of an operator; those that continue by themselves are not.
    func line(_ text: String) {
        var rest = text.isEmpty ? "" : String(repeating: "    ", count: depth) + text
        let indentation = rest.prefix { $0 == " " }.count + 4
        while rest.utf8.count > 118, !rest.hasSuffix("\\"), let cut = Self.cut(rest, behind: indentation) {
            lines.append(String(rest[..<cut]))
            rest = String(repeating: " ", count: indentation) + String(rest[cut...].drop { $0 == " " })
        }
        lines.append(rest)
    }
    private static func cut(_ text: String, behind indentation: Int) -> String.Index? {
        let limit = text.index(text.startIndex, offsetBy: min(118, text.count))
        let start = text.index(text.startIndex, offsetBy: indentation + 8)
        guard start < limit else { return nil }
        for separator in [", ", " ? ", " && ", " = "] {
            if let found = text[start..<limit].ranges(of: separator).last {
                return separator == ", " || separator == " = " ? text.index(before: found.upperBound) : found.lowerBound
            }
        }
        return nil
    }

    func block(_ head: String, tail: String = "}", _ body: () -> Void) {
        line(head.isEmpty ? "{" : head + " {")
        depth += 1
        body()
        depth -= 1
        line(tail)
    }

    /// `if (condition) { body } else { otherwise }`.
    func branch(_ condition: String, _ body: () -> Void, otherwise: () -> Void) {
        block("if (\(condition))", tail: "} else {", body)
        depth += 1
        otherwise()
        depth -= 1
        line("}")
    }

    /// A name that this function has not used: `count_1`, `count_2`.
    func fresh(_ stem: String) -> String {
        counters[stem, default: 0] += 1
        return "\(stem)_\(counters[stem]!)"
    }

    var text: String { lines.map { $0 + "\n" }.joined() }
}

/// Words of C that cannot be names in the code that is made.
enum CWords {
    static let reserved: Set<String> = [
        "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum", "extern",
        "float", "for", "goto", "if", "inline", "int", "long", "register", "restrict", "return", "short", "signed",
        "sizeof", "static", "struct", "switch", "typedef", "union", "unsigned", "void", "volatile", "while", "asm",
        "typeof", "bool", "true", "false", "NULL", "u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64"
    ]
    /// Of those, types: a structure may have the same tag.
    static let types: Set<String> = ["u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64"]
    /// Names that the code itself uses where arguments are in reach.
    static let taken: Set<String> = [
        "call", "ctx", "context", "peer", "target", "answered", "request", "function", "message"
    ]
    static func parameter(_ name: String) -> String { taken.contains(name) ? name + "_argument" : name }
}
