/// The words that a type begins with.
enum TypeWords {
    static let integers = [
        "char", "short", "int", "long", "signed", "unsigned", "bool",
        "u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64"
    ]
    static let all =
        integers + ["const", "volatile", "void", "string", "array", "projection", "rpc_ptr", "static_rpc_ptr", "casted"]
    static func begin(_ word: String) -> Bool { all.contains(word) }
}

extension Parser {
    mutating func type() throws(Abandoned) -> TypeExpression { try nested { p throws(Abandoned) in try p.flatType() } }

    private mutating func flatType() throws(Abandoned) -> TypeExpression {
        let start = token.span
        var isConst = false, isVolatile = false
        while isWord("const") || isWord("volatile") {
            if isWord("const") { isConst = true } else { isVolatile = true }
            advance()
        }
        var result = TypeExpression(isConst: isConst, isVolatile: isVolatile, stem: try stem(), span: start)
        while true {
            if isMark("*") {
                result.pointers.append(indirection([], from: token.span))
            } else if isMark("[") {
                let from = token.span
                let attributes = try attributes()
                if isMark("*") {
                    result.pointers.append(indirection(attributes, from: from))
                } else if result.attributes.isEmpty {
                    result.attributes = attributes
                } else {
                    report(.attributeMisplaced, from, "two lists of attributes for one value")
                }
            } else {
                break
            }
        }
        result.span = SourceSpan(start: start.start, end: max(start.end, token.span.start))
        while result.span.end > result.span.start, source.isBlank(result.span.end - 1) { result.span.end -= 1 }
        return result
    }

    private mutating func indirection(_ attributes: [Attribute], from span: SourceSpan) -> Indirection {
        let whole = span.through(token.span)
        advance()
        return Indirection(attributes: attributes, isConst: take(word: "const"), span: whole)
    }

    private mutating func stem() throws(Abandoned) -> TypeExpression.Stem {
        guard let first = word else { throw fail("a type") }
        switch first {
        case "void":
            advance()
            return .void
        case "string":
            advance()
            return .string
        case "array":
            advance()
            try want("<", "after array", hint: "array<TYPE, SIZE>")
            let element = try type()
            try want(",", "between the array's type and its size")
            let size = try arraySize()
            try want(">", "after the array's size")
            return .array(element, size)
        case "projection":
            advance()
            return .projection(try identifier("the name of a projection"))
        case "rpc_ptr", "static_rpc_ptr":
            advance()
            let isStatic = take(word: "static") || first == "static_rpc_ptr"
            return .functionPointer(try identifier("the name of an rpc_ptr"), isStatic: isStatic)
        case "casted":
            advance()
            try want("<", "after casted", hint: "casted<DECLARED TYPE, REAL TYPE>")
            let declared = try type()
            try want(",", "between the two types")
            let real = try type()
            try want(">", "after the second type")
            return .casted(declared, real)
        default:
            return .integer(try integer(first))
        }
    }

    private mutating func arraySize() throws(Abandoned) -> ArraySize {
        switch token.token {
        case .number(let count):
            let span = token.span
            advance()
            return .fixed(count, span)
        case .expression: return .expression(try expression("the size"))
        default:
            let span = token.span
            if take(word: "size_unknown") { return .unknown(span) }
            guard take(word: "null") else { throw fail("a number, null or {{ expression }} as the array's size") }
            return .zeroTerminated
        }
    }

    /// C's integer types, their words in any order C allows.
    private mutating func integer(_ first: String) throws(Abandoned) -> IntegerType {
        guard TypeWords.integers.contains(first) else {
            report(
                .unknownType, token.span, "'\(first)' is not a type of this language",
                hint: suggestion(for: first, among: TypeWords.all)
                    ?? "structures cross as 'projection NAME', other C types as integers of their width")
            throw Abandoned()
        }
        let span = token.span
        var words: [String] = []
        while let next = word, TypeWords.integers.contains(next) {
            words.append(next)
            advance()
        }
        guard let type = IntegerType(words: words) else {
            report(
                .unknownType, span.through(token.span), "'\(words.joined(separator: " "))' is not an integer type of C")
            throw Abandoned()
        }
        return type
    }

    // MARK: Attributes

    private mutating func attributes() throws(Abandoned) -> [Attribute] {
        try want("[", "before attributes")
        var list: [Attribute] = []
        repeat { list.append(try attribute()) } while take(",")
        try want("]", "after the attributes")
        return list
    }

    private mutating func attribute() throws(Abandoned) -> Attribute {
        let start = token.span
        guard let name = word else { throw fail("an attribute") }
        advance()
        let kind: Attribute.Kind
        switch name {
        case "in": kind = .in
        case "out": kind = .out
        case "unused": kind = .unused
        case "err_ptr": kind = .errorPointer
        case "alloc":
            var size: Expression?, flags: Expression?
            if take("<") {
                size = try expression("the size to allocate")
                if take(",") { flags = try expression("the allocation's flags") }
                try want(">", "after the size")
            }
            kind = .alloc(try side(), size: size, flags: flags)
        case "alloc_once": kind = .allocOnce(try side())
        case "alloc_stack": kind = .allocStack(try side())
        case "dealloc": kind = .dealloc(try side())
        case "bind": kind = .bind(try side())
        case "ioremap": kind = .ioremap(try side())
        case "bind_memberof":
            try want("<", "after bind_memberof", hint: "bind_memberof<struct TYPE, FIELD>(SIDE)")
            guard take(word: "struct") else { throw fail("'struct'") }
            let type = try identifier("the tag of a structure")
            try want(",", "between the structure and its field")
            var path = try identifier("a field")
            while take(".") {
                let next = try identifier("a field")
                path = Identifier(text: path.text + "." + next.text, span: path.span.through(next.span))
            }
            try want(">", "after the field")
            kind = .bindMember(try side(), type: type, path: path)
        case "shared":
            try want("<", "after shared", hint: "shared<REGION>")
            kind = .shared(try identifier("the name of a shared region"))
            try want(">", "after the region")
        case "user":
            guard take("<") else {
                kind = .user(nil)
                break
            }
            kind = .user(try expression("the size in bytes"))
            try want(">", "after the size")
        case "within":
            try want("<", "after within", hint: "within<{{ base }}, {{ size }}>")
            let base = try expression("the base pointer")
            try want(",", "between base and size")
            kind = .within(base: base, size: try expression("the size in bytes"))
            try want(">", "after the size")
        case "bounded":
            try want("<", "after bounded", hint: "bounded<{{ limit }}>")
            kind = .bounded(try expression("the limit"))
            try want(">", "after the limit")
        default:
            report(
                .unknownAttribute, start, "'\(name)' is not an attribute",
                hint: suggestion(
                    for: name,
                    among: [
                        "in", "out", "unused", "alloc", "alloc_once", "alloc_stack", "dealloc", "bind", "bind_memberof",
                        "ioremap", "shared", "user", "within", "bounded", "err_ptr"
                    ]))
            throw Abandoned()
        }
        return Attribute(kind: kind, span: SourceSpan(start: start.start, end: previousEnd(start)))
    }

    /// Where the attribute that began at `start` ends: the blanks before the next word are not its own.
    private func previousEnd(_ start: SourceSpan) -> Int {
        var end = token.span.start
        while end > start.end, source.isBlank(end - 1) { end -= 1 }
        return end
    }

    private mutating func side() throws(Abandoned) -> Side {
        try want("(", "after the attribute", hint: "name the side: (caller) or (callee)")
        guard let text = word, let side = Side(rawValue: text) else { throw fail("'caller' or 'callee'") }
        advance()
        try want(")", "after the side")
        return side
    }
}

extension IDLSource {
    func isBlank(_ offset: Int) -> Bool { bytes[offset] <= 0x20 }
}

extension IntegerType {
    /// Nil when the words make no type of C (widths: System V ABI for x86-64, figure 3.1).
    init?(words: [String]) {
        if words.count == 1, let fixed = Self.fixed[words[0]] {
            self = IntegerType(spelling: words[0], bytes: fixed.bytes, isSigned: fixed.isSigned)
            return
        }
        var counts: [String: Int] = [:]
        for word in words {
            guard Self.fixed[word] == nil else { return nil }
            counts[word, default: 0] += 1
        }
        let signed = counts["signed", default: 0], unsigned = counts["unsigned", default: 0]
        let long = counts["long", default: 0], short = counts["short", default: 0]
        let char = counts["char", default: 0], int = counts["int", default: 0]
        guard signed + unsigned <= 1, short <= 1, char <= 1, int <= 1, long <= 2, short == 0 || long == 0,
            char == 0 || (short + long + int == 0)
        else { return nil }
        let bytes = char > 0 ? 1 : short > 0 ? 2 : long > 0 ? 8 : 4
        // `char` is signed on x86-64; unsigned where the words say so.
        let base = char > 0 ? "char" : short > 0 ? "short" : long == 2 ? "long long" : long == 1 ? "long" : "int"
        let prefix = unsigned > 0 ? "unsigned " : signed > 0 && char > 0 ? "signed " : ""
        self = IntegerType(spelling: prefix + base, bytes: bytes, isSigned: unsigned == 0)
    }

    private static let fixed: [String: (bytes: Int, isSigned: Bool)] = [
        "bool": (1, false), "u8": (1, false), "u16": (2, false), "u32": (4, false), "u64": (8, false),
        "s8": (1, true), "s16": (2, true), "s32": (4, true), "s64": (8, true)
    ]
}
