/// Words of an interface file.
enum Token: Equatable {
    /// Keywords too: they are names wherever the grammar wants a name.
    case name(String)
    case number(UInt64)
    case string(String)
    /// `{{ C expression }}`, without the braces.
    case expression(String)
    /// One of `< > { } [ ] ( ) * ; , : .`
    case mark(Character)
    case end

    var described: String {
        switch self {
        case .name(let text): "'\(text)'"
        case .number(let value): "number \(value)"
        case .string: "a string"
        case .expression: "an expression in {{ }}"
        case .mark(let character): "'\(character)'"
        case .end: "the end of the file"
        }
    }
}

struct LocatedToken {
    var token: Token
    var span: SourceSpan
}

/// Bytes to words, one at a time: `include <path>` needs another reading of `<` than a type does.
struct Lexer {
    let source: IDLSource
    private var position = 0
    init(_ source: IDLSource) { self.source = source }

    private func byte(_ ahead: Int = 0) -> UInt8? {
        position + ahead < source.bytes.count ? source.bytes[position + ahead] : nil
    }

    mutating func next(_ sink: inout DiagnosticSink) -> LocatedToken {
        while true {
            skipBlanks(&sink)
            let start = position
            guard let first = byte() else {
                return LocatedToken(token: .end, span: SourceSpan(start: start, end: start))
            }
            let token: Token
            switch first {
            case UInt8(ascii: "_"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"):
                token = name(&sink)
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                token = number(&sink)
            case UInt8(ascii: "\""):
                token = string(&sink)
            case UInt8(ascii: "{") where byte(1) == UInt8(ascii: "{"):
                token = expression(&sink)
            case UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "["),
                UInt8(ascii: "]"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "*"), UInt8(ascii: ";"),
                UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "."):
                position += 1
                token = .mark(Character(Unicode.Scalar(first)))
            default:
                position += 1
                while let byte = byte(), byte & 0xC0 == 0x80 { position += 1 }
                let span = SourceSpan(start: start, end: position)
                let shown =
                    first < 0x20 || first == 0x7F
                    ? "the control character 0x\(String(first, radix: 16))" : "'\(source.text(span))'"
                sink.error(.badCharacter, span, "\(shown) has no meaning here")
                if sink.isFull { position = source.bytes.count }
                continue
            }
            return LocatedToken(token: token, span: SourceSpan(start: start, end: position))
        }
    }

    /// The path of `include <path>`; nil when none starts here.
    mutating func path(_ sink: inout DiagnosticSink) -> (String, SourceSpan)? {
        skipBlanks(&sink)
        let start = position
        guard byte() == UInt8(ascii: "<") else { return nil }
        var end = position + 1
        while end < source.bytes.count, source.bytes[end] != UInt8(ascii: ">"), source.bytes[end] != UInt8(ascii: "\n")
        {
            end += 1
        }
        guard end < source.bytes.count, source.bytes[end] == UInt8(ascii: ">"), end > start + 1 else { return nil }
        position = end + 1
        return (source.text(SourceSpan(start: start + 1, end: end)), SourceSpan(start: start, end: position))
    }

    mutating func rewind(to offset: Int) { position = offset }

    private mutating func name(_ sink: inout DiagnosticSink) -> Token {
        let start = position
        while let byte = byte(), byte.isNamePart || byte >= 0x80 { position += 1 }
        if source.bytes[start..<position].contains(where: { $0 >= 0x80 }) {
            sink.error(
                .badCharacter, SourceSpan(start: start, end: position), "a name with a letter that C does not take",
                hint: "letters A to Z, digits and _")
        }
        return .name(source.text(SourceSpan(start: start, end: position)))
    }

    private mutating func number(_ sink: inout DiagnosticSink) -> Token {
        let start = position
        while let byte = byte(), byte.isNamePart { position += 1 }
        let span = SourceSpan(start: start, end: position)
        let text = source.text(span)
        let isHexadecimal = text.hasPrefix("0x") || text.hasPrefix("0X")
        let digits = isHexadecimal ? String(text.dropFirst(2)) : text
        guard let value = UInt64(digits, radix: isHexadecimal ? 16 : 10) else {
            sink.error(
                .badNumber, span, "'\(text)' is not a number of 64 bits", hint: "decimal, or hexadecimal with 0x")
            return .number(1)
        }
        return .number(value)
    }

    private mutating func string(_ sink: inout DiagnosticSink) -> Token {
        let start = position
        position += 1
        while let byte = byte(), byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\n") { position += 1 }
        let text = source.text(SourceSpan(start: start + 1, end: position))
        if byte() == UInt8(ascii: "\"") {
            position += 1
        } else {
            sink.error(
                .unterminatedString, SourceSpan(start: start, end: position), "the string does not end on its line")
        }
        return .string(text)
    }

    private mutating func expression(_ sink: inout DiagnosticSink) -> Token {
        let start = position
        position += 2
        let first = position
        while let byte = byte() {
            if byte == UInt8(ascii: "}"), self.byte(1) == UInt8(ascii: "}") {
                let text = source.text(SourceSpan(start: first, end: position))
                position += 2
                return .expression(text)
            }
            // A brace or semicolon is in no C expression: this is where somebody forgot the end.
            if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "}") || byte == UInt8(ascii: ";") { break }
            position += 1
        }
        sink.error(
            .unterminatedExpression, SourceSpan(start: start, end: first), "'{{' without '}}'",
            hint: "a C expression stands between {{ and }}")
        return .expression(source.text(SourceSpan(start: first, end: position)))
    }

    private mutating func skipBlanks(_ sink: inout DiagnosticSink) {
        while let first = byte() {
            switch first {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): position += 1
            case UInt8(ascii: "/") where byte(1) == UInt8(ascii: "/"):
                while let byte = byte(), byte != UInt8(ascii: "\n") { position += 1 }
            case UInt8(ascii: "/") where byte(1) == UInt8(ascii: "*"):
                let start = position
                position += 2
                while let byte = byte(), !(byte == UInt8(ascii: "*") && self.byte(1) == UInt8(ascii: "/")) {
                    position += 1
                }
                if byte() == nil {
                    sink.error(.unterminatedComment, SourceSpan(start: start, end: start + 2), "'/*' without '*/'")
                } else {
                    position += 2
                }
            default: return
            }
        }
    }
}

extension UInt8 {
    /// May stand in a name after its first character.
    var isNamePart: Bool {
        switch self {
        case UInt8(ascii: "_"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
