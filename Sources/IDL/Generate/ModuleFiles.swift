extension ModuleGenerator {
    private func preamble(_ what: String) -> [String] {
        [
            "/*",
            " * \(what)", " * Made by `lvdsim idl generate`; change the interface, not this.",
            " */"
        ]
    }

    /// The files, in the order header, kernel, domain. Problems are in `problems`.
    func files() -> [GeneratedFile] {
        for function in functions { markStatic(function) }
        let kernel = body(.kernel), domain = body(.domain)
        let header = headerText()
        return [
            GeneratedFile(name: name + ".h", text: header), GeneratedFile(name: name + "_kernel.c", text: kernel),
            GeneratedFile(name: name + "_domain.c", text: domain)
        ]
    }

    /// Numbers of this module's functions, the larger of the two sides.
    var numbersUsed: Int {
        max(functions.count { $0.callee == .kernel }, functions.count { $0.callee == .domain })
    }

    private func markStatic(_ function: CFunction) {
        var visited: Set<Int> = []
        func visit(_ type: TypeExpression, _ scopes: [Scope]) {
            var type = type.treated
            type.pointers = []
            switch shape(type, scopes) {
            case .function(let target, true) where target.isPointer: target.isStatic = true
            case .array(let element, _): visit(element, scopes)
            case .projection(let projection, let inner):
                guard visited.insert(projection.name.span.start).inserted else { return }
                for field in projection.fields { visit(field.variable.type, inner) }
            default: break
            }
        }
        visit(function.declaration.result, function.scopes)
        for argument in function.declaration.arguments { visit(argument.type, function.scopes) }
    }

    private func headerText() -> String {
        let text = CText()
        for line in preamble("Interface \"\(name)\" of \(source.name): what both sides know.") { text.line(line) }
        let guardName = "GLUE_\(upper)_H"
        text.line("#ifndef \(guardName)")
        text.line("#define \(guardName)")
        text.line("#include <lvd/glue.h>")
        if usesSlots { text.line("#include <lvd/abi.h>") }
        for header in module.headers { text.line("/* The interface names \(header). */") }
        text.line("")
        for home in [Home.kernel, .domain] {
            let list = functions.filter { $0.callee == home }
            text.line("/* Executed in the \(home.rawValue). */")
            let macro = "\(upper)_IN_\(home.rawValue.uppercased())"
            var line = "#define \(macro)_LIST(X)"
            for function in list {
                if line.count + function.name.count > 112 {
                    text.line(line + " \\")
                    line = "   "
                }
                line += " X(\(function.name))"
            }
            text.line(line)
            text.line("#define X(name) \(macro)_##name,")
            text.line("enum { \(macro)_BEFORE = \(firstNumber) - 1, \(macro)_LIST(X) \(macro)_END };")
            text.line("#undef X")
            text.line("")
        }
        let locks = locks
        for lock in locks {
            let expression =
                lock.expression.map { ": \(printable($0.text).trimmingBlanks)" }?.replacing("*/", with: "* /") ?? ""
            text.line(
                "#define \(upper)_LOCK_\(lock.name) \(lock.number)u /* \(place(lock.span))\(expression) */"
            )
        }
        for (index, region) in regions.enumerated() { text.line("#define \(upper)_REGION_\(region) \(index)u") }
        for tag in tags { text.line("#define LVD_TYPE_\(tag) 0x\(String(Attribute.typeNumber(tag), radix: 16))u") }
        text.line("")

        let layouts = CText()
        writeLayouts(layouts)
        // Forward declarations come first in what the layouts wrote; functions' types stand behind them.
        let cut = layouts.lines.firstIndex(of: "") ?? layouts.lines.count
        for line in layouts.lines[..<cut] { text.line(line) }
        text.line("")
        writeFunctionTypes(text)
        text.line("")
        for line in layouts.lines.dropFirst(cut + 1) { text.line(line) }

        for function in functions {
            text.block("struct \(function.name)_context", tail: "};") {
                for argument in function.declaration.arguments {
                    text.line(declare(argument.type.asArgument, argument.name.text, function.scopes) + ";")
                }
                if !function.returnsVoid {
                    text.line(declare(function.declaration.result, "ret_val", function.scopes) + ";")
                }
                if function.declaration.arguments.isEmpty, function.returnsVoid { text.line("u8 nothing;") }
            }
        }
        text.line("")
        text.line("/* What the driver calls and the kernel has, or the kernel calls and the driver has. */")
        for function in functions where !function.isPointer || function.isStatic {
            text.line(prototype(function, function.name) + ";")
        }
        for global in module.globals {
            text.line("extern \(declare(global.variable.type, global.variable.name.text, [global.scope, top]));")
        }
        text.line("")
        text.line(
            "/* Calls into a domain. `target`: the address that the domain gave; the kernel only hands it back. */"
        )
        for function in functions where function.caller == .kernel {
            let hidden = ["struct lvd_peer *peer"] + (function.isPointer ? ["u64 target"] : [])
            text.line(prototype(function, function.name + "_call", hidden: hidden) + ";")
        }
        text.line("extern struct lvd_peer *\(name)_peer; /* whom functions without a target are called in */")
        text.line("")
        text.line("/* One request: the reply replaces the message. False: no honest peer sends it. */")
        text.line("bool \(name)_kernel_dispatch(struct lvd_peer *peer, struct lvd_message *message);")
        text.line("bool \(name)_domain_dispatch(struct lvd_peer *peer, struct lvd_message *message);")
        text.line("void \(name)_kernel_forget(struct lvd_peer *peer); /* its functions are called no more */")
        if !module.globals.isEmpty { text.line("void \(name)_read_globals(void); /* into the domain's copies */") }
        text.line("#endif")
        return text.text
    }

    /// A type may name those of the functions that its arguments point to: these come first.
    private func writeFunctionTypes(_ text: CText) {
        var begun: Set<String> = []
        func write(_ function: CFunction) {
            guard begun.insert(function.name).inserted else { return }
            for type in function.declaration.arguments.map(\.type) + [function.declaration.result] {
                var type = type.treated
                type.pointers = []
                while case .array(let element, _) = type.stem {
                    type = element.treated
                    type.pointers = []
                }
                if case .function(let target, _) = shape(type, function.scopes) { write(target) }
            }
            text.line("typedef \(prototype(function, function.name + "_function"));")
        }
        for function in functions where !function.isSynthesized { write(function) }
    }

    /// Regions in the order of the text.
    var regions: [String] {
        var result: [String] = []
        for attribute in everyTypeAttribute {
            if case .shared(let region) = attribute.kind, !result.contains(region.text) { result.append(region.text) }
        }
        return result
    }

    /// Structures that references can name.
    private var tags: [String] {
        var result: [String] = []
        for (_, scope, _) in everyScope {
            for projection in scope.projections where !result.contains(projection.type.text) {
                result.append(projection.type.text)
            }
        }
        for (type, _) in memberPaths where !result.contains(type.text) { result.append(type.text) }
        let numbers = Dictionary(grouping: result, by: Attribute.typeNumber)
        for tag in result where numbers[Attribute.typeNumber(tag)]!.count > 1 {
            problem(module.name.span, "the numbers of two types are the same, one of them that of '\(tag)'")
        }
        return result
    }

    private func body(_ home: Home) -> String {
        let code = CText()
        for function in functions {
            if function.caller == home { writeCaller(function, code) } else { writeHandler(function, code) }
        }
        let text = CText()
        for line in preamble("Interface \"\(name)\" of \(source.name), the side of the \(home.rawValue).") {
            text.line(line)
        }
        text.line("#include \"\(name).h\"")
        text.line("")
        for function in functions where function.itself != function.name {
            text.line(
                "static \(function.name)_function *const \(function.itself) __attribute__((unused)) = \(function.name);"
            )
        }
        if home == .kernel {
            text.line("struct lvd_peer *\(name)_peer;")
            for function in functions where function.isStatic && function.isPointer {
                text.line("static \(prototype(function, function.name + "_static"));")
            }
            text.line("")
            for function in functions where function.needsTrampolines { writeTrampolines(function, text) }
        } else {
            for global in module.globals {
                text.line("\(declare(global.variable.type, global.variable.name.text, [global.scope, top]));")
            }
            if !module.globals.isEmpty { text.line("") }
        }
        for line in code.lines { text.line(line) }
        text.block("bool \(name)_\(home.rawValue)_dispatch(struct lvd_peer *peer, struct lvd_message *message)") {
            text.line("struct lvd_call call;")
            text.line("lvd_receive(&call, peer, message);")
            text.line("switch (call.rpc) {")
            for function in functions where function.callee == home {
                text.line("case \(number(function)): return \(function.name)_handle(&call, message);")
            }
            text.line("default: return false;")
            text.line("}")
        }
        if home == .kernel {
            text.line("")
            text.block("void \(name)_kernel_forget(struct lvd_peer *peer)") {
                for function in functions where function.needsTrampolines {
                    text.line("lvd_forget_functions(&\(function.name)_targets, peer);")
                }
                text.line("if (\(name)_peer == peer)")
                text.line("    \(name)_peer = NULL;")
            }
        } else if !module.globals.isEmpty {
            text.line("")
            text.block("void \(name)_read_globals(void)") {
                for global in module.globals {
                    text.line("\(global.variable.name.text) = \(name)_read_\(global.variable.name.text)();")
                }
            }
        }
        return text.text
    }
}
