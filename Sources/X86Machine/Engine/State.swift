import CEngineState

typealias CPUPointer = UnsafeMutablePointer<CPU>
typealias OpPointer = UnsafeMutablePointer<MicroOp>
typealias TLBPointer = UnsafeMutablePointer<TLBEntry>

/// Release: a handler ends in a tail call. Debug has none (-Onone): a handler returns the next micro-op to a loop.
#if TRAMPOLINE
    typealias Flow = OpPointer?
#else
    typealias Flow = Void
#endif
/// `cycles` is the clock when the block was entered plus what slow paths of it added since:
/// the clock at a micro-op is `cycles + op.cost`.
typealias Handler = @convention(c) (CPUPointer, OpPointer, TLBPointer, UInt64) -> Flow

/// The widths of a general-purpose operand.
protocol Width: FixedWidthInteger & UnsignedInteger where Magnitude == Self {
    static func write(_ file: UnsafeMutableRawPointer, _ offset: UInt8, _ value: Self)
}
extension Width {
    @inline(__always) static func write(_ file: UnsafeMutableRawPointer, _ offset: UInt8, _ value: Self) {
        file.storeBytes(of: value, toByteOffset: Int(offset), as: Self.self)
    }
    @inline(__always) static var bytes: Int { bitWidth / 8 }
    @inline(__always) var signExtended: Int64 {
        let k = Int64(64 &- Self.bitWidth)
        return (Int64(truncatingIfNeeded: self) &<< k) &>> k
    }
    @inline(__always) var isNegative: Bool { self &>> Self(Self.bitWidth - 1) != 0 }
}
extension UInt8: Width {}
extension UInt16: Width {}
/// A 32-bit write clears the upper half (SDM 1 3.4.1.1 "General-Purpose Registers in 64-Bit Mode").
extension UInt32: Width {
    @inline(__always) static func write(_ file: UnsafeMutableRawPointer, _ offset: UInt8, _ value: UInt32) {
        file.storeBytes(of: UInt64(value), toByteOffset: Int(offset), as: UInt64.self)
    }
}
extension UInt64: Width {}

/// Byte offsets in `CPU` that micro-ops use for what is not a general register.
enum StateOffset {
    static let rsp: UInt8 = 32, rbp: UInt8 = 40
    static let zero: UInt8 = 128
    static let temp: UInt8 = 136
    static let segmentBase: UInt8 = 152
    /// Of XMM0; those of vector operands in micro-ops count from here.
    static let xmm = 336
}

/// Why handlers returned to the run loop.
enum LeaveReason {
    /// At a boundary: an event is near, somebody kicked, or a single block was wanted.
    static let boundary: UInt64 = 0
    /// `engine.pending` holds an interruption of the instruction at `cpu.rip`.
    static let interruption: UInt64 = 1
}

/// The four values every handler is called with.
struct Step {
    let cpu: CPUPointer, op: OpPointer, tlb: TLBPointer, cycles: UInt64
    @inline(__always) init(_ cpu: CPUPointer, _ op: OpPointer, _ tlb: TLBPointer, _ cycles: UInt64) {
        self.cpu = cpu; self.op = op; self.tlb = tlb; self.cycles = cycles
    }

    @inline(__always) var file: UnsafeMutableRawPointer { UnsafeMutableRawPointer(cpu) }
    @inline(__always) func read<W: Width>(_ offset: UInt8) -> W { file.load(fromByteOffset: Int(offset), as: W.self) }
    @inline(__always) func dst<W: Width>() -> W { read(op.pointee.dst) }
    @inline(__always) func src<W: Width>() -> W { read(op.pointee.src) }
    @inline(__always) func imm<W: Width>() -> W { W(truncatingIfNeeded: op.pointee.imm) }
    @inline(__always) func setDst<W: Width>(_ value: W) { W.write(file, op.pointee.dst, value) }
    @inline(__always) var ea0: UInt64 { read(op.pointee.base) &+ UInt64(bitPattern: Int64(op.pointee.disp)) }
    @inline(__always) var ea1: UInt64 { ea0 &+ ((read(op.pointee.index) as UInt64) &<< UInt64(op.pointee.scale)) }
    @inline(__always) var rsp: UInt64 {
        get { cpu.pointee.regs.4 }
        nonmutating set { cpu.pointee.regs.4 = newValue }
    }

    @inline(__always) func go(_ next: OpPointer, _ cycles: UInt64) -> Flow {
        #if TRAMPOLINE
            cpu.pointee.cycles = cycles
            return next
        #else
            return unsafeBitCast(next.pointee.handler, to: Handler.self)(cpu, next, tlb, cycles)
        #endif
    }
    @inline(__always) func next() -> Flow { go(op + 1, cycles) }
    /// Returns to the run loop with exact RIP and clock.
    @inline(__always) func leave(_ reason: UInt64, _ rip: UInt64, _ cycles: UInt64) -> Flow {
        cpu.pointee.cycles = cycles
        cpu.pointee.rip = rip
        cpu.pointee.exitReason = reason
        #if TRAMPOLINE
            return nil
        #endif
    }
    /// Ends the block through the link slot at `op + slot`: counts, looks for events, goes on at the linked block.
    @inline(__always) func follow(_ slot: Int) -> Flow {
        let link = op + slot
        let after = cycles &+ UInt64(link.pointee.cost)
        cpu.pointee.instructions &+= UInt64(link.pointee.count)
        if _slowPath(after >= cpu.pointee.nextEvent) { return leave(LeaveReason.boundary, link.pointee.imm, after) }
        guard let next = link.pointee.handler else { return linkBlock(cpu, link, tlb, after) }
        return go(next.assumingMemoryBound(to: MicroOp.self), after)
    }
    @inline(__always) func jumpEntry(_ rip: UInt64) -> UnsafeMutablePointer<JumpEntry> {
        JumpCache.entry(cpu.pointee.jumps, rip)
    }
    /// Ends the block at an address known only now, which `entry` already holds. `op + 1` is the link slot.
    @inline(__always) func enter(_ entry: UnsafeMutablePointer<JumpEntry>) -> Flow {
        let link = op + 1
        let after = cycles &+ UInt64(link.pointee.cost)
        cpu.pointee.instructions &+= UInt64(link.pointee.count)
        if _slowPath(after >= cpu.pointee.nextEvent) { return leave(LeaveReason.boundary, entry.pointee.rip, after) }
        return go(entry.pointee.op, after)
    }
    /// Ends the block at an address in another page.
    @inline(__always) func cross() -> Flow {
        let link = op + 1, rip = link.pointee.imm
        let after = cycles &+ UInt64(link.pointee.cost)
        cpu.pointee.instructions &+= UInt64(link.pointee.count)
        if _slowPath(after >= cpu.pointee.nextEvent) { return leave(LeaveReason.boundary, rip, after) }
        let entry = jumpEntry(rip)
        guard _fastPath(entry.pointee.rip == rip) else { return findBlock(cpu, op, tlb, after, rip) }
        return go(entry.pointee.op, after)
    }
    /// Executes the instruction again, out of line: its access missed the fast bank.
    @inline(__always) func miss() -> Flow { return general(cpu, op, tlb, cycles) }
}

/// SDM 3A 4.10.2: a mirror of cached translations, 1024 pages, direct mapped.
enum FastBank {
    static let count = 1024
    @inline(__always) static func entry(_ tlb: TLBPointer, _ ea: UInt64) -> TLBPointer {
        let offset = Int((ea &>> 7) & UInt64((count - 1) * 32))
        return (UnsafeMutableRawPointer(tlb) + offset).assumingMemoryBound(to: TLBEntry.self)
    }
    /// Never a tag.
    static let empty = TLBEntry(read: ~0, write: ~0, execute: ~0, addend: 0)
}
enum JumpCache {
    static let count = 4096, mask = count - 1
    /// No block starts at this address: it is not canonical. A branch may still name it, so entry 0, where it would
    /// be looked for, holds an address that belongs elsewhere.
    static let noRIP: UInt64 = 0x8000_0000_0000_0000
    static let elsewhere = noRIP | 1
    static func clear(_ jumps: UnsafeMutablePointer<JumpEntry>, _ placeholder: UnsafeMutablePointer<MicroOp>) {
        jumps.update(repeating: JumpEntry(rip: noRIP, op: placeholder), count: count)
        jumps.pointee.rip = elsewhere
    }
    @inline(__always) static func entry(
        _ jumps: UnsafeMutablePointer<JumpEntry>, _ rip: UInt64
    ) -> UnsafeMutablePointer<JumpEntry> {
        let index = (rip ^ rip &>> 12) & UInt64(mask)
        return (UnsafeMutableRawPointer(jumps) + Int(index &<< 4)).assumingMemoryBound(to: JumpEntry.self)
    }
}

/// How a handler reaches memory: one compare of a tag covers presence, rights, page crossing and the dirty flag.
enum Fast {
    @inline(__always) private static func tag<W: Width>(_ ea: UInt64, _: W.Type) -> UInt64 {
        (ea &+ UInt64(W.bytes - 1)) & ~0xfff
    }
    @inline(__always) static func host(_ entry: TLBPointer, _ ea: UInt64) -> UnsafeMutableRawPointer {
        UnsafeMutableRawPointer(bitPattern: UInt(ea &+ entry.pointee.addend)).unsafelyUnwrapped
    }
    @inline(__always) static func load<W: Width>(_ s: Step, _ ea: UInt64, _: W.Type) -> W? {
        let e = FastBank.entry(s.tlb, ea)
        guard _fastPath(tag(ea, W.self) == e.pointee.read) else { return nil }
        return host(e, ea).loadUnaligned(as: W.self)
    }
    /// For read-modify-write: the load needs the right to write (SDM 3A 4.7).
    @inline(__always) static func loadToModify<W: Width>(_ s: Step, _ ea: UInt64, _: W.Type) -> W? {
        let e = FastBank.entry(s.tlb, ea)
        guard _fastPath(tag(ea, W.self) == e.pointee.write) else { return nil }
        return host(e, ea).loadUnaligned(as: W.self)
    }
    @inline(__always) static func modify<W: Width>(_ s: Step, _ ea: UInt64, _ value: W) {
        host(FastBank.entry(s.tlb, ea), ea).storeBytes(of: value, as: W.self)
    }
    @inline(__always) static func store<W: Width>(_ s: Step, _ ea: UInt64, _ value: W) -> Bool {
        let e = FastBank.entry(s.tlb, ea)
        guard _fastPath(tag(ea, W.self) == e.pointee.write) else { return false }
        host(e, ea).storeBytes(of: value, as: W.self)
        return true
    }
}
