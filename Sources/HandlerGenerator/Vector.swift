import InstructionTable

extension InstructionRow {
    var usesXMM: Bool { operands.contains { $0.kind == .vector || $0.kind == .vectorOrMemory } }
    var usesMMX: Bool { operands.contains { $0.kind == .mmx || $0.kind == .mmxOrMemory } }
    var isVector: Bool { usesXMM || usesMMX }
}

/// The semantics column of a vector row: a function, and the type of its lanes where it is generic ("padd_u8").
private struct VectorFunction {
    let name: String
    /// "SIMD16<UInt8>"; nil when the function says it itself.
    let lanes: String?
    let scalar: String

    init(_ text: String) {
        let parts = text.split(separator: "_").map(String.init)
        name = parts[0]
        guard parts.count == 2, let bits = Int(parts[1].dropFirst()), [8, 16, 32, 64].contains(bits) else {
            (lanes, scalar) = (nil, "")
            return
        }
        scalar = (parts[1].hasPrefix("i") ? "Int" : "UInt") + "\(bits)"
        lanes = "SIMD\(128 / bits)<\(scalar)>"
    }
    /// The function, with its type where that is open. V stands for the lanes, S for one of them.
    func typed(_ type: String) -> String {
        guard let lanes else { return name }
        let spelled = type.map { $0 == "V" ? lanes : $0 == "S" ? scalar : "\($0)" }.joined()
        return "\(name) as \(spelled)"
    }
    var isShift: Bool { ["psll", "psrl", "psra", "pslldq", "psrldq"].contains(name) }
}

/// 16-byte operands of these may have any alignment.
private let unaligned: Set<String> = [
    "MOVUPS", "MOVUPD", "MOVDQU", "LDDQU", "PCMPESTRI", "PCMPESTRM", "PCMPISTRI", "PCMPISTRM",
]
/// Too long or too rare for handlers.
private let outOfLine: Set<String> = [
    "mpsadbw", "phminposuw", "pclmulqdq", "aesenc", "aesenclast", "aesdec", "aesdeclast", "aesimc", "aeskeygenassist",
    "sha1rnds4", "sha1nexte", "sha1msg1", "sha1msg2", "sha256msg1", "sha256msg2",
]
/// What MMX forms do with functions of whole vectors: `mmxCombine` for the others.
private let mmxForms: [String: String] = [
    "packsswb": "mmxJoined", "packssdw": "mmxJoined", "packuswb": "mmxJoined", "phadd": "mmxJoined",
    "phsub": "mmxJoined", "phaddsw": "mmxJoined", "phsubsw": "mmxJoined", "punpckh": "mmxUpper",
]

/// Rows with vector operands. Integer operations and moves of XMM registers are handlers; what uses MMX registers, and
/// what is rare, runs out of line.
extension Output {
    mutating func vector(_ row: InstructionRow, _ semantics: String, _ plan: inout Plan) throws(TableError) {
        let f = VectorFunction(semantics)
        let width = row.rmOperand?.memoryWidth ?? 128
        let any = unaligned.contains(row.mnemonic)
        let m = width != 128 ? "UInt\(width).self" : any ? "Unaligned.self" : "Aligned.self"
        if let call = FloatRows.call(row, semantics, m) {
            plan.general = general("p.\(call)")
            return
        }
        if row.usesMMX { return try mmx(row, f, &plan) }
        plan.kind = .data
        plan.isVector = true
        plan.effect = .transparent
        let isStore = row.operands[0].placement == .modRMRM && row.operands[0].mayBeMemory
        let hasImmediate = row.operands.last?.placement == .immediate
        switch f.name {
        case "movss", "movsd":
            let merge = f.name == "movss" ? "movss" : "movlow"
            if isStore {
                plan.general = general("p.vectorStore(i.pointee, \(m), memory: movdq, register: \(merge))")
                store(row, "movdq", width, m, &plan)
            } else {
                plan.general = general("p.vectorLoad(i.pointee, \(m), register: \(merge))")
                memory("movdq_vm_\(width)", &plan) { "vm(s, \($0), \(m), movdq)" }
            }
            plan.register = handler("\(merge)_vv", "vv(s, \(merge))")
        case "movdq", "movq", "highToStore":
            if isStore {
                let pick = f.name == "highToStore" ? "{ $1 }" : "{ \(f.name)($1) }"
                plan.general = general("p.vectorStore(i.pointee, \(m), memory: \(f.name), register: \(pick))")
                store(row, f.name, width, m, &plan)
                if row.mayBeRegister { plan.register = handler("\(f.name)_vv", "vv(s, \(f.name))") }
            } else {
                convert(row, f.name, f.name, m, &plan)
            }
        case "movd":
            let g = "UInt\(row.rmOperand?.width ?? 32)"
            if isStore {
                plan.general = general("p.vectorToGeneral(i.pointee, \(g).self)")
                plan.register = handler("movd_gv_\(g)", "gv(s, \(g).self)")
                store(row, "movdq", width, m, &plan)
            } else {
                plan.general = general("p.vectorFromGeneral(i.pointee, \(g).self)")
                plan.register = handler("movd_vg_\(g)", "vg(s, \(g).self)")
                memory("movdq_vm_\(width)", &plan) { "vm(s, \($0), \(m), movdq)" }
            }
        case "movmsk", "pmovmskb":
            plan.general = general("p.vectorMask(i.pointee, \(f.typed("(V) -> UInt32")))")
            plan.register = handler("\(f.name)_gv_\(f.scalar)", "gv(s, \(f.typed("(V) -> UInt32")))")
        case "pextrw":
            plan.kind = .general
            plan.general = general("p.vectorExtractWord(i.pointee)")
        case "pextr":
            plan.kind = .general
            plan.general = general(
                "p.vectorExtract(i.pointee, UInt\(width).self, \(f.typed("(V, UInt8) -> UInt64")))")
        case "pinsr":
            plan.kind = .general
            plan.general = general("p.vectorInsert(i.pointee, UInt\(width).self, \(f.typed("(V, S, UInt8) -> V")))")
        case "ptest":
            plan.kind = .general
            plan.effect = .barrier
            plan.general = general("p.vectorTest(i.pointee, \(m), ptest)")
        case "pcmpestri", "pcmpestrm", "pcmpistri", "pcmpistrm":
            plan.kind = .general
            plan.effect = .barrier
            plan.general = general("p.\(f.name)(i.pointee)")
        case "blendv", "sha256rnds2":
            plan.kind = .general
            plan.general = general("p.vectorBlend(i.pointee, \(m), \(f.typed("(V, V, V) -> V")))")
        case "maskmov":
            plan.kind = .general
            plan.effect = .barrier
            plan.general = general("p.maskmov(i.pointee, isMMX: false)")
        case "insertps":
            plan.kind = .general
            plan.general = general("p.insertps(i.pointee)")
        case _ where f.isShift && hasImmediate:
            plan.general = general("p.vectorChange(i.pointee, \(f.typed("(V, UInt64) -> V")))")
            plan.register = handler("\(f.name)_vi_\(f.scalar)", "vi(s, \(f.typed("(V, UInt64) -> V")))")
        case _ where row.access == .write:
            convert(row, semantics, f.typed(hasImmediate ? "(V, UInt8) -> V" : "(V) -> V"), m, &plan)
        case _ where row.access == .readWrite:
            let type = hasImmediate ? "(V, V, UInt8) -> V" : f.isShift ? "(V, UInt64) -> V" : "(V, V) -> V"
            let typed = f.typed(type)
            plan.general = general("p.vectorCombine(i.pointee, \(m), \(typed))")
            if outOfLine.contains(f.name) { plan.kind = .general; return }
            if row.mayBeRegister { plan.register = handler("\(semantics)_vv", "vv(s, \(typed))") }
            if row.mayBeMemory { plan.memory1 = handler("\(semantics)_vm1", "vm(s, s.ea1, \(m), \(typed))") }
        default: throw row.error("'\(semantics)' has no form with these operands")
        }
    }

    private mutating func memory(_ name: String, _ plan: inout Plan, _ body: (String) -> String) {
        plan.memory0 = handler("\(name)_0", body("s.ea0"))
        plan.memory1 = handler("\(name)_1", body("s.ea1"))
    }
    private mutating func store(_ row: InstructionRow, _ f: String, _ width: Int, _ m: String, _ plan: inout Plan) {
        memory("\(f)_mv_\(m.prefix { $0 != "." })", &plan) { "mv(s, \($0), \(m), \(f))" }
    }
    private mutating func convert(
        _ row: InstructionRow, _ name: String, _ typed: String, _ m: String, _ plan: inout Plan
    ) {
        plan.general = general("p.vectorConvert(i.pointee, \(m), \(typed))")
        if outOfLine.contains(name) { plan.kind = .general; return }
        if row.mayBeRegister { plan.register = handler("\(name)_vv", "vv(s, \(typed))") }
        guard row.mayBeMemory else { return }
        memory("\(name)_vm_\(m.prefix { $0 != "." })", &plan) { "vm(s, \($0), \(m), \(typed))" }
    }

    private mutating func mmx(_ row: InstructionRow, _ f: VectorFunction, _ plan: inout Plan) throws(TableError) {
        plan.kind = .general
        let w = "UInt\(row.rmOperand?.memoryWidth ?? 64).self"
        let isStore = row.operands[0].placement == .modRMRM && row.operands[0].mayBeMemory
        let hasImmediate = row.operands.last?.placement == .immediate
        let body: String
        switch f.name {
        case "movq2dq", "movdq2q": body = "\(f.name)(i.pointee)"
        case "maskmov": body = "maskmov(i.pointee, isMMX: true)"
        case "movq": body = isStore ? "mmxStore(i.pointee)" : "mmxLoad(i.pointee)"
        case "movd": body = "\(isStore ? "mmxToGeneral" : "mmxFromGeneral")(i.pointee, \(w))"
        case "movmsk", "pmovmskb": body = "mmxMask(i.pointee, \(f.typed("(V) -> UInt32")))"
        case "pextrw": body = "mmxExtractWord(i.pointee)"
        case "pinsr": body = "mmxInsertWord(i.pointee)"
        case "palignr": body = "mmxAlign(i.pointee)"
        case _ where f.isShift && hasImmediate: body = "mmxChange(i.pointee, \(f.typed("(V, UInt64) -> V")))"
        case _ where row.access == .write:
            body = "mmxConvert(i.pointee, \(w), \(f.typed(hasImmediate ? "(V, UInt8) -> V" : "(V) -> V")))"
        case _ where row.access == .readWrite:
            let form = mmxForms[f.name] ?? "mmxCombine"
            body = "\(form)(i.pointee, \(w), \(f.typed(f.isShift ? "(V, UInt64) -> V" : "(V, V) -> V")))"
        default: throw row.error("'\(f.name)' has no form with MMX registers")
        }
        plan.general = general("p.\(body)")
    }
}
