extension Marshaller {
    func put(_ type: TypeExpression, _ value: String, _ inherited: Direction, _ place: Place, _ text: CText) {
        guard directed(type, inherited, .put, place) else { return }
        let treated = type.treated
        let cast = type.isCasted && !treated.pointers.isEmpty
        let value = cast ? "((\(generator.typeName(treated, place.scopes)))\(value))" : value
        let (own, _) = generator.directions(type, inherited)
        switch generator.shape(type, place.scopes) {
        case .void: break
        case .integer: text.line("lvd_put(call, (u64)\(value));")
        case .function(let target, let isStatic): putFunction(target, isStatic, value, text)
        case .projection(let projection, let scopes):
            text.line("\(instance(projection, scopes, .put, own))(call, ctx, &\(value));")
        case .array(let element, let size):
            guard case .fixed(let count, _) = size else {
                generator.problem(
                    type.span, "an array in place without a fixed number of elements", hint: "point to it")
                return
            }
            putElements(element, value, "\(count)", isCountFixed: true, own, place, text)
        case .pointer(let pointer, let pointee): putPointer(treated, pointer, pointee, value, inherited, place, text)
        }
    }

    private func putFunction(_ target: CFunction, _ isStatic: Bool, _ value: String, _ text: CText) {
        if target.declaration.kind == .rpc || isStatic {
            // Which function it is both sides know; only that it is there crosses.
            if target.declaration.kind != .rpc { target.isStatic = true }
            let own = home == .kernel && target.declaration.kind != .rpc ? "\(target.name)_static" : target.itself
            text.line("lvd_require(call, !\(value) || (void *)\(value) == (void *)\(own));")
            text.line("lvd_put(call, \(value) != NULL);")
        } else if home == .domain {
            text.line("lvd_put(call, (u64)\(value));")
        } else {
            target.needsTrampolines = true
            text.line("lvd_put_function(call, &\(target.name)_targets, \(target.name)_trampolines, (void *)\(value));")
        }
    }

    private func putPointer(
        _ type: TypeExpression, _ pointer: Indirection, _ pointee: TypeExpression, _ value: String,
        _ inherited: Direction, _ place: Place, _ text: CText
    ) {
        let (own, pointed) = generator.directions(type, inherited)
        let isError = pointer.attributes.isErrorPointer || type.attributes.isErrorPointer
        let carry = generator.carry(pointer, pointee, place.scopes)
        // An argument's pointer went over with the call; what comes back is what it points to.
        if place.isArgument, phase(.put) == .reply {
            switch carry {
            case .object, .value, .within:
                if generator.crosses(pointee, pointed, .reply, place.scopes) {
                    text.block("if (\(value))") { putContents(pointer, pointee, value, pointed, place, text) }
                }
            default: break
            }
            return
        }
        if isError {
            text.branch(
                "lvd_is_error(\(value))", { text.line("lvd_put(call, -(u64)\(value));") },
                otherwise: {
                    text.line("lvd_put(call, 0);")
                    putCarried(carry, pointer, pointee, value, own, pointed, place, text)
                })
        } else {
            putCarried(carry, pointer, pointee, value, own, pointed, place, text)
        }
    }

    private func putCarried(
        _ carry: Carry, _ pointer: Indirection, _ pointee: TypeExpression, _ value: String, _ own: Direction,
        _ pointed: Direction, _ place: Place, _ text: CText
    ) {
        switch carry {
        case .opaque: text.line("lvd_put(call, (u64)\(value));")
        case .window: text.line("lvd_put_window(call, \(value));")
        case .shared(let region):
            let bytes = bytes(pointer, pointee, place)
            text.line("lvd_put_shared(call, \(value), \(generator.upper)_REGION_\(region.text), \(bytes));")
        case .within(let base, let size):
            let bytes = bytes(pointer, pointee, place)
            text.line(
                "lvd_put_within(call, \(value), \(self.text(base, place)), \(measured(size, place)), \(bytes));")
            if generator.crosses(pointee, pointed, phase(.put), place.scopes) {
                text.block("if (\(value))") { putContents(pointer, pointee, value, pointed, place, text) }
            }
        case .member(let member, let path, _):
            let offset = generator.offset(member, path)
            text.branch(
                "\(value)",
                {
                    text.line("lvd_put_object(call, (u8 *)\(value) - \(offset), LVD_TYPE_\(member.text));")
                }, otherwise: { text.line("lvd_put(call, 0);") })
        case .object:
            text.branch(
                "\(value)",
                {
                    text.line("lvd_put_object(call, \(value), \(typeNumber(pointee, place)));")
                    putContents(pointer, pointee, value, pointed, place, text)
                }, otherwise: { text.line("lvd_put(call, 0);") })
        case .value:
            text.branch(
                "\(value)",
                {
                    text.line("lvd_put(call, 1);")
                    putContents(pointer, pointee, value, pointed, place, text)
                }, otherwise: { text.line("lvd_put(call, 0);") })
        }
    }

    /// What a pointer that is not NULL points to.
    private func putContents(
        _ pointer: Indirection, _ pointee: TypeExpression, _ value: String, _ direction: Direction, _ place: Place,
        _ text: CText
    ) {
        guard generator.crosses(pointee, direction, phase(.put), place.scopes) else { return }
        if case .projection(let projection, let scopes) = generator.shape(pointee, place.scopes) {
            callProjection(projection, scopes, .put, value, direction, text)
            return
        }
        guard let (element, size) = row(pointer, pointee, place) else { return }
        let count: String
        switch size {
        case .fixed(let number, _): count = "\(number)"
        case .expression(let expression):
            count = text.fresh("count")
            text.line("u64 \(count) = \(measured(expression, place));")
            text.line("lvd_put(call, \(count));")
        case .zeroTerminated:
            count = text.fresh("count")
            text.line("u64 \(count) = lvd_length(\(value), \(generator.sizeOf(element, place.scopes)));")
            text.line("lvd_put(call, \(count));")
        case .unknown(let span):
            generator.problem(span, "the array's size is not given", hint: "a number, null or {{ expression }}")
            return
        }
        var source = value
        if pointer.attributes.user.isUser, home == .kernel, side == .caller {
            source = text.fresh("copy")
            let type = generator.declare(element, "*" + source, place.scopes)
            text.line("\(type) = lvd_from_user(call, \(value), \(count) * \(generator.sizeOf(element, place.scopes)));")
        }
        var isFixed = false
        if case .fixed = size { isFixed = true }
        putElements(element, source, count, isCountFixed: isFixed, direction, place, text)
    }

    private func putElements(
        _ element: TypeExpression, _ base: String, _ count: String, isCountFixed: Bool, _ direction: Direction,
        _ place: Place, _ text: CText
    ) {
        if let each = plainSize(element, place) {
            text.line("lvd_put_bytes(call, \(base), \(count) * \(each));")
        } else if isCountFixed, count == "1" {
            put(element, "(*\(base))", direction, inner(place), text)
        } else {
            let index = text.fresh("index")
            text.block("for (u64 \(index) = 0; \(index) < \(count) && !call->slots.broken; \(index)++)") {
                put(element, "\(base)[\(index)]", direction, inner(place), text)
            }
        }
    }

    func inner(_ place: Place) -> Place {
        var place = place
        place.isArgument = false
        return place
    }

    func callProjection(
        _ projection: Projection, _ scopes: [Scope], _ verb: Verb, _ object: String, _ direction: Direction,
        _ text: CText
    ) {
        let name = instance(projection, scopes, verb, direction)
        if generator.isRecursive(projection, scopes) {
            text.block("if (lvd_enter(call, \(object)))") {
                text.line("\(name)(call, ctx, \(object));")
                text.line("lvd_leave(call);")
            }
        } else {
            text.line("\(name)(call, ctx, \(object));")
        }
    }
}
