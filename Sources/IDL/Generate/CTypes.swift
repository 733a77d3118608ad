/// Types of the interface as C declares them.
extension ModuleGenerator {
    /// `int *name[4]`; without a name, the type alone.
    func declare(_ type: TypeExpression, _ name: String, _ scopes: [Scope], constant: Bool = false) -> String {
        if type.pointers.isEmpty, case .casted(let declared, _) = type.stem {
            return declare(declared, name, scopes, constant: constant)
        }
        if !type.pointers.isEmpty {
            let pointee = type.pointee
            if pointee.pointers.isEmpty, case .array(let element, _) = pointee.stem {
                return declare(element, "*" + name, scopes, constant: constant && pointee.isConst)
            }
            return declare(pointee, "*" + name, scopes, constant: constant)
        }
        let word: String
        switch type.stem {
        case .void: word = "void"
        case .integer(let integer): word = integer.spelling
        case .string: word = "char"
        case .array(let element, let size):
            let inner = name.hasPrefix("*") ? "(\(name))" : name
            guard case .fixed(let count, _) = size else {
                problem(type.span, "an array in place without a fixed number of elements", hint: "point to it")
                return declare(element, inner + "[1]", scopes)
            }
            return declare(element, inner + "[\(count)]", scopes)
        case .projection(let name):
            guard let (projection, _) = Self.projection(name.text, scopes) else { return "void" }
            // Through slots nobody sees a structure: the guest's code has `void *` for all of them.
            word = usesSlots ? "void" : projection.kind.rawValue + " " + projection.type.text
        case .functionPointer:
            guard case .function(let function, _) = shape(type, scopes) else { return "void" }
            return join("\(function.name)_function", "*" + name)
        case .casted: word = "void"
        }
        return (constant && type.isConst ? "const " : "") + join(word, name)
    }
    private func join(_ type: String, _ name: String) -> String { name.isEmpty ? type : type + " " + name }

    func typeName(_ type: TypeExpression, _ scopes: [Scope]) -> String { declare(type, "", scopes) }

    func sizeOf(_ type: TypeExpression, _ scopes: [Scope]) -> String {
        if case .projection(let projection, _) = shape(type, scopes) { return sizeOf(projection) }
        return "sizeof(\(typeName(type.treated, scopes)))"
    }
    func sizeOf(_ projection: Projection) -> String {
        usesSlots ? "SIZEOF(\(projection.type.text))" : "sizeof(\(projection.kind.rawValue) \(projection.type.text))"
    }

    /// `int f(struct d *a, int n)`.
    func prototype(_ function: CFunction, _ name: String, hidden: [String] = [], named: Bool = true) -> String {
        let declaration = function.declaration
        var list = hidden
        for argument in declaration.arguments {
            list.append(
                declare(
                    argument.type.asArgument, named ? CWords.parameter(argument.name.text) : "", function.scopes,
                    constant: true))
        }
        let arguments = "(" + (list.isEmpty ? "void" : list.joined(separator: ", ")) + ")"
        return declare(declaration.result, name + arguments, function.scopes, constant: true)
    }
    func prototypeName(_ function: CFunction) -> String {
        function.returnsVoid ? "void" : typeName(function.declaration.result, function.scopes)
    }

    /// What a stub returns when the other side did not answer, or not honestly.
    func failure(_ function: CFunction) -> String {
        let result = function.declaration.result.treated
        if let pointer = result.pointers.last {
            return pointer.attributes.isErrorPointer || result.attributes.isErrorPointer
                ? "(void *)-LVD_GLUE_EFAULT" : "NULL"
        }
        if case .integer(let integer) = result.stem, integer.isSigned, integer.bytes >= 4 { return "-LVD_GLUE_EFAULT" }
        return "0"
    }

    // MARK: Members

    /// The lvalue of a field; of an array in place, its first element's address.
    func access(_ object: String, _ projection: Projection, _ field: Field, _ scopes: [Scope]) -> String {
        let name = field.variable.name.text, tag = projection.type.text
        guard usesSlots else { return "\(object)->\(name)" }
        if field.bitWidth != nil { problem(field.variable.name.span, "no slot reaches a bit-field") }
        switch shape(field.variable.type, scopes) {
        case .array(let element, _):
            return "((\(declare(element, "*", scopes)))FIELD_ADDRESS(\(object), \(tag), \(name)))"
        case .projection(let inner, _):
            return "(*(\(inner.kind.rawValue) \(inner.type.text) *)FIELD_ADDRESS(\(object), \(tag), \(name)))"
        default:
            return "FIELD(\(object), \(typeName(field.variable.type, scopes)), \(tag), \(name))"
        }
    }

    /// A C expression of the file, where `ptr` and `ctx` are what they say.
    func expression(_ expression: Expression, _ projection: Projection?, _ scopes: [Scope]) -> String {
        let bytes = Array(expression.text.utf8)
        var result = "", index = 0, behindMember = false
        func isName(_ at: Int) -> Bool { at < bytes.count && bytes[at].isNamePart }
        while index < bytes.count {
            guard isName(index) else {
                if bytes[index] > 0x20 { behindMember = bytes[index] == UInt8(ascii: ".") || result.hasSuffix("-") }
                result.unicodeScalars.append(Unicode.Scalar(bytes[index]))
                index += 1
                continue
            }
            let start = index
            while isName(index) { index += 1 }
            let word = String(decoding: bytes[start..<index], as: UTF8.self)
            defer { behindMember = false }
            if behindMember {
                result += word
            } else if word == "call_ctx" {
                result += "ctx"
            } else if word == "ptr", projection == nil {
                problem(expression.span, "'ptr' outside a projection")
            } else if word == "ptr", usesSlots, bytes[index...].starts(with: Array("->".utf8)), let projection {
                index += 2
                let member = index
                while isName(index) { index += 1 }
                let name = String(decoding: bytes[member..<index], as: UTF8.self)
                if let field = projection.fields.first(where: { $0.variable.name.text == name }) {
                    result += access("ptr", projection, field, scopes)
                } else {
                    problem(expression.span, "'\(name)' is no field of projection '\(projection.name.text)'")
                }
            } else if word == "sizeof", usesSlots, let tag = structure(behind: index, bytes) {
                result += "SIZEOF(\(tag.name))"
                index = tag.end
            } else {
                result += word
            }
        }
        let text = result.trimmingBlanks
        return text
    }
    private func structure(behind start: Int, _ bytes: [UInt8]) -> (name: String, end: Int)? {
        let rest = String(decoding: bytes[start...], as: UTF8.self)
        guard let match = rest.prefixMatch(of: #/\s*\(\s*struct\s+([A-Za-z_][A-Za-z_0-9]*)\s*\)/#) else { return nil }
        return (String(match.1), start + String(match.0).utf8.count)
    }

    /// Conditions without which an expression would read through NULL: `ctx->t->n` needs `ctx->t`.
    func guards(_ expression: Expression) -> [String] {
        var result: [String] = []
        let bytes = Array(expression.text.utf8)
        for (base, member, offset) in Checker.references(expression.text) {
            let behind = offset + member.utf8.count
            guard behind < bytes.count, bytes[behind...].starts(with: Array("->".utf8)) else { continue }
            let text = (base == "ptr" ? "ptr" : "ctx") + "->" + member
            if !result.contains(text) { result.append(text) }
        }
        return result
    }
}

extension String {
    var trimmingBlanks: String {
        var view = self[...]
        while view.first?.isWhitespace == true { view.removeFirst() }
        while view.last?.isWhitespace == true { view.removeLast() }
        return String(view)
    }
}
