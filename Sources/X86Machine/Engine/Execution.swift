import CEngineState
import X86Architecture
import X86Decoder

/// The run loop. What a guest sees never depends on where handlers returned to it: events are due at the first
/// instruction boundary at or after their cycle, wherever blocks begin and end.
extension Processor {
    /// Runs until the boundary at which `cpu.cycles >= cycle` or `limit` more instructions have retired.
    func execute(until cycle: UInt64, instructions limit: UInt64 = .max) -> ExecutionExit {
        let (sum, overflow) = cpu.pointee.instructions.addingReportingOverflow(limit)
        let target = overflow ? UInt64.max : sum
        engine.event = cycle
        defer { cpu.pointee.nextEvent = 0 }
        while true {
            if mustYield { mustYield = false; return .yielded }
            if boundaryWork && serviceBoundary() { continue }
            if system.activity != .active { return .inactive }
            if cpu.pointee.cycles >= cycle { return .cycleReached }
            if cpu.pointee.instructions >= target { return .instructionsRetired }
            if mustYield { continue }
            if boundaryWork || isStepping {
                runOne()
            } else {
                run(target &- cpu.pointee.instructions)
            }
        }
    }

    /// Exactly one instruction, or one delivery of an event that was due at this boundary. The rest of a repeated
    /// string instruction, up to the next timed event, counts as one.
    func stepInstruction() {
        engine.event = machine.platform.events.nextCycle
        mustYield = false
        if boundaryWork && serviceBoundary() { return }
        if system.activity == .active { runOne() }
        cpu.pointee.nextEvent = 0
    }

    /// Every instruction is followed by a look at what it did.
    private var isStepping: Bool {
        system.flags & RFLAGS.trap != 0 || machine.eventMask.contains(.instruction)
    }

    /// Blocks, as long as none of their instructions begins at or after the event.
    private func run(_ instructions: UInt64) {
        // Instructions cost a cycle at least: so many cycles hold no more than so many instructions.
        let (bound, overflow) = cpu.pointee.cycles.addingReportingOverflow(instructions)
        let event = overflow ? engine.event : min(engine.event, bound)
        let margin = Translator.reachLimit &+ 1
        cpu.pointee.nextEvent = event > margin ? event &- margin : 0
        engine.codeChanged = false
        do throws(Interruption) {
            let rip = cpu.pointee.rip
            let block = if let known = knownBlock { known } else { try self.block(at: rip, isSingle: false) }
            if block.pointee.page == BlockStore.noPage {
                // Fetched from outside RAM, for this time only.
                cpu.pointee.nextEvent = 0
                run(block)
                return
            }
            // The fetch may have taken time: translations, which are kept.
            if cpu.pointee.cycles >= engine.event { return }
            let last = cpu.pointee.cycles &+ UInt64(block.pointee.reach)
            if last < event && UInt64(block.pointee.count) <= instructions {
                run(block)
            } else {
                cpu.pointee.nextEvent = 0
                run(try self.block(at: cpu.pointee.rip, isSingle: true))
            }
        } catch {
            handle(error)
        }
    }
    /// The block at RIP, if the jump cache leads to it.
    private var knownBlock: BlockPointer? {
        let rip = cpu.pointee.rip
        let entry = JumpCache.entry(cpu.pointee.jumps, rip)
        guard entry.pointee.rip == rip, entry.pointee.op.pointee.handler != BlockStore.staleHandler else { return nil }
        return BlockPointer(of: entry.pointee.op)
    }

    /// One instruction.
    private func runOne() {
        cpu.pointee.nextEvent = 0
        let traps = system.flags & RFLAGS.trap != 0
        suppressesSingleStep = false
        engine.codeChanged = false
        boundaryWork = false
        // A shadow or a breakpoint may end here.
        defer { boundaryWork = true }
        do throws(Interruption) {
            let block = try block(at: cpu.pointee.rip, isSingle: true)
            if cpu.pointee.cycles >= engine.event && block.pointee.page != BlockStore.noPage { return }
            if machine.eventMask.contains(.instruction) {
                machine.emit(.instruction(rip: LinearAddress(cpu.pointee.rip)), self)
            }
            let next = cpu.pointee.rip &+ UInt64(block.pointee.bytes), retired = cpu.pointee.instructions
            if run(block) && traps {
                // SDM 3B 17.4.3 "Single-Stepping on Branches". A repeated string instruction with iterations left has
                // not retired; a branch to the next instruction cannot be told from none.
                let branched = cpu.pointee.rip != next && cpu.pointee.instructions != retired
                if branched || system.debugCtl & DebugControl.branchStep == 0 { singleStepCompleted() }
            }
        } catch {
            handle(error)
        }
    }

    /// Runs handlers from a block on. True: they returned at a boundary; false: an interruption was handled.
    @discardableResult
    private func run(_ block: BlockPointer) -> Bool {
        #if TRAMPOLINE
            var next: OpPointer? = block.ops
            while let op = next {
                next = unsafeBitCast(op.pointee.handler, to: Handler.self)(cpu, op, cpu.pointee.tlb, cpu.pointee.cycles)
            }
        #else
            unsafeBitCast(block.ops.pointee.handler, to: Handler.self)(
                cpu, block.ops, cpu.pointee.tlb, cpu.pointee.cycles)
        #endif
        if cpu.pointee.exitReason == LeaveReason.boundary { return true }
        guard let interruption = engine.pending else { return true }
        engine.pending = nil
        handle(interruption)
        return false
    }
}
