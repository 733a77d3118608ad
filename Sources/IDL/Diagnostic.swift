/// Something a person should know about an interface file: where, what, and what to do.
public struct Diagnostic: Sendable, Equatable {
    public enum Severity: String, Sendable {
        case error, warning
    }
    public var severity: Severity
    public var code: DiagnosticCode
    public var span: SourceSpan
    public var message: String
    public var hint: String?
}

/// What kinds of things can be wrong. The raw value stands behind the message and does not change between versions.
public enum DiagnosticCode: String, Sendable, CaseIterable {
    // Text.
    case badCharacter = "bad-character"
    case unterminatedComment = "unterminated-comment"
    case unterminatedString = "unterminated-string"
    case unterminatedExpression = "unterminated-expression"
    case badNumber = "bad-number"
    // Grammar.
    case syntax
    case unclosedBlock = "unclosed-block"
    case unknownType = "unknown-type"
    case unknownAttribute = "unknown-attribute"
    case nestingTooDeep = "nesting-too-deep"
    case olderSyntax = "older-syntax"
    case tooManyErrors = "too-many-errors"
    // Names.
    case duplicateName = "duplicate-name"
    case unknownProjection = "unknown-projection"
    case unknownFunctionPointer = "unknown-rpc-ptr"
    case unknownModule = "unknown-module"
    case unknownLock = "unknown-lock"
    case unknownField = "unknown-field"
    case unknownArgument = "unknown-argument"
    // Meaning.
    case voidValue = "void-value"
    case attributeConflict = "attribute-conflict"
    case attributeMisplaced = "attribute-misplaced"
    case badBitField = "bad-bit-field"
    case badExpression = "bad-expression"
    case badArray = "bad-array"
    case recursiveValue = "recursive-value"
    case tooManyArguments = "too-many-arguments"
    // Against a kernel.
    case missingType = "missing-type"
    case missingField = "missing-field"
    case missingFunction = "missing-function"
    case typeMismatch = "type-mismatch"
    case prototypeMismatch = "prototype-mismatch"
    // Making glue.
    case noGlue = "no-glue"

    /// Says that the kernel at hand lacks something, not that the file is wrong in itself.
    public var concernsKernel: Bool {
        switch self {
        case .missingType, .missingField, .missingFunction, .typeMismatch, .prototypeMismatch: true
        default: false
        }
    }
}

extension Diagnostic {
    /// `file:line:column: error: message [code]`, the line, a caret under the place, and the hint.
    public func rendered(in source: IDLSource) -> String {
        let (line, column) = source.position(of: span.start)
        var text = "\(source.name):\(line):\(column): \(severity.rawValue): \(printable(message)) [\(code.rawValue)]\n"
        let code = source.line(line)
        // A tab stays a tab in both lines, so that the caret is under its place however wide tabs are shown.
        var margin = ""
        for scalar in code.unicodeScalars.prefix(column - 1) { margin += scalar == "\t" ? "\t" : " " }
        let covered = source.text(SourceSpan(start: span.start, end: min(span.end, source.bytes.count)))
        let width = covered.prefix { $0 != "\n" && $0 != "\r\n" }.count
        let number = String(line)
        let gutter = String(repeating: " ", count: max(0, 5 - number.count)) + number + " | "
        let blank = "      | "
        text += gutter + printable(code, keepingTabs: true) + "\n"
        text += blank + margin + "^" + String(repeating: "~", count: max(0, min(width, 200) - 1)) + "\n"
        if let hint { text += blank + "hint: " + printable(hint) + "\n" }
        return text
    }
}

/// Text of a file may be hostile: nothing of it reaches a terminal as a control character.
func printable(_ text: String, keepingTabs: Bool = false) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
        switch scalar.value {
        case 0x09 where keepingTabs: result.unicodeScalars.append(scalar)
        case 0..<0x20, 0x7f..<0xa0, 0x200e...0x200f, 0x2028...0x202e, 0x2066...0x2069: result += "\u{FFFD}"
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result
}

/// Collects diagnostics of one file. Stops taking errors at a limit, with one that says so.
struct DiagnosticSink {
    static let limit = 50
    private(set) var list: [Diagnostic] = []
    private var errors = 0

    var hasErrors: Bool { errors > 0 }
    var isFull: Bool { errors > Self.limit }

    mutating func error(_ code: DiagnosticCode, _ span: SourceSpan, _ message: String, hint: String? = nil) {
        guard !isFull else { return }
        errors += 1
        if isFull {
            list.append(
                Diagnostic(
                    severity: .error, code: .tooManyErrors, span: span,
                    message: "more than \(Self.limit) errors; the rest of the file is not reported"))
        } else {
            list.append(Diagnostic(severity: .error, code: code, span: span, message: message, hint: hint))
        }
    }
    mutating func warning(_ code: DiagnosticCode, _ span: SourceSpan, _ message: String, hint: String? = nil) {
        guard list.count < 4 * Self.limit else { return }
        list.append(Diagnostic(severity: .warning, code: code, span: span, message: message, hint: hint))
    }
}
