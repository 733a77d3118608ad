import DriverImage

/// An interface against the kernel at hand: every structure, field and function that it names.
extension DiagnosticSink {
    mutating func check(_ projection: Projection, against kernel: KernelTypes, _ scopes: [Scope]) {
        let tag = projection.kind.rawValue + " " + projection.type.text
        guard kernel.type(of: projection) != nil else {
            error(
                .missingType, projection.type.span, "this kernel has no \(tag)",
                hint: "a type of a module is in the module's own BTF; --syntax-only needs no kernel")
            return
        }
        for field in projection.fields {
            let name = field.variable.name
            guard let member = kernel.member(name.text, ofStructure: projection.type.text, kind: projection.kind) else {
                error(
                    .missingField, name.span, "this kernel's \(tag) has no member '\(name.text)'",
                    hint: suggestion(for: name.text, among: kernel.memberNames(of: projection)))
                continue
            }
            if let width = field.bitWidth, let actual = member.bitFieldWidth, UInt64(actual) != width {
                error(.typeMismatch, name.span, "'\(name.text)' has \(actual) bits in this kernel, \(width) here")
            } else if (field.bitWidth != nil) != (member.bitFieldWidth != nil) {
                error(
                    .typeMismatch, name.span,
                    "'\(name.text)' is \(member.bitFieldWidth == nil ? "no" : "a") bit-field in this kernel")
            } else if field.bitWidth == nil,
                let problem = mismatch(field.variable.type, member.type, kernel, scopes)
            {
                error(
                    .typeMismatch, name.span,
                    "'\(name.text)' is \(problem.actual) in this kernel, \(problem.written) here")
            }
        }
    }

    mutating func check(_ function: RemoteFunction, against kernel: KernelTypes) {
        // What the kernel calls is the driver's: the kernel's types know nothing of it.
        guard function.kind == .rpc else { return }
        guard let prototype = kernel.prototype(function.name.text) else {
            error(
                .missingFunction, function.name.span, "this kernel has no function '\(function.name.text)'",
                hint: "inline functions and macros have none; a wrapper in the glue may stand for them")
            return
        }
        let expected = prototype.parameters.count
        if function.arguments.count != expected, !(prototype.isVariadic && function.arguments.count > expected) {
            error(
                .prototypeMismatch, function.name.span,
                "'\(function.name.text)' takes \(expected) argument\(expected == 1 ? "" : "s") in this kernel, "
                    + "\(function.arguments.count) here")
            return
        }
        for (argument, parameter) in zip(function.arguments, prototype.parameters) {
            if let problem = mismatch(argument.type, parameter.type, kernel, []) {
                error(
                    .prototypeMismatch, argument.name.span,
                    "argument '\(argument.name.text)' is \(problem.actual) in this kernel, \(problem.written) here")
            }
        }
        if let problem = mismatch(function.result, prototype.returnType, kernel, []) {
            error(
                .prototypeMismatch, function.result.span,
                "'\(function.name.text)' returns \(problem.actual) in this kernel, \(problem.written) here")
        }
    }

    /// How the type of an interface and that of the kernel differ in what crosses; nil when they agree.
    private func mismatch(
        _ type: TypeExpression, _ actual: UInt32, _ kernel: KernelTypes, _ scopes: [Scope]
    ) -> (actual: String, written: String)? {
        guard let form = kernel.form(of: actual) else { return nil }
        if case .casted(let declared, _) = type.stem, type.pointers.isEmpty {
            return mismatch(declared, actual, kernel, scopes)
        }
        let written: String
        if !type.pointers.isEmpty {
            // An array parameter is a pointer in C, and an array member may be projected through its first element.
            if case .array = form { return nil }
            if form == .pointer { return nil }
            written = "a pointer"
        } else {
            switch type.stem {
            case .void:
                if form == .void { return nil }
                written = "void"
            case .integer(let integer):
                if case .scalar(let bytes) = form, bytes == UInt64(integer.bytes) { return nil }
                // The artifact's files carry opaque pointers as 64-bit integers.
                if form == .pointer, integer.bytes == 8 { return nil }
                written = "'\(integer.spelling)'"
            case .functionPointer:
                if form == .pointer { return nil }
                written = "a function pointer"
            case .projection(let name):
                guard case .aggregate(let kind, let tag) = form else {
                    written = "projection '\(name.text)'"
                    break
                }
                guard let projection = Checker.projection(name.text, in: scopes), !tag.isEmpty,
                    projection.kind != kind || projection.type.text != tag
                else { return nil }
                written = "\(projection.kind.rawValue) \(projection.type.text)"
            case .array(_, let size):
                guard case .array(let count, _) = form else {
                    if form == .pointer { return nil }
                    written = "an array"
                    break
                }
                guard case .fixed(let number, _) = size, count != 0, number > UInt64(count) else { return nil }
                written = "an array of \(number)"
            case .string: return nil
            case .casted: return nil
            }
        }
        return (form.described, written)
    }
}
