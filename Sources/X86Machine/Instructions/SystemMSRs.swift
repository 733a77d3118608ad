import X86Architecture
import X86Decoder

/// RDMSR and WRMSR (SDM 2B, 2C under their names); the registers are those of SDM 4 "Model-Specific Registers".
extension SystemInstructions {
    static func rdmsr(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try p.requireCPL0()
        let msr = UInt32(truncatingIfNeeded: p.gpr(GPR.rcx))
        try p.vmxCheckRDMSR(i, msr)
        let value: UInt64
        if msr == MSR.timeStampCounter {
            value = p.visibleTimestampCounter
        } else if let virtual = p.virtualX2APICRead(msr) {
            value = virtual
        } else {
            value = try p.readMSR(msr)
        }
        p.setGPR(GPR.rax, value & 0xFFFF_FFFF)
        p.setGPR(GPR.rdx, value &>> 32)
    }

    static func wrmsr(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try p.requireCPL0()
        let msr = UInt32(truncatingIfNeeded: p.gpr(GPR.rcx))
        try p.vmxCheckWRMSR(i, msr)
        let value = p.gpr(GPR.rax, size: 4) | p.gpr(GPR.rdx, size: 4) &<< 32
        if try p.virtualX2APICWrite(msr, value) { return }
        try p.writeMSR(msr, value)
    }
}

extension Processor {
    /// What RDMSR gives at CPL 0; #GP(0) for an MSR that does not exist. Also for MSR areas of VM exits.
    func readMSR(_ msr: UInt32) throws(Interruption) -> UInt64 {
        switch msr {
        case MSR.timeStampCounter: return timestampCounter
        case MSR.platformID: return 0
        case MSR.biosSignature: return UInt64(machine.configuration.model.microcodeRevision) &<< 32
        case MSR.apicBase where machine.configuration.model.has(.apic): return system.apicBase
        case MSR.tscAdjust where machine.configuration.model.has(.tscAdjust): return system.tscAdjust
        case MSR.mtrrCapabilities: return MTRRState.capabilities
        case MSR.sysenterCS: return system.sysenterCS
        case MSR.sysenterESP: return system.sysenterESP
        case MSR.sysenterEIP: return system.sysenterEIP
        // No error-reporting banks.
        case MSR.machineCheckCapabilities, MSR.machineCheckStatus: return 0
        case MSR.miscEnable: return system.miscEnable
        case MSR.debugControl: return system.debugCtl
        case MSR.lastBranchSelect, MSR.lastBranchTopOfStack, MSR.lastBranchFromFirst...MSR.lastBranchFromLast,
            MSR.lastBranchToFirst...MSR.lastBranchToLast:
            throw .notModelled("last-branch records (MSR \(hex(msr)))")
        case MSR.mtrrPhysicalBase0...MSR.mtrrPhysicalMask9:
            return system.mtrr.variable[Int(msr - MSR.mtrrPhysicalBase0)]
        case MSR.pageAttributeTable: return system.pat
        case MSR.mtrrDefaultType: return system.mtrr.defaultType
        case MSR.tscDeadline where !machine.configuration.model.has(.tscDeadline):
            throw .exception(.generalProtection())
        case MSR.tscDeadline, MSR.x2apicFirst...MSR.x2apicLast: return try readAPICMSR(msr)
        case MSR.efer: return system.efer
        case MSR.star: return system.star
        case MSR.lstar: return system.lstar
        case MSR.cstar: return system.cstar
        case MSR.fmask: return system.fmask
        case MSR.fsBase: return system.segments[SegmentIndex.fs].base
        case MSR.gsBase: return system.segments[SegmentIndex.gs].base
        case MSR.kernelGSBase: return system.kernelGSBase
        case MSR.tscAux: return system.tscAux
        case MSR.supervisorState where machine.configuration.model.has(.xsaves): return 0
        default:
            if let n = MTRRState.fixedIndex(msr) { return system.mtrr.fixed[n] }
            if machine.configuration.model.has(.vmx), let value = readVMXMSR(msr) { return value }
            throw .exception(.generalProtection())
        }
    }

    /// What WRMSR does at CPL 0; #GP(0) for an MSR that does not exist, cannot be written, or not with this value.
    func writeMSR(_ msr: UInt32, _ value: UInt64) throws(Interruption) {
        switch msr {
        case MSR.timeStampCounter:
            // SDM 3B 17.17.3 "Time-Stamp Counter Adjustment": the difference is added to IA32_TSC_ADJUST.
            changeTSCAdjust(to: system.tscAdjust &+ value &- timestampCounter)
        case MSR.tscAdjust where machine.configuration.model.has(.tscAdjust):
            changeTSCAdjust(to: value)
        // A microcode update that is not newer than what is loaded is ignored.
        case MSR.biosUpdateTrigger, MSR.biosSignature: break
        case MSR.apicBase where machine.configuration.model.has(.apic): try writeAPICBase(value)
        case VMXMSR.featureControl: try writeVMXMSR(msr, value)
        case MSR.sysenterCS: system.sysenterCS = value & 0xFFFF_FFFF
        case MSR.sysenterESP: system.sysenterESP = try canonical(value)
        case MSR.sysenterEIP: system.sysenterEIP = try canonical(value)
        case MSR.machineCheckStatus:
            guard value == 0 else { throw .exception(.generalProtection()) }
        case MSR.miscEnable: try writeMiscEnable(value)
        case MSR.debugControl:
            // SDM 3B 17.4.1 "IA32_DEBUGCTL MSR": bits 5:2, 13 and 63:16 are reserved. LBR does nothing that can be seen
            // without the records, which are not modelled.
            guard value & ~0xDFC3 == 0 else { throw .exception(.generalProtection()) }
            if value & ~(DebugControl.lastBranchRecord | DebugControl.branchStep) != 0 {
                throw .notModelled("IA32_DEBUGCTL \(hex(value)): branch trace messages and freezing")
            }
            system.debugCtl = value
        case MSR.mtrrPhysicalBase0...MSR.mtrrPhysicalMask9: try writeVariableMTRR(msr, value)
        case MSR.pageAttributeTable:
            guard Self.isValidPAT(value) else { throw .exception(.generalProtection()) }
            system.pat = value
        case MSR.mtrrDefaultType:
            guard value & ~0xCFF == 0, Self.isMTRRType(value & 0xFF) else { throw .exception(.generalProtection()) }
            system.mtrr.defaultType = value
        case MSR.tscDeadline where !machine.configuration.model.has(.tscDeadline):
            throw .exception(.generalProtection())
        case MSR.tscDeadline, MSR.x2apicFirst...MSR.x2apicLast: try writeAPICMSR(msr, value)
        case MSR.efer: try writeEFER(value)
        case MSR.star: system.star = value
        case MSR.lstar: system.lstar = try canonical(value)
        case MSR.cstar: system.cstar = try canonical(value)
        case MSR.fmask:
            guard value &>> 32 == 0 else { throw .exception(.generalProtection()) }
            system.fmask = value
        case MSR.fsBase:
            system.segments[SegmentIndex.fs].base = try canonical(value)
            mirrorSegmentBases()
        case MSR.gsBase:
            system.segments[SegmentIndex.gs].base = try canonical(value)
            mirrorSegmentBases()
        case MSR.kernelGSBase: system.kernelGSBase = try canonical(value)
        case MSR.tscAux:
            guard value &>> 32 == 0 else { throw .exception(.generalProtection()) }
            system.tscAux = value
        // No supervisor state component is supported (CPUID.(0DH,1):ECX is 0).
        case MSR.supervisorState where machine.configuration.model.has(.xsaves):
            guard value == 0 else { throw .exception(.generalProtection()) }
        default:
            guard let n = MTRRState.fixedIndex(msr) else { throw .exception(.generalProtection()) }
            for byte in 0..<8 where !Self.isMTRRType(value &>> UInt64(8 * byte) & 0xFF) {
                throw .exception(.generalProtection())
            }
            system.mtrr.fixed[n] = value
        }
    }

    private func canonical(_ value: UInt64) throws(Interruption) -> UInt64 {
        guard LinearAddress(value).isCanonical else { throw .exception(.generalProtection()) }
        return value
    }

    /// SDM 3A 10.8.5 "Initializing IA-32e Mode": LME changes only without paging; LMA is read only.
    private func writeEFER(_ value: UInt64) throws(Interruption) {
        var reserved = ~(EFER.writable | EFER.longModeActive)
        let hasNX = machine.configuration.model.has(.nx) && system.miscEnable & MiscEnable.executeDisableOff == 0
        if !hasNX { reserved |= EFER.executeDisableEnable }
        guard value & reserved == 0 else { throw .exception(.generalProtection()) }
        if isPaging && (value ^ system.efer) & EFER.longModeEnable != 0 { throw .exception(.generalProtection()) }
        system.efer = value & EFER.writable | system.efer & EFER.longModeActive
        modeChanged()
    }

    /// IA32_MISC_ENABLE, SDM 4 table 2-2: what can be switched; of that only the limits of CPUID have an effect here.
    /// Performance monitoring (7), BTS (11) and PEBS (12) are read only.
    private func writeMiscEnable(_ value: UInt64) throws(Interruption) {
        let readOnly = MiscEnable.performanceMonitoring | MiscEnable.noBTS | MiscEnable.noPEBS
        guard (value ^ system.miscEnable) & ~(MiscEnable.writable | readOnly) == 0 else {
            throw .exception(.generalProtection())
        }
        system.miscEnable = value & MiscEnable.writable | system.miscEnable & readOnly
    }

    private func writeVariableMTRR(_ msr: UInt32, _ value: UInt64) throws(Interruption) {
        let isMask = msr & 1 != 0
        let reserved = ~physicalMask | (isMask ? 0x7FF : 0xF00)
        guard value & reserved == 0, isMask || Self.isMTRRType(value & 0xFF) else {
            throw .exception(.generalProtection())
        }
        system.mtrr.variable[Int(msr - MSR.mtrrPhysicalBase0)] = value
    }

    /// SDM 3A table 12-8 "Memory Types That Can Be Encoded in MTRRs".
    private static func isMTRRType(_ type: UInt64) -> Bool {
        type == 0 || type == 1 || type == 4 || type == 5 || type == 6
    }

    /// SDM 3A table 12-10 "Memory Types That Can Be Encoded With PAT". Also checked by VM entries.
    static func isValidPAT(_ value: UInt64) -> Bool {
        for n in 0..<8 {
            let type = value &>> UInt64(8 * n) & 0xFF
            if type > 7 || type == 2 || type == 3 { return false }
        }
        return true
    }
}
