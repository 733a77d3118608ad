import X86Architecture
import X86Decoder

/// What system instructions share: privilege checks, and operands of fixed sizes.
extension Processor {
    /// #GP(0) unless CPL is 0. Real-address mode has CPL 0.
    func requireCPL0() throws(Interruption) {
        guard system.cpl == 0 else { throw .exception(.generalProtection()) }
    }
    /// #UD outside protected mode and in virtual-8086 mode.
    func requireProtectedMode() throws(Interruption) {
        guard isProtectedMode, !isVirtual8086 else { throw .exception(.invalidOpcode) }
    }
    /// SDM 3A 2.5 "Control Registers", CR4.UMIP: SGDT, SIDT, SLDT, SMSW and STR are #GP(0) with CPL > 0.
    func checkUMIP() throws(Interruption) {
        if system.cr4 & CR4.userModeInstructionPrevention != 0 { try requireCPL0() }
    }
    /// #UD unless the processor model has the feature.
    func require(_ feature: CPUIDFeature) throws(Interruption) {
        guard machine.configuration.model.has(feature) else { throw .exception(.invalidOpcode) }
    }

    /// The memory operand, `bytes` long.
    func loadOperand<T: FixedWidthInteger & UnsignedInteger>(
        _ i: borrowing Instruction, as: T.Type, offset: UInt64 = 0
    ) throws(Interruption) -> T {
        let a = try operandAddress(i, offset: offset, bytes: MemoryLayout<T>.size, .read)
        return try load(a, as: T.self, stack: i.segment == SegmentIndex.ss)
    }
    func storeOperand<T: FixedWidthInteger & UnsignedInteger>(
        _ i: borrowing Instruction, _ value: T, offset: UInt64 = 0
    ) throws(Interruption) {
        let a = try operandAddress(i, offset: offset, bytes: MemoryLayout<T>.size, .write)
        try store(a, value, stack: i.segment == SegmentIndex.ss)
    }
    /// Linear address of `bytes` bytes at `offset` in the memory operand; the offset wraps at the address size.
    func operandAddress(
        _ i: borrowing Instruction, offset: UInt64, bytes: Int, _ use: SegmentUse
    ) throws(Interruption) -> LinearAddress {
        let start = (effectiveOffset(i) &+ offset) & (~0 &>> UInt64(64 - 8 * Int(i.addressSize)))
        return try linear(segment: Int(i.segment), offset: start, bytes: bytes, use)
    }

    /// A 16-bit r/m operand whatever the operand size.
    func readRM16(_ i: borrowing Instruction) throws(Interruption) -> UInt16 {
        if i.hasMemory { return try loadOperand(i, as: UInt16.self) }
        return UInt16(truncatingIfNeeded: gpr(Int(i.rm)))
    }
    /// SLDT, STR, SMSW, MOV from Sreg: 16 bits to memory, the operand size (zero-extended) to a register.
    func writeRM16(_ i: borrowing Instruction, _ value: UInt64) throws(Interruption) {
        if i.hasMemory {
            try storeOperand(i, UInt16(truncatingIfNeeded: value))
        } else {
            setGPR(Int(i.rm), size: Int(i.operandSize), value)
        }
    }

    /// RIP after this instruction, wrapping as the code segment's size does.
    func ripAfter(_ i: borrowing Instruction) -> UInt64 {
        let next = cpu.pointee.rip &+ UInt64(i.length)
        return is64BitMode ? next : next & 0xFFFF_FFFF
    }

    func setFlag(_ flag: UInt64, _ on: Bool) {
        rflags = on ? rflags | flag : rflags & ~flag
    }
}
