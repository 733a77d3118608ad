/// Locks and globals are calls like any other: acquiring a lock brings what it protects, releasing it takes it back.
extension ModuleGenerator {
    struct Lock {
        var name: String
        var number: Int
        var span: SourceSpan
        var expression: Expression?
    }

    /// All locks of the module, in the order of the text.
    var locks: [Lock] {
        var found: [(name: String, lock: LockDeclaration)] = module.locks.map { ($0.name.text, $0) }
        for scope in everyScope {
            for lock in scope.scope.locks where scope.owner != nil {
                found.append((scope.owner! + "_" + lock.name.text, lock))
            }
            for projection in scope.scope.projections {
                for lock in projection.locks {
                    let owner = scope.owner.map { $0 + "_" } ?? ""
                    found.append((owner + projection.name.text + "_" + lock.name.text, lock))
                }
            }
        }
        found.sort { $0.lock.name.span.start < $1.lock.name.span.start }
        return found.enumerated().map {
            Lock(
                name: $0.element.name, number: $0.offset, span: $0.element.lock.name.span,
                expression: $0.element.lock.expression)
        }
    }

    /// Attributes of the types of all fields, results and arguments, in the order of the text.
    var everyTypeAttribute: [Attribute] {
        var result: [Attribute] = []
        func visit(_ type: TypeExpression) {
            result += type.attributes + type.pointers.flatMap(\.attributes)
            switch type.stem {
            case .array(let element, _): visit(element)
            case .casted(_, let real): visit(real)
            default: break
            }
        }
        for (_, scope, _) in everyScope {
            for projection in scope.projections { for field in projection.fields { visit(field.variable.type) } }
        }
        for function in functions {
            visit(function.declaration.result)
            for argument in function.declaration.arguments { visit(argument.type) }
        }
        return result
    }

    /// Scopes with the function or global that they belong to; nil: the module.
    var everyScope: [(owner: String?, scope: Scope, chain: [Scope])] {
        var result: [(String?, Scope, [Scope])] = [(nil, top, [top])]
        for function in functions where !function.isSynthesized {
            result.append((function.name, function.declaration.scope, function.scopes))
        }
        for global in module.globals { result.append((global.variable.name.text, global.scope, [global.scope, top])) }
        return result
    }

    private func lock(at declaration: LockDeclaration) -> Lock? { locks.first { $0.span == declaration.name.span } }

    func synthesizeLocks() {
        var covered: Set<Int> = []
        for (owner, scope, chain) in everyScope {
            for projection in scope.projections {
                let prefix = (owner.map { $0 + "_" } ?? "") + projection.name.text
                for lockScope in projection.lockScopes {
                    let candidates = projection.locks + chain.flatMap(\.locks)
                    guard let declaration = candidates.first(where: { $0.name.text == lockScope.lock.text }),
                        let lock = lock(at: declaration)
                    else { continue }
                    covered.insert(declaration.name.span.start)
                    var part = projection
                    part.name = Identifier(text: prefix + "_" + lockScope.lock.text, span: lockScope.lock.span)
                    part.fields = projection.fields.filter { field in
                        lockScope.fields.contains { $0.text == field.variable.name.text }
                    }
                    addPair(part.name.text, lock, part, chain, at: lockScope.lock.span)
                }
                for declaration in projection.locks where !covered.contains(declaration.name.span.start) {
                    guard let lock = lock(at: declaration) else { continue }
                    var part = projection
                    part.name = Identifier(text: lock.name, span: declaration.name.span)
                    part.fields = []
                    addPair(lock.name, lock, part, chain, at: declaration.name.span)
                }
            }
        }
        for declaration in module.locks where !covered.contains(declaration.name.span.start) {
            guard let lock = lock(at: declaration) else { continue }
            addPair(lock.name, lock, nil, [top], at: declaration.name.span)
        }
    }

    private func addPair(_ name: String, _ lock: Lock, _ part: Projection?, _ chain: [Scope], at span: SourceSpan) {
        for (offset, verb) in ["lock", "unlock"].enumerated() {
            // Distinct places for the two: the start and the byte behind it.
            let place = SourceSpan(start: span.start + offset, end: span.end)
            var arguments: [Variable] = []
            var scope = Scope()
            if var part {
                part.name.span = place
                // The fields cross by the lock alone, whatever the projection says elsewhere.
                part.fields = part.fields.map { field in
                    var field = field
                    field.variable.type.attributes.removeAll { $0.kind == .in || $0.kind == .out }
                    return field
                }
                scope.projections = [part]
                let direction: Attribute.Kind = verb == "lock" ? .out : .in
                let type = TypeExpression(
                    stem: .projection(part.name),
                    pointers: [
                        Indirection(attributes: [Attribute(kind: direction, span: place)], isConst: false, span: place)
                    ],
                    span: place)
                arguments = [Variable(type: type, name: Identifier(text: "object", span: place))]
            }
            let full = "\(self.name)_\(verb)_\(name)"
            let declaration = RemoteFunction(
                kind: .rpc, result: TypeExpression(stem: .void, span: place),
                name: Identifier(text: full, span: place), arguments: arguments, scope: scope)
            let function = CFunction(declaration, [scope] + chain, name: full)
            let object = part == nil ? "NULL" : "ctx->object"
            function.invocation = "lvd_require(call, lvd_\(verb)(call->peer, \(upper)_LOCK_\(lock.name), \(object)));"
            add(function)
        }
    }

    func synthesizeGlobals() {
        for global in module.globals {
            var type = global.variable.type
            switch shape(type, [global.scope, top]) {
            case .integer, .function: break
            case .pointer(let pointer, let pointee):
                if case .object = carry(pointer, pointee, [global.scope, top]),
                    pointer.attributes.acquisition(.caller) == nil
                {
                    let index = type.pointers.count - 1
                    if index >= 0 {
                        type.pointers[index].attributes.append(Attribute(kind: .allocOnce(.caller), span: pointer.span))
                    }
                }
            default:
                problem(
                    global.variable.name.span, "no glue is made for a structure or array that is a global itself",
                    hint: "point to it: \(global.variable.name.text) as a pointer")
                continue
            }
            checkName(global.variable.name)
            let full = "\(name)_read_\(global.variable.name.text)"
            let declaration = RemoteFunction(
                kind: .rpc, result: type, name: Identifier(text: full, span: global.variable.name.span), arguments: [],
                scope: global.scope)
            let function = CFunction(declaration, [global.scope, top], name: full)
            function.invocation = "ctx->ret_val = \(global.variable.name.text);"
            add(function)
        }
    }
}
