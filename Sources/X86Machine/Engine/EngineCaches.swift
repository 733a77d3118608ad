import CEngineState
import X86Architecture
import X86Decoder

/// What the engine derives from architectural state: translated blocks, fast TLB banks, jump caches.
/// Dropping any of it at any time changes no result.
final class EngineCaches {
    let blocks = BlockStore()
    let banks = BankPool()
    let plans: [RowPlan]
    let general: [GeneralFunction]
    let handlers: [Handler]

    /// `Processor.writableCR4`, once it has been asked for.
    var writableCR4: UInt64?
    /// Spares VM entries checks that cannot fail.
    let passedEntry = PassedEntry()

    /// What the instruction out of line threw; `cpu.exitReason` says when to look.
    var pending: Interruption?
    /// Where the current instruction continues when that is not the next one: set by branches, IRET, VM transitions.
    var nextRIP: UInt64?
    /// A repeated string instruction stopped between iterations: RIP stays and nothing retires.
    var isRepeating = false
    /// Blocks were dropped: the one that is running may be among them.
    var codeChanged = false
    /// The cycle of the next event: no instruction begins at or after it. `cpu.nextEvent` is earlier by a margin.
    var event: UInt64 = 0

    var emptyBank: UnsafeMutablePointer<TLBEntry> { banks.empty.entries }
    var emptyJumps: UnsafeMutablePointer<JumpEntry> { banks.empty.jumps }

    init(_ model: ProcessorModel) {
        plans = EngineTables.shared.plans(for: model)
        general = generalFunctionTable
        handlers = handlerTable
    }

    /// After a snapshot: no fast write entry may survive, as every page is to be saved again.
    func dropWriteEntries() { banks.dropWriteEntries() }
    /// After a restore: everything derived goes.
    func dropEverything() {
        banks.flushAll()
        blocks.flush()
        banks.forgetJumps()
    }

    /// Static cost of an instruction in cycles.
    @inline(__always) func cost(_ i: borrowing Instruction) -> UInt64 {
        let plan = plans[Int(i.row)]
        return UInt64(i.hasMemory ? (i.prefixes.lock ? plan.lockedCost : plan.memoryCost) : plan.cost)
    }
}

extension Processor {
    /// Where the current instruction continues when that is not the next one.
    var nextRIP: UInt64? {
        get { engine.nextRIP }
        set { engine.nextRIP = newValue }
    }
}

/// Instructions whose rows have access `sys`: one function each, named as in the table, in extensions by family.
/// `cpu.rip` is the instruction's own and `cpu.cycles` exact; on return RIP advances unless `nextRIP` was set.
enum SystemInstructions {}
