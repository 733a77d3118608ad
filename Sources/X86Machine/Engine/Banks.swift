import CEngineState
import X86Architecture

/// For which translations and which privilege a bank's tags hold.
struct BankContext: Equatable {
    var tags = TranslationTags()
    /// Everything else that decides what an access may do or how code is decoded, packed.
    var view: UInt64 = 0
}

/// Which slots of a table have been filled since it was last emptied, as long as they are few: flushes of a nearly
/// empty table (VM exits without VPIDs, one after the other) then cost what it holds.
struct FilledSlots {
    private var slots = InlineArray<256, UInt16>(repeating: 0)
    private var count = 0

    @inline(__always) mutating func note(_ slot: Int) {
        if count < slots.count { slots[count] = UInt16(truncatingIfNeeded: slot) }
        count &+= 1
    }
    /// Empties the table.
    mutating func clear<T>(_ table: UnsafeMutablePointer<T>, capacity: Int, to empty: T) {
        if count <= slots.count {
            for n in 0..<count { table[Int(slots[n])] = empty }
        } else {
            table.update(repeating: empty, count: capacity)
        }
        count = 0
    }
}

/// Fast translations of one context, and a cache from RIP to block for it.
final class Bank {
    let entries: UnsafeMutablePointer<TLBEntry>
    let jumps: UnsafeMutablePointer<JumpEntry>
    @exclusivity(unchecked) var context = BankContext()
    @exclusivity(unchecked) var isUsed = false
    /// Has entries or jumps since it was last emptied.
    @exclusivity(unchecked) var isDirty = false
    @exclusivity(unchecked) private var filledEntries = FilledSlots()
    @exclusivity(unchecked) private var filledJumps = FilledSlots()
    /// Which pages, by the low bits of their numbers, jumps lead to.
    @exclusivity(unchecked) private var codePages = InlineArray<64, UInt64>(repeating: 0)

    init(placeholder: UnsafeMutablePointer<MicroOp>) {
        entries = .allocate(capacity: FastBank.count)
        entries.initialize(repeating: FastBank.empty, count: FastBank.count)
        let bytes = JumpCache.count * MemoryLayout<JumpEntry>.stride
        jumps = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
            .bindMemory(to: JumpEntry.self, capacity: JumpCache.count)
        JumpCache.clear(jumps, placeholder)
    }
    deinit { entries.deallocate(); jumps.deallocate() }

    func flush(_ placeholder: UnsafeMutablePointer<MicroOp>) {
        guard isDirty else { return }
        filledEntries.clear(entries, capacity: FastBank.count, to: FastBank.empty)
        flushJumps(placeholder)
        isDirty = false
    }
    func mayHaveJumps(to page: UInt64) -> Bool { codePages[Int(page &>> 18 & 63)] &>> (page &>> 12) & 1 != 0 }
    func noteJump(to page: UInt64) {
        codePages[Int(page &>> 18 & 63)] |= 1 &<< (page &>> 12)
        isDirty = true
    }
    func flushJumps(_ placeholder: UnsafeMutablePointer<MicroOp>) {
        codePages = .init(repeating: 0)
        filledJumps.clear(jumps, capacity: JumpCache.count, to: JumpEntry(rip: JumpCache.noRIP, op: placeholder))
        jumps.pointee.rip = JumpCache.elsewhere
    }
    func insert(_ entry: TLBEntry, tag: UInt64) {
        let slot = FastBank.entry(entries, tag)
        slot.pointee = entry
        filledEntries.note(slot - entries)
        isDirty = true
    }
    func insertJump(_ rip: UInt64, to op: OpPointer) {
        let slot = JumpCache.entry(jumps, rip)
        slot.pointee = JumpEntry(rip: rip, op: op)
        filledJumps.note(slot - jumps)
        isDirty = true
    }
}

/// A few banks, so that switching between contexts (VMFUNC, CR3 with PCIDs, user and kernel mode) keeps them warm.
/// Contents mirror the architectural store of translations and are dropped with its entries.
final class BankPool {
    static let count = 16
    /// In which nothing ever matches.
    let empty: Bank
    @exclusivity(unchecked) private(set) var banks: [Bank]
    @exclusivity(unchecked) private(set) var current: Bank
    @exclusivity(unchecked) private var nextVictim = 0
    private let placeholder: UnsafeMutablePointer<MicroOp>

    init() {
        placeholder = .allocate(capacity: 1)
        placeholder.initialize(to: MicroOp())
        let p = placeholder
        empty = Bank(placeholder: p)
        banks = []
        current = empty
    }
    deinit { placeholder.deallocate() }

    /// Makes the bank of `context` current, taking over another one's place if it has none.
    func select(_ context: BankContext) {
        if current.isUsed && current.context == context { return }
        for bank in banks where bank.context == context && bank.isUsed {
            current = bank
            return
        }
        if banks.count < Self.count {
            current = Bank(placeholder: placeholder)
            banks.append(current)
        } else {
            nextVictim = (nextVictim + 1) % Self.count
            current = banks[nextVictim]
            current.flush(placeholder)
        }
        current.context = context
        current.isUsed = true
    }
    /// Accesses that must all be looked at (alignment checks) use the empty bank's entries.
    func selectEmpty() { current = empty }

    func flushAll() { for bank in banks { bank.flush(placeholder) } }
    /// Drops a page's entry in every bank; jumps into it, too, wherever they are.
    func flush(page: UInt64) {
        for bank in banks where bank.isDirty {
            let entry = FastBank.entry(bank.entries, page)
            let e = entry.pointee
            if e.read == page || e.write == page || e.execute == page { entry.pointee = FastBank.empty }
            if bank.mayHaveJumps(to: page) { bank.flushJumps(placeholder) }
        }
    }
    func forgetJumps() { for bank in banks { bank.flushJumps(placeholder) } }
    func forgetCurrentJumps() { if current.isDirty { current.flushJumps(placeholder) } }
    func dropWriteEntries() {
        for bank in banks where bank.isDirty {
            for n in 0..<FastBank.count { bank.entries[n].write = ~0 }
        }
    }
    /// Drops the right to write a page of host memory, wherever it is mapped.
    func dropWriteEntries(host: UnsafeMutableRawPointer) {
        let address = UInt64(UInt(bitPattern: host))
        for bank in banks where bank.isDirty {
            for n in 0..<FastBank.count {
                let e = bank.entries[n]
                if e.write != ~0 && e.write &+ e.addend == address { bank.entries[n].write = ~0 }
            }
        }
    }
}
