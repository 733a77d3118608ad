/// What one side of one function packs and unpacks. Code for a projection is a function of its own.
///
/// Integers cross before everything else of their structure or call, so that sizes are known before what they measure.
final class Marshaller {
    enum Verb: String { case put, take }
    struct Instance {
        var name: String
        var projection: Projection
        var scopes: [Scope]
        var verb: Verb
        var direction: Direction
    }

    let generator: ModuleGenerator
    let function: CFunction
    let home: Home
    private var instances: [Instance] = []
    /// Where `ptr` is a projection's, and what its names mean.
    struct Place {
        var projection: Projection?
        var scopes: [Scope]
        /// An argument of the function: whether it is NULL is the same on both sides.
        var isArgument = false
        var isResult = false
    }

    init(_ generator: ModuleGenerator, _ function: CFunction, _ home: Home) {
        self.generator = generator
        self.function = function
        self.home = home
    }

    var side: Side { home == function.caller ? .caller : .callee }
    var other: Side { side == .caller ? .callee : .caller }
    func phase(_ verb: Verb) -> Direction { (verb == .put) == (side == .caller) ? .call : .reply }

    // MARK: Projections

    /// The name of the C function for that projection, made once.
    func instance(_ projection: Projection, _ scopes: [Scope], _ verb: Verb, _ direction: Direction) -> String {
        let key = projection.name.span.start
        if let known = instances.first(where: {
            $0.projection.name.span.start == key && $0.verb == verb && $0.direction == direction
        }) {
            return known.name
        }
        var name = "\(function.name)_\(verb.rawValue)_\(projection.name.text)_\(direction.name)"
        while instances.contains(where: { $0.name == name }) { name += "_" }
        instances.append(
            Instance(name: name, projection: projection, scopes: scopes, verb: verb, direction: direction))
        return name
    }

    /// All projection functions that are asked for, also by each other; before them, their declarations.
    func writeInstances(_ text: CText) {
        var bodies: [CText] = [], done = 0, heads: [String] = []
        while done < instances.count {
            let instance = instances[done]
            done += 1
            let tag =
                generator.usesSlots
                ? "void" : "\(instance.projection.kind.rawValue) \(instance.projection.type.text)"
            let head = "static void \(instance.name)(struct lvd_call *call, \(contextName) *ctx, \(tag) *ptr)"
            let body = CText()
            body.line(
                "/* \(generator.place(instance.projection.name.span)): projection \(instance.projection.name.text) */")
            body.block(head) {
                body.line("(void)call, (void)ctx, (void)ptr;")
                if instance.projection.kind == .union {
                    unionBytes(instance, body)
                } else if instance.verb == .put {
                    putFields(instance, body)
                } else {
                    takeFields(instance, body)
                }
            }
            heads.append(head + ";")
            bodies.append(body)
        }
        if heads.count > 1 { for head in heads { text.line(head) } }
        for body in bodies {
            for line in body.lines { text.line(line) }
            text.line("")
        }
    }
    var contextName: String { "struct \(function.name)_context" }

    /// A union crosses as bytes: nobody here knows which of its members holds.
    private func unionBytes(_ instance: Instance, _ text: CText) {
        var size = ""
        for field in instance.projection.fields where !field.variable.type.isUnused {
            guard isPlain(field.variable.type, instance.scopes) else {
                generator.problem(
                    field.variable.name.span, "no glue is made for a union with pointers in it",
                    hint: "which member holds is not written anywhere; project the one that crosses")
                return
            }
            let bytes = "sizeof(ptr->\(field.variable.name.text))"
            size = size.isEmpty ? bytes : "LVD_LARGER(\(bytes), \(size))"
        }
        if !size.isEmpty { text.line("lvd_\(instance.verb.rawValue)_bytes(call, ptr, \(size));") }
    }

    /// Its bytes are all there is to it.
    func isPlain(_ type: TypeExpression, _ scopes: [Scope]) -> Bool {
        switch generator.shape(type, scopes) {
        case .integer: true
        case .array(let element, .fixed): isPlain(element, scopes)
        default: false
        }
    }

    static func ordered<T>(_ list: [T], _ type: (T) -> TypeExpression) -> [T] {
        list.filter { type($0).isInteger } + list.filter { !type($0).isInteger }
    }

    private func putFields(_ instance: Instance, _ text: CText) {
        let place = Place(projection: instance.projection, scopes: instance.scopes)
        for field in Self.ordered(instance.projection.fields, \.variable.type) {
            let value = generator.access("ptr", instance.projection, field, instance.scopes)
            put(field.variable.type, value, instance.direction, place, text)
        }
    }

    private func takeFields(_ instance: Instance, _ text: CText) {
        let place = Place(projection: instance.projection, scopes: instance.scopes)
        let fields = Self.ordered(instance.projection.fields, \.variable.type)
        let values = fields.map { generator.access("ptr", instance.projection, $0, instance.scopes) }
        var rooms: [Int: String] = [:]
        for (index, field) in fields.enumerated() {
            rooms[index] = room(field.variable.type, values[index], instance.direction, place, text)
        }
        for (index, field) in fields.enumerated() {
            take(field.variable.type, values[index], instance.direction, place, rooms[index], text)
        }
        for (index, field) in fields.enumerated() {
            requireLimits(field.variable.type, values[index], instance.direction, place, text)
        }
    }

    // MARK: Parts that both directions share

    func directed(_ type: TypeExpression, _ inherited: Direction, _ verb: Verb, _ place: Place) -> Bool {
        // The callee gets an argument's pointer whichever way its target crosses.
        if place.isArgument, phase(verb) == .call, !type.isUnused, !type.treated.pointers.isEmpty { return true }
        return generator.crosses(type, inherited, phase(verb), place.scopes)
    }

    func text(_ expression: Expression, _ place: Place) -> String {
        generator.expression(expression, place.projection, place.scopes)
    }

    /// An expression's value, 0 where it would read through NULL.
    func measured(_ expression: Expression, _ place: Place) -> String {
        let value = "(u64)(\(text(expression, place)))"
        let guards = generator.guards(expression)
        return guards.isEmpty ? value : "(\(guards.joined(separator: " && ")) ? \(value) : 0)"
    }

    /// What a pointer's target is a row of.
    func row(_ pointer: Indirection, _ pointee: TypeExpression, _ place: Place) -> (TypeExpression, ArraySize)? {
        let user = pointer.attributes.user
        switch generator.shape(pointee, place.scopes) {
        case .void: return nil
        case .array(let element, let size): return (element, size)
        case .integer where user.isUser:
            guard let size = user.size else {
                generator.problem(pointer.span, "the buffer's size is not given", hint: "user<{{ size }}>")
                return nil
            }
            return (pointee, .expression(size))
        default: return (pointee, .fixed(1, pointer.span))
        }
    }

    /// Bytes of one element in a message where elements cross as they are; nil where each is taken apart.
    func plainSize(_ element: TypeExpression, _ place: Place) -> String? {
        isPlain(element, place.scopes) ? generator.sizeOf(element, place.scopes) : nil
    }

    func typeNumber(_ pointee: TypeExpression, _ place: Place) -> String {
        if case .projection(let projection, _) = generator.shape(pointee, place.scopes) {
            return "LVD_TYPE_\(projection.type.text)"
        }
        return "LVD_TYPE_BYTES"
    }

    /// How many bytes a pointer's target has, where that can be said in one expression.
    func bytes(_ pointer: Indirection, _ pointee: TypeExpression, _ place: Place) -> String {
        guard let (element, size) = row(pointer, pointee, place) else { return "1" }
        let each = generator.sizeOf(element, place.scopes)
        switch size {
        case .fixed(1, _): return each
        case .fixed(let count, _): return "\(count) * \(each)"
        case .expression(let count): return "\(measured(count, place)) * \(each)"
        default: return "1"
        }
    }
}
