import X86Architecture
import X86Decoder

/// Segment registers as operands, and what can be asked about a selector: MOV Sreg, PUSH and POP Sreg, LDS to LGS,
/// LAR, LSL, VERR, VERW, ARPL (SDM 2A to 2C under their names).
extension SystemInstructions {
    static func movFromSreg(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        let index = Int(i.reg & 7)
        guard index <= SegmentIndex.gs else { throw .exception(.invalidOpcode) }
        try p.writeRM16(i, UInt64(p.system.segments[index].selector))
    }

    static func movToSreg(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        let index = Int(i.reg & 7)
        guard index <= SegmentIndex.gs, index != SegmentIndex.cs else { throw .exception(.invalidOpcode) }
        try p.loadSegment(index, try p.readRM16(i))
        if index == SegmentIndex.ss { p.blockByMOVSS() }
    }

    static func pushSreg(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try p.push(UInt64(p.system.segments[sreg(i)].selector), size: Int(i.operandSize), isSelector: true)
    }
    static func popSreg(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        let index = sreg(i)
        var stack = StackReader(p, unit: UInt64(i.operandSize))
        let selector = UInt16(truncatingIfNeeded: try stack.pop())
        let old = p.system.segments[SegmentIndex.ss]
        try p.loadSegment(index, selector)
        p.setStackPointer(stack.pointer, in: old)
        if index == SegmentIndex.ss { p.blockByMOVSS() }
    }
    /// 06/07 ES, 0E CS, 16/17 SS, 1E/1F DS, 0F A0/A1 FS, 0F A8/A9 GS: bits 5:3 of the opcode.
    private static func sreg(_ i: borrowing Instruction) -> Int { Int(i.opcode >> 3 & 7) }

    /// LES, LDS, LSS, LFS, LGS.
    static func loadFarPointer(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        guard i.hasMemory else { throw .exception(.invalidOpcode) }
        let index: Int
        switch i.opcode {
        case 0xC4: index = SegmentIndex.es
        case 0xC5: index = SegmentIndex.ds
        case 0xB2: index = SegmentIndex.ss
        case 0xB4: index = SegmentIndex.fs
        default: index = SegmentIndex.gs
        }
        let (offset, selector) = try p.loadFarOperand(i)
        try p.loadSegment(index, selector)
        p.setGPR(Int(i.reg), size: Int(i.operandSize), offset)
    }

    // MARK: Questions about a selector

    static func lar(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try p.requireProtectedMode()
        let selector = try p.readRM16(i)
        guard let d = try visibleDescriptor(p, selector), larType(p, d) else { return p.setFlag(RFLAGS.zero, false) }
        p.setGPR(Int(i.reg), size: Int(i.operandSize), d.low &>> 32 & 0x00FF_FF00)
        p.setFlag(RFLAGS.zero, true)
    }

    static func lsl(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try p.requireProtectedMode()
        let selector = try p.readRM16(i)
        guard let d = try visibleDescriptor(p, selector), lslType(p, d) else { return p.setFlag(RFLAGS.zero, false) }
        p.setGPR(Int(i.reg), size: Int(i.operandSize), UInt64(d.limit))
        p.setFlag(RFLAGS.zero, true)
    }

    static func verr(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try p.requireProtectedMode()
        let d = try visibleDescriptor(p, try p.readRM16(i))
        p.setFlag(RFLAGS.zero, d?.isReadable ?? false)
    }
    static func verw(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try p.requireProtectedMode()
        let d = try visibleDescriptor(p, try p.readRM16(i))
        p.setFlag(RFLAGS.zero, d?.isWritableData ?? false)
    }

    /// The descriptor, if it exists and CPL and RPL may see it; conforming code is visible to everyone.
    private static func visibleDescriptor(_ p: Processor, _ selector: UInt16) throws(Interruption) -> Descriptor? {
        if isNull(selector) { return nil }
        guard p.descriptorAddress(selector) != nil else { return nil }
        let d = try p.fetchDescriptor(selector)
        if d.isConformingCode { return d }
        let rpl = UInt8(selector & Selector.requestedPrivilege)
        return p.system.cpl <= d.dpl && rpl <= d.dpl ? d : nil
    }

    /// SDM 2A "LAR—Load Access Rights Byte", table 3-53 "Segment and Gate Types".
    private static func larType(_ p: Processor, _ d: Descriptor) -> Bool {
        if d.isCodeOrData { return true }
        switch d.type {
        case SystemDescriptorType.ldt, SystemDescriptorType.availableTSS, SystemDescriptorType.busyTSS,
            SystemDescriptorType.callGate:
            return true
        case SystemDescriptorType.availableTSS16, SystemDescriptorType.busyTSS16, SystemDescriptorType.callGate16,
            SystemDescriptorType.taskGate:
            return !p.isLongMode
        default: return false
        }
    }
    /// SDM 2A "LSL—Load Segment Limit", table 3-56 "Segment and Gate Descriptor Types".
    private static func lslType(_ p: Processor, _ d: Descriptor) -> Bool {
        if d.isCodeOrData { return true }
        switch d.type {
        case SystemDescriptorType.ldt, SystemDescriptorType.availableTSS, SystemDescriptorType.busyTSS: return true
        case SystemDescriptorType.availableTSS16, SystemDescriptorType.busyTSS16: return !p.isLongMode
        default: return false
        }
    }

    static func arpl(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try p.requireProtectedMode()
        let destination = try p.readRM16(i)
        let rpl = UInt16(truncatingIfNeeded: p.gpr(Int(i.reg))) & Selector.requestedPrivilege
        guard destination & Selector.requestedPrivilege < rpl else { return p.setFlag(RFLAGS.zero, false) }
        let adjusted = destination & ~Selector.requestedPrivilege | rpl
        if i.hasMemory {
            try p.storeOperand(i, adjusted)
        } else {
            p.setGPR(Int(i.rm), size: 2, UInt64(adjusted))
        }
        p.setFlag(RFLAGS.zero, true)
    }
}

extension Processor {
    /// SDM 3A 6.8.3 "Masking Exceptions and Interrupts When Switching Stacks".
    func blockByMOVSS() {
        system.blockingByMOVSS = true
        attend()
    }

    /// Pushes `size` bytes on the current stack. `isSelector`: with a 32-bit operand size only 16 bits are written, as
    /// recent Intel Core processors do (SDM 2B "PUSH—Push Word, Doubleword, or Quadword Onto the Stack").
    func push(_ value: UInt64, size: Int, isSelector: Bool = false) throws(Interruption) {
        let stack = system.segments[SegmentIndex.ss]
        var writer = try StackWriter(
            self, stack, top: gpr(GPR.rsp), unit: UInt64(size), words: 1, cpl: system.cpl,
            fault: .exception(.stackFault()), is64Bit: is64BitMode)
        if isSelector && size == 4 {
            try writer.pushSelector(value)
        } else {
            try writer.push(value)
        }
        setStackPointer(writer.pointer, in: stack)
    }

    /// An m16:16, m16:32 or m16:64 operand: offset, then selector.
    func loadFarOperand(_ i: borrowing Instruction) throws(Interruption) -> (UInt64, UInt16) {
        let size = UInt64(i.operandSize)
        // Both parts have to be inside the segment before either is used.
        _ = try operandAddress(i, offset: 0, bytes: Int(size) + 2, .read)
        let offset: UInt64
        switch size {
        case 2: offset = UInt64(try loadOperand(i, as: UInt16.self))
        case 4: offset = UInt64(try loadOperand(i, as: UInt32.self))
        default: offset = try loadOperand(i, as: UInt64.self)
        }
        return (offset, try loadOperand(i, as: UInt16.self, offset: size))
    }
}
