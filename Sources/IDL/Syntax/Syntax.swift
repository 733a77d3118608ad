/// An interface file as written. docs/reference/idl.md has the grammar.
public enum InterfaceFile: Sendable {
    case driver(DriverDeclaration)
    case modules([ModuleDeclaration])
}

public struct Identifier: Sendable, Equatable {
    public var text: String
    public var span: SourceSpan
}

/// `driver NAME { import MODULE; }` with the headers of the driver's source.
public struct DriverDeclaration: Sendable {
    public var name: Identifier
    public var imports: [Identifier]
    public var includes: [String]
}

/// `module NAME { ... }`: one interface between kernel and driver.
public struct ModuleDeclaration: Sendable {
    public var name: Identifier
    public var headers: [String] = []
    public var projections: [Projection] = []
    public var functions: [RemoteFunction] = []
    public var globals: [GlobalDeclaration] = []
    public var locks: [LockDeclaration] = []
}

/// Which fields of a structure or union cross, and how.
public struct Projection: Sendable {
    public enum Kind: String, Sendable {
        case structure = "struct"
        case union
    }
    public var kind: Kind
    /// The C tag.
    public var type: Identifier
    public var name: Identifier
    public var fields: [Field] = []
    public var locks: [LockDeclaration] = []
    public var lockScopes: [LockScope] = []
}

public struct Field: Sendable {
    public var variable: Variable
    public var bitWidth: UInt64?
}

/// `LOCK { field, field }`: the fields that a lock protects.
public struct LockScope: Sendable {
    public var lock: Identifier
    public var fields: [Identifier]
}

public struct LockDeclaration: Sendable {
    public enum Kind: String, Sendable {
        case spinlock
        case atomic = "atomic_lock"
    }
    public var kind: Kind
    public var name: Identifier
    /// The C expression of the lock itself, where it is written.
    public var expression: Expression?
}

public struct GlobalDeclaration: Sendable {
    public var variable: Variable
    /// The C expression of the lock that protects it, where it is written.
    public var lock: Expression?
    public var scope: Scope
}

/// Declarations that belong to one function or global.
public struct Scope: Sendable {
    public var projections: [Projection] = []
    public var functions: [RemoteFunction] = []
    public var locks: [LockDeclaration] = []
}

public struct RemoteFunction: Sendable {
    /// Who calls whom.
    public enum Kind: String, Sendable {
        /// The driver calls the kernel.
        case rpc
        /// The kernel calls the driver through a function pointer.
        case pointer = "rpc_ptr"
        /// The kernel calls the driver by a symbol.
        case export = "rpc_export"
    }
    public var kind: Kind
    public var result: TypeExpression
    public var name: Identifier
    public var arguments: [Variable]
    public var scope: Scope
}

public struct Variable: Sendable {
    public var type: TypeExpression
    public var name: Identifier
}

/// A C expression, given to the C compiler as it stands.
public struct Expression: Sendable, Equatable {
    public var text: String
    public var span: SourceSpan
}

public struct TypeExpression: Sendable {
    public var isConst = false
    public var isVolatile = false
    public var stem: Stem
    /// From the stem outwards: `T [a]* [b]*` is a pointer with `b` to a pointer with `a` to T.
    public var pointers: [Indirection] = []
    public var attributes: [Attribute] = []
    public var span: SourceSpan

    public indirect enum Stem: Sendable {
        case void
        case integer(IntegerType)
        case string
        case array(TypeExpression, ArraySize)
        case projection(Identifier)
        /// `isStatic`: the function is known when the glue is generated, no trampoline is made.
        case functionPointer(Identifier, isStatic: Bool)
        /// Declared in C as the first, treated as the second.
        case casted(TypeExpression, TypeExpression)
    }
}

public struct Indirection: Sendable {
    public var attributes: [Attribute]
    public var isConst: Bool
    public var span: SourceSpan
}

public enum ArraySize: Sendable {
    case fixed(UInt64, SourceSpan)
    /// Ends with an element of zero.
    case zeroTerminated
    /// As analysis tools write what a person has yet to decide.
    case unknown(SourceSpan)
    case expression(Expression)
}

public struct IntegerType: Sendable, Equatable {
    /// As C spells it.
    public var spelling: String
    public var bytes: Int
    public var isSigned: Bool
}

public enum Side: String, Sendable {
    case caller, callee
}

public struct Attribute: Sendable {
    public enum Kind: Sendable, Equatable {
        case `in`, out, unused
        case alloc(Side, size: Expression?, flags: Expression?)
        case allocOnce(Side)
        case allocStack(Side)
        case dealloc(Side)
        case bind(Side)
        case bindMember(Side, type: Identifier, path: Identifier)
        case ioremap(Side)
        case shared(Identifier)
        /// Nil: the size is yet to be decided.
        case user(Expression?)
        case within(base: Expression, size: Expression)
        case bounded(Expression)
        case errorPointer
    }
    public var kind: Kind
    public var span: SourceSpan

    /// As written, without its operands.
    public var keyword: String {
        switch kind {
        case .in: "in"
        case .out: "out"
        case .unused: "unused"
        case .alloc: "alloc"
        case .allocOnce: "alloc_once"
        case .allocStack: "alloc_stack"
        case .dealloc: "dealloc"
        case .bind: "bind"
        case .bindMember: "bind_memberof"
        case .ioremap: "ioremap"
        case .shared: "shared"
        case .user: "user"
        case .within: "within"
        case .bounded: "bounded"
        case .errorPointer: "err_ptr"
        }
    }
}
