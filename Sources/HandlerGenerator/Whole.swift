import InstructionTable

/// Rows whose semantics are one function of the processor and the decoded instruction.
extension Output {
    mutating func whole(_ row: InstructionRow, _ name: String, _ plan: inout Plan) throws(TableError) {
        let bits = row.operands.first?.width ?? 0, w = "UInt\(bits).self"
        let d = row.place(0) ?? "none", s = row.place(1) ?? "none"
        let stack = row.operandBits ?? 0, isWideStack = stack >= 32
        let sw = "UInt\(stack).self"
        func plain(_ kind: Plan.Kind = .general) {
            plan.kind = kind
            plan.general = general("p.\(name)(i.pointee)")
        }
        switch name {
        case "nop":
            plain(.nop)
        case "lea":
            plan.kind = .data
            plan.general = general("p.lea(i.pointee, \(w))")
            plan.memory0 = handler("lea\(bits)_m0", "lea(s, s.ea0, \(w))")
            plan.memory1 = handler("lea\(bits)_m1", "lea(s, s.ea1, \(w))")
        case "xchg":
            plan.kind = .data
            plan.general = general("p.xchg(i.pointee, \(w), .\(d), .\(s))")
            plan.register = handler("xchg\(bits)_rr", "xchg_rr(s, \(w))")
            if row.mayBeMemory { plan.memory1 = handler("xchg\(bits)_mr1", "xchg_mr(s, s.ea1, \(w))") }
        case "xadd", "cmpxchg":
            plan.kind = .data
            plan.general = general("p.\(name)(i.pointee, \(w))")
            if bits > 16 { plan.memory1 = handler("\(name)\(bits)_mr1", "\(name)_mr(s, s.ea1, \(w))") }
        case "crc32":
            plan.general = general("p.accumulateCRC(i.pointee, UInt\(row.operands[1].width).self)")
        case "cmov":
            plan.kind = .data
            plan.isConditional = true
            plan.general = general("p.cmov(i.pointee, \(w))")
            if bits > 16 {
                plan.register = conditional("cmov\(bits)_rr") { "cmov_rr(s, \(w), \($0))" }
                plan.memory1 = conditional("cmov\(bits)_rm1") { "cmov_rm(s, s.ea1, \(w), \($0))" }
            }
        case "set":
            plain(.data)
            plan.isConditional = true
            plan.register = conditional("set_r") { "set_r(s, \($0))" }
        case "j":
            plain(.jcc)
            plan.isConditional = true
            plan.register = conditional("j") { "branch(s, \($0))" }
        case "jmp", "call":
            let source = row.operands.first.map { $0.kind == .relative ? "immediate" : "rm" } ?? "immediate"
            plan.general = general("p.\(name)(i.pointee, .\(source))")
            plan.stackBytes = stack / 8
            let isDirect = source == "immediate"
            plan.kind = name == "jmp" ? (isDirect ? .jump : .jumpTo) : (isDirect ? .call : .callTo)
            guard isWideStack else { return }
            switch plan.kind {
            case .jump: plan.register = handler("end", "jump(s)")
            case .call: plan.register = handler("call\(stack)", "call(s, \(sw))")
            default:
                let form = name == "jmp" ? "jumpTo" : "callTo"
                plan.register = handler("\(name)\(stack)_r", "\(form)(s, s.dst() as UInt\(stack))")
                plan.memory1 = handler("\(name)\(stack)_m1", "\(form)_m(s, s.ea1, \(sw))")
            }
        case "ret":
            plain(.ret)
            plan.stackBytes = stack / 8
            if isWideStack && row.operands.isEmpty { plan.register = handler("ret\(stack)", "ret(s, \(sw))") }
        case "push":
            plan.kind = .data
            plan.stackBytes = stack / 8
            plan.general = general("p.push(i.pointee, .\(d))")
            guard isWideStack else { return }
            if d == "immediate" { plan.register = handler("push\(stack)_i", "push(s, \(sw), s.imm())"); return }
            plan.register = handler("push\(stack)_r", "push(s, \(sw), s.dst())")
            if row.mayBeMemory { plan.memory1 = handler("push\(stack)_m1", "push_m(s, s.ea1, \(sw))") }
        case "pop":
            plain(.data)
            plan.stackBytes = stack / 8
            if isWideStack && row.mayBeRegister { plan.register = handler("pop\(stack)_r", "pop_r(s, \(sw))") }
        case "leave":
            plain(.data)
            plan.stackBytes = stack / 8
            if isWideStack { plan.register = handler("leave\(stack)", "leave_(s, \(sw))") }
        case "cbw", "cwde", "cdqe":
            let to = name == "cbw" ? 16 : name == "cwde" ? 32 : 64
            plan.kind = .data
            plan.general = general("p.extendAccumulator(i.pointee, UInt\(to).self, UInt\(to / 2).self)")
            plan.register = handler(name, "extendAccumulator(s, UInt\(to).self, UInt\(to / 2).self)")
            plan.effect = .transparent
        case "cwd", "cdq", "cqo":
            let to = name == "cwd" ? 16 : name == "cdq" ? 32 : 64
            plan.kind = .data
            plan.general = general("p.extendIntoDX(i.pointee, UInt\(to).self)")
            plan.register = handler(name, "extendIntoDX(s, UInt\(to).self)")
            plan.effect = .transparent
        case "popf", "loop", "loope", "loopne", "jcxz":
            plain(.end)
        case "clc", "stc", "cmc", "cld", "std", "lahf", "sahf", "pushf", "enter", "xlat", "movs", "cmps", "stos",
            "lods", "scas", "cmpxchg8b", "cmpxchg16b", "pusha", "popa", "bound", "daa", "das", "aaa", "aas", "aam",
            "aad", "salc", "emms":
            plain()
        default:
            throw row.error("'\(name)' is not the name of a semantic function")
        }
    }
}
