import X86Architecture
import X86Decoder

/// CPUID, RDTSC, RDTSCP, RDPMC, XGETBV, XSETBV (SDM 2A to 2D under their names).
extension SystemInstructions {
    static func cpuid(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try p.vmxCheckCPUID(i)
        let r = p.identification(UInt32(truncatingIfNeeded: p.gpr(GPR.rax)), UInt32(truncatingIfNeeded: p.gpr(GPR.rcx)))
        p.setGPR(GPR.rax, UInt64(r.eax))
        p.setGPR(GPR.rbx, UInt64(r.ebx))
        p.setGPR(GPR.rcx, UInt64(r.ecx))
        p.setGPR(GPR.rdx, UInt64(r.edx))
    }

    static func rdtsc(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try checkTimeStampAccess(p)
        try p.vmxCheckRDTSC(i)
        readTimeStamp(p)
    }
    static func rdtscp(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try p.require(.rdtscp)
        try p.vmxCheckRDTSCPEnabled()
        try checkTimeStampAccess(p)
        try p.vmxCheckRDTSCP(i)
        readTimeStamp(p)
        p.setGPR(GPR.rcx, p.system.tscAux & 0xFFFF_FFFF)
    }
    private static func checkTimeStampAccess(_ p: Processor) throws(Interruption) {
        if p.system.cr4 & CR4.timeStampDisable != 0 { try p.requireCPL0() }
    }
    private static func readTimeStamp(_ p: Processor) {
        let value = p.visibleTimestampCounter
        p.setGPR(GPR.rax, value & 0xFFFF_FFFF)
        p.setGPR(GPR.rdx, value &>> 32)
    }

    /// CPUID leaf 0AH reports no performance counters, so no counter number is valid.
    static func rdpmc(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        if p.system.cr4 & CR4.performanceCounterEnable == 0 { try p.requireCPL0() }
        try p.vmxCheckRDPMC(i)
        throw .exception(.generalProtection())
    }

    static func xgetbv(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        guard p.system.cr4 & CR4.osxsave != 0 else { throw .exception(.invalidOpcode) }
        let value: UInt64
        switch p.gpr(GPR.rcx, size: 4) {
        case 0: value = p.system.xcr0
        case 1 where p.machine.configuration.model.has(.xgetbv1): value = p.system.xcr0 & p.stateInUse
        default: throw .exception(.generalProtection())
        }
        p.setGPR(GPR.rax, value & 0xFFFF_FFFF)
        p.setGPR(GPR.rdx, value &>> 32)
    }

    static func xsetbv(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        guard p.system.cr4 & CR4.osxsave != 0 else { throw .exception(.invalidOpcode) }
        try p.requireCPL0()
        try p.vmxCheckXSETBV(i)
        let value = p.gpr(GPR.rax, size: 4) | p.gpr(GPR.rdx, size: 4) &<< 32
        let supported = p.machine.configuration.model.xcr0
        // SDM 2D "XSETBV—Set Extended Control Register": AVX state needs SSE state.
        let isConsistent = value & XCR0.x87 != 0 && (value & XCR0.avx == 0 || value & XCR0.sse != 0)
        guard p.gpr(GPR.rcx, size: 4) == 0, isConsistent, value & ~supported == 0 else {
            throw .exception(.generalProtection())
        }
        p.system.xcr0 = value
    }
}

extension Processor {
    /// A CPUID leaf, with what depends on the processor's state filled in.
    func identification(_ leaf: UInt32, _ subleaf: UInt32) -> ProcessorModel.Leaf {
        let model = machine.configuration.model
        let isLimited = system.miscEnable & MiscEnable.limitCPUID != 0
        var r = model.leaf(isLimited && leaf > 2 && leaf < 0x8000_0000 ? 2 : leaf, subleaf)
        let count = UInt32(machine.configuration.processorCount)
        let id = UInt32(index)
        /// log2 of the smallest power of two that has room for every APIC ID.
        let idBits = UInt32(32 - max(count - 1, 0).leadingZeroBitCount)
        switch r.leaf {
        case 0: if isLimited { r.eax = 2 }
        case 1:
            r.ebx |= (id & 0xFF) &<< 24 | min(1 &<< idBits, 0xFF) &<< 16
            if count > 1 { r.edx |= 1 << 28 }
            if system.cr4 & CR4.osxsave != 0 { r.ecx |= 1 << 27 }
            if apicMode == .disabled { r.edx &= ~(1 << 9) }
        case 4:
            if r.eax & 0x1F != 0 {
                let cores = ((1 &<< idBits) &- 1) & 0x3F
                let isShared = r.eax &>> 5 & 7 == 3
                r.eax |= cores &<< 26 | (isShared ? cores &<< 14 : 0)
            }
        case 0xB:
            r.ecx = subleaf & 0xFF
            r.edx = id
            if subleaf == 0 { r.eax = 0; r.ebx = 1; r.ecx |= 1 << 8 }
            if subleaf == 1 { r.eax = idBits; r.ebx = count; r.ecx |= 2 << 8 }
        case 0xD:
            guard model.has(.xsave) else {
                (r.eax, r.ebx, r.ecx, r.edx) = (0, 0, 0, 0)
                break
            }
            // The size for what is enabled now; in the compacted format the same, as AVX state follows the header.
            let isCompacted = subleaf == 1 && r.eax & 0b1010 != 0
            if subleaf == 0 || isCompacted { r.ebx = XSaveArea.bytes(system.xcr0) }
        case 0x8000_0001:
            // SYSCALL and SYSRET are reported in 64-bit mode only.
            if !is64BitMode { r.edx &= ~(1 << 11) }
            if system.miscEnable & MiscEnable.executeDisableOff != 0 { r.edx &= ~(1 << 20) }
        default: break
        }
        return r
    }
}
