/// C expressions in `{{ }}` go to the C compiler as they are. What can be told before: that they are one balanced
/// expression without effects of a statement, and that `ptr->` and `ctx->` name what is there.
extension Checker {
    mutating func check(_ expression: Expression, _ place: Place) {
        guard checkForm(expression) else { return }
        for (base, member, offset) in Self.references(expression.text) {
            let span = SourceSpan(
                start: expression.span.start + 2 + offset, end: expression.span.start + 2 + offset + member.utf8.count)
            switch base {
            case "ptr":
                guard let projection = place.projection else {
                    sink.warning(
                        .badExpression, span, "'ptr' outside a projection", hint: "arguments are reached as ctx->NAME")
                    continue
                }
                // Any member of the C structure may be named, projected or not: only a kernel knows them all.
                guard let kernel, let missing = kernel.lacks(member, in: projection) else { continue }
                sink.error(.missingField, span, missing)
            default:
                guard let function = place.function else { continue }
                let names = function.arguments.map(\.name.text)
                if !names.contains(member), member != "ret_val" {
                    sink.error(
                        .unknownArgument, span, "no argument '\(member)' in '\(function.name.text)'",
                        hint: suggestion(for: member, among: names))
                }
            }
        }
    }

    /// Balanced, not empty, one expression. Returns whether it is.
    @discardableResult
    mutating func checkForm(_ expression: Expression) -> Bool {
        var open: [Character] = []
        for character in expression.text {
            switch character {
            case "(", "[": open.append(character)
            case ")", "]":
                guard open.popLast() == (character == ")" ? "(" : "[") else {
                    sink.error(.badExpression, expression.span, "'\(character)' without its partner")
                    return false
                }
            case "#", "\\", "\"", "`", "@", "$":
                sink.error(.badExpression, expression.span, "'\(character)' in an expression")
                return false
            default: break
            }
        }
        if let character = open.last {
            sink.error(.badExpression, expression.span, "'\(character)' without its partner")
            return false
        }
        if expression.text.allSatisfy(\.isWhitespace) {
            sink.error(.badExpression, expression.span, "an empty expression")
            return false
        }
        return true
    }

    /// `ptr->member`, `ctx->argument` and `call_ctx->argument`, with the offset of what is named.
    static func references(_ text: String) -> [(base: String, member: String, offset: Int)] {
        let bytes = Array(text.utf8)
        var found: [(String, String, Int)] = []
        var index = 0
        func name() -> String {
            let start = index
            while index < bytes.count, bytes[index].isNamePart { index += 1 }
            return String(decoding: bytes[start..<index], as: UTF8.self)
        }
        while index < bytes.count {
            guard bytes[index].isNamePart else {
                // A member of a member is not ours to know.
                if bytes[index...].starts(with: Array("->".utf8)) {
                    index += 2
                    _ = name()
                } else {
                    index += 1
                }
                continue
            }
            let base = name()
            guard ["ptr", "ctx", "call_ctx"].contains(base), bytes[index...].starts(with: Array("->".utf8)) else {
                continue
            }
            index += 2
            let offset = index
            let member = name()
            if !member.isEmpty { found.append((base, member, offset)) }
        }
        return found
    }
}
