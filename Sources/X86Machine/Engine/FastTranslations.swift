import CEngineState
import X86Architecture
import X86Decoder

extension Processor {
    /// CR3, PCID, VPID, EPTP, CPL, WP, SMAP, AC or the code size changed: selects `cpu.tlb` and `cpu.jumps`.
    func translationContextChanged() {
        let banks = engine.banks
        banks.select(BankContext(tags: translationTags, view: bankView))
        // Blocks of code with segments of its own depend on its base and limit, which are not part of the key.
        if !system.hasFlatSegments { banks.forgetCurrentJumps() }
        selectBank()
    }
    private func selectBank() {
        cpu.pointee.jumps = engine.banks.current.jumps
        cpu.pointee.tlb = checksAlignment || hasDataBreakpoint ? engine.emptyBank : engine.banks.current.entries
    }
    /// SDM 3A 6.15 "Interrupt 17—Alignment Check Exception (#AC)": every access has to be looked at.
    private var checksAlignment: Bool {
        system.cpl == 3 && system.flags & RFLAGS.alignmentCheck != 0 && system.cr0 & CR0.alignmentMask != 0
    }

    /// What decides, beside the translation, what an access may do and how code is decoded.
    private var bankView: UInt64 {
        func bit(_ condition: Bool, _ n: UInt64) -> UInt64 { condition ? 1 &<< n : 0 }
        let flags = bit(system.cpl == 3, 0) | bit(system.flags & RFLAGS.alignmentCheck != 0, 1)
        let cr0 =
            bit(system.cr0 & CR0.paging != 0, 2) | bit(system.cr0 & CR0.writeProtect != 0, 3)
            | bit(system.cr0 & CR0.protectionEnable != 0, 4)
        let cr4 =
            bit(system.cr4 & CR4.smep != 0, 5) | bit(system.cr4 & CR4.smap != 0, 6)
            | bit(system.cr4 & CR4.physicalAddressExtension != 0, 7) | bit(system.cr4 & CR4.pageSizeExtensions != 0, 8)
        let efer = bit(system.efer & EFER.executeDisableEnable != 0, 9)
            | bit(system.efer & EFER.longModeActive != 0, 10)
        return flags | cr0 | cr4 | efer | bit(vmx.eptEnabled, 11) | blockKey &<< 12
    }
    /// How code is decoded: part of a block's identity.
    var blockKey: UInt64 {
        UInt64(codeSize.rawValue) | (system.hasFlatSegments && stackAddressSize != 2 && codeSize != .bits16 ? 4 : 0)
            | (vectorFault == nil ? Self.vectorKey : 0)
    }

    /// Drops every fast translation and jump of this processor.
    func flushFast() {
        engine.banks.flushAll()
        // The code being executed may have to be translated again: the block ends with this instruction.
        cpu.pointee.nextEvent = 0
    }

    /// Drops the fast translations of one linear page, in every context.
    func flushFast(page: LinearAddress) {
        engine.banks.flush(page: page.page.rawValue)
        cpu.pointee.nextEvent = 0
    }

    /// Mirrors a translation of the current context into the fast bank. The rights are those that the current
    /// privilege has; `writable` also means that no dirty flag is left to set. MMIO and pages whose writes somebody
    /// watches are sorted out here.
    func insertFast(
        page: LinearAddress, physicalPage: PhysicalAddress, readable: Bool, writable: Bool, executable: Bool
    ) {
        let bank = engine.banks.current
        guard bank.isUsed, isPlainRAM(physicalPage),
              let host = ram.hostAddress(of: physicalPage)
        else { return }
        let tag = page.rawValue
        bank.insert(
            TLBEntry(
                read: readable ? tag : ~0,
                write: writable && ram.flags(ofPage: physicalPage) == .none ? tag : ~0,
                execute: executable ? tag : ~0,
                addend: UInt64(UInt(bitPattern: host)) &- tag),
            tag: tag)
    }
}
