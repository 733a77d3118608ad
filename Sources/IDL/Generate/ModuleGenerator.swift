/// C for one module: a header, the kernel's side and the domain's.
final class ModuleGenerator {
    let module: ModuleDeclaration
    let source: IDLSource
    let kernel: KernelTypes?
    /// Structures are reached through the slots of lvd/abi.h.
    let usesSlots: Bool
    let firstNumber: Int
    let top: Scope
    private(set) var functions: [CFunction] = []
    /// By where the declaration stands.
    private var functionAt: [Int: CFunction] = [:]
    var problems: [Diagnostic] = []
    var name: String { module.name.text }
    var upper: String { name.uppercased() }

    init(_ module: ModuleDeclaration, _ source: IDLSource, kernel: KernelTypes?, usesSlots: Bool, firstNumber: Int) {
        self.module = module
        self.source = source
        self.kernel = kernel
        self.usesSlots = usesSlots
        self.firstNumber = firstNumber
        top = Scope(projections: module.projections, functions: module.functions, locks: module.locks)
        collect(module.functions, [top], prefix: "")
        for global in module.globals {
            collect(global.scope.functions, [global.scope, top], prefix: global.variable.name.text)
        }
        synthesizeLocks()
        synthesizeGlobals()
        for home in [Home.kernel, .domain] {
            for (number, function) in functions.filter({ $0.callee == home }).enumerated() { function.number = number }
        }
    }

    private func collect(_ list: [RemoteFunction], _ scopes: [Scope], prefix: String) {
        for declaration in list {
            var name = declaration.name.text
            if functions.contains(where: { $0.name == name }) {
                if prefix.isEmpty { continue }  // Twice in one scope: the first is meant.
                name = prefix + "_" + name
            }
            checkName(declaration.name)
            for argument in declaration.arguments { checkName(argument.name) }
            add(CFunction(declaration, [declaration.scope] + scopes, name: name))
            collect(declaration.scope.functions, [declaration.scope] + scopes, prefix: name)
        }
    }
    func add(_ function: CFunction) {
        functions.append(function)
        functionAt[function.declaration.name.span.start] = function
    }

    func checkName(_ name: Identifier) {
        if CWords.reserved.contains(name.text) { problem(name.span, "'\(name.text)' is a word of C") }
    }

    func problem(_ span: SourceSpan, _ message: String, hint: String? = nil) {
        let new = Diagnostic(severity: .error, code: .noGlue, span: span, message: message, hint: hint)
        if !problems.contains(new), problems.count < DiagnosticSink.limit { problems.append(new) }
    }

    // MARK: What names mean

    func shape(_ type: TypeExpression, _ scopes: [Scope]) -> Shape {
        let type = type.treated
        if let last = type.pointers.last { return .pointer(last, type.pointee) }
        switch type.stem {
        case .void: return .void
        case .integer(let integer): return .integer(integer)
        case .string:
            return .array(
                TypeExpression(
                    stem: .integer(IntegerType(spelling: "char", bytes: 1, isSigned: true)), span: type.span),
                .zeroTerminated)
        case .array(let element, let size): return .array(element, size)
        case .projection(let name):
            guard let (projection, scopes) = Self.projection(name.text, scopes) else { return .void }
            return .projection(projection, scopes)
        case .functionPointer(let name, let isStatic):
            guard let declaration = Checker.function(name.text, in: scopes),
                let function = functionAt[declaration.name.span.start]
            else { return .void }
            return .function(function, isStatic: isStatic)
        case .casted: return .void
        }
    }

    /// The projection and the scopes that its own names are looked for in.
    static func projection(_ name: String, _ scopes: [Scope]) -> (Projection, [Scope])? {
        for (index, scope) in scopes.enumerated() {
            if let found = scope.projections.first(where: { $0.name.text == name }) {
                return (found, Array(scopes[index...]))
            }
        }
        return nil
    }

    func place(_ span: SourceSpan) -> String { "\(source.name):\(source.position(of: span.start).line)" }

    // MARK: What crosses

    func carry(_ pointer: Indirection, _ pointee: TypeExpression, _ scopes: [Scope]) -> Carry {
        let attributes = pointer.attributes
        for attribute in attributes {
            switch attribute.kind {
            case .shared(let region): return .shared(region)
            case .ioremap: return .window
            case .within(let base, let size): return .within(base: base, size: size)
            case .bindMember(let side, let type, let path): return .member(type: type, path: path, side)
            default: continue
            }
        }
        if attributes.user.isUser { return .value }
        if attributes.acquisition(.caller) == .allocStack(.caller)
            || attributes.acquisition(.callee) == .allocStack(.callee)
        {
            return .value
        }
        switch shape(pointee, scopes) {
        case .projection: return .object
        case .void: return attributes.hasReference ? .object : .opaque
        default: return attributes.hasReference ? .object : .value
        }
    }

    /// Of a pointer itself, and of what it points to.
    func directions(_ type: TypeExpression, _ inherited: Direction) -> (own: Direction, pointee: Direction) {
        let type = type.treated
        let value = type.attributes.direction, pointed = type.pointers.last?.attributes.direction
        return (value ?? pointed ?? inherited, pointed ?? value ?? inherited)
    }

    /// Whether anything of a value crosses then.
    func crosses(_ type: TypeExpression, _ inherited: Direction, _ phase: Direction, _ scopes: [Scope]) -> Bool {
        // Each projection once, however many ways lead to it.
        var visited: Set<[Int]> = []
        func reaches(_ type: TypeExpression, _ inherited: Direction, _ scopes: [Scope]) -> Bool {
            if type.isUnused { return false }
            let (own, pointed) = directions(type, inherited)
            switch shape(type, scopes) {
            case .void: return false
            case .integer, .function: return own.contains(phase)
            case .projection(let projection, let scopes):
                guard visited.insert([projection.name.span.start, own.rawValue]).inserted else { return false }
                return projection.fields.contains { reaches($0.variable.type, own, scopes) }
            case .array(let element, _): return reaches(element, own, scopes)
            case .pointer(let pointer, let pointee):
                if own.contains(phase) { return true }
                switch carry(pointer, pointee, scopes) {
                case .object, .value, .within: return reaches(pointee, pointed, scopes)
                default: return false
                }
            }
        }
        return reaches(type, inherited, scopes)
    }

    /// Whether a projection can lead back to itself.
    func isRecursive(_ projection: Projection, _ scopes: [Scope]) -> Bool {
        var visited: Set<Int> = []
        func reaches(_ current: Projection, _ scopes: [Scope]) -> Bool {
            for field in current.fields {
                var type = field.variable.type.treated
                while true {
                    type.pointers = []
                    if case .array(let element, _) = type.stem { type = element.treated } else { break }
                }
                guard case .projection(let next, let inner) = shape(type, scopes) else { continue }
                if next.name == projection.name { return true }
                if visited.insert(next.name.span.start).inserted, reaches(next, inner) { return true }
            }
            return false
        }
        return reaches(projection, scopes)
    }
}
