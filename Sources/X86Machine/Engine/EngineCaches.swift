import CEngineState
import X86Architecture
import X86Decoder

/// What the engine derives from architectural state: translated blocks, fast TLB banks, jump caches.
/// Dropping any of it at any time changes no result.
final class EngineCaches {
    let blocks = BlockStore()
    let banks = BankPool()
    // Tables by pointers: reading an array would count a reference at every instruction.
    private let tables: EngineTablePointers
    @inline(__always) var plans: UnsafePointer<RowPlan> { tables.plans }
    @inline(__always) var general: UnsafePointer<GeneralFunction> { tables.general }
    let handlers: [Handler]

    /// `Processor.writableCR4`, once it has been asked for.
    @exclusivity(unchecked) var writableCR4: UInt64?
    /// IA32_VMX_PROCBASED_CTLS2 of the processor's model.
    let secondaryControls: ControlCapability
    /// Spares VM entries checks that cannot fail.
    let passedEntry = PassedEntry()

    /// What the instruction out of line threw; `cpu.exitReason` says when to look.
    @exclusivity(unchecked) var pending: Interruption?
    /// Where the current instruction continues when that is not the next one: set by branches, IRET, VM transitions.
    @exclusivity(unchecked) var nextRIP: UInt64?
    /// A repeated string instruction stopped between iterations: RIP stays and nothing retires.
    @exclusivity(unchecked) var isRepeating = false
    /// Blocks were dropped: the one that is running may be among them.
    @exclusivity(unchecked) var codeChanged = false
    /// The cycle of the next event: no instruction begins at or after it. `cpu.nextEvent` is earlier by a margin.
    @exclusivity(unchecked) var event: UInt64 = 0

    var emptyBank: UnsafeMutablePointer<TLBEntry> { banks.empty.entries }
    var emptyJumps: UnsafeMutablePointer<JumpEntry> { banks.empty.jumps }

    init(_ model: ProcessorModel) {
        tables = EngineTablePointers(EngineTables.shared.plans(for: model), generalFunctionTable)
        handlers = handlerTable
        secondaryControls = VMXModel.secondaryControls(of: model)
    }

    deinit { tables.deallocate() }

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

/// Copies of the tables that a processor of some model works by.
private struct EngineTablePointers {
    let plans: UnsafePointer<RowPlan>
    let general: UnsafePointer<GeneralFunction>

    init(_ plans: [RowPlan], _ general: [GeneralFunction]) {
        func copy<T>(_ table: [T]) -> UnsafePointer<T> {
            let copy = UnsafeMutablePointer<T>.allocate(capacity: table.count)
            copy.initialize(from: table, count: table.count)
            return UnsafePointer(copy)
        }
        self.plans = copy(plans)
        self.general = copy(general)
    }
    func deallocate() {
        plans.deallocate()
        general.deallocate()
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
