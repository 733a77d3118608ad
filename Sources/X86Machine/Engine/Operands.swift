import CEngineState
import X86Architecture
import X86Decoder

/// Operands of a decoded instruction, for everything that does not run as a handler of its own.
extension Processor {
    /// General-purpose register `n` (0 to 15), the low `size` bytes (1, 2, 4, 8), zero-extended. Never a high byte.
    @inline(__always) func gpr(_ n: Int, size: Int = 8) -> UInt64 {
        registerFile[n & 15] & (~0 &>> UInt64(64 - 8 * size))
    }
    /// Writes the low `size` bytes; a 4-byte write clears the upper half (SDM 1 3.4.1.1).
    @inline(__always) func setGPR(_ n: Int, size: Int = 8, _ value: UInt64) {
        let old = registerFile[n & 15]
        switch size {
        case 1: registerFile[n & 15] = old & ~0xff | value & 0xff
        case 2: registerFile[n & 15] = old & ~0xffff | value & 0xffff
        case 4: registerFile[n & 15] = value & 0xffff_ffff
        default: registerFile[n & 15] = value
        }
    }
    @inline(__always) private var registerFile: UnsafeMutablePointer<UInt64> {
        UnsafeMutableRawPointer(cpu).assumingMemoryBound(to: UInt64.self)
    }

    /// A byte register by its encoding: 4 to 7 are AH, CH, DH, BH without REX (SDM 2A 2.2.1.2).
    func byteRegister(_ n: UInt8, hasREX: Bool) -> UInt8 {
        if n >= 4 && n < 8 && !hasREX { return UInt8(truncatingIfNeeded: gpr(Int(n) - 4) >> 8) }
        return UInt8(truncatingIfNeeded: gpr(Int(n)))
    }
    func setByteRegister(_ n: UInt8, hasREX: Bool, _ value: UInt8) {
        if n >= 4 && n < 8 && !hasREX {
            let r = Int(n) - 4
            setGPR(r, gpr(r) & ~0xff00 | UInt64(value) << 8)
        } else {
            setGPR(Int(n), size: 1, UInt64(value))
        }
    }
    /// Register `n` as the operand size says.
    func readRegister(_ n: UInt8, _ i: borrowing Instruction) -> UInt64 {
        if i.operandSize == 1 { return UInt64(byteRegister(n, hasREX: i.prefixes.rex != 0)) }
        return gpr(Int(n), size: Int(i.operandSize))
    }
    func writeRegister(_ n: UInt8, _ i: borrowing Instruction, _ value: UInt64) {
        if i.operandSize == 1 {
            setByteRegister(n, hasREX: i.prefixes.rex != 0, UInt8(truncatingIfNeeded: value))
        } else {
            setGPR(Int(n), size: Int(i.operandSize), value)
        }
    }

    /// The offset within its segment that the memory operand names (SDM 1 3.7.5 "Specifying an Offset").
    func effectiveOffset(_ i: borrowing Instruction) -> UInt64 {
        var offset = UInt64(bitPattern: Int64(i.displacement))
        if i.base == Instruction.ripBase {
            offset &+= cpu.pointee.rip &+ UInt64(i.length)
        } else if i.base != Instruction.none {
            offset &+= gpr(Int(i.base))
        }
        if i.index != Instruction.none { offset &+= gpr(Int(i.index)) &<< UInt64(i.scale) }
        return offset & (~0 &>> UInt64(64 - 8 * Int(i.addressSize)))
    }
}

/// Memory operands: segmentation's part (SDM 3A 5.3 "Limit Checking", 5.4.1, 5.5).
extension Processor {
    enum SegmentUse { case read, write }

    /// The linear address of `bytes` bytes at `offset` in a segment, checked as the current mode checks.
    /// In 64-bit mode the address is canonical at both ends or #GP (#SS in the stack segment) is thrown.
    func linear(segment: Int, offset: UInt64, bytes: Int, _ use: SegmentUse) throws(Interruption) -> LinearAddress {
        let isStack = segment == SegmentIndex.ss
        let fault = isStack ? Exception.stackFault() : Exception.generalProtection()
        if codeSize == .bits64 {
            let base = segment >= SegmentIndex.fs ? system.segments[segment].base : 0
            let a = LinearAddress(base &+ offset)
            guard a.isCanonical, (a + UInt64(bytes - 1)).isCanonical else { throw .exception(fault) }
            return a
        }
        let s = system.segments[segment]
        let last = offset &+ UInt64(bytes - 1)
        guard s.allows(use), s.contains(first: offset, last: last) else { throw .exception(fault) }
        return LinearAddress((s.base &+ offset) & 0xffff_ffff)
    }

    /// Linear address of the memory operand, for an access of `bytes` bytes.
    func effectiveAddress(
        _ i: borrowing Instruction, bytes: Int, _ use: SegmentUse = .read
    ) throws(Interruption) -> LinearAddress {
        try linear(segment: Int(i.segment), offset: effectiveOffset(i), bytes: bytes, use)
    }
    func effectiveAddress(_ i: borrowing Instruction) throws(Interruption) -> LinearAddress {
        try effectiveAddress(i, bytes: Int(i.operandSize))
    }

    /// The r/m operand at the operand size, register or memory.
    func readRM(_ i: borrowing Instruction) throws(Interruption) -> UInt64 {
        if !i.hasMemory { return readRegister(i.rm, i) }
        return try load(memoryOperand(.rm, i, bytes: Int(i.operandSize), .read), bytes: Int(i.operandSize))
    }
    func writeRM(_ i: borrowing Instruction, _ value: UInt64) throws(Interruption) {
        if !i.hasMemory { return writeRegister(i.rm, i, value) }
        try store(memoryOperand(.rm, i, bytes: Int(i.operandSize), .write), bytes: Int(i.operandSize), value)
    }

    /// What the code segment says: 64-bit mode, or its D flag (SDM 3A 5.2.1).
    var codeSize: CodeSize {
        let access = system.segments[SegmentIndex.cs].access
        if system.efer & 1 << 10 != 0 && access & 1 << 13 != 0 { return .bits64 }
        return access & 1 << 14 != 0 ? .bits32 : .bits16
    }
}

extension Segment {
    /// Type and presence: what a descriptor of this type can be used for.
    func allows(_ use: Processor.SegmentUse) -> Bool {
        if access & 1 << 16 != 0 { return false }
        let isCode = access & 8 != 0, bit1 = access & 2 != 0
        return switch use {
        case .read: !isCode || bit1
        case .write: !isCode && bit1
        }
    }
    /// SDM 3A 5.3 "Limit Checking": expand-down data segments contain what is above the limit.
    func contains(first: UInt64, last: UInt64) -> Bool {
        let isExpandDown = access & 0xc == 0x4
        if isExpandDown {
            return first > UInt64(limit) && last <= (access & 1 << 14 != 0 ? 0xffff_ffff : 0xffff) && first <= last
        }
        return last <= UInt64(limit) && first <= last
    }
}
