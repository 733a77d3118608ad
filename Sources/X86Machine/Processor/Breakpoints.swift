import X86Architecture

/// SDM 3B 17.2 "Debug Registers", 17.3.1 "Debug Exception (#DB)—Interrupt Vector 1": which breakpoints match.
extension Processor {
    func breakpointAddress(_ n: Int) -> UInt64 {
        switch n {
        case 0: system.dr.0
        case 1: system.dr.1
        case 2: system.dr.2
        default: system.dr.3
        }
    }

    private func isEnabled(_ n: Int, _ condition: UInt64) -> Bool {
        DR7.isEnabled(system.dr7, n) && DR7.condition(system.dr7, n) == condition
    }

    // MARK: Instructions

    var hasExecutionBreakpoint: Bool {
        guard system.dr7 & DR7.anyEnabled != 0 else { return false }
        for n in 0..<4 where isEnabled(n, 0) { return true }
        return false
    }

    /// B bits of the instruction breakpoints at the current RIP; none while RF is set.
    func matchingBreakpoint() -> UInt64? {
        guard system.flags & RFLAGS.resume == 0, hasExecutionBreakpoint else { return nil }
        let linear =
            is64BitMode ? cpu.pointee.rip : (cpu.pointee.rip &+ cpu.pointee.segmentBase.1) & 0xFFFF_FFFF
        var conditions: UInt64 = 0
        for n in 0..<4 where isEnabled(n, 0) && breakpointAddress(n) == linear { conditions |= 1 &<< UInt64(n) }
        return conditions == 0 ? nil : conditions
    }

    // MARK: Data and I/O

    /// A data breakpoint is enabled: every access has to be looked at.
    var hasDataBreakpoint: Bool {
        guard system.dr7 & DR7.anyEnabled != 0 else { return false }
        for n in 0..<4 where isEnabled(n, 1) || isEnabled(n, 3) { return true }
        return false
    }

    /// A data access succeeded: SDM 3B 17.3.1.2 "Data Memory and I/O Breakpoint Exception Conditions". The trap comes
    /// at the boundary after the instruction.
    @inline(__always) func noteAccess(_ a: LinearAddress, _ size: UInt64, isWrite: Bool) {
        if _slowPath(system.dr7 & DR7.anyEnabled != 0) { matchData(a, size, isWrite: isWrite) }
    }
    private func matchData(_ a: LinearAddress, _ size: UInt64, isWrite: Bool) {
        for n in 0..<4 where isEnabled(n, 3) || isWrite && isEnabled(n, 1) { match(n, a.rawValue, size) }
    }

    /// IN, OUT, INS, OUTS: with CR4.DE only.
    func notePortAccess(_ port: UInt16, _ size: Int) {
        guard system.dr7 & DR7.anyEnabled != 0, system.cr4 & CR4.debuggingExtensions != 0 else { return }
        for n in 0..<4 where isEnabled(n, 2) { match(n, UInt64(port), UInt64(size)) }
    }

    /// SDM 3B 17.2.5 "Breakpoint Field Recognition": the low bits of the address are ignored by length.
    private func match(_ n: Int, _ address: UInt64, _ size: UInt64) {
        let length: UInt64 = [1, 2, 8, 4][Int(DR7.length(system.dr7, n))]
        let start = breakpointAddress(n) & ~(length &- 1)
        // The ranges overlap: one contains the other's first byte.
        guard address &- start < length || start &- address < size else { return }
        breakpointHits |= 1 &<< UInt64(n)
        attend()
    }
}
