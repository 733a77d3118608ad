// Where handlers go when they cannot go on by themselves: instructions without a form of their own, accesses that miss
// the fast bank, branches whose block is not known yet.
import CEngineState
import X86Architecture
import X86Decoder

/// Executes a micro-op's instruction from its decoded form: whole, or not at all. Both a handler and what memory
/// forms turn into when an access misses.
@c(h_general) @inline(never)
func general(_ cpu: CPUPointer, _ op: OpPointer, _ tlb: TLBPointer, _ cycles: UInt64) -> Flow {
    let s = Step(cpu, op, tlb, cycles)
    let block = BlockPointer(of: op), before = UInt64(op.pointee.count)
    let rip = block.pointee.rip &+ UInt64(op.pointee.ripOffset)
    cpu.pointee.rip = rip
    cpu.pointee.cycles = cycles &+ UInt64(op.pointee.cost)
    let i = block.instruction(Int(before))
    switch Processor.of(cpu).executeOutOfLine(i, endsBlock: op.pointee.scale & MicroOp.endsBlock != 0) {
    case .interrupted:
        cpu.pointee.instructions &+= before
        return s.leave(LeaveReason.interruption, rip, cpu.pointee.cycles)
    case .repeats:
        cpu.pointee.instructions &+= before
        return s.leave(LeaveReason.boundary, rip, cpu.pointee.cycles)
    case .completed(let cost):
        let now = cpu.pointee.cycles
        if _slowPath(now &+ cost >= cpu.pointee.nextEvent) {
            cpu.pointee.instructions &+= before &+ 1
            return s.leave(LeaveReason.boundary, rip &+ UInt64(i.pointee.length), now &+ cost)
        }
        return s.go(op + 1, now &- UInt64(op.pointee.cost))
    case .transferred(let target, let cost):
        cpu.pointee.instructions &+= before &+ 1
        let after = cpu.pointee.cycles &+ cost
        if _slowPath(after >= cpu.pointee.nextEvent) { return s.leave(LeaveReason.boundary, target, after) }
        // The context may be another one now.
        let there = Step(cpu, op, cpu.pointee.tlb, after)
        let entry = there.jumpEntry(target)
        guard entry.pointee.rip == target else { return findBlock(cpu, op, there.tlb, after, target) }
        return there.go(entry.pointee.op, after)
    }
}

enum OutOfLineResult {
    /// `engine.pending` says by what.
    case interrupted
    /// A repeated string instruction with iterations left.
    case repeats
    case completed(cost: UInt64)
    case transferred(UInt64, cost: UInt64)
}

private let outOfLine: Handler = general

extension EngineCaches {
    nonisolated(unsafe) static let generalHandler = unsafeBitCast(outOfLine, to: UnsafeMutableRawPointer.self)
}

extension Processor {
    @inline(never) func executeOutOfLine(_ i: UnsafeMutablePointer<Instruction>, endsBlock: Bool) -> OutOfLineResult {
        let engine = engine
        do throws(Interruption) {
            try engine.general[engine.plans[Int(i.pointee.row)].general](self, UnsafePointer(i))
        } catch {
            engine.pending = withLength(error, i.pointee.length)
            engine.nextRIP = nil
            return .interrupted
        }
        if engine.isRepeating {
            engine.isRepeating = false
            return .repeats
        }
        // The block that is running may be gone: it is looked for anew.
        if engine.codeChanged { cpu.pointee.nextEvent = 0 }
        let cost = engine.cost(i.pointee)
        if let target = engine.nextRIP {
            engine.nextRIP = nil
            return .transferred(target, cost: cost)
        }
        if endsBlock {
            let next = cpu.pointee.rip &+ UInt64(i.pointee.length)
            return .transferred(is64BitMode ? next : next & 0xffff_ffff, cost: cost)
        }
        return .completed(cost: cost)
    }
}

/// Continues through a link slot that leads nowhere yet; remembers where it leads if that is in the same page.
@inline(never)
func linkBlock(_ cpu: CPUPointer, _ link: OpPointer, _ tlb: TLBPointer, _ cycles: UInt64) -> Flow {
    let s = Step(cpu, link, tlb, cycles), rip = link.pointee.imm
    if link.pointee.disp == 0 {
        let entry = s.jumpEntry(rip)
        if entry.pointee.rip == rip { return s.go(entry.pointee.op, cycles) }
        return findBlock(cpu, link, tlb, cycles, rip)
    }
    guard let ops = linkedOps(cpu, link, cycles) else {
        return s.leave(LeaveReason.interruption, rip, cpu.pointee.cycles)
    }
    if _slowPath(cpu.pointee.cycles >= cpu.pointee.nextEvent) {
        return s.leave(LeaveReason.boundary, rip, cpu.pointee.cycles)
    }
    return s.go(ops, cpu.pointee.cycles)
}

/// What `linkBlock` needs of objects. Apart, so that nothing is left to be released behind its tail call: a release
/// there would turn the call into a real one, and the host's stack grow with every block.
@inline(never)
private func linkedOps(_ cpu: CPUPointer, _ link: OpPointer, _ cycles: UInt64) -> OpPointer? {
    let p = Processor.of(cpu), generation = p.engine.blocks.generation
    guard let block = p.lookUp(link.pointee.imm, cycles) else { return nil }
    // A straddling block also depends on the next page's translation, which only jump caches follow.
    if generation == p.engine.blocks.generation && !block.straddles {
        link.pointee.handler = UnsafeMutableRawPointer(block.ops)
    }
    return block.ops
}

/// Continues at an address that the jump cache does not hold.
@inline(never)
func findBlock(_ cpu: CPUPointer, _ op: OpPointer, _ tlb: TLBPointer, _ cycles: UInt64, _ rip: UInt64) -> Flow {
    let s = Step(cpu, op, tlb, cycles)
    guard let ops = foundOps(cpu, cycles, rip) else {
        return s.leave(LeaveReason.interruption, rip, cpu.pointee.cycles)
    }
    if _slowPath(cpu.pointee.cycles >= cpu.pointee.nextEvent) {
        return s.leave(LeaveReason.boundary, rip, cpu.pointee.cycles)
    }
    return s.go(ops, cpu.pointee.cycles)
}

/// What `findBlock` needs of objects; apart for the reason that `linkedOps` is.
@inline(never)
private func foundOps(_ cpu: CPUPointer, _ cycles: UInt64, _ rip: UInt64) -> OpPointer? {
    let p = Processor.of(cpu)
    guard let block = p.lookUp(rip, cycles) else { return nil }
    if p.isCacheable(block) { p.engine.banks.current.insertJump(rip, to: block.ops) }
    return block.ops
}

extension Step {
    /// First micro-op of a block whose page was written: `imm` is its RIP.
    @inline(__always) func stale_() -> Flow { findBlock(cpu, op, tlb, cycles, op.pointee.imm) }
}
@inline(__always) func stale(_ s: Step) -> Flow { s.stale_() }

extension Processor {
    /// The block at `rip`, for handlers; nil: the fetch was interrupted, `engine.pending` says by what, or it is for
    /// the run loop to make, and nothing is pending.
    /// `cpu.cycles` then includes what the fetch cost.
    func lookUp(_ rip: UInt64, _ cycles: UInt64) -> BlockPointer? {
        cpu.pointee.cycles = cycles
        cpu.pointee.rip = rip
        do throws(Interruption) {
            return try block(at: rip, isSingle: false, mayFetchSlowly: false)
        } catch {
            engine.pending = error
            return nil
        }
    }
    /// Notes that the current bank's jump cache leads to the block. Not for code outside RAM, which is not kept.
    func isCacheable(_ block: BlockPointer) -> Bool {
        guard block.pointee.page != BlockStore.noPage, engine.banks.current.isUsed else { return false }
        let linear = codeBase &+ block.pointee.rip
        engine.banks.current.noteJump(to: linear & ~Page.offsetMask)
        if block.straddles { engine.banks.current.noteJump(to: (linear | Page.offsetMask) &+ 1) }
        return true
    }
    /// Linear address of RIP 0.
    var codeBase: UInt64 { cpu.pointee.segmentBase.1 }
}
