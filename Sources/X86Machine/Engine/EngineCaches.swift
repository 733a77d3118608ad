import CEngineState
import X86Architecture

/// What the engine derives from architectural state: translated blocks, fast TLB banks, jump caches.
final class EngineCaches {
    /// A bank in which nothing matches.
    let emptyBank: UnsafeMutablePointer<TLBEntry>
    let emptyJumps: UnsafeMutablePointer<JumpEntry>
    var leaveRequested = false
    /// Where the current instruction continues when that is not the next one: set by branches, IRET, VM transitions.
    var nextRIP: UInt64?

    init() {
        emptyBank = .allocate(capacity: 1024)
        emptyBank.initialize(repeating: TLBEntry(read: ~0, write: ~0, execute: ~0, addend: 0), count: 1024)
        emptyJumps = UnsafeMutableRawPointer.allocate(byteCount: 4096 * MemoryLayout<JumpEntry>.stride, alignment: 16)
            .assumingMemoryBound(to: JumpEntry.self)
    }
    deinit { emptyBank.deallocate(); emptyJumps.deallocate() }

    /// Drops the blocks made from a physical page that was written.
    func invalidateBlocks(physicalPage: PhysicalAddress) {}
    /// Drops everything derived, after a restore.
    func flush() {}
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
