import X86Architecture
import X86Decoder

/// HLT, PAUSE, MONITOR, MWAIT, CLAC, STAC, GETSEC (SDM 2A, 2B under their names).
extension SystemInstructions {
    static func hlt(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try p.requireCPL0()
        try p.vmxCheckHLT(i)
        p.system.activity = .halted
        p.attend()
        if p.machine.eventMask.contains(.halt) { p.machine.emit(.halted(rip: LinearAddress(p.cpu.pointee.rip)), p) }
    }

    static func pause(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try p.vmxCheckPAUSE(i)
    }

    /// The address is accessed as a byte load would be; nothing is monitored, which MWAIT may always pretend.
    static func monitor(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try p.require(.monitor)
        guard p.system.cpl == 0 else { throw .exception(.invalidOpcode) }
        try p.vmxCheckMONITOR(i)
        guard p.gpr(GPR.rcx, size: 4) == 0 else { throw .exception(.generalProtection()) }
        let segment = i.prefixes.segmentOverride == Instruction.none ? SegmentIndex.ds : Int(i.prefixes.segmentOverride)
        let linear = try p.linear(segment: segment, offset: p.gpr(GPR.rax, size: Int(i.addressSize)), bytes: 1, .read)
        _ = try p.load(linear, as: UInt8.self)
    }

    /// SDM 2B "MWAIT—Monitor Wait": "may be a NOP"; software must look again after it in any case.
    static func mwait(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try p.require(.monitor)
        guard p.system.cpl == 0 else { throw .exception(.invalidOpcode) }
        try p.vmxCheckMWAIT(i, armed: false)
        guard p.gpr(GPR.rcx, size: 4) & ~1 == 0 else { throw .exception(.generalProtection()) }
    }

    static func clac(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try setAlignmentCheck(p, false)
    }
    static func stac(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try setAlignmentCheck(p, true)
    }
    private static func setAlignmentCheck(_ p: Processor, _ on: Bool) throws(Interruption) {
        try p.require(.smap)
        guard p.system.cpl == 0 else { throw .exception(.invalidOpcode) }
        p.system.flags = on ? p.system.flags | RFLAGS.alignmentCheck : p.system.flags & ~RFLAGS.alignmentCheck
        p.translationContextChanged()
    }

    /// SDM 2D "GETSEC[CAPABILITIES]—Report the SMX Capabilities": #UD while CR4.SMXE is clear, and no model lets
    /// software set it. In VMX non-root operation too: SDM 3C 26.1.1 "Relative Priority of Faults and VM Exits".
    static func getsec(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        throw .exception(.invalidOpcode)
    }
}
