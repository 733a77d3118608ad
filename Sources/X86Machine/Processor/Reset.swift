import X86Architecture

/// SDM 3A 10.1.1 "Processor State After Reset", table 10-1.
extension Processor {
    enum ResetKind { case powerUp, initialization }

    /// Power-up, or INIT, which keeps the x87/SSE state, the caches, MSRs and the local APIC's identity.
    func reset(_ kind: ResetKind) {
        let old = system
        system = SystemState()
        system.segments[SegmentIndex.cs] = Segment(selector: 0xF000, base: 0xFFFF_0000, limit: 0xFFFF, access: 0x93)
        system.segments[SegmentIndex.ldtr] = Segment(selector: 0, base: 0, limit: 0xFFFF, access: 0x82)
        system.segments[SegmentIndex.tr] = Segment(selector: 0, base: 0, limit: 0xFFFF, access: 0x8B)
        system.apicBase = old.apicBase
        if kind == .initialization {
            system.keepAcrossINIT(old)
            apic.reset()
            rearmTimer()
        } else {
            // Without a local APIC there is no such register, and the 8259 pair is wired to INTR.
            let hasAPIC = machine.configuration.model.has(.apic)
            system.apicBase = hasAPIC ? APICBase.reset | (index == 0 ? APICBase.bsp : 0) : 0
            cpu.pointee.mxcsr = FPUState.mxcsrReset
            for n in 0..<16 { setXMM(n, XMM(0, 0)) }
        }
        for n in 0..<16 { setGPR(n, 0) }
        // EDX: family, model, stepping.
        setGPR(GPR.rdx, UInt64(machine.configuration.model.leaf(1, 0).eax))
        rflags = RFLAGS.alwaysOne
        cpu.pointee.rip = 0xFFF0
        invalidateAllOfVPID()
        modeChanged()
    }

    /// SDM 3A 9.4.3 "MP Initialization Protocol Algorithm for MP Systems": a start-up IPI begins real-mode execution.
    func startUp(vector: UInt8) {
        system.segments[SegmentIndex.cs] = Segment(
            selector: UInt16(vector) &<< 8, base: UInt64(vector) &<< 12, limit: 0xFFFF, access: 0x93)
        cpu.pointee.rip = 0
        system.activity = .active
        modeChanged()
    }
}

extension SystemState {
    /// Table 10-1, column INIT: what is unchanged.
    fileprivate mutating func keepAcrossINIT(_ old: SystemState) {
        // CD and NW are unchanged.
        cr0 = 0x10 | old.cr0 & (CR0.cacheDisable | CR0.notWriteThrough)
        fpu = old.fpu
        xcr0 = old.xcr0
        pat = old.pat
        tscAux = old.tscAux
        randomDraws = old.randomDraws
        tscAdjust = old.tscAdjust
        miscEnable = old.miscEnable
        featureControl = old.featureControl
        star = old.star; lstar = old.lstar; cstar = old.cstar; fmask = old.fmask
        kernelGSBase = old.kernelGSBase
        sysenterCS = old.sysenterCS; sysenterESP = old.sysenterESP; sysenterEIP = old.sysenterEIP
        mtrr = old.mtrr
        pendingNMI = old.pendingNMI
        // A start-up IPI that came after the INIT, before this boundary.
        pendingSIPI = old.pendingSIPI
    }
}
