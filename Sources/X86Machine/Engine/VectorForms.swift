// Operand forms of vector instructions, as in Forms.swift: v XMM register, m memory, g general register, i immediate.
// A 16-byte operand that has to be aligned and is not goes out of line, where it raises #GP(0).
import CEngineState
import X86Architecture

extension Step {
    @inline(__always) private var vectors: UnsafeMutableRawPointer { file + StateOffset.xmm }
    @inline(__always) var vdst: XMM { vectors.loadUnaligned(fromByteOffset: Int(op.pointee.dst), as: XMM.self) }
    @inline(__always) var vsrc: XMM { vectors.loadUnaligned(fromByteOffset: Int(op.pointee.src), as: XMM.self) }
    @inline(__always) func setVDst(_ value: XMM) {
        vectors.storeBytes(of: value, toByteOffset: Int(op.pointee.dst), as: XMM.self)
    }
}

/// What is loaded from memory, zero-extended to a vector.
protocol VectorMemory {
    static func load(_ s: Step, _ ea: UInt64) -> XMM?
    static func store(_ s: Step, _ ea: UInt64, _ value: XMM) -> Bool
    static func load(_ p: Processor, _ a: MemoryOperandAddress) throws(Interruption) -> XMM
    static func store(_ p: Processor, _ a: MemoryOperandAddress, _ value: XMM) throws(Interruption)
    static var bytes: Int { get }
}
/// 16 bytes, aligned.
enum Aligned: VectorMemory {
    static var bytes: Int { 16 }
    @inline(__always) static func load(_ s: Step, _ ea: UInt64) -> XMM? {
        guard _fastPath(ea & 15 == 0) else { return nil }
        return Fast.load(s, ea)
    }
    @inline(__always) static func store(_ s: Step, _ ea: UInt64, _ value: XMM) -> Bool {
        guard _fastPath(ea & 15 == 0) else { return false }
        return Fast.store(s, ea, value)
    }
    static func load(_ p: Processor, _ a: MemoryOperandAddress) throws(Interruption) -> XMM {
        if a.linear.rawValue & 15 != 0 { throw .exception(.generalProtection()) }
        return try Unaligned.load(p, a)
    }
    static func store(_ p: Processor, _ a: MemoryOperandAddress, _ value: XMM) throws(Interruption) {
        if a.linear.rawValue & 15 != 0 { throw .exception(.generalProtection()) }
        try Unaligned.store(p, a, value)
    }
}
/// 16 bytes anywhere: two quadwords, which alignment checking looks at each for itself.
enum Unaligned: VectorMemory {
    static var bytes: Int { 16 }
    @inline(__always) static func load(_ s: Step, _ ea: UInt64) -> XMM? { Fast.load(s, ea) }
    @inline(__always) static func store(_ s: Step, _ ea: UInt64, _ value: XMM) -> Bool { Fast.store(s, ea, value) }
    @inline(never) static func load(_ p: Processor, _ a: MemoryOperandAddress) throws(Interruption) -> XMM {
        let low = try p.load(a.linear, as: UInt64.self, stack: a.stack)
        return XMM(low, try p.load(a.linear + 8, as: UInt64.self, stack: a.stack))
    }
    @inline(never) static func store(
        _ p: Processor, _ a: MemoryOperandAddress, _ value: XMM
    ) throws(Interruption) {
        try p.probeWrite(a.linear, bytes: 16, .current, stack: a.stack)
        try p.store(a.linear, value[0], stack: a.stack)
        try p.store(a.linear + 8, value[1], stack: a.stack)
    }
}
/// Scalars: 8, 4, 2 bytes, whatever the alignment; as large as the type.
extension Width where Self: VectorMemory {
    @inline(__always) static func load(_ s: Step, _ ea: UInt64) -> XMM? {
        guard let value = Fast.load(s, ea, Self.self) else { return nil }
        return XMM(UInt64(value), 0)
    }
    @inline(__always) static func store(_ s: Step, _ ea: UInt64, _ value: XMM) -> Bool {
        Fast.store(s, ea, Self(truncatingIfNeeded: value[0]))
    }
    static func load(_ p: Processor, _ a: MemoryOperandAddress) throws(Interruption) -> XMM {
        XMM(try p.load(a, bytes: bytes), 0)
    }
    static func store(_ p: Processor, _ a: MemoryOperandAddress, _ value: XMM) throws(Interruption) {
        try p.store(a, bytes: bytes, value[0])
    }
}
extension UInt8: VectorMemory {}
extension UInt16: VectorMemory {}
extension UInt32: VectorMemory {}
extension UInt64: VectorMemory {}

extension Fast {
    @inline(__always) static func load(_ s: Step, _ ea: UInt64) -> XMM? {
        let e = FastBank.entry(s.tlb, ea)
        guard _fastPath((ea &+ 15) & ~0xfff == e.pointee.read) else { return nil }
        return host(e, ea).loadUnaligned(as: XMM.self)
    }
    @inline(__always) static func store(_ s: Step, _ ea: UInt64, _ value: XMM) -> Bool {
        let e = FastBank.entry(s.tlb, ea)
        guard _fastPath((ea &+ 15) & ~0xfff == e.pointee.write) else { return false }
        host(e, ea).storeBytes(of: value, as: XMM.self)
        return true
    }
}

// MARK: First operand read and written

@inline(__always) func vv<A: Lanes, B: Lanes, R: Lanes>(_ s: Step, _ f: (A, B) -> R) -> Flow {
    s.setVDst(f(A(s.vdst), B(s.vsrc)).bits)
    return s.next()
}
@inline(__always) func vm<M: VectorMemory, A: Lanes, B: Lanes, R: Lanes>(
    _ s: Step, _ ea: UInt64, _: M.Type, _ f: (A, B) -> R
) -> Flow {
    guard let b = M.load(s, ea) else { return s.miss() }
    s.setVDst(f(A(s.vdst), B(b)).bits)
    return s.next()
}
@inline(__always) func vv<A: Lanes, B: Lanes, R: Lanes>(_ s: Step, _ f: (A, B, UInt8) -> R) -> Flow {
    s.setVDst(f(A(s.vdst), B(s.vsrc), s.imm()).bits)
    return s.next()
}
@inline(__always) func vm<M: VectorMemory, A: Lanes, B: Lanes, R: Lanes>(
    _ s: Step, _ ea: UInt64, _: M.Type, _ f: (A, B, UInt8) -> R
) -> Flow {
    guard let b = M.load(s, ea) else { return s.miss() }
    s.setVDst(f(A(s.vdst), B(b), s.imm()).bits)
    return s.next()
}
/// The source's low quadword is a count.
@inline(__always) func vv<A: Lanes>(_ s: Step, _ f: (A, UInt64) -> A) -> Flow {
    s.setVDst(f(A(s.vdst), s.vsrc[0]).bits)
    return s.next()
}
@inline(__always) func vm<M: VectorMemory, A: Lanes>(
    _ s: Step, _ ea: UInt64, _: M.Type, _ f: (A, UInt64) -> A
) -> Flow {
    guard let b = M.load(s, ea) else { return s.miss() }
    s.setVDst(f(A(s.vdst), b[0]).bits)
    return s.next()
}
@inline(__always) func vi<A: Lanes>(_ s: Step, _ f: (A, UInt64) -> A) -> Flow {
    s.setVDst(f(A(s.vdst), UInt64(s.imm() as UInt8)).bits)
    return s.next()
}

// MARK: First operand only written

@inline(__always) func vv<B: Lanes, R: Lanes>(_ s: Step, _ f: (B) -> R) -> Flow {
    s.setVDst(f(B(s.vsrc)).bits)
    return s.next()
}
@inline(__always) func vm<M: VectorMemory, B: Lanes, R: Lanes>(
    _ s: Step, _ ea: UInt64, _: M.Type, _ f: (B) -> R
) -> Flow {
    guard let b = M.load(s, ea) else { return s.miss() }
    s.setVDst(f(B(b)).bits)
    return s.next()
}
@inline(__always) func vv<B: Lanes, R: Lanes>(_ s: Step, _ f: (B, UInt8) -> R) -> Flow {
    s.setVDst(f(B(s.vsrc), s.imm()).bits)
    return s.next()
}
@inline(__always) func vm<M: VectorMemory, B: Lanes, R: Lanes>(
    _ s: Step, _ ea: UInt64, _: M.Type, _ f: (B, UInt8) -> R
) -> Flow {
    guard let b = M.load(s, ea) else { return s.miss() }
    s.setVDst(f(B(b), s.imm()).bits)
    return s.next()
}
@inline(__always) func mv<M: VectorMemory>(_ s: Step, _ ea: UInt64, _: M.Type, _ f: (XMM) -> XMM) -> Flow {
    guard M.store(s, ea, f(s.vsrc)) else { return s.miss() }
    return s.next()
}
/// A mask, or one element, to a general register of 32 bits.
@inline(__always) func gv<B: Lanes>(_ s: Step, _ f: (B) -> UInt32) -> Flow {
    s.setDst(f(B(s.vsrc)))
    return s.next()
}
/// MOVD and MOVQ between register files.
@inline(__always) func gv<W: Width>(_ s: Step, _: W.Type) -> Flow {
    s.setDst(W(truncatingIfNeeded: s.vsrc[0]))
    return s.next()
}
@inline(__always) func vg<W: Width>(_ s: Step, _: W.Type) -> Flow {
    s.setVDst(XMM(UInt64(s.src() as W), 0))
    return s.next()
}
