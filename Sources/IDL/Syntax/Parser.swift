/// Bytes to syntax. Recovers at the next declaration, so that one run reports what is wrong everywhere; never fails on
/// any input: what cannot be read is reported and passed over.
struct Parser {
    /// Thrown after the error was reported; caught where declarations are listed.
    struct Abandoned: Error {}

    /// Types, blocks and casts inside each other.
    static let depthLimit = 64

    let source: IDLSource
    private(set) var sink = DiagnosticSink()
    private var lexer: Lexer
    private(set) var token: LocatedToken
    private var depth = 0

    init(_ source: IDLSource) {
        self.source = source
        lexer = Lexer(source)
        token = LocatedToken(token: .end, span: SourceSpan(start: 0, end: 0))
        advance()
    }

    // MARK: Words

    mutating func advance() { token = lexer.next(&sink) }

    mutating func report(_ code: DiagnosticCode, _ span: SourceSpan, _ message: String, hint: String? = nil) {
        sink.error(code, span, message, hint: hint)
    }

    mutating func fail(_ wanted: String, hint: String? = nil) -> Abandoned {
        report(.syntax, token.span, "found \(token.token.described), expected \(wanted)", hint: hint)
        return Abandoned()
    }

    var isFollowedByStar: Bool {
        source.bytes[token.span.end...].first { $0 > 0x20 } == UInt8(ascii: "*")
    }
    func isMark(_ character: Character) -> Bool { token.token == .mark(character) }
    func isWord(_ text: String) -> Bool { token.token == .name(text) }
    var word: String? {
        if case .name(let text) = token.token { text } else { nil }
    }

    mutating func take(_ character: Character) -> Bool {
        guard isMark(character) else { return false }
        advance()
        return true
    }
    mutating func take(word: String) -> Bool {
        guard isWord(word) else { return false }
        advance()
        return true
    }
    @discardableResult
    mutating func want(_ character: Character, _ place: String, hint: String? = nil) throws(Abandoned) -> SourceSpan {
        let span = token.span
        guard take(character) else { throw fail("'\(character)' \(place)", hint: hint) }
        return span
    }
    mutating func identifier(_ what: String) throws(Abandoned) -> Identifier {
        guard let text = word else { throw fail(what) }
        let result = Identifier(text: text, span: token.span)
        advance()
        return result
    }
    mutating func expression(_ what: String) throws(Abandoned) -> Expression {
        guard case .expression(let text) = token.token else {
            throw fail(what, hint: "a C expression is written in double braces, {{ like_this }}")
        }
        let result = Expression(text: text, span: token.span)
        advance()
        return result
    }
    /// Runs `body` one level deeper.
    mutating func nested<T>(_ body: (inout Parser) throws(Abandoned) -> T) throws(Abandoned) -> T {
        guard depth < Self.depthLimit else {
            report(.nestingTooDeep, token.span, "more than \(Self.depthLimit) levels inside each other")
            throw Abandoned()
        }
        depth += 1
        defer { depth -= 1 }
        return try body(&self)
    }

    /// Passes over the rest of a declaration: up to a `;` at this level, or a block and what follows it, or the `}`
    /// that ends the block around it (which stays).
    mutating func recover() {
        var level = 0
        while true {
            switch token.token {
            case .end: return
            case .mark("{"): level += 1
            case .mark("}"):
                if level == 0 { return }
                level -= 1
                if level == 0 {
                    advance()
                    return
                }
            case .mark(";") where level == 0:
                advance()
                return
            default: break
            }
            advance()
        }
    }

    /// The declarations of a block up to its `}`. `item` reads one; what it cannot read is passed over.
    mutating func block(_ what: String, _ item: (inout Parser) throws(Abandoned) -> Void) throws(Abandoned) {
        let open = try want("{", "before \(what)")
        while !isMark("}") {
            if token.token == .end {
                report(.unclosedBlock, open, "'{' without '}'", hint: "\(what) that begin here do not end")
                throw Abandoned()
            }
            if sink.isFull { throw Abandoned() }
            let before = token.span.start
            do {
                try nested(item)
            } catch {
                recover()
            }
            // Nothing was read: an item that refuses its first word must not be offered it again.
            if token.span.start == before, token.token != .end, !isMark("}") { advance() }
        }
        advance()
    }

    // MARK: Files

    mutating func file() -> InterfaceFile {
        var includes: [String] = []
        var modules: [ModuleDeclaration] = []
        var driver: DriverDeclaration?
        var strayReported = false
        while token.token != .end, !sink.isFull {
            let before = token.span.start
            do {
                switch word {
                case "include": includes.append(try include())
                case "driver":
                    let span = token.span
                    let found = try driverDeclaration()
                    if driver != nil { report(.syntax, span, "a second driver in one file") }
                    driver = found
                case "module": modules.append(try moduleDeclaration())
                case "projection", "rpc", "rpc_ptr", "rpc_export", "global", "header":
                    // A lost brace ends a module too early; what follows is still worth reading, once reported.
                    if !strayReported {
                        report(
                            .syntax, token.span, "a declaration outside a module",
                            hint: "an extra '}' before this place, or a missing '{'?")
                    }
                    strayReported = true
                    switch word {
                    case "projection": _ = try projection()
                    case "global": _ = try global()
                    case "header": _ = try header()
                    default: _ = try function()
                    }
                case "typedef", "require", "use", "interface":
                    throw olderSyntax("'\(word!)'")
                default: throw fail("'module NAME {' or 'driver NAME {'")
                }
            } catch {
                recover()
                if isMark("}") { advance() }
            }
            if strayReported, isMark("}") { advance() }
            if token.span.start == before, token.token != .end { advance() }
        }
        if let driver {
            if let module = modules.first {
                report(.syntax, module.name.span, "a module in a driver's file", hint: "modules are files of their own")
            }
            return .driver(DriverDeclaration(name: driver.name, imports: driver.imports, includes: includes))
        }
        if modules.isEmpty, !sink.hasErrors { report(.syntax, token.span, "the file declares no module and no driver") }
        return .modules(modules)
    }

    mutating func olderSyntax(_ what: String) -> Abandoned {
        report(
            .olderSyntax, token.span, "\(what) belongs to the older, channel-based interface language",
            hint: "write 'module NAME { ... }' with rpc, rpc_ptr and projection declarations")
        return Abandoned()
    }

    /// Skips to behind `include <path>;`. The word itself is the current token: the path is not made of tokens.
    private mutating func angledPath() -> String? {
        lexer.rewind(to: token.span.end)
        guard let (path, _) = lexer.path(&sink) else {
            advance()
            return nil
        }
        advance()
        return path
    }

    private mutating func include() throws(Abandoned) -> String {
        if let path = angledPath() {
            try want(";", "after the path")
            return path
        }
        throw fail("'<path>' after include")
    }

    private mutating func driverDeclaration() throws(Abandoned) -> DriverDeclaration {
        advance()
        let name = try identifier("the driver's name")
        var imports: [Identifier] = []
        try block("the driver's imports") { parser throws(Abandoned) in
            guard parser.take(word: "import") else { throw parser.fail("'import MODULE;'") }
            imports.append(try parser.identifier("the name of a module"))
            try parser.want(";", "after the module's name")
        }
        return DriverDeclaration(name: name, imports: imports, includes: [])
    }

    private mutating func moduleDeclaration() throws(Abandoned) -> ModuleDeclaration {
        advance()
        var module = ModuleDeclaration(name: try identifier("the module's name"))
        if isMark("(") { throw olderSyntax("a module with parameters") }
        try block("the module's declarations") { parser throws(Abandoned) in
            switch parser.word {
            case "header": module.headers.append(try parser.header())
            case "projection": module.projections.append(try parser.projection())
            case "rpc", "rpc_ptr", "rpc_export": module.functions.append(try parser.function())
            case "global": module.globals.append(try parser.global())
            case "spinlock", "atomic_lock": module.locks.append(try parser.lock())
            case "require", "channel", "use", "interface": throw parser.olderSyntax("'\(parser.word!)'")
            default:
                if parser.isMark("{") { throw parser.olderSyntax("a block without a name") }
                throw parser.fail("a projection, rpc, rpc_ptr, rpc_export, global, lock or header")
            }
        }
        return module
    }

    private mutating func header() throws(Abandoned) -> String {
        if let path = angledPath() {
            try want(";", "after the path")
            return path
        }
        guard case .string(let path) = token.token else { throw fail("'<path>' or a string after header") }
        advance()
        try want(";", "after the path")
        return path
    }
}
