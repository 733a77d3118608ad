/// Who runs the code.
enum Home: String {
    case kernel, domain
    var other: Home { self == .kernel ? .domain : .kernel }
}

/// Which way a value crosses.
struct Direction: OptionSet {
    let rawValue: Int
    static let call = Direction(rawValue: 1)
    static let reply = Direction(rawValue: 2)
    var name: String { self == [.call, .reply] ? "inout" : self == .reply ? "out" : self == .call ? "in" : "none" }
}

/// A function with what the generator knows about it.
final class CFunction {
    let declaration: RemoteFunction
    /// From its own outwards.
    let scopes: [Scope]
    /// Unique in the module.
    let name: String
    /// Of those executed on the same side, from the module's first.
    var number = 0
    /// How the callee's side is called when it is not a function of that name: locks and globals.
    var invocation: String?
    var isSynthesized: Bool { invocation != nil }
    var needsTrampolines = false
    var isStatic = false

    init(_ declaration: RemoteFunction, _ scopes: [Scope], name: String) {
        self.declaration = declaration
        self.scopes = scopes
        self.name = name
    }
    /// Its name where the glue's own names hide it.
    var itself: String {
        CWords.taken.contains(name) && (!isPointer || isStatic) ? name + "_itself" : name
    }
    var caller: Home { declaration.kind == .rpc ? .domain : .kernel }
    var callee: Home { caller.other }
    /// Called through a pointer whose target crosses.
    var isPointer: Bool { declaration.kind == .pointer }
    var returnsVoid: Bool { declaration.result.isVoidValue }
}

/// A type taken apart by one step.
enum Shape {
    case void
    case integer(IntegerType)
    case function(CFunction, isStatic: Bool)
    case projection(Projection, [Scope])
    case array(TypeExpression, ArraySize)
    case pointer(Indirection, TypeExpression)
}

/// How a pointer crosses.
enum Carry {
    /// A word that means nothing here.
    case opaque
    /// A reference to an object; what is in it may follow.
    case object
    /// What it points to, with memory on the other side for as long as the call.
    case value
    case shared(Identifier)
    case window
    case within(base: Expression, size: Expression)
    case member(type: Identifier, path: Identifier, Side)
}

extension TypeExpression {
    /// What a cast treats it as.
    var treated: TypeExpression {
        guard case .casted(_, let real) = stem else { return self }
        var result = real
        result.pointers += pointers
        result.attributes += attributes
        return result
    }
    var isCasted: Bool { if case .casted = stem { pointers.isEmpty } else { false } }
    var pointee: TypeExpression {
        var result = self
        result.pointers.removeLast()
        result.attributes = []
        return result
    }
    /// An array as a function's argument is a pointer.
    var asArgument: TypeExpression {
        guard isArrayArgument(.argument) else { return self }
        var result = self
        result.pointers = [Indirection(attributes: attributes, isConst: false, span: span)]
        result.attributes = []
        return result
    }
    var isUnused: Bool {
        let treated = treated
        return treated.attributes.contains { $0.kind == .unused }
            || treated.pointers.last?.attributes.contains { $0.kind == .unused } == true
    }
    var isInteger: Bool { if case .integer = treated.stem { treated.pointers.isEmpty } else { false } }
}

extension [Attribute] {
    /// The direction that is written, if one is.
    var direction: Direction? {
        var result: Direction = []
        for attribute in self {
            if attribute.kind == .in { result.insert(.call) }
            if attribute.kind == .out { result.insert(.reply) }
        }
        return result.isEmpty ? nil : result
    }
    var hasReference: Bool {
        contains {
            switch $0.kind {
            case .alloc, .allocOnce, .bind, .dealloc: true
            default: false
            }
        }
    }
    /// What that side does to have the object.
    func acquisition(_ side: Side) -> Attribute.Kind? {
        for attribute in self {
            switch attribute.kind {
            case .alloc(side, _, _), .allocOnce(side), .allocStack(side), .bind(side): return attribute.kind
            default: continue
            }
        }
        return nil
    }
    var allocationSize: Expression? {
        for attribute in self { if case .alloc(_, let size?, _) = attribute.kind { return size } }
        return nil
    }
    func ends(_ side: Side) -> Bool { contains { $0.kind == .dealloc(side) } }
    var isErrorPointer: Bool { contains { $0.kind == .errorPointer } }
    var user: (isUser: Bool, size: Expression?) {
        for attribute in self { if case .user(let size) = attribute.kind { return (true, size) } }
        return (false, nil)
    }
}

extension Attribute {
    /// FNV-1a: the number of a type is the same in every module that names it.
    static func typeNumber(_ tag: String) -> UInt32 {
        tag.utf8.reduce(0x811C_9DC5) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
    }
}
