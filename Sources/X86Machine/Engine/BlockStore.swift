import CEngineState
import X86Architecture
import X86Decoder

typealias BlockPointer = UnsafeMutablePointer<BlockHeader>

/// A block lies in the arena as: header, micro-ops, decoded instructions.
extension UnsafeMutablePointer where Pointee == BlockHeader {
    @inline(__always) var ops: OpPointer { UnsafeMutableRawPointer(self + 1).assumingMemoryBound(to: MicroOp.self) }
    @inline(__always) func instruction(_ n: Int) -> UnsafeMutablePointer<Instruction> {
        UnsafeMutableRawPointer(ops + Int(pointee.ops)).assumingMemoryBound(to: Instruction.self) + n
    }
    /// The block that a micro-op belongs to.
    @inline(__always) init(of op: OpPointer) {
        self = (UnsafeMutableRawPointer(op - Int(op.pointee.position)) - MemoryLayout<BlockHeader>.stride)
            .assumingMemoryBound(to: BlockHeader.self)
    }
    var straddles: Bool { pointee.secondPage != BlockStore.noPage }
}

/// Which block: where it is in linear and physical memory, and how code is decoded there.
struct BlockIdentity {
    var rip: UInt64
    /// Of the first byte.
    var physical: PhysicalAddress
    /// Code size, flat segments, single instruction.
    var key: UInt64
}

/// Translated blocks of one processor, found by identity and dropped by physical page. Memory comes from an arena that
/// is emptied whole when full.
final class BlockStore {
    static let noPage: UInt64 = ~0
    private static let arenaBytes = 24 << 20, bucketCount = 1 << 14
    private let arena: UnsafeMutableRawPointer
    @exclusivity(unchecked) private var used = 0
    private let byIdentity: UnsafeMutablePointer<BlockPointer?>
    private let byPage: UnsafeMutablePointer<BlockPointer?>
    /// Blocks whose instruction lies in two pages, by the second one.
    @exclusivity(unchecked) private var straddling: [BlockPointer] = []
    /// Counts emptyings: a link may only be made to a block of the same generation as the one that jumps.
    @exclusivity(unchecked) private(set) var generation = 0

    init() {
        arena = .allocate(byteCount: Self.arenaBytes, alignment: 64)
        byIdentity = .allocate(capacity: Self.bucketCount)
        byPage = .allocate(capacity: Self.bucketCount)
        byIdentity.initialize(repeating: nil, count: Self.bucketCount)
        byPage.initialize(repeating: nil, count: Self.bucketCount)
    }
    deinit { arena.deallocate(); byIdentity.deallocate(); byPage.deallocate() }

    func flush() {
        used = 0
        straddling = []
        byIdentity.update(repeating: nil, count: Self.bucketCount)
        byPage.update(repeating: nil, count: Self.bucketCount)
        generation += 1
    }

    // MARK: Finding

    private func bucket(_ id: BlockIdentity) -> Int {
        var h = id.physical.rawValue ^ id.rip &<< 7 ^ id.key &<< 40
        h = h &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: h &>> 40) & (Self.bucketCount - 1)
    }
    private func bucket(page: UInt64) -> Int { Int(truncatingIfNeeded: page &>> 12) & (Self.bucketCount - 1) }

    func find(_ id: BlockIdentity) -> BlockPointer? {
        var next = byIdentity[bucket(id)]
        while let block = next {
            let b = block.pointee
            if b.rip == id.rip && b.page | b.offset == id.physical.rawValue && b.key == id.key { return block }
            next = b.nextOfHash
        }
        return nil
    }

    // MARK: Making

    /// Room for a block, or nil: the arena is full and has to be emptied.
    func allocate(ops: Int, instructions: Int) -> BlockPointer? {
        let bytes = MemoryLayout<BlockHeader>.stride + ops * MemoryLayout<MicroOp>.stride
            + instructions * MemoryLayout<Instruction>.stride
        guard used + bytes <= Self.arenaBytes else { return nil }
        let block = (arena + used).assumingMemoryBound(to: BlockHeader.self)
        used = (used + bytes + 63) & ~63
        return block
    }
    func add(_ block: BlockPointer, _ id: BlockIdentity) {
        let b = bucket(id), p = bucket(page: block.pointee.page)
        block.pointee.nextOfHash = byIdentity[b]
        byIdentity[b] = block
        block.pointee.nextOfPage = byPage[p]
        byPage[p] = block
        if block.straddles { straddling.append(block) }
    }

    // MARK: Dropping

    /// Drops the blocks made from a physical page. Whoever still holds a pointer to one runs into its first micro-op,
    /// which looks for the block anew. True if there were any.
    func invalidate(page: UInt64) -> Bool {
        var dropped = false
        let list = byPage + bucket(page: page)
        var previous: BlockPointer?, next = list.pointee
        while let block = next {
            next = block.pointee.nextOfPage
            guard block.pointee.page == page else { previous = block; continue }
            if let previous { previous.pointee.nextOfPage = next } else { list.pointee = next }
            drop(block)
            if block.straddles { straddling.removeAll { $0 == block } }
            dropped = true
        }
        for block in straddling where block.pointee.secondPage == page {
            remove(block, from: byPage + bucket(page: block.pointee.page))
            drop(block)
            dropped = true
        }
        straddling.removeAll { $0.pointee.secondPage == page }
        return dropped
    }
    private func remove(_ block: BlockPointer, from list: UnsafeMutablePointer<BlockPointer?>) {
        if list.pointee == block { list.pointee = block.pointee.nextOfPage; return }
        var previous = list.pointee
        while let p = previous {
            if p.pointee.nextOfPage == block { p.pointee.nextOfPage = block.pointee.nextOfPage; return }
            previous = p.pointee.nextOfPage
        }
    }
    private func drop(_ block: BlockPointer) {
        let b = block.pointee
        let bucket = bucket(BlockIdentity(rip: b.rip, physical: PhysicalAddress(b.page | b.offset), key: b.key))
        if byIdentity[bucket] == block {
            byIdentity[bucket] = b.nextOfHash
        } else {
            var previous = byIdentity[bucket]
            while let p = previous {
                if p.pointee.nextOfHash == block { p.pointee.nextOfHash = b.nextOfHash; break }
                previous = p.pointee.nextOfHash
            }
        }
        block.ops.pointee.handler = BlockStore.staleHandler
        block.ops.pointee.imm = b.rip
    }
    nonisolated(unsafe) static let staleHandler =
        unsafeBitCast(handlerTable[FixedHandler.stale.rawValue], to: UnsafeMutableRawPointer.self)
}
