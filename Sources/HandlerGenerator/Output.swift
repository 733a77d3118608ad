import InstructionTable

/// What the translator knows of a row; written as numbers, read by `RowPlan` in the machine in this order.
struct Plan {
    enum Kind: Int { case general, end, data, nop, jcc, jump, call, jumpTo, callTo, ret }
    var kind = Kind.general
    var place0 = "none", place1 = "none"
    var bytes0 = 0, bytes1 = 0
    var general = 0
    /// Handlers, -1 where there is none: register or immediate form, the same without flags, memory without and with
    /// index, and the first of sixteen forms fused with a branch.
    var register = -1, registerDead = -1, memory0 = -1, memory1 = -1, fused = -1
    /// Stack operations: the operand size in bytes for which the handlers are.
    var stackBytes = 0
    var effect = FlagEffect.barrier
    /// The opcode's condition selects among sixteen handlers.
    var isConditional = false
    /// Uses XMM registers.
    var isVector = false

    static let places = ["rm", "reg", "vexV", "accumulator", "cl", "dx", "immediate", "one", "moffs", "none"]
    var numbers: [Int] {
        func number(_ place: String) -> Int { Self.places.firstIndex(of: place) ?? Self.places.count - 1 }
        return [
            kind.rawValue, number(place0), number(place1), bytes0, bytes1, general,
            register, registerDead, memory0, memory1, fused, stackBytes, effect.rawValue, isConditional ? 1 : 0,
            isVector ? 1 : 0,
        ]
    }
}

struct Output {
    private var handlerNames: [String] = []
    private var handlerNumbers: [String: Int] = [:]
    private var handlerText = "// Generated from the instruction tables.\nimport CEngineState\n"
    private var generalNumbers: [String: Int] = [:]
    private var generalText = "// Generated from the instruction tables.\nimport X86Architecture\nimport X86Decoder\n"
    private var plans: [Plan] = []
    private var location = ""

    /// A handler, once per name. Returns its number.
    @discardableResult
    mutating func handler(_ name: String, _ body: String) -> Int {
        if let known = handlerNumbers[name] { return known }
        handlerNumbers[name] = handlerNames.count
        handlerNames.append(name)
        handlerText += """
            \(location)
            @c(h_\(name)) @inline(__always) func h_\(name)\
            (_ cpu: CPUPointer, _ op: OpPointer, _ tlb: TLBPointer, _ cycles: UInt64) -> Flow \
            { let s = Step(cpu, op, tlb, cycles); return \(body) }

            """
        return handlerNames.count - 1
    }
    /// Sixteen handlers, one per condition. Returns the first one's number.
    mutating func conditional(_ name: String, _ body: (Int) -> String) -> Int {
        let first = handler("\(name)_0", body(0))
        for cc in 1..<16 { handler("\(name)_\(cc)", body(cc)) }
        return first
    }
    /// An out-of-line function, once per body.
    mutating func general(_ body: String) -> Int {
        if let known = generalNumbers[body] { return known }
        let number = generalNumbers.count
        generalNumbers[body] = number
        generalText += """
            \(location)
            private func g\(number)(_ p: Processor, _ i: UnsafePointer<Instruction>) throws(Interruption) {
                try \(body)
            }

            """
        return number
    }

    /// Handlers that no row asks for, in the order of `FixedHandler` in the machine.
    mutating func fixed() {
        handler("end", "jump(s)")
        handler("end_across", "jumpAcross(s)")
        handler("stale", "stale(s)")
        handler("mov64_ri", "ri(s, UInt64.self, UInt64.self, mov as (UInt64) -> UInt64)")
        handler("lea64_m1", "lea(s, s.ea1, UInt64.self)")
        handler("lea32_m1", "lea(s, s.ea1, UInt32.self)")
        handler("call64_across", "callAcross(s, UInt64.self)")
        handler("call32_across", "callAcross(s, UInt32.self)")
    }

    mutating func add(_ row: InstructionRow) throws(TableError) {
        location = "#sourceLocation(file: \"\(row.file)\", line: \(row.line))"
        var plan = Plan()
        plan.place0 = row.place(0) ?? "none"
        plan.place1 = row.place(1) ?? "none"
        plan.bytes0 = row.operands.first.map { $0.width / 8 } ?? 0
        plan.bytes1 = row.operands.count > 1 ? row.operands[1].width / 8 : 0
        if let semantics = row.semantics {
            if row.access == .system {
                plan.kind = .end
                plan.general = general("SystemInstructions.\(semantics)(p, i.pointee)")
            } else if row.isVector {
                try vector(row, semantics, &plan)
            } else if let shape = shapes[semantics], shape != .whole {
                try shaped(row, semantics, shape, &plan)
            } else {
                try whole(row, semantics, &plan)
            }
            if flagless.contains(semantics) { plan.effect = .transparent }
            if killers.contains(semantics) { plan.effect = .kills }
            if partial.contains(semantics), plan.place1 != "cl" { plan.effect = .partial }
            if ["shl", "shr", "sar"].contains(semantics), plan.place1 == "immediate" || plan.place1 == "one" {
                plan.effect = .killsUnlessZero
            }
        } else {
            plan.kind = .end
            plan.general = general("p.notModelled(i.pointee)")
        }
        plans.append(plan)
    }

    var handlers: String {
        handlerText + "#sourceLocation()\nlet handlerTable: [Handler] = [\n"
            + handlerNames.map { "    h_\($0)," }.joined(separator: "\n") + "\n]\n"
            + "let handlerNames: StaticString = \"\"\"\n" + handlerNames.joined(separator: "\n") + "\n\"\"\"\n"
    }
    var generalFunctions: String {
        generalText + "#sourceLocation()\nlet generalFunctionTable: [GeneralFunction] = [\n"
            + (0..<generalNumbers.count).map { "    g\($0)," }.joined(separator: "\n") + "\n]\n"
    }
    var rowPlans: String {
        "// Generated from the instruction tables.\nlet rowPlanNumbers: StaticString = \"\"\"\n"
            + plans.map { $0.numbers.map(String.init).joined(separator: " ") }.joined(separator: "\n") + "\n\"\"\"\n"
    }
}
