/// Stubs, handlers and what surrounds them.
extension ModuleGenerator {
    private func heading(_ function: CFunction) -> String {
        let kind = function.isSynthesized ? "" : "\(function.declaration.kind.rawValue) "
        return "/* \(place(function.declaration.name.span)): \(kind)\(function.declaration.name.text) */"
    }

    /// The arguments in the order in which they cross.
    private func crossing(_ function: CFunction) -> [(Variable, TypeExpression)] {
        let list = function.declaration.arguments.map { ($0, $0.type.asArgument) }
        return Marshaller.ordered(list, \.1)
    }

    private func arguments(_ function: CFunction, _ hidden: [String] = [], _ name: (Variable) -> String) -> String {
        "(" + (hidden + function.declaration.arguments.map(name)).joined(separator: ", ") + ")"
    }

    /// What one side of a function packs and what it takes: two functions, with those of their projections before them.
    private func writeMarshalling(_ function: CFunction, _ home: Home, _ text: CText) {
        let marshaller = Marshaller(self, function, home)
        let context = marshaller.contextName
        let argumentPlace = Marshaller.Place(projection: nil, scopes: function.scopes, isArgument: true)
        let resultPlace = Marshaller.Place(projection: nil, scopes: function.scopes, isResult: true)
        let list = crossing(function)
        let isCaller = home == function.caller

        let put = CText()
        put.block("static void \(function.name)_put(struct lvd_call *call, \(context) *ctx)") {
            put.line("(void)call, (void)ctx;")
            if !isCaller, !function.returnsVoid {
                marshaller.put(function.declaration.result, "ctx->ret_val", .reply, resultPlace, put)
            }
            for (variable, type) in list {
                marshaller.put(type, "ctx->\(variable.name.text)", .call, argumentPlace, put)
            }
        }
        let take = CText()
        take.block("static void \(function.name)_take(struct lvd_call *call, \(context) *ctx)") {
            take.line("(void)call, (void)ctx;")
            let rooms = list.map { marshaller.room($0.1, "ctx->\($0.0.name.text)", .call, argumentPlace, take) }
            if isCaller, !function.returnsVoid {
                marshaller.take(function.declaration.result, "ctx->ret_val", .reply, resultPlace, nil, take)
            }
            for (index, (variable, type)) in list.enumerated() {
                marshaller.take(type, "ctx->\(variable.name.text)", .call, argumentPlace, rooms[index], take)
            }
            for (variable, type) in list {
                marshaller.requireLimits(type, "ctx->\(variable.name.text)", .call, argumentPlace, take)
            }
        }
        marshaller.writeInstances(text)
        for part in [put, take] {
            for line in part.lines { text.line(line) }
            text.line("")
        }
    }

    /// Arguments whose reference the call ends, with who had the shadow.
    private func endings(_ function: CFunction) -> [(name: String, type: String, caller: Bool, callee: Bool)] {
        function.declaration.arguments.compactMap { argument in
            let type = argument.type.asArgument.treated
            guard let pointer = type.pointers.last else { return nil }
            let caller = pointer.attributes.ends(.caller), callee = pointer.attributes.ends(.callee)
            guard caller || callee, case .object = carry(pointer, type.pointee, function.scopes) else { return nil }
            let marshaller = Marshaller(self, function, function.caller)
            let place = Marshaller.Place(projection: nil, scopes: function.scopes)
            return (argument.name.text, marshaller.typeNumber(type.pointee, place), caller, callee)
        }
    }

    func writeCaller(_ function: CFunction, _ text: CText) {
        let home = function.caller
        text.line(heading(function))
        writeMarshalling(function, home, text)
        let hidden = home == .domain ? [] : ["struct lvd_peer *peer"] + (function.isPointer ? ["u64 target"] : [])
        text.block(prototype(function, home == .domain ? function.name : function.name + "_call", hidden: hidden)) {
            text.line("struct \(function.name)_context context = {}, *ctx = &context;")
            text.line("struct lvd_call request, *call = &request;")
            text.line("bool answered;")
            for argument in function.declaration.arguments {
                let type = typeName(argument.type.asArgument, function.scopes)
                let parameter = CWords.parameter(argument.name.text)
                let cast = isAggregate(argument.type, function.scopes) ? "" : "(\(type))"
                text.line("ctx->\(argument.name.text) = \(cast)\(parameter);")
            }
            let peer = home == .domain ? "NULL" : "peer"
            text.line("lvd_begin(call, \(peer), \(number(function)));")
            if function.isPointer { text.line("lvd_put(call, target);") }
            text.line("\(function.name)_put(call, ctx);")
            text.line("answered = lvd_exchange(call);")
            text.block("if (answered)") {
                text.line("\(function.name)_take(call, ctx);")
                for (index, ending) in endings(function).enumerated() {
                    let drop = "lvd_drop(call, ctx->\(ending.name), \(ending.type))"
                    if ending.caller {
                        text.line("enum lvd_ending ending_\(index) = \(drop);")
                        text.line("if (ending_\(index) == LVD_ENDED_SHADOW)")
                        text.line("    lvd_free(ctx->\(ending.name));")
                    } else {
                        text.line("\(drop);")
                    }
                }
            }
            if function.returnsVoid {
                text.line("lvd_end(call, answered);")
            } else if isAggregate(function.declaration.result, function.scopes) {
                text.line("lvd_end(call, answered);")
                text.line("return ctx->ret_val;")
            } else {
                let type = typeName(function.declaration.result, function.scopes)
                text.line("return lvd_end(call, answered) ? ctx->ret_val : (\(type))\(failure(function));")
            }
        }
        text.line("")
        guard home == .kernel else { return }
        let names = arguments(function, ["\(name)_peer"] + (function.isPointer ? ["0"] : [])) {
            CWords.parameter($0.name.text)
        }
        let call = (function.returnsVoid ? "" : "return ") + "\(function.name)_call\(names);"
        if function.declaration.kind == .export {
            text.line("\(prototype(function, function.name)) { \(call) }")
            text.line("")
        } else if function.isStatic {
            text.line("static \(prototype(function, function.name + "_static")) { \(call) }")
            text.line("")
        }
    }

    private func isAggregate(_ type: TypeExpression, _ scopes: [Scope]) -> Bool {
        if case .projection = shape(type, scopes) { true } else { false }
    }

    func writeHandler(_ function: CFunction, _ text: CText) {
        text.line(heading(function))
        writeMarshalling(function, function.callee, text)
        let endings = endings(function)
        text.block("static bool \(function.name)_handle(struct lvd_call *call, struct lvd_message *message)") {
            text.line("struct \(function.name)_context context = {}, *ctx = &context;")
            if function.isPointer { text.line("u64 target = lvd_take(call);") }
            text.line("\(function.name)_take(call, ctx);")
            var callee = function.itself
            if function.isPointer {
                callee = "function"
                let fallback = function.isStatic ? function.itself : "NULL"
                text.line(
                    "\(function.name)_function *function = target ? (\(function.name)_function *)target : \(fallback);")
                if !function.isStatic { text.line("lvd_require(call, target != 0);") }
            }
            for (index, ending) in endings.enumerated() {
                let drop = "lvd_drop(call, ctx->\(ending.name), \(ending.type))"
                text.line(ending.callee ? "enum lvd_ending ending_\(index) = \(drop);" : "\(drop);")
            }
            text.block("if (call->slots.broken)") { text.line("return lvd_finish(call, message);") }
            if let invocation = function.invocation {
                text.line(invocation)
                text.block("if (call->slots.broken)") { text.line("return lvd_finish(call, message);") }
            } else {
                let invoked = callee + arguments(function) { "ctx->\($0.name.text)" }
                let result = function.declaration.result
                let cast = isAggregate(result, function.scopes) ? "" : "(\(typeName(result, function.scopes)))"
                text.line((function.returnsVoid ? "" : "ctx->ret_val = \(cast)") + invoked + ";")
            }
            text.line("lvd_reply(call);")
            text.line("\(function.name)_put(call, ctx);")
            for (index, ending) in endings.enumerated() where ending.callee {
                text.line("if (ending_\(index) == LVD_ENDED_SHADOW)")
                text.line("    lvd_free(ctx->\(ending.name));")
            }
            text.line("return lvd_finish(call, message);")
        }
        text.line("")
    }

    /// What the kernel calls when a driver's function pointer is called: each remembers whose function it stands for.
    func writeTrampolines(_ function: CFunction, _ text: CText) {
        let macro = function.name.uppercased() + "_TRAMPOLINE"
        let hidden = ["\(function.name)_targets.list[LVD_N].peer", "\(function.name)_targets.list[LVD_N].address"]
        let call = "\(function.name)_call" + arguments(function, hidden) { CWords.parameter($0.name.text) }
        text.line("static struct lvd_targets \(function.name)_targets;")
        text.line("#define \(macro)(LVD_N) \\")
        text.line("    static \(prototype(function, function.name + "_trampoline_##LVD_N")) { \\")
        text.line("        \(function.returnsVoid ? "" : "return ")\(call); \\")
        text.line("    }")
        text.line("LVD_EACH_TRAMPOLINE(\(macro))")
        text.line("#undef \(macro)")
        text.line("#define \(macro)(LVD_N) (void *)\(function.name)_trampoline_##LVD_N,")
        text.line("static void *const \(function.name)_trampolines[] = { LVD_EACH_TRAMPOLINE(\(macro)) };")
        text.line("#undef \(macro)")
        text.line("")
    }

    func number(_ function: CFunction) -> String {
        "\(upper)_IN_\(function.callee.rawValue.uppercased())_\(function.name)"
    }
}
