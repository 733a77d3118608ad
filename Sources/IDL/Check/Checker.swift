import DriverImage

/// What a module means: names, types, attributes and expressions, each rule where its name says. With a kernel's types,
/// every structure, field and function is held against them.
struct Checker {
    /// More elements than any array of a kernel structure has.
    static let elementsMax: UInt64 = 1 << 20
    /// A message has 512 slots, the first of which counts the others; every argument takes one or more.
    static let argumentsMax = 64

    let module: ModuleDeclaration
    let kernel: KernelTypes?
    var sink = DiagnosticSink()

    /// Where a type stands: what its expressions may name, and which attributes make sense.
    struct Place {
        enum Role {
            case argument, result, field, global
            /// Inside an array or cast.
            case part
        }
        var role: Role
        /// From the innermost scope outwards; the module's own is the last.
        var scopes: [Scope]
        /// What `ptr->` means.
        var projection: Projection?
        /// What `ctx->` means.
        var function: RemoteFunction?
    }

    init(_ module: ModuleDeclaration, kernel: KernelTypes?) {
        self.module = module
        self.kernel = kernel
    }

    mutating func check() {
        let top = Scope(projections: module.projections, functions: module.functions, locks: module.locks)
        check(top, around: [], function: nil)
        for global in module.globals {
            let scopes = [global.scope, top]
            check(global.scope, around: [top], function: nil)
            check(global.variable.type, Place(role: .global, scopes: scopes))
        }
        distinct(module.globals.map(\.variable.name), "global")
    }

    /// The declarations of one scope, and what is inside them.
    private mutating func check(_ scope: Scope, around outer: [Scope], function: RemoteFunction?) {
        let scopes = [scope] + outer
        // Two projections of one name are in published interfaces; the first is meant everywhere.
        var seen: Set<String> = []
        for projection in scope.projections where !seen.insert(projection.name.text).inserted {
            sink.warning(
                .duplicateName, projection.name.span,
                "a second projection '\(projection.name.text)' in one scope: the first counts")
        }
        distinct(scope.functions.map(\.name), "function")
        distinct(scope.locks.map(\.name), "lock")
        for projection in scope.projections { check(projection, scopes, function) }
        for inner in scope.functions { check(inner, scopes) }
    }

    private mutating func check(_ projection: Projection, _ scopes: [Scope], _ function: RemoteFunction?) {
        distinct(projection.fields.map(\.variable.name), "field")
        distinct(projection.locks.map(\.name), "lock")
        for field in projection.fields {
            let place = Place(role: .field, scopes: scopes, projection: projection, function: function)
            check(field.variable.type, place)
            if let width = field.bitWidth { checkBitField(field, width) }
        }
        for scope in projection.lockScopes { check(scope, of: projection, scopes) }
        checkRecursion(projection, scopes)
        if let kernel { sink.check(projection, against: kernel, scopes) }
    }

    private mutating func check(_ function: RemoteFunction, _ outer: [Scope]) {
        distinct(function.arguments.map(\.name), "argument")
        let scopes = [function.scope] + outer
        check(function.result, Place(role: .result, scopes: scopes, function: function))
        for argument in function.arguments {
            check(argument.type, Place(role: .argument, scopes: scopes, function: function))
        }
        if function.arguments.count > Self.argumentsMax {
            sink.error(
                .tooManyArguments, function.name.span,
                "\(function.arguments.count) arguments, at most \(Self.argumentsMax) cross")
        }
        check(function.scope, around: outer, function: function)
        if let kernel { sink.check(function, against: kernel) }
    }

    private mutating func distinct(_ names: [Identifier], _ what: String) {
        var seen: Set<String> = []
        for name in names where !seen.insert(name.text).inserted {
            sink.error(.duplicateName, name.span, "a second \(what) '\(name.text)' in one scope")
        }
    }

    private mutating func check(_ scope: LockScope, of projection: Projection, _ scopes: [Scope]) {
        let locks = projection.locks.map(\.name.text) + scopes.flatMap { $0.locks.map(\.name.text) }
        if !locks.contains(scope.lock.text) {
            sink.error(
                .unknownLock, scope.lock.span, "no lock '\(scope.lock.text)'",
                hint: suggestion(for: scope.lock.text, among: locks) ?? "declare it: spinlock \(scope.lock.text);")
        }
        let fields = projection.fields.map(\.variable.name.text)
        for field in scope.fields where !fields.contains(field.text) {
            sink.error(
                .unknownField, field.span, "no field '\(field.text)' in projection '\(projection.name.text)'",
                hint: suggestion(for: field.text, among: fields))
        }
    }

    private mutating func checkBitField(_ field: Field, _ width: UInt64) {
        let name = field.variable.name
        guard case .integer(let type) = field.variable.type.stem, field.variable.type.pointers.isEmpty else {
            sink.error(.badBitField, name.span, "a bit-field that is no integer")
            return
        }
        if width == 0 || width > UInt64(type.bytes * 8) {
            sink.error(
                .badBitField, name.span, "a bit-field of \(width) bits in '\(type.spelling)'",
                hint: "1 to \(type.bytes * 8)")
        }
    }

    // MARK: Names

    static func projection(_ name: String, in scopes: [Scope]) -> Projection? {
        for scope in scopes {
            if let found = scope.projections.first(where: { $0.name.text == name }) { return found }
        }
        return nil
    }
    static func function(_ name: String, in scopes: [Scope]) -> RemoteFunction? {
        for scope in scopes {
            if let found = scope.functions.first(where: { $0.name.text == name && $0.kind != .export }) { return found }
        }
        return nil
    }

    /// A projection that contains itself by value has no size.
    private mutating func checkRecursion(_ projection: Projection, _ scopes: [Scope]) {
        func reaches(_ current: Projection, _ visited: Set<String>) -> Field? {
            for field in current.fields where field.variable.type.pointers.isEmpty {
                guard let name = field.variable.type.projectionByValue, let next = Self.projection(name, in: scopes)
                else { continue }
                if next.name == projection.name { return field }
                if !visited.contains(name), reaches(next, visited.union([name])) != nil { return field }
            }
            return nil
        }
        if let field = reaches(projection, [projection.name.text]) {
            sink.error(
                .recursiveValue, field.variable.name.span, "projection '\(projection.name.text)' contains itself",
                hint: "a pointer may lead back: projection NAME * \(field.variable.name.text);")
        }
    }
}

extension TypeExpression {
    /// The projection that a value of this type contains, through arrays.
    var projectionByValue: String? {
        guard pointers.isEmpty else { return nil }
        switch stem {
        case .projection(let name): return name.text
        case .array(let element, _): return element.projectionByValue
        default: return nil
        }
    }
    var isVoidValue: Bool {
        if case .void = stem { pointers.isEmpty } else { false }
    }
}
