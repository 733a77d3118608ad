import CEngineState
import X86Architecture

extension Processor {
    /// CR3, PCID, VPID, EPTP, CPL, WP, SMAP, AC or the code size changed: selects `cpu.tlb` and `cpu.jumps`.
    func translationContextChanged() {}

    /// Drops every fast translation and jump of this processor.
    func flushFast() {}

    /// Drops the fast translations of one linear page, in every context.
    func flushFast(page: LinearAddress) {}

    /// Mirrors a translation of the current context into the fast bank. The rights are those that the current
    /// privilege has; `writable` also means that no dirty flag is left to set. MMIO and pages whose writes somebody
    /// watches are sorted out here.
    func insertFast(page: LinearAddress, physicalPage: PhysicalAddress, readable: Bool, writable: Bool, executable: Bool) {}
}
