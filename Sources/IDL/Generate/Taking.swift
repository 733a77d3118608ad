extension Marshaller {
    /// - Parameter room: elements that there is memory for already, where the reply writes into memory of the caller.
    func take(
        _ type: TypeExpression, _ value: String, _ inherited: Direction, _ place: Place, _ room: String?, _ text: CText
    ) {
        guard directed(type, inherited, .take, place) else { return }
        let (own, _) = generator.directions(type, inherited)
        switch generator.shape(type, place.scopes) {
        case .void: break
        case .integer: text.line("\(value) = (\(generator.typeName(type, place.scopes)))lvd_take(call);")
        case .function(let target, let isStatic): takeFunction(target, isStatic, value, text)
        case .projection(let projection, let scopes):
            text.line("\(instance(projection, scopes, .take, own))(call, ctx, &\(value));")
        case .array(let element, let size):
            guard case .fixed(let count, _) = size else { return }
            takeElements(element, value, "\(count)", isCountFixed: true, own, place, text)
        case .pointer(let pointer, let pointee):
            takePointer(type, pointer, pointee, value, inherited, place, room, text)
        }
    }

    private func takeFunction(_ target: CFunction, _ isStatic: Bool, _ value: String, _ text: CText) {
        if target.declaration.kind == .rpc || isStatic {
            if target.declaration.kind != .rpc { target.isStatic = true }
            let own = home == .kernel && target.declaration.kind != .rpc ? "\(target.name)_static" : target.itself
            text.line("\(value) = lvd_take(call) ? \(own) : NULL;")
        } else if home == .domain {
            text.line("\(value) = (\(target.name)_function *)lvd_take(call);")
        } else {
            target.needsTrampolines = true
            text.line(
                "\(value) = (\(target.name)_function *)lvd_take_function(call, &\(target.name)_targets, "
                    + "\(target.name)_trampolines);"
            )
        }
    }

    /// The memory that a reply may fill, measured before anything of the reply can change the measure.
    func room(_ type: TypeExpression, _ value: String, _ inherited: Direction, _ place: Place, _ text: CText) -> String?
    {
        guard phase(.take) == .reply, !place.isResult, directed(type, inherited, .take, place) else { return nil }
        guard case .pointer(let pointer, let pointee) = generator.shape(type, place.scopes) else { return nil }
        let pointed = generator.directions(type, inherited).pointee
        switch generator.carry(pointer, pointee, place.scopes) {
        case .value, .within, .object: break
        default: return nil
        }
        guard let (element, size) = row(pointer, pointee, place),
            generator.crosses(pointee, pointed, .reply, place.scopes)
        else { return nil }
        let measure: String
        let each = generator.sizeOf(element, place.scopes)
        let pointerValue = type.isCasted ? "((\(generator.typeName(type.treated, place.scopes)))\(value))" : value
        switch size {
        case .expression(let expression): measure = measured(expression, place)
        case .zeroTerminated:
            if let size = pointer.attributes.allocationSize {
                measure = "\(measured(size, place)) / \(each)"
            } else if pointed.contains(.call) {
                measure = "lvd_length(\(pointerValue), \(each))"
            } else if pointer.attributes.acquisition(.caller) != nil {
                return nil
            } else {
                generator.problem(
                    pointer.span, "nobody knows how much room there is for what comes back",
                    hint: "array<T, {{ size }}>, or [in, out]")
                return nil
            }
        default: return nil
        }
        let name = text.fresh("room")
        text.line("u64 \(name) = \(pointerValue) ? \(measure) : 0;")
        return name
    }

    private func takePointer(
        _ type: TypeExpression, _ pointer: Indirection, _ pointee: TypeExpression, _ value: String,
        _ inherited: Direction, _ place: Place, _ room: String?, _ text: CText
    ) {
        let (own, pointed) = generator.directions(type, inherited)
        let treated = type.treated
        let isError = pointer.attributes.isErrorPointer || treated.attributes.isErrorPointer
        let carry = generator.carry(pointer, pointee, place.scopes)
        if place.isArgument, phase(.take) == .reply {
            switch carry {
            case .object, .value, .within:
                if generator.crosses(pointee, pointed, .reply, place.scopes) {
                    text.block("if (\(value))") {
                        let base = typed(treated, value, type.isCasted, place, text)
                        takeContents(
                            pointer, pointee, base, pointed, place, room: room,
                            count: takeCount(pointer, pointee, pointed, place, text), text)
                    }
                }
            default: break
            }
            return
        }
        let assign = { (found: String) -> Void in
            if own.contains(self.phase(.take)) || (place.isArgument) {
                text.line("\(value) = (\(self.generator.typeName(self.declared(type), place.scopes)))\(found);")
            }
        }
        if isError {
            let error = text.fresh("error")
            text.line("u64 \(error) = lvd_take(call);")
            text.branch(
                error, { assign("lvd_take_error(call, \(error))") },
                otherwise: {
                    takeCarried(carry, type, pointer, pointee, value, own, pointed, place, room, assign, text)
                })
        } else {
            takeCarried(carry, type, pointer, pointee, value, own, pointed, place, room, assign, text)
        }
    }
    private func declared(_ type: TypeExpression) -> TypeExpression {
        if type.pointers.isEmpty, case .casted(let declared, _) = type.stem { return declared }
        return type
    }
    /// A pointer of the type that it is treated as.
    private func typed(_ type: TypeExpression, _ value: String, _ isCasted: Bool, _ place: Place, _ text: CText)
        -> String
    {
        guard isCasted else { return value }
        let name = text.fresh("pointer")
        text.line(
            "\(generator.declare(type, name, place.scopes)) = (\(generator.typeName(type, place.scopes)))\(value);")
        return name
    }

    private func takeCarried(
        _ carry: Carry, _ type: TypeExpression, _ pointer: Indirection, _ pointee: TypeExpression, _ value: String,
        _ own: Direction, _ pointed: Direction, _ place: Place, _ room: String?, _ assign: (String) -> Void,
        _ text: CText
    ) {
        let treated = type.treated
        func local(_ expression: String) -> String {
            let name = text.fresh("pointer")
            text.line("\(generator.declare(treated, name, place.scopes)) = \(expression);")
            return name
        }
        switch carry {
        case .opaque: assign("lvd_take(call)")
        case .window: assign("lvd_take_window(call)")
        case .shared(let region):
            assign("lvd_take_shared(call, \(generator.upper)_REGION_\(region.text), \(bytes(pointer, pointee, place)))")
        case .within(let base, let size):
            let found = local(
                "lvd_take_within(call, \(self.text(base, place)), \(measured(size, place)), "
                    + "\(bytes(pointer, pointee, place)))"
            )
            assign(found)
            if generator.crosses(pointee, pointed, phase(.take), place.scopes) {
                text.block("if (\(found))") {
                    let count = takeCount(pointer, pointee, pointed, place, text)
                    takeContents(pointer, pointee, found, pointed, place, room: room, count: count, text)
                }
            }
        case .member(let member, let path, _):
            let reference = text.fresh("reference"), object = text.fresh("container")
            text.line("u64 \(reference) = lvd_take(call);")
            text.line(
                "u8 *\(object) = \(reference) ? lvd_take_object(call, \(reference), LVD_TYPE_\(member.text), 1) : NULL;"
            )
            assign("(\(object) ? \(object) + \(generator.offset(member, path)) : NULL)")
        case .object:
            let reference = text.fresh("reference")
            text.line("u64 \(reference) = lvd_take(call);")
            text.branch(
                reference,
                {
                    let count = takeCount(pointer, pointee, pointed, place, text)
                    let found = local(acquire(pointer, pointee, reference, count, place, text))
                    assign(found)
                    if generator.crosses(pointee, pointed, phase(.take), place.scopes) {
                        text.block("if (\(found))") {
                            takeContents(pointer, pointee, found, pointed, place, room: nil, count: count, text)
                        }
                    }
                },
                otherwise: {
                    // "That side must have a shadow": nothing is none. What comes back may be nothing.
                    if case .bind = pointer.attributes.acquisition(side), phase(.take) == .call {
                        text.line("lvd_refuse(call);")
                    } else {
                        assign("NULL")
                    }
                })
        case .value:
            text.branch(
                "lvd_take(call)",
                {
                    let count = takeCount(pointer, pointee, pointed, place, text)
                    let memory = phase(.take) == .reply ? "lvd_keep" : "lvd_scratch"
                    let fresh = "\(memory)(call, \(needed(pointer, pointee, count, place, text)))"
                    let found: String
                    if phase(.take) == .reply, !place.isResult {
                        // The caller's own memory, unless it has none and none was promised.
                        let existing = typed(treated, value, type.isCasted, place, text)
                        found = local(existing)
                        if own == .reply {
                            if let room, let count {
                                text.branch(
                                    found, { text.line("lvd_require(call, \(count) <= \(room));") },
                                    otherwise: { text.line("\(found) = \(fresh);") })
                            } else {
                                text.block("if (!\(found))") { text.line("\(found) = \(fresh);") }
                            }
                            assign(found)
                            text.line("lvd_kept_in(call, \(found), &\(value));")
                        }
                        text.line("lvd_require(call, \(found) != NULL);")
                    } else {
                        found = local(fresh)
                        assign(found)
                    }
                    text.block("if (\(found) && !call->slots.broken)") {
                        let limit = own == .reply ? nil : room
                        takeContents(pointer, pointee, found, pointed, place, room: limit, count: count, text)
                    }
                },
                otherwise: {
                    if phase(.take) == .call || place.isResult { assign("NULL") }
                })
        }
    }

    /// The object that a reference means on this side.
    private func acquire(
        _ pointer: Indirection, _ pointee: TypeExpression, _ reference: String, _ count: String?, _ place: Place,
        _ text: CText
    ) -> String {
        let type = typeNumber(pointee, place)
        let size = needed(pointer, pointee, count, place, text)
        var once = false
        if case .projection(let projection, let scopes) = generator.shape(pointee, place.scopes) {
            once = generator.isRecursive(projection, scopes)
        }
        switch pointer.attributes.acquisition(side) {
        case .alloc(_, _, let flags):
            let flags = flags.map { "(u32)(\(self.text($0, place)))" } ?? "0"
            return "lvd_take_shadow(call, \(reference), \(type), \(size), \(flags), \(once))"
        case .allocOnce: return "lvd_take_shadow(call, \(reference), \(type), \(size), 0, true)"
        default: return "lvd_take_object(call, \(reference), \(type), \(size))"
        }
    }

    /// Bytes that the target takes: those declared, which must be enough, or those that it has.
    private func needed(
        _ pointer: Indirection, _ pointee: TypeExpression, _ count: String?, _ place: Place, _ text: CText
    ) -> String {
        var needed: String
        if case .projection(let projection, _) = generator.shape(pointee, place.scopes) {
            needed = generator.sizeOf(projection)
        } else if let (element, _) = row(pointer, pointee, place) {
            let each = generator.sizeOf(element, place.scopes)
            needed = count == nil || count == "1" ? each : "\(count!) * \(each)"
        } else {
            needed = pointer.attributes.allocationSize == nil ? "8" : "1"
        }
        guard let size = pointer.attributes.allocationSize else { return needed }
        let bytes = text.fresh("bytes")
        text.line("u64 \(bytes) = \(measured(size, place));")
        text.line("lvd_require(call, \(bytes) >= \(needed));")
        needed = bytes
        return needed
    }

    /// The number of elements, taken or known; nil where there are no elements.
    private func takeCount(
        _ pointer: Indirection, _ pointee: TypeExpression, _ direction: Direction, _ place: Place, _ text: CText
    ) -> String? {
        if case .projection = generator.shape(pointee, place.scopes) { return nil }
        guard let (element, size) = row(pointer, pointee, place) else { return nil }
        let crosses = generator.crosses(pointee, direction, phase(.take), place.scopes)
        switch size {
        case .fixed(let number, _): return "\(number)"
        case .expression(let expression):
            let count = text.fresh("count")
            if crosses {
                text.line("u64 \(count) = lvd_take_count(call, \(plainSize(element, place) ?? "8"));")
                text.line("lvd_require(call, !call->slots.broken && \(count) == \(measured(expression, place)));")
            } else {
                text.line("u64 \(count) = call->slots.broken ? 0 : \(measured(expression, place));")
                text.line("lvd_require(call, \(count) <= LVD_MOST_BYTES);")
            }
            return count
        case .zeroTerminated:
            let count = text.fresh("count")
            if crosses {
                text.line("u64 \(count) = lvd_take_count(call, \(plainSize(element, place) ?? "8"));")
            } else {
                if pointer.attributes.allocationSize == nil {
                    generator.problem(
                        pointer.span, "nobody knows how much room there is for what comes back",
                        hint: "array<T, {{ size }}>, or [in, out]")
                }
                text.line("u64 \(count) = 0;")
            }
            return count
        case .unknown(let span):
            generator.problem(span, "the array's size is not given", hint: "a number, null or {{ expression }}")
            return nil
        }
    }

    private func takeContents(
        _ pointer: Indirection, _ pointee: TypeExpression, _ base: String, _ direction: Direction, _ place: Place,
        room: String?, count: String?, _ text: CText
    ) {
        guard generator.crosses(pointee, direction, phase(.take), place.scopes) else { return }
        if case .projection(let projection, let scopes) = generator.shape(pointee, place.scopes) {
            callProjection(projection, scopes, .take, base, direction, text)
            return
        }
        guard let (element, size) = row(pointer, pointee, place), let count else { return }
        if let room { text.line("lvd_require(call, \(count) <= \(room));") }
        var isFixed = false
        if case .fixed = size { isFixed = true }
        if !isFixed {
            text.block("if (call->slots.broken)") { text.line("return;") }
        }
        let each = generator.sizeOf(element, place.scopes)
        if pointer.attributes.user.isUser, home == .kernel, side == .caller {
            let copy = text.fresh("copy")
            text.line(
                "\(generator.declare(element, "*" + copy, place.scopes)) = lvd_scratch(call, \(count) * \(each));")
            text.block("if (\(copy))") {
                takeElements(element, copy, count, isCountFixed: isFixed, direction, place, text)
                text.line("lvd_to_user(call, \(base), \(copy), \(count) * \(each));")
            }
            return
        }
        takeElements(element, base, count, isCountFixed: isFixed, direction, place, text)
        if case .zeroTerminated = size { text.line("lvd_require_end(call, \(base), \(count), \(each));") }
    }

    private func takeElements(
        _ element: TypeExpression, _ base: String, _ count: String, isCountFixed: Bool, _ direction: Direction,
        _ place: Place, _ text: CText
    ) {
        if let each = plainSize(element, place) {
            text.line("lvd_take_bytes(call, \(base), \(count) * \(each));")
        } else if isCountFixed, count == "1" {
            take(element, "(*\(base))", direction, inner(place), nil, text)
        } else {
            let index = text.fresh("index")
            text.block("for (u64 \(index) = 0; \(index) < \(count) && !call->slots.broken; \(index)++)") {
                take(element, "\(base)[\(index)]", direction, inner(place), nil, text)
            }
        }
    }

    /// Integers with limits: checked when everything that their limits may name is there.
    func requireLimits(_ type: TypeExpression, _ value: String, _ inherited: Direction, _ place: Place, _ text: CText) {
        guard type.isInteger, directed(type, inherited, .take, place) else { return }
        for attribute in type.treated.attributes {
            switch attribute.kind {
            case .bounded(let limit):
                text.line("lvd_require(call, call->slots.broken || (u64)\(value) < \(measured(limit, place)));")
            case .within(let base, let size):
                let base = "(u64)(\(self.text(base, place)))"
                text.line("lvd_require(call, (u64)\(value) - \(base) < \(measured(size, place)));")
            default: break
            }
        }
    }
}
