import InstructionTable

/// Rows whose semantics are a function of operand values: forms times widths.
extension Output {
    mutating func shaped(_ row: InstructionRow, _ name: String, _ shape: Shape, _ plan: inout Plan) throws(TableError) {
        plan.kind = .data
        let bits = row.operands.first?.width ?? 0
        guard [8, 16, 32, 64].contains(bits) else { throw row.error("operand of \(bits) bits has no width") }
        let w = "UInt\(bits).self", base = "\(name)\(bits)"
        let d = row.place(0) ?? "none", s = row.place(1) ?? "none", t = row.place(2) ?? "none"
        switch shape {
        case .combine where row.operands.count == 3:
            plan.general = general("p.combineThree(i.pointee, \(w), .\(d), .\(s), .\(t), \(name))")
            guard t == "immediate", name == "imul" else { plan.kind = .general; return }
            plan.register = handler("\(base)_rri", "rri(s, \(w), LiveFlags.self, \(name))")
            plan.registerDead = handler("\(base)_rri_d", "rri(s, \(w), DeadFlags.self, \(name))")
            if bits > 16 { memory("\(base)_rmi", bits, &plan) { "rmi(s, \($0), \(w), LiveFlags.self, \(name))" } }
        case .combine, .compare:
            let isBit = ["bt", "bts", "btr", "btc"].contains(name)
            if isBit && s == "reg" {
                plan.general = general("p.\(shape == .compare ? "testBit" : "changeBit")(i.pointee, \(w), \(name))")
            } else {
                let form = shape == .compare ? "compare" : "combine"
                plan.general = general("p.\(form)(i.pointee, \(w), .\(d), .\(s), \(name))")
            }
            if ["adcx", "adox"].contains(name) { plan.kind = .general; return }
            let form = s == "immediate" ? "ri" : "rr"
            if row.mayBeRegister {
                plan.register = handler("\(base)_\(form)", "\(form)(s, \(w), LiveFlags.self, \(name))")
                if droppable.contains(name), bits > 16 {
                    plan.registerDead = handler("\(base)_\(form)_d", "\(form)(s, \(w), DeadFlags.self, \(name))")
                }
                if fusable.contains(name), bits != 16 {
                    let b = s == "immediate" ? "s.imm()" : "s.src()"
                    plan.fused = conditional("\(base)_\(form)_j") { "fused(s, \(w), \(b), \($0), \(name))" }
                }
            }
            guard row.mayBeMemory, !(isBit && (s == "reg" || bits == 16)) else { return }
            let access = s == "rm" ? "rm" : s == "immediate" ? "mi" : "mr"
            memory("\(base)_\(access)", bits, &plan) { "\(access)(s, \($0), \(w), LiveFlags.self, \(name))" }
        case .change:
            plan.general = general("p.change(i.pointee, \(w), .\(d), \(name))")
            plan.register = handler("\(base)_r", "r(s, \(w), LiveFlags.self, \(name))")
            if droppable.contains(name), bits > 16 {
                plan.registerDead = handler("\(base)_r_d", "r(s, \(w), DeadFlags.self, \(name))")
            }
            if row.mayBeMemory { memory("\(base)_m", bits, &plan) { "m(s, \($0), \(w), LiveFlags.self, \(name))" } }
        case .convert: convert(row, name, d, s, &plan)
        case .shift: shift(row, name, d, s, &plan)
        case .doubleShift:
            plan.general = general("p.doubleShift(i.pointee, \(w), .\(d), .\(s), .\(t), \(name))")
            guard t == "immediate", bits > 16 else { plan.kind = .general; return }
            plan.register = handler("\(base)_rri", "doubleShiftImmediate(s, \(w), LiveFlags.self, \(name))")
        case .multiply:
            plan.general = general("p.multiply(i.pointee, \(w), .\(d), \(name))")
            guard bits > 16 else { plan.kind = .general; return }
            plan.register = handler("\(base)_r", "multiply(s, \(w), \(name))")
        case .divide:
            plan.general = general("p.divide(i.pointee, \(w), .\(d), \(name))")
            guard bits > 16 else { plan.kind = .general; return }
            plan.register = handler("\(base)_r", "divide(s, \(w), \(name))")
        case .whole: break
        }
    }

    /// Memory forms: with base and displacement alone, and with an index. Narrow operands make do with the latter.
    private mutating func memory(_ name: String, _ bits: Int, _ plan: inout Plan, _ body: (String) -> String) {
        if bits > 16 || name.hasPrefix("mov") { plan.memory0 = handler("\(name)0", body("s.ea0")) }
        plan.memory1 = handler("\(name)1", body("s.ea1"))
    }

    private mutating func convert(_ row: InstructionRow, _ name: String, _ d: String, _ s: String, _ plan: inout Plan) {
        let to = row.operands[0].width, from = s == "immediate" ? to : row.operands[1].width
        plan.bytes1 = from / 8
        let types = "UInt\(to).self, UInt\(from).self", base = "\(name)\(to)" + (to == from ? "" : "_\(from)")
        let f = "\(name) as (UInt\(from)) -> UInt\(to)"
        plan.general = general("p.convert(i.pointee, \(types), .\(d), .\(s), \(f))")
        if row.mayBeRegister {
            let form = s == "immediate" ? "ri" : "rr"
            if d != "moffs" && s != "moffs" { plan.register = handler("\(base)_\(form)", "\(form)(s, \(types), \(f))") }
        }
        if d == "moffs" || d == "rm" && row.mayBeMemory {
            let form = s == "immediate" ? "mi" : "mr"
            memory("\(base)_\(form)", to, &plan) { "\(form)(s, \($0), \(types), \(f))" }
        } else if s == "moffs" || s == "rm" && row.mayBeMemory {
            memory("\(base)_rm", to, &plan) { "rm(s, \($0), \(types), \(f))" }
        }
    }

    private mutating func shift(_ row: InstructionRow, _ name: String, _ d: String, _ s: String, _ plan: inout Plan) {
        let bits = row.operands[0].width, w = "UInt\(bits).self", base = "\(name)\(bits)"
        plan.general = general("p.shift(i.pointee, \(w), .\(d), .\(s), \(name))")
        guard !["rcl", "rcr"].contains(name) else { plan.kind = .general; return }
        if s == "cl" {
            plan.register = handler("\(base)_rc", "shiftCL(s, \(w), LiveFlags.self, \(name))")
            return
        }
        plan.register = handler("\(base)_ri", "shiftImmediate(s, \(w), LiveFlags.self, \(name))")
        if droppable.contains(name), bits > 16 {
            plan.registerDead = handler("\(base)_ri_d", "shiftImmediate(s, \(w), DeadFlags.self, \(name))")
        }
    }
}
