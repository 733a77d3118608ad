import CEngineState

/// What the engine derives from architectural state: translated blocks, fast TLB banks, jump caches.
final class EngineCaches {
    /// A bank in which nothing matches.
    let emptyBank: UnsafeMutablePointer<TLBEntry>
    let emptyJumps: UnsafeMutablePointer<JumpEntry>
    init() {
        emptyBank = .allocate(capacity: 1024)
        emptyBank.initialize(repeating: TLBEntry(read: ~0, write: ~0, execute: ~0, addend: 0), count: 1024)
        emptyJumps = UnsafeMutableRawPointer.allocate(byteCount: 4096 * MemoryLayout<JumpEntry>.stride, alignment: 16)
            .assumingMemoryBound(to: JumpEntry.self)
    }
}
