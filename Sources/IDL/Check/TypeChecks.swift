extension Checker {
    mutating func check(_ type: TypeExpression, _ place: Place) {
        if type.isVoidValue, place.role != .result {
            sink.error(.voidValue, type.span, "a value of type void", hint: "a pointer crosses opaque as 'void *'")
        }
        switch type.stem {
        case .void, .integer: break
        case .string:
            if type.pointers.isEmpty {
                sink.error(
                    .badArray, type.span, "a string by value", hint: "strings are pointed to: 'string * name'")
            }
        case .projection(let name):
            if Self.projection(name.text, in: place.scopes) == nil {
                let known = place.scopes.flatMap { $0.projections.map(\.name.text) }
                sink.error(
                    .unknownProjection, name.span, "no projection '\(name.text)' in reach",
                    hint: suggestion(for: name.text, among: known))
            }
        case .functionPointer(let name, _):
            // Drivers also put functions of the kernel into their tables: those are rpc.
            if Self.function(name.text, in: place.scopes) == nil {
                let known = place.scopes.flatMap { $0.functions.map(\.name.text) }
                sink.error(
                    .unknownFunctionPointer, name.span, "no rpc_ptr '\(name.text)' in reach",
                    hint: suggestion(for: name.text, among: known))
            }
        case .array(let element, let size):
            check(element, size, place)
        case .casted(let declared, let real):
            check(declared, part(of: place))
            check(real, part(of: place))
            if declared.pointers.isEmpty != real.pointers.isEmpty, !declared.isWord, !real.isWord {
                sink.error(
                    .badArray, type.span, "a cast between a pointer and a value of another width than a pointer's")
            }
        }
        checkAttributes(type, place)
    }

    private func part(of place: Place) -> Place {
        var inner = place
        inner.role = .part
        return inner
    }

    private mutating func check(_ element: TypeExpression, _ size: ArraySize, _ place: Place) {
        check(element, part(of: place))
        switch size {
        case .fixed(let count, let span):
            if count == 0 {
                sink.warning(.badArray, span, "an array of 0 elements: nothing of it crosses")
            } else if count > Self.elementsMax {
                sink.error(.badArray, span, "an array of \(count) elements", hint: "at most \(Self.elementsMax)")
            }
        case .zeroTerminated: break
        case .unknown(let span):
            sink.warning(
                .badArray, span, "the array's size is not given",
                hint: "no glue can be made until it is a number, null or {{ expression }}")
        case .expression(let expression): check(expression, place)
        }
    }
}

extension TypeExpression {
    /// An integer as wide as a pointer.
    var isWord: Bool {
        if case .integer(let type) = stem { pointers.isEmpty && type.bytes == 8 } else { false }
    }
}
