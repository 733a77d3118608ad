import X86Architecture
import X86Decoder

/// INVLPG, INVPCID, INVD, WBINVD (SDM 2A, 2D under their names).
extension SystemInstructions {
    static func invlpg(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try p.requireCPL0()
        let offset = p.effectiveOffset(i)
        let segment = Int(i.segment)
        let base = p.is64BitMode && segment < SegmentIndex.fs ? 0 : p.system.segments[segment].base
        let linear = LinearAddress(p.is64BitMode ? base &+ offset : (base &+ offset) & 0xFFFF_FFFF)
        try p.vmxCheckINVLPG(i, linear: linear)
        // A non-canonical address is a no-operation.
        if linear.isCanonical { p.invalidatePage(linear) }
    }

    static func invpcid(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try p.require(.invpcid)
        try p.vmxCheckINVPCIDEnabled()
        try p.requireCPL0()
        try p.vmxCheckINVPCID(i)
        let type = p.gpr(Int(i.reg), size: p.is64BitMode ? 8 : 4)
        let low = try p.loadOperand(i, as: UInt64.self)
        let address = LinearAddress(try p.loadOperand(i, as: UInt64.self, offset: 8))
        let pcid = UInt16(truncatingIfNeeded: low & CR3.pcid)
        guard type <= 3, low & ~CR3.pcid == 0 else { throw .exception(.generalProtection()) }
        if p.system.cr4 & CR4.pcidEnable == 0 && type < 2 && pcid != 0 { throw .exception(.generalProtection()) }
        switch type {
        case 0:
            guard address.isCanonical else { throw .exception(.generalProtection()) }
            p.invalidatePage(address, pcid: pcid)
        case 1: p.invalidatePCID(pcid)
        case 2: p.invalidateAllOfVPID()
        default: p.invalidateNonGlobal()
        }
    }

    /// CLFLUSH: for paging a load of one byte (SDM 2A "CLFLUSH—Flush Cache Line"); there is nothing to flush.
    static func clflush(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        let isStack = i.segment == SegmentIndex.ss
        try p.probeRead(try p.operandAddress(i, offset: 0, bytes: 1, .read), bytes: 1, .current, stack: isStack)
    }

    /// Caches hold nothing that memory does not: there is nothing to write back or lose.
    static func wbinvd(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try p.requireCPL0()
        try p.vmxCheckWBINVD(i)
    }
    static func invd(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try p.requireCPL0()
        try p.vmxCheckINVD(i)
    }
}
