import X86Architecture
import X86Decoder

/// LGDT, LIDT, SGDT, SIDT, LLDT, LTR, SLDT, STR (SDM 2A, 2B under their names).
extension SystemInstructions {
    static func lgdt(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try p.requireCPL0()
        try p.vmxCheckDescriptorTable(.lgdt, i)
        p.system.gdtr = try loadPseudoDescriptor(p, i)
    }
    static func lidt(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try p.requireCPL0()
        try p.vmxCheckDescriptorTable(.lidt, i)
        p.system.idtr = try loadPseudoDescriptor(p, i)
    }
    static func sgdt(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try p.checkUMIP()
        try p.vmxCheckDescriptorTable(.sgdt, i)
        try storePseudoDescriptor(p, i, p.system.gdtr)
    }
    static func sidt(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try p.checkUMIP()
        try p.vmxCheckDescriptorTable(.sidt, i)
        try storePseudoDescriptor(p, i, p.system.idtr)
    }

    /// 16-bit limit, then a base of 64 bits in 64-bit mode, 32 otherwise, of which a 16-bit operand size loads 24.
    private static func loadPseudoDescriptor(_ p: Processor, _ i: borrowing Instruction) throws(Interruption)
        -> DescriptorTable
    {
        if p.is64BitMode {
            let limit = try p.loadOperand(i, as: UInt16.self)
            let base = try p.loadOperand(i, as: UInt64.self, offset: 2)
            guard LinearAddress(base).isCanonical else { throw .exception(.generalProtection()) }
            return DescriptorTable(base: base, limit: limit)
        }
        let limit = try p.loadOperand(i, as: UInt16.self)
        let base = UInt64(try p.loadOperand(i, as: UInt32.self, offset: 2))
        return DescriptorTable(base: i.operandSize == 2 ? base & 0xFF_FFFF : base, limit: limit)
    }
    private static func storePseudoDescriptor(
        _ p: Processor, _ i: borrowing Instruction, _ table: DescriptorTable
    ) throws(Interruption) {
        let bytes = p.is64BitMode ? 10 : 6
        let isStack = i.segment == SegmentIndex.ss
        try p.probeWrite(
            try p.operandAddress(i, offset: 0, bytes: bytes, .write), bytes: bytes, .current, stack: isStack)
        try p.storeOperand(i, table.limit)
        if p.is64BitMode {
            try p.storeOperand(i, table.base, offset: 2)
        } else {
            try p.storeOperand(i, UInt32(truncatingIfNeeded: table.base), offset: 2)
        }
    }

    static func lldt(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try p.requireProtectedMode()
        try p.requireCPL0()
        try p.vmxCheckDescriptorTable(.lldt, i)
        try p.loadLDTR(try p.readRM16(i))
    }
    static func ltr(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try p.requireProtectedMode()
        try p.requireCPL0()
        try p.vmxCheckDescriptorTable(.ltr, i)
        try p.loadTR(try p.readRM16(i))
    }
    static func sldt(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try p.requireProtectedMode()
        try p.checkUMIP()
        try p.vmxCheckDescriptorTable(.sldt, i)
        try p.writeRM16(i, UInt64(p.system.segments[SegmentIndex.ldtr].selector))
    }
    static func str(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try p.requireProtectedMode()
        try p.checkUMIP()
        try p.vmxCheckDescriptorTable(.str, i)
        try p.writeRM16(i, UInt64(p.system.segments[SegmentIndex.tr].selector))
    }
}
