import DriverImage

/// The structures that glue copies from and to. With a kernel at hand, their members are where the kernel has them;
/// without one, a structure is what the file names of it.
extension ModuleGenerator {
    private struct Member {
        var name: String
        var declaration: String
        var bits: UInt64?
        var span: SourceSpan
        /// Structures that are in it by value.
        var contains: [String]
    }

    func writeLayouts(_ text: CText) {
        var order: [String] = [], members: [String: [Member]] = [:], spans: [String: Identifier] = [:]
        func note(_ key: String, _ tag: Identifier) {
            if members[key] == nil {
                order.append(key)
                members[key] = []
                spans[key] = tag
            }
        }
        func add(_ key: String, _ member: Member) {
            if !members[key]!.contains(where: { $0.name == member.name }) { members[key]!.append(member) }
        }
        for (_, scope, chain) in everyScope {
            for projection in scope.projections {
                let key = projection.kind.rawValue + " " + projection.type.text
                if !CWords.types.contains(projection.type.text) { checkName(projection.type) }
                note(key, projection.type)
                for field in projection.fields {
                    let name = field.variable.name
                    checkName(name)
                    var type = field.variable.type.treated
                    while case .array(let element, _) = type.stem, type.pointers.isEmpty { type = element.treated }
                    var inside: [String] = []
                    if type.pointers.isEmpty, case .projection(let inner, _) = shape(type, chain) {
                        inside = [inner.kind.rawValue + " " + inner.type.text]
                    }
                    let declaration = declare(field.variable.type, name.text, chain)
                    add(
                        key,
                        Member(
                            name: name.text, declaration: declaration, bits: field.bitWidth, span: name.span,
                            contains: inside))
                }
                addExpressionMembers(projection, key, add)
            }
        }
        for (type, path) in memberPaths {
            let key = "struct " + type.text
            note(key, type)
            if kernel == nil, !members[key]!.contains(where: { $0.name == path.text }) {
                let name = path.text.replacing(".", with: "_")
                add(key, Member(name: name, declaration: "u64 \(name)", bits: nil, span: path.span, contains: []))
            }
        }
        if order.isEmpty || usesSlots { return }
        for key in order { text.line("\(key);") }
        text.line("")
        var done: Set<String> = []
        func write(_ key: String) {
            guard done.insert(key).inserted else { return }
            for member in members[key]! { for inner in member.contains { if members[inner] != nil { write(inner) } } }
            if let kernel {
                writeLayout(key, members[key]!, spans[key]!, kernel, text)
            } else {
                text.block(key, tail: "};") {
                    for member in members[key]! {
                        text.line(member.declaration + (member.bits.map { " : \($0)" } ?? "") + ";")
                    }
                    if members[key]!.isEmpty { text.line("u8 unknown;") }
                }
            }
            text.line("")
        }
        for key in order { write(key) }
    }

    private func writeLayout(
        _ key: String, _ members: [Member], _ tag: Identifier, _ kernel: KernelTypes, _ text: CText
    ) {
        guard let size = kernel.size(ofTag: key) else {
            problem(tag.span, "this kernel does not say how large \(key) is")
            return
        }
        var asserts: [String] = []
        text.block(key, tail: "};") {
            text.block("union", tail: "};") {
                text.line("u8 all_bytes[\(size)];")
                for member in members {
                    guard let place = kernel.location(member.name, ofTag: key) else {
                        problem(member.span, "this kernel's \(key) has no member '\(member.name)'")
                        continue
                    }
                    let byte = place.bitOffset / 8, bit = place.bitOffset % 8
                    var inside = byte == 0 ? "" : "u8 before_\(member.name)[\(byte)]; "
                    if let bits = member.bits {
                        if bit != 0 { inside += "u8 : \(bit); " }
                        inside += "\(member.declaration) : \(bits);"
                    } else {
                        inside += member.declaration + ";"
                        asserts.append(
                            "_Static_assert(offsetof(\(key), \(member.name)) == \(byte), \"\(member.name)\");")
                    }
                    text.line("struct { \(inside) };")
                }
            }
        }
        text.line("_Static_assert(sizeof(\(key)) == \(size), \"\(key)\");")
        for line in asserts { text.line(line) }
    }

    /// Members that only expressions name.
    private func addExpressionMembers(_ projection: Projection, _ key: String, _ add: (String, Member) -> Void) {
        for field in projection.fields {
            for expression in field.variable.type.expressions {
                for (base, name, _) in Checker.references(expression.text) where base == "ptr" {
                    if projection.fields.contains(where: { $0.variable.name.text == name }) { continue }
                    guard let kernel else {
                        problem(
                            expression.span, "'\(name)' is no field of projection '\(projection.name.text)'",
                            hint: "with a kernel at hand its type is known: --btf VMLINUX")
                        continue
                    }
                    guard let place = kernel.location(name, ofTag: key), let form = kernel.form(of: place.type) else {
                        continue
                    }
                    let declaration: String
                    switch form {
                    case .scalar(let bytes) where [1, 2, 4, 8].contains(bytes) && place.bitFieldWidth == nil:
                        declaration = "u\(bytes * 8) \(name)"
                    case .pointer: declaration = "void *\(name)"
                    default:
                        problem(
                            expression.span, "'\(name)' is \(form.described) in this kernel",
                            hint: "project it as a field")
                        continue
                    }
                    add(
                        key,
                        Member(name: name, declaration: declaration, bits: nil, span: expression.span, contains: []))
                }
            }
        }
    }

    /// What `bind_memberof` names, each once.
    var memberPaths: [(type: Identifier, path: Identifier)] {
        var result: [(type: Identifier, path: Identifier)] = []
        for attribute in everyTypeAttribute {
            if case .bindMember(_, let type, let path) = attribute.kind,
                !result.contains(where: { $0.type.text == type.text && $0.path.text == path.text })
            {
                result.append((type, path))
            }
        }
        return result
    }

    func offset(_ type: Identifier, _ path: Identifier) -> String {
        if usesSlots { return "lvd_abi_\(type.text)_\(path.text.replacing(".", with: "_")).value" }
        if let kernel {
            guard let place = kernel.member(path.text, ofStructure: type.text), let byte = place.byteOffset else {
                problem(
                    path.span, "this kernel's struct \(type.text) has no member '\(path.text)' that can be pointed to")
                return "0"
            }
            return "\(byte)"
        }
        return "offsetof(struct \(type.text), \(path.text.replacing(".", with: "_")))"
    }
}

extension KernelTypes {
    private func split(_ key: String) -> (kind: Projection.Kind, tag: String) {
        let parts = key.split(separator: " ", maxSplits: 1)
        return (Projection.Kind(rawValue: String(parts[0]))!, String(parts[1]))
    }
    func location(_ member: String, ofTag key: String) -> BTFMemberLocation? {
        let (kind, tag) = split(key)
        return self.member(member, ofStructure: tag, kind: kind)
    }
}

extension TypeExpression {
    /// All C expressions in it.
    var expressions: [Expression] {
        var result: [Expression] = []
        for attribute in attributes + pointers.flatMap(\.attributes) {
            switch attribute.kind {
            case .alloc(_, let size, _): if let size { result.append(size) }
            case .user(let size): if let size { result.append(size) }
            case .within(let base, let size): result += [base, size]
            case .bounded(let limit): result.append(limit)
            default: break
            }
        }
        switch stem {
        case .array(let element, let size):
            if case .expression(let count) = size { result.append(count) }
            result += element.expressions
        case .casted(_, let real): result += real.expressions
        default: break
        }
        return result
    }
}
