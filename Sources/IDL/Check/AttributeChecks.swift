extension Checker {
    mutating func checkAttributes(_ type: TypeExpression, _ place: Place) {
        for attribute in type.attributes { checkValue(attribute, of: type, place) }
        checkPairs(type.attributes)
        for pointer in type.pointers {
            for attribute in pointer.attributes { checkPointer(attribute, place) }
            checkPairs(pointer.attributes)
        }
    }

    /// What may stand behind a value: a direction. The rest says what becomes of what a pointer points to.
    private mutating func checkValue(_ attribute: Attribute, of type: TypeExpression, _ place: Place) {
        switch attribute.kind {
        case .in, .unused: break
        case .out:
            if place.role == .argument, type.pointers.isEmpty, case .integer = type.stem {
                sink.warning(
                    .attributeMisplaced, attribute.span,
                    "the callee's change of a value does not reach its caller in C",
                    hint: "what comes back is behind a pointer")
            }
        case .within(let base, let size):
            check(base, place)
            check(size, place)
        case .bounded(let limit):
            check(limit, place)
            if case .integer = type.stem, type.pointers.isEmpty { return }
            sink.error(.attributeMisplaced, attribute.span, "'bounded' belongs to an integer")
        // An array is a pointer where C passes it.
        case _ where type.isArrayArgument(place.role): checkPointer(attribute, place)
        default:
            sink.error(
                .attributeMisplaced, attribute.span, "'\(attribute.keyword)' belongs to a pointer",
                hint: "put it before the '*' that it is about: TYPE [\(attribute.keyword)...] * name")
        }
    }

    private mutating func checkPointer(_ attribute: Attribute, _ place: Place) {
        switch attribute.kind {
        case .alloc(_, let size, let flags):
            if let size { check(size, place) }
            // Flags are the kernel's own names (GFP_KERNEL): the C compiler knows them.
            if let flags { checkForm(flags) }
        case .user(let size):
            if let size {
                check(size, place)
            } else {
                sink.warning(
                    .attributeMisplaced, attribute.span, "the buffer's size is not given",
                    hint: "no glue can be made until it is: user<{{ size }}>")
            }
        case .within(let base, let size):
            check(base, place)
            check(size, place)
        case .bindMember(_, let type, let path):
            guard let kernel else { break }
            if !kernel.hasStructure(type.text) {
                sink.error(.missingType, type.span, "this kernel has no struct \(type.text)")
            } else if kernel.member(path.text, ofStructure: type.text) == nil {
                sink.error(.missingField, path.span, "this kernel's struct \(type.text) has no member '\(path.text)'")
            }
        case .bounded: sink.error(.attributeMisplaced, attribute.span, "'bounded' belongs to an integer")
        case .ioremap where place.role != .result && place.role != .field:
            sink.error(
                .attributeMisplaced, attribute.span, "'ioremap' belongs to a function's result",
                hint: "the kernel returns a window of device memory")
        case .errorPointer where place.role == .part:
            sink.error(.attributeMisplaced, attribute.span, "'err_ptr' inside an array or cast")
        default: break
        }
    }

    /// Attributes that contradict each other or say the same twice.
    private mutating func checkPairs(_ attributes: [Attribute]) {
        for (index, second) in attributes.enumerated() {
            for first in attributes[..<index] {
                if let problem = Self.conflict(first, second) {
                    sink.error(.attributeConflict, second.span, problem)
                } else if case .alloc(let side, _, _) = first.kind, second.kind == .bind(side) {
                    sink.warning(
                        .attributeConflict, second.span, "'alloc' and 'bind' on one side",
                        hint: "'alloc_once' makes a shadow unless there is one")
                }
            }
        }
    }

    private static func conflict(_ a: Attribute, _ b: Attribute) -> String? {
        switch (a.kind, b.kind) {
        case (.bindMember, .unused), (.unused, .bindMember): return nil
        case (.alloc, .bind), (.bind, .alloc): return nil
        case (.unused, .unused), (.in, .in), (.out, .out), (.errorPointer, .errorPointer):
            return "'\(a.keyword)' twice"
        case (.unused, _), (_, .unused): return "'unused' with '\(a.kind == .unused ? b.keyword : a.keyword)'"
        default: break
        }
        let created = { (attribute: Attribute) -> Side? in
            switch attribute.kind {
            case .alloc(let side, _, _), .allocOnce(let side), .allocStack(let side), .bind(let side),
                .bindMember(let side, _, _):
                side
            default: nil
            }
        }
        if let first = created(a), let second = created(b), first == second {
            return
                "'\(a.keyword)' and '\(b.keyword)' on one side: the \(first.rawValue) makes a shadow or finds one"
        }
        if case .dealloc(let first) = a.kind, case .dealloc(let second) = b.kind, first == second {
            return "'dealloc' of one side twice"
        }
        return nil
    }
}

extension TypeExpression {
    func isArrayArgument(_ role: Checker.Place.Role) -> Bool {
        guard role == .argument, pointers.isEmpty, case .array = stem else { return false }
        return true
    }
}
