import X86Architecture
import X86Decoder

/// SYSCALL, SYSRET, SYSENTER, SYSEXIT, SWAPGS, RD/WR FS/GS BASE (SDM 2B under their names).
extension SystemInstructions {
    static func syscall(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        guard p.is64BitMode, p.system.efer & EFER.systemCallEnable != 0 else { throw .exception(.invalidOpcode) }
        p.setGPR(GPR.rcx, p.ripAfter(i))
        p.setGPR(GPR.r11, p.rflags & ~RFLAGS.resume)
        p.nextRIP = p.system.lstar
        let hadTrap = p.system.flags & RFLAGS.trap != 0
        p.rflags &= ~p.system.fmask & ~RFLAGS.resume
        if hadTrap && p.system.flags & RFLAGS.trap == 0 { p.suppressesSingleStep = true }
        let selector = UInt16(truncatingIfNeeded: p.system.star &>> 32) & ~Selector.requestedPrivilege
        p.system.segments[SegmentIndex.cs] = flatCode(selector, dpl: 0, is64Bit: true)
        p.system.segments[SegmentIndex.ss] = flatStack(selector &+ 8, dpl: 0)
        p.system.cpl = 0
        p.modeChanged()
    }

    static func sysret(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        guard p.is64BitMode, p.system.efer & EFER.systemCallEnable != 0 else { throw .exception(.invalidOpcode) }
        try p.requireCPL0()
        let to64Bit = i.operandSize == 8
        let target = p.gpr(GPR.rcx, size: to64Bit ? 8 : 4)
        guard LinearAddress(target).isCanonical else { throw .exception(.generalProtection()) }
        p.nextRIP = target
        p.rflags = p.gpr(GPR.r11) & 0x3C_7FD7 | RFLAGS.alwaysOne
        let base = UInt16(truncatingIfNeeded: p.system.star &>> 48)
        p.system.segments[SegmentIndex.cs] = flatCode((to64Bit ? base &+ 16 : base) | 3, dpl: 3, is64Bit: to64Bit)
        p.system.segments[SegmentIndex.ss] = flatStack((base &+ 8) | 3, dpl: 3)
        p.system.cpl = 3
        p.attend()
        p.modeChanged()
    }

    static func sysenter(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        let selector = UInt16(truncatingIfNeeded: p.system.sysenterCS) & ~Selector.requestedPrivilege
        guard p.isProtectedMode, selector != 0 else { throw .exception(.generalProtection()) }
        p.system.flags &= ~(RFLAGS.virtual8086 | RFLAGS.interrupt)
        let isLong = p.isLongMode
        p.setGPR(GPR.rsp, isLong ? p.system.sysenterESP : p.system.sysenterESP & 0xFFFF_FFFF)
        p.nextRIP = isLong ? p.system.sysenterEIP : p.system.sysenterEIP & 0xFFFF_FFFF
        p.system.segments[SegmentIndex.cs] = flatCode(selector, dpl: 0, is64Bit: isLong)
        p.system.segments[SegmentIndex.ss] = flatStack(selector &+ 8, dpl: 0)
        p.system.cpl = 0
        p.modeChanged()
    }

    static func sysexit(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        let base = UInt16(truncatingIfNeeded: p.system.sysenterCS)
        guard p.isProtectedMode, base & ~Selector.requestedPrivilege != 0 else {
            throw .exception(.generalProtection())
        }
        try p.requireCPL0()
        let to64Bit = i.operandSize == 8
        let rip = p.gpr(GPR.rdx, size: to64Bit ? 8 : 4), rsp = p.gpr(GPR.rcx, size: to64Bit ? 8 : 4)
        if to64Bit {
            guard LinearAddress(rip).isCanonical, LinearAddress(rsp).isCanonical else {
                throw .exception(.generalProtection())
            }
        }
        p.setGPR(GPR.rsp, rsp)
        p.nextRIP = rip
        let code = base &+ (to64Bit ? 32 : 16)
        p.system.segments[SegmentIndex.cs] = flatCode(code | 3, dpl: 3, is64Bit: to64Bit)
        p.system.segments[SegmentIndex.ss] = flatStack((code &+ 8) | 3, dpl: 3)
        p.system.cpl = 3
        p.modeChanged()
    }

    /// Base 0, limit 4 GiB, execute and read, accessed.
    private static func flatCode(_ selector: UInt16, dpl: UInt32, is64Bit: Bool) -> Segment {
        let mode = is64Bit ? AccessRights.long : AccessRights.defaultBig
        return Segment(
            selector: selector, base: 0, limit: 0xFFFF_FFFF,
            access: 0x9B | dpl &<< AccessRights.privilegeShift | mode | AccessRights.granularity)
    }
    /// Base 0, limit 4 GiB, read and write, accessed.
    private static func flatStack(_ selector: UInt16, dpl: UInt32) -> Segment {
        Segment(
            selector: selector, base: 0, limit: 0xFFFF_FFFF,
            access: 0x93 | dpl &<< AccessRights.privilegeShift | AccessRights.defaultBig | AccessRights.granularity)
    }

    // MARK: FS and GS bases

    static func swapgs(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        guard p.is64BitMode else { throw .exception(.invalidOpcode) }
        try p.requireCPL0()
        let base = p.system.segments[SegmentIndex.gs].base
        p.system.segments[SegmentIndex.gs].base = p.system.kernelGSBase
        p.system.kernelGSBase = base
        p.mirrorSegmentBases()
    }

    static func rdfsbase(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try readBase(p, i, SegmentIndex.fs)
    }
    static func rdgsbase(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try readBase(p, i, SegmentIndex.gs)
    }
    static func wrfsbase(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try writeBase(p, i, SegmentIndex.fs)
    }
    static func wrgsbase(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try writeBase(p, i, SegmentIndex.gs)
    }

    private static func readBase(_ p: Processor, _ i: borrowing Instruction, _ index: Int) throws(Interruption) {
        guard p.is64BitMode, p.system.cr4 & CR4.fsgsbase != 0 else { throw .exception(.invalidOpcode) }
        p.setGPR(Int(i.rm), size: Int(i.operandSize), p.system.segments[index].base)
    }
    private static func writeBase(_ p: Processor, _ i: borrowing Instruction, _ index: Int) throws(Interruption) {
        guard p.is64BitMode, p.system.cr4 & CR4.fsgsbase != 0 else { throw .exception(.invalidOpcode) }
        let value = p.gpr(Int(i.rm), size: Int(i.operandSize))
        guard LinearAddress(value).isCanonical else { throw .exception(.generalProtection()) }
        p.system.segments[index].base = value
        p.mirrorSegmentBases()
    }
}
