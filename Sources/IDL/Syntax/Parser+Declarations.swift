extension Parser {
    mutating func projection() throws(Abandoned) -> Projection {
        advance()
        if word != nil { throw olderSyntax("a projection whose name comes first") }
        try want("<", "after projection", hint: "projection <struct TYPE> NAME { ... }")
        let kind: Projection.Kind
        if take(word: "struct") {
            kind = .structure
        } else if take(word: "union") {
            kind = .union
        } else {
            throw fail("'struct' or 'union'", hint: "projection <struct TYPE> NAME { ... }")
        }
        let type = try identifier("the tag of a C type")
        try want(">", "after the C type")
        var projection = Projection(kind: kind, type: type, name: try identifier("the projection's name"))
        if isMark("(") { throw olderSyntax("a projection with parameters") }
        try block("the projection's fields") { parser throws(Abandoned) in
            switch parser.word {
            case "spinlock", "atomic_lock": projection.locks.append(try parser.lock())
            case "rpc": throw parser.olderSyntax("a function declared inside a projection")
            case let name? where !TypeWords.begin(name):
                projection.lockScopes.append(try parser.lockScope())
            default:
                let variable = try parser.variable("the field's name")
                var width: UInt64?
                if parser.take(":") {
                    guard case .number(let bits) = parser.token.token else { throw parser.fail("a width in bits") }
                    width = bits
                    parser.advance()
                }
                try parser.want(";", "after the field")
                projection.fields.append(Field(variable: variable, bitWidth: width))
            }
        }
        return projection
    }

    /// `LOCK { a, b }`; also where a type that does not exist was meant, which is the likelier mistake.
    private mutating func lockScope() throws(Abandoned) -> LockScope {
        let name = try identifier("a name")
        guard isMark("{") else {
            report(
                .unknownType, name.span, "'\(name.text)' is not a type of this language",
                hint: suggestion(for: name.text, among: TypeWords.all)
                    ?? "structures cross as 'projection NAME', other C types as integers of their width")
            throw Abandoned()
        }
        advance()
        var fields = [try identifier("the name of a field")]
        while take(",") { fields.append(try identifier("the name of a field")) }
        try want("}", "after the fields that the lock protects")
        return LockScope(lock: name, fields: fields)
    }

    mutating func lock() throws(Abandoned) -> LockDeclaration {
        let kind: LockDeclaration.Kind = isWord("spinlock") ? .spinlock : .atomic
        advance()
        let expression = try bracketedExpression()
        let name = try identifier("the lock's name")
        try want(";", "after the lock's name")
        return LockDeclaration(kind: kind, name: name, expression: expression)
    }

    /// `<{{ expression }}>`, or nothing.
    private mutating func bracketedExpression() throws(Abandoned) -> Expression? {
        guard take("<") else { return nil }
        let result = try expression("the C expression of a lock")
        try want(">", "after the expression")
        return result
    }

    mutating func global() throws(Abandoned) -> GlobalDeclaration {
        advance()
        let lock = try bracketedExpression()
        let variable = try variable("the global's name")
        return GlobalDeclaration(variable: variable, lock: lock, scope: try scope("the global's declarations"))
    }

    mutating func function() throws(Abandoned) -> RemoteFunction {
        let kind = RemoteFunction.Kind(rawValue: word!)!
        advance()
        if isMark("[") { throw olderSyntax("attributes before a function's type") }
        let result = try type()
        if isMark("("), isFollowedByStar { throw olderSyntax("a function pointer in C's notation") }
        let name = try identifier("the function's name")
        try want("(", "after the function's name")
        var arguments: [Variable] = []
        if isWord("void") {
            let type = try type()
            if isMark(")"), case .void = type.stem, type.pointers.isEmpty {
                // C's way to say that there are none.
            } else {
                arguments.append(Variable(type: type, name: try identifier("the argument's name")))
            }
        } else if !isMark(")") {
            arguments.append(try variable("the argument's name"))
        }
        while take(",") { arguments.append(try variable("the argument's name")) }
        try want(")", "after the arguments")
        if isMark(";") {
            throw fail(
                "'{' before the function's declarations", hint: "a function without any ends with '{}' instead of ';'")
        }
        let scope = try scope("the function's declarations")
        return RemoteFunction(kind: kind, result: result, name: name, arguments: arguments, scope: scope)
    }

    private mutating func scope(_ what: String) throws(Abandoned) -> Scope {
        var scope = Scope()
        try block(what) { parser throws(Abandoned) in
            switch parser.word {
            case "projection": scope.projections.append(try parser.projection())
            case "rpc_ptr": scope.functions.append(try parser.function())
            case "spinlock", "atomic_lock": scope.locks.append(try parser.lock())
            default: throw parser.fail("a projection or an rpc_ptr")
            }
        }
        return scope
    }

    private mutating func variable(_ what: String) throws(Abandoned) -> Variable {
        let type = try type()
        return Variable(type: type, name: try identifier(what))
    }
}
