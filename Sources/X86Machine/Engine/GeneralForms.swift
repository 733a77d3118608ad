import CEngineState
import X86Architecture
import X86Decoder

/// Executes a decoded instruction completely, or throws having changed nothing but accessed and dirty flags
/// (and what completed iterations of a string instruction changed).
typealias GeneralFunction = @Sendable (Processor, UnsafePointer<Instruction>) throws(Interruption) -> Void

/// Where an operand of a decoded instruction is.
enum Place: UInt8 {
    /// ModRM.rm, or the register of the opcode: register or memory.
    case rm
    /// ModRM.reg.
    case reg
    case vexV
    /// AL, AX, EAX, RAX.
    case accumulator
    case cl, dx
    case immediate
    /// The constant 1.
    case one
    /// Memory whose address is in the instruction.
    case moffs
    case none
}

/// A checked memory operand.
struct MemoryOperandAddress {
    var linear: LinearAddress
    /// In the stack segment: what goes wrong raises #SS instead of #GP.
    var stack: Bool
}

// MARK: Operands

extension Processor {
    var registerBytes: UnsafeMutableRawPointer { UnsafeMutableRawPointer(cpu) }

    /// Byte offset in `CPU` of general register `n`; 8-bit 4 to 7 without REX are AH, CH, DH, BH. Of an XMM register
    /// from `StateOffset.xmm`.
    static func registerOffset(_ n: UInt8, bytes: Int, hasREX: Bool) -> UInt8 {
        if bytes == 16 { return (n & 15) &* 16 }
        return bytes == 1 && n >= 4 && n < 8 && !hasREX ? (n &- 4) &* 8 &+ 1 : (n & 15) &* 8
    }
    /// Byte offset in `CPU` of an operand that is a register.
    static func registerOffset(_ place: Place, _ i: borrowing Instruction, bytes: Int) -> UInt8 {
        switch place {
        case .rm: registerOffset(i.rm, bytes: bytes, hasREX: i.prefixes.rex != 0)
        case .reg: registerOffset(i.reg, bytes: bytes, hasREX: i.prefixes.rex != 0)
        case .vexV: i.vexV &* 8
        case .cl: 8
        case .dx: 16
        default: 0
        }
    }
    @inline(__always) func isMemory(_ place: Place, _ i: borrowing Instruction) -> Bool {
        let hasMemory = i.hasMemory
        return place == .moffs || place == .rm && hasMemory
    }

    /// The checked address of a memory operand.
    func memoryOperand(
        _ place: Place, _ i: borrowing Instruction, bytes: Int, _ use: SegmentUse
    ) throws(Interruption) -> MemoryOperandAddress {
        let offset = place == .moffs ? i.immediate : effectiveOffset(i)
        let linear = try linear(segment: Int(i.segment), offset: offset, bytes: bytes, use)
        return MemoryOperandAddress(linear: linear, stack: i.segment == SegmentIndex.ss)
    }
    /// For read-modify-write: everything the write can raise is raised here.
    func operandToModify(
        _ place: Place, _ i: borrowing Instruction, bytes: Int
    ) throws(Interruption) -> MemoryOperandAddress {
        let a = try memoryOperand(place, i, bytes: bytes, .write)
        try probeWrite(a.linear, bytes: bytes, .current, stack: a.stack)
        return a
    }
    func load(_ a: MemoryOperandAddress, bytes: Int) throws(Interruption) -> UInt64 {
        switch bytes {
        case 1: UInt64(try load(a.linear, as: UInt8.self, .current, stack: a.stack))
        case 2: UInt64(try load(a.linear, as: UInt16.self, .current, stack: a.stack))
        case 4: UInt64(try load(a.linear, as: UInt32.self, .current, stack: a.stack))
        default: try load(a.linear, as: UInt64.self, .current, stack: a.stack)
        }
    }
    func store(_ a: MemoryOperandAddress, bytes: Int, _ value: UInt64) throws(Interruption) {
        switch bytes {
        case 1: try store(a.linear, UInt8(truncatingIfNeeded: value), .current, stack: a.stack)
        case 2: try store(a.linear, UInt16(truncatingIfNeeded: value), .current, stack: a.stack)
        case 4: try store(a.linear, UInt32(truncatingIfNeeded: value), .current, stack: a.stack)
        default: try store(a.linear, value, .current, stack: a.stack)
        }
    }
    @inline(__always) func register<W: Width>(_ place: Place, _ i: borrowing Instruction, _: W.Type) -> W {
        registerBytes.load(fromByteOffset: Int(Self.registerOffset(place, i, bytes: W.bytes)), as: W.self)
    }
    @inline(__always) func setRegister<W: Width>(_ place: Place, _ i: borrowing Instruction, _ value: W) {
        W.write(registerBytes, Self.registerOffset(place, i, bytes: W.bytes), value)
    }
    @inline(__always) func value<W: Width>(
        _ place: Place, _ i: borrowing Instruction, _: W.Type
    ) throws(Interruption) -> W {
        switch place {
        case .immediate: return W(truncatingIfNeeded: i.immediate)
        case .one: return 1
        default:
            guard isMemory(place, i) else { return register(place, i, W.self) }
            return W(truncatingIfNeeded: try load(memoryOperand(place, i, bytes: W.bytes, .read), bytes: W.bytes))
        }
    }
    @inline(__always) func setValue<W: Width>(
        _ place: Place, _ i: borrowing Instruction, _ value: W
    ) throws(Interruption) {
        guard isMemory(place, i) else { return setRegister(place, i, value) }
        try store(memoryOperand(place, i, bytes: W.bytes, .write), bytes: W.bytes, UInt64(value))
    }
    /// Reads, computes and writes an operand.
    @inline(__always) func modify<W: Width>(
        _ place: Place, _ i: borrowing Instruction, _ f: (W) -> W
    ) throws(Interruption) {
        guard isMemory(place, i) else { return setRegister(place, i, f(register(place, i, W.self))) }
        let a = try operandToModify(place, i, bytes: W.bytes)
        try store(a, bytes: W.bytes, UInt64(f(W(truncatingIfNeeded: try load(a, bytes: W.bytes)))))
    }
    var liveFlags: LiveFlags { LiveFlags(cpu) }
}

// MARK: Each operand form once, as in Forms.swift

extension Processor {
    @inline(__always) func combine<W: Width>(
        _ i: borrowing Instruction, _: W.Type, _ d: Place, _ s: Place, _ f: (LiveFlags, W, W) -> W
    ) throws(Interruption) {
        let b = try value(s, i, W.self), flags = liveFlags
        try modify(d, i) { f(flags, $0, b) }
    }
    @inline(__always) func compare<W: Width>(
        _ i: borrowing Instruction, _: W.Type, _ d: Place, _ s: Place, _ f: (LiveFlags, W, W) -> Void
    ) throws(Interruption) {
        let b = try value(s, i, W.self), a = try value(d, i, W.self)
        f(liveFlags, a, b)
    }
    @inline(__always) func change<W: Width>(
        _ i: borrowing Instruction, _: W.Type, _ d: Place, _ f: (LiveFlags, W) -> W
    ) throws(Interruption) {
        let flags = liveFlags
        try modify(d, i) { f(flags, $0) }
    }
    @inline(__always) func convert<W: Width, V: Width>(
        _ i: borrowing Instruction, _: W.Type, _: V.Type, _ d: Place, _ s: Place, _ f: (V) -> W
    ) throws(Interruption) {
        try setValue(d, i, f(try value(s, i, V.self)))
    }
    /// BLSI and its kind: destination and source differ.
    @inline(__always) func combineThree<W: Width>(
        _ i: borrowing Instruction, _: W.Type, _ d: Place, _ s: Place, _ t: Place, _ f: (LiveFlags, W, W) -> W
    ) throws(Interruption) {
        let a = try value(s, i, W.self), b = try value(t, i, W.self)
        setRegister(d, i, f(liveFlags, a, b))
    }
    @inline(__always) func shift<W: Width>(
        _ i: borrowing Instruction, _: W.Type, _ d: Place, _ s: Place, _ f: (LiveFlags, W, UInt8) -> W
    ) throws(Interruption) {
        let count = try value(s, i, UInt8.self), flags = liveFlags
        try modify(d, i) { f(flags, $0, count) }
    }
    @inline(__always) func doubleShift<W: Width>(
        _ i: borrowing Instruction, _: W.Type, _ d: Place, _ s: Place, _ c: Place, _ f: (LiveFlags, W, W, UInt8) -> W
    ) throws(Interruption) {
        let b = try value(s, i, W.self), count = try value(c, i, UInt8.self), flags = liveFlags
        try modify(d, i) { f(flags, $0, b, count) }
    }
    @inline(__always) func multiply<W: Width>(
        _ i: borrowing Instruction, _: W.Type, _ s: Place, _ f: (LiveFlags, W, W) -> (low: W, high: W)
    ) throws(Interruption) {
        let b = try value(s, i, W.self)
        let p = f(liveFlags, register(.accumulator, i, W.self), b)
        if W.bitWidth == 8 {
            UInt16.write(registerBytes, 0, UInt16(truncatingIfNeeded: p.high) &<< 8 | UInt16(truncatingIfNeeded: p.low))
        } else {
            W.write(registerBytes, 0, p.low)
            W.write(registerBytes, 16, p.high)
        }
    }
    @inline(__always) func divide<W: Width>(
        _ i: borrowing Instruction, _: W.Type, _ s: Place, _ f: (W, W, W) -> (quotient: W, remainder: W)?
    ) throws(Interruption) {
        let divisor = try value(s, i, W.self), low = register(.accumulator, i, W.self)
        let highOffset: UInt8 = W.bitWidth == 8 ? 1 : 16
        let high = registerBytes.load(fromByteOffset: Int(highOffset), as: W.self)
        guard let (quotient, remainder) = f(high, low, divisor) else { throw .exception(.divideError) }
        W.write(registerBytes, 0, quotient)
        W.write(registerBytes, highOffset, remainder)
    }
    @inline(__always) func conditionHolds(_ i: borrowing Instruction) -> Bool { cpu.pointee.condition(i.opcode & 15) }
    @inline(__always) func cmov<W: Width>(_ i: borrowing Instruction, _: W.Type) throws(Interruption) {
        let b = try value(.rm, i, W.self), a = register(.reg, i, W.self)
        setRegister(.reg, i, conditionHolds(i) ? b : a)
    }
    func set(_ i: borrowing Instruction) throws(Interruption) {
        try setValue(.rm, i, conditionHolds(i) ? 1 : 0 as UInt8)
    }
    @inline(__always) func lea<W: Width>(_ i: borrowing Instruction, _: W.Type) throws(Interruption) {
        setRegister(.reg, i, W(truncatingIfNeeded: effectiveOffset(i)))
    }
    @inline(__always) func extendAccumulator<W: Width, V: Width>(
        _ i: borrowing Instruction, _: W.Type, _: V.Type
    ) throws(Interruption) {
        setRegister(.accumulator, i, movsx(register(.accumulator, i, V.self)) as W)
    }
    @inline(__always) func extendIntoDX<W: Width>(_ i: borrowing Instruction, _: W.Type) throws(Interruption) {
        setRegister(.dx, i, register(.accumulator, i, W.self).isNegative ? W.max : 0)
    }
    func nop(_ i: borrowing Instruction) throws(Interruption) {}
    /// #UD if the part does not have the instruction's feature; otherwise the run stops.
    func notModelled(_ i: borrowing Instruction) throws(Interruption) {
        let info = InstructionInfo(i.row)
        if machine.configuration.model.lacks(info.feature) { throw .exception(.invalidOpcode) }
        throw .notModelled("\(info.mnemonic)")
    }
}
