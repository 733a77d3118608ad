import CEngineState
import X86Architecture
import X86Decoder

/// Decoded instructions to the micro-ops of a block.
///
/// A block is straight-line code within a page, ended by a control transfer, by an instruction that may change any
/// mode, by the page or by a limit. What cannot run as a form of its own runs out of line (`general`).
struct Translator {
    static let instructionLimit = 32
    /// No instruction but the first begins further than this many cycles from the block's start: the margin by which
    /// handlers stop before an event.
    static let reachLimit: UInt64 = 64
    private static let opLimit = 160

    /// Beside each micro-op, until the block is finished.
    struct Note {
        var effect = RowPlan.FlagEffect.barrier
        var dead = -1
        var fused = -1
    }

    let identity: BlockIdentity
    let codeSize: CodeSize
    /// Memory and stack forms apply: 64-bit mode, or flat 32-bit segments.
    let isFast: Bool
    let isSingle: Bool
    /// Forms with XMM registers apply.
    var hasVectors = false
    /// Of an instruction fetched in pieces, nothing follows in the block.
    var isAlone = false
    let engine: EngineCaches
    /// Linear address of RIP 0.
    let codeBase: UInt64

    private(set) var ops: [MicroOp] = []
    private(set) var notes: [Note] = []
    private(set) var instructions: [Instruction] = []
    private var clock: UInt64 = 0
    private(set) var reach: UInt64 = 0
    private(set) var bytes: UInt64 = 0
    private(set) var isEnded = false

    init(
        _ identity: BlockIdentity, codeSize: CodeSize, isFast: Bool, isSingle: Bool, engine: EngineCaches,
        codeBase: UInt64
    ) {
        self.identity = identity
        self.codeSize = codeSize
        self.isFast = isFast
        self.isSingle = isSingle
        self.engine = engine
        self.codeBase = codeBase
        ops.reserveCapacity(96)
        notes.reserveCapacity(96)
        instructions.reserveCapacity(Self.instructionLimit)
    }

    private var is64: Bool { codeSize == .bits64 }
    private var rip: UInt64 { identity.rip &+ bytes }
    /// More instructions may follow.
    var hasRoom: Bool {
        !isEnded && !isAlone && !(isSingle && bytes != 0) && instructions.count < Self.instructionLimit
            && clock <= Self.reachLimit && ops.count < Self.opLimit
    }

    // MARK: Emission

    private mutating func emit(_ op: MicroOp, _ note: Note = Note()) {
        var op = op
        op.position = UInt8(truncatingIfNeeded: ops.count)
        op.cost = UInt16(truncatingIfNeeded: clock)
        op.ripOffset = UInt16(truncatingIfNeeded: bytes)
        op.count = UInt16(truncatingIfNeeded: instructions.count)
        ops.append(op)
        notes.append(note)
    }
    private func address(_ handler: Int) -> UnsafeMutableRawPointer {
        unsafeBitCast(engine.handlers[handler], to: UnsafeMutableRawPointer.self)
    }
    private mutating func emit(_ handler: Int, _ op: MicroOp, _ note: Note = Note()) {
        var op = op
        op.handler = address(handler)
        emit(op, note)
    }
    private mutating func emitFixed(_ handler: FixedHandler, _ op: MicroOp) {
        emit(handler.rawValue, op, Note(effect: .transparent))
    }
    /// `target` continues the block when control gets to this slot. Follows a terminator, whose instruction is counted.
    private mutating func emitSlot(_ target: UInt64, isLinkable: Bool) {
        var slot = MicroOp()
        slot.imm = target
        slot.disp = isLinkable ? 1 : 0
        emit(slot)
    }
    private func isSamePage(_ target: UInt64) -> Bool {
        ((codeBase &+ target) ^ (codeBase &+ identity.rip)) & linearMask & ~Page.offsetMask == 0
    }
    private var linearMask: UInt64 { is64 ? ~0 : 0xffff_ffff }

    // MARK: Instructions

    /// Adds an instruction. `targetIsValid` says of a direct branch whether its target may be jumped to.
    mutating func add(_ i: Instruction, targetIsValid: (UInt64) -> Bool) {
        let plan = engine.plans[Int(i.row)]
        reach = clock
        let ownCost = engine.cost(i)
        switch plan.kind {
        case .nop: finish(i, ownCost)
        case .general: general(i, ownCost, ends: false)
        case .end: general(i, ownCost, ends: true)
        case .data:
            if !data(i, plan) { general(i, ownCost, ends: false) } else { finish(i, ownCost) }
        case .jcc, .jump, .call: direct(i, plan, ownCost, targetIsValid)
        case .jumpTo, .callTo, .ret: indirect(i, plan, ownCost)
        }
    }
    private mutating func finish(_ i: Instruction, _ cost: UInt64) {
        instructions.append(i)
        bytes &+= UInt64(i.length)
        clock &+= cost
    }
    private mutating func general(_ i: Instruction, _ cost: UInt64, ends: Bool) {
        var op = MicroOp()
        op.handler = EngineCaches.generalHandler
        op.scale = ends ? MicroOp.endsBlock : 0
        emit(op)
        finish(i, cost)
        isEnded = ends
    }

    /// A form without control transfer; false if there is none for this instruction here.
    private mutating func data(_ i: Instruction, _ plan: RowPlan) -> Bool {
        if plan.stackBytes != 0 && !hasFastStack(plan) || plan.isVector && !hasVectors { return false }
        var op = MicroOp()
        setOperands(&op, i, plan)
        let condition = plan.isConditional ? Int(i.opcode & 15) : 0
        if i.hasMemory || plan.place0 == .moffs || plan.place1 == .moffs {
            if plan.memory1 < 0 { return false }
            if plan.effect == .transparent, plan.register < 0, !i.prefixes.lock, isLEA(plan) { return lea(i, plan, op) }
            guard isFast, let form = memory(i, plan, &op) else { return false }
            emit(form + condition, op)
            return true
        }
        guard plan.register >= 0 else { return false }
        var note = Note(effect: plan.effect, dead: plan.registerDead, fused: plan.fused)
        if plan.effect == .killsUnlessZero {
            let count = plan.place1 == .one ? 1 : op.imm & (plan.bytes0 == 8 ? 63 : 31)
            note.effect = count != 0 ? .kills : .transparent
        }
        emit(plan.register + condition, op, note)
        return true
    }
    /// LEA is the only transparent row with memory forms alone whose memory is never accessed.
    private func isLEA(_ plan: RowPlan) -> Bool { plan.memory0 >= 0 && plan.bytes1 == 0 }

    private func hasFastStack(_ plan: RowPlan) -> Bool { isFast && plan.stackBytes == (is64 ? 8 : 4) }

    private func setOperands(_ op: inout MicroOp, _ i: Instruction, _ plan: RowPlan) {
        op.dst = Processor.registerOffset(plan.place0, i, bytes: plan.bytes0)
        op.src = Processor.registerOffset(plan.place1, i, bytes: plan.bytes1)
        op.imm = plan.place1 == .one ? 1 : i.immediate
    }

    private mutating func lea(_ i: Instruction, _ plan: RowPlan, _ template: MicroOp) -> Bool {
        var op = template
        if i.addressSize == 2 { return false }
        if i.base == Instruction.ripBase {
            guard setConstant(&op, effective(i, next: rip &+ UInt64(i.length))) else {
                op.imm = effective(i, next: rip &+ UInt64(i.length))
                op.handler = nil
                emitFixed(.loadTemp, temp(op.imm))
                op.base = StateOffset.temp
                op.index = StateOffset.zero
                op.disp = 0
                emit(plan.memory0, op, Note(effect: .transparent))
                return true
            }
        } else {
            setRegisters(&op, i)
        }
        // A 32-bit address in a 64-bit register is zero-extended, which the 32-bit form does.
        let isNarrow = i.addressSize == 4 && plan.bytes0 == 8
        if isNarrow {
            emitFixed(.address32, op)
        } else {
            emit(i.index == Instruction.none ? plan.memory0 : plan.memory1, op, Note(effect: .transparent))
        }
        return true
    }

    // MARK: Addresses

    private func effective(_ i: Instruction, next: UInt64) -> UInt64 {
        let sum = next &+ UInt64(bitPattern: Int64(i.displacement))
        return i.addressSize == 4 ? sum & 0xffff_ffff : sum
    }
    private func temp(_ value: UInt64) -> MicroOp {
        var op = MicroOp()
        op.dst = StateOffset.temp
        op.imm = value
        return op
    }
    /// An absolute address as a displacement, where it fits.
    private func setConstant(_ op: inout MicroOp, _ address: UInt64) -> Bool {
        op.base = StateOffset.zero
        op.index = StateOffset.zero
        guard let disp = Int32(exactly: Int64(bitPattern: address)) else { return false }
        op.disp = disp
        return true
    }
    private func setRegisters(_ op: inout MicroOp, _ i: Instruction) {
        op.base = i.base == Instruction.none ? StateOffset.zero : i.base &* 8
        op.index = i.index == Instruction.none ? StateOffset.zero : i.index &* 8
        op.scale = i.scale
        op.disp = i.displacement
    }

    /// Fills in the address of a memory operand, through a temporary where one micro-op cannot express it.
    /// Returns the handler for it, nil where there is none.
    private mutating func memory(_ i: Instruction, _ plan: RowPlan, _ op: inout MicroOp) -> Int? {
        let isMoffs = plan.place0 == .moffs || plan.place1 == .moffs
        if i.addressSize == 2 { return nil }
        let isBased = i.segment >= SegmentIndex.fs
        // FS and GS have limits outside 64-bit mode.
        if isBased && !is64 { return nil }
        // Nor may code segments be written (SDM 3A 5.5 "Type Checking").
        if i.segment == SegmentIndex.cs && !is64 { return nil }
        var usesIndex = false
        if isMoffs || i.base == Instruction.ripBase || !i.hasRegisters {
            let disp = UInt64(bitPattern: Int64(i.displacement))
            let isRelative = i.base == Instruction.ripBase
            var a = isMoffs ? i.immediate : isRelative ? effective(i, next: rip &+ UInt64(i.length)) : disp
            if i.addressSize == 4 { a &= 0xffff_ffff }
            if !setConstant(&op, a) {
                emitFixed(.loadTemp, temp(a))
                op.base = StateOffset.temp
            }
        } else if i.addressSize == 4 {
            var address = temp(0)
            setRegisters(&address, i)
            emitFixed(.address32, address)
            (op.base, op.index, op.disp) = (StateOffset.temp, StateOffset.zero, 0)
        } else if isBased && i.index != Instruction.none {
            var address = temp(0)
            setRegisters(&address, i)
            emitFixed(.address64, address)
            (op.base, op.index, op.disp) = (StateOffset.temp, StateOffset.zero, 0)
        } else {
            setRegisters(&op, i)
            usesIndex = i.index != Instruction.none
        }
        if isBased {
            op.index = StateOffset.segmentBase &+ i.segment &* 8
            op.scale = 0
            usesIndex = true
        }
        return usesIndex || plan.memory0 < 0 ? plan.memory1 : plan.memory0
    }

    // MARK: Control transfers

    private mutating func direct(_ i: Instruction, _ plan: RowPlan, _ cost: UInt64, _ targetIsValid: (UInt64) -> Bool) {
        let next = (rip &+ UInt64(i.length)) & linearMask
        let target = (next &+ i.immediate) & (is64 ? ~0 : i.operandSize == 2 ? 0xffff : 0xffff_ffff)
        guard targetIsValid(target), plan.kind != .call || hasFastStack(plan) else {
            return general(i, cost, ends: true)
        }
        var op = MicroOp()
        switch plan.kind {
        case .jcc:
            let cc = Int(i.opcode & 15)
            let previous = ops.count - 1
            let isFused = previous >= 0 && notes[previous].fused >= 0
                && Int(ops[previous].count) == instructions.count - 1
            if isFused { ops[previous].handler = address(notes[previous].fused + cc) }
            emit(plan.register + cc, op)
            finish(i, cost)
            emitSlot(target, isLinkable: isSamePage(target))
            emitSlot(next, isLinkable: isSamePage(next))
        case .call:
            op.imm = next
            let across: FixedHandler = is64 ? .call64Across : .call32Across
            emit(isSamePage(target) ? plan.register : across.rawValue, op)
            finish(i, cost)
            emitSlot(target, isLinkable: isSamePage(target))
        default: emitEnd(target, counting: (i, cost))
        }
        isEnded = true
    }
    private mutating func emitEnd(_ target: UInt64, counting last: (Instruction, UInt64)?) {
        emitFixed(isSamePage(target) ? .end : .endAcross, MicroOp())
        if let last { finish(last.0, last.1) }
        emitSlot(target, isLinkable: isSamePage(target))
        isEnded = true
    }
    private mutating func indirect(_ i: Instruction, _ plan: RowPlan, _ cost: UInt64) {
        var op = MicroOp()
        setOperands(&op, i, plan)
        var handler: Int? = hasFastStack(plan) && plan.register >= 0 ? plan.register : nil
        if handler != nil && i.hasMemory { handler = memory(i, plan, &op) }
        guard let handler else { return general(i, cost, ends: true) }
        op.imm = (rip &+ UInt64(i.length)) & linearMask
        emit(handler, op)
        finish(i, cost)
        emitSlot(0, isLinkable: false)
        isEnded = true
    }

    // MARK: The end

    /// Closes the block and leaves out flags that nothing can see.
    mutating func close() {
        if !isEnded { emitEnd((identity.rip &+ bytes) & linearMask, counting: nil) }
        var dead = false
        for n in ops.indices.reversed() where ops[n].handler != nil {
            let note = notes[n]
            if dead && note.dead >= 0 {
                ops[n].handler = address(note.dead)
                // ADC and SBB still read CF.
                if note.effect == .barrier { dead = false }
                continue
            }
            switch note.effect {
            case .transparent: break
            case .kills: dead = true
            default: dead = false
            }
        }
    }
}

extension Instruction {
    var hasRegisters: Bool { base != Instruction.none || index != Instruction.none }
}
extension MicroOp {
    /// In `scale`: the block ends after this instruction, whatever it did.
    static let endsBlock: UInt8 = 0x80
}
