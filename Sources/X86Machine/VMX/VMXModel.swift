import X86Architecture

/// What this processor's VMX supports, as SDM 3D appendix A "VMX Capability Reporting Facility" reports it.
/// What is not modelled is left out here, so that software that asks first never reaches it.
enum VMXModel {
    /// VMCS revision identifier; a value of this model's own, as the layout of a VMCS region is.
    static let revision: UInt32 = 0x4C56_4431
    static let regionSize: UInt64 = 4096
    /// The VMX-preemption timer counts down when bit 5 of the TSC changes, as on Haswell.
    static let preemptionTimerShift: UInt64 = 5
    static let cr3Targets: UInt64 = 4
    /// 512 entries, the "recommended maximum" of SDM 3D A.6 "Miscellaneous Data": beyond it behaviour is undefined.
    /// Here the first entry beyond it fails as one that cannot be loaded or stored does.
    static let msrListLimit: UInt32 = 512

    // SDM 3D A.2 "Reserved Controls and Default Settings": the default1 class, and what may be 1 besides.
    private static let pinDefault1: UInt32 = 0x16
    static let pin = (PinBasedControls.externalInterruptExiting | .nmiExiting | .virtualNMIs | .activatePreemptionTimer
        | .processPostedInterrupts).rawValue | pinDefault1

    private static let processorDefault1: UInt32 = 0x0401_E172
    static let processor: UInt32 = {
        let some: ProcessorBasedControls = .interruptWindowExiting | .useTSCOffsetting | .hltExiting | .invlpgExiting
            | .mwaitExiting | .rdpmcExiting | .rdtscExiting | .cr8LoadExiting | .cr8StoreExiting | .useTPRShadow
        let others: ProcessorBasedControls = .nmiWindowExiting | .movDRExiting | .unconditionalIOExiting | .useIOBitmaps
            | .monitorTrapFlag | .useMSRBitmaps | .monitorExiting | .pauseExiting | .activateSecondaryControls
        return (some | others).rawValue | processorDefault1
    }()
    /// CR3-load and CR3-store exiting may be 0.
    private static let processorMustBeOne = processorDefault1
        & ~(ProcessorBasedControls.cr3LoadExiting | .cr3StoreExiting).rawValue

    /// Of every model with VMX.
    private static let secondary: SecondaryControls = {
        let some: SecondaryControls = .enableEPT | .descriptorTableExiting | .enableRDTSCP | .enableVPID
            | .wbinvdExiting
        let others: SecondaryControls = .unrestrictedGuest | .enableINVPCID | .enableVMFunctions | .pauseLoopExiting
        let later: SecondaryControls = .vmcsShadowing | .enablePML | .modeBasedExecuteControl | .useTSCScaling
            | .eptViolationException
        let apic: SecondaryControls = .virtualizeAPICAccesses | .virtualizeX2APICMode | .apicRegisterVirtualization
            | .virtualInterruptDelivery
        return some | others | later | apic
    }()

    /// With the controls of instructions that not every model has.
    static func secondaryControls(of model: ProcessorModel) -> ControlCapability {
        var controls = secondary
        if model.has(.rdrand) { controls.insert(.rdrandExiting) }
        if model.has(.rdseed) { controls.insert(.rdseedExiting) }
        if model.has(.xsaves) { controls.insert(.enableXSAVES) }
        return ControlCapability(mustBeOne: 0, mayBeOne: controls.rawValue)
    }

    private static let exitDefault1: UInt32 = 0x0003_6DFF
    static let exit: UInt32 = {
        let some: ExitControls = .saveDebugControls | .hostAddressSpaceSize | .acknowledgeInterruptOnExit
        let others: ExitControls = .savePAT | .loadPAT | .saveEFER | .loadEFER | .savePreemptionTimer
        return (some | others).rawValue | exitDefault1
    }()
    private static let exitMustBeOne = exitDefault1 & ~ExitControls.saveDebugControls.rawValue

    private static let entryDefault1: UInt32 = 0x0000_11FF
    static let entry = (EntryControls.loadDebugControls | .ia32eModeGuest | .loadPAT | .loadEFER).rawValue
        | entryDefault1
    private static let entryMustBeOne = entryDefault1 & ~EntryControls.loadDebugControls.rawValue

    static let truePin = ControlCapability(mustBeOne: pinDefault1, mayBeOne: pin)
    static let trueProcessor = ControlCapability(mustBeOne: processorMustBeOne, mayBeOne: processor)
    static let trueExit = ControlCapability(mustBeOne: exitMustBeOne, mayBeOne: exit)
    static let trueEntry = ControlCapability(mustBeOne: entryMustBeOne, mayBeOne: entry)
    static let vmFunctions = VMFunctionControls.eptpSwitching.rawValue

    static let ept: EPTAndVPIDCapability = {
        let ept: EPTAndVPIDCapability = .executeOnly | .walkLength4 | .uncacheable | .writeBack | .pages2MiB
            | .pages1GiB
            | .accessedAndDirty | .advancedViolationInformation | .invept | .inveptSingleContext | .inveptAllContexts
        let vpid: EPTAndVPIDCapability = .invvpid | .invvpidIndividualAddress | .invvpidSingleContext
            | .invvpidAllContexts | .invvpidSingleContextRetainingGlobals
        return ept | vpid
    }()

    // SDM 3D A.7 "VMX-Fixed Bits in CR0", A.8 "VMX-Fixed Bits in CR4".
    static let cr0Fixed0 = CR0.protectionEnable | CR0.numericError | CR0.paging
    static let cr0Fixed1: UInt64 = 0xFFFF_FFFF
    static let cr4Fixed0 = CR4.vmxEnable
    /// A capability MSR, 0x480 to 0x491, but for IA32_VMX_PROCBASED_CTLS2; nil: no such MSR. `cr4Fixed1`: the CR4 bits
    /// of the processor's features.
    static func capability(_ msr: UInt32, cr4Fixed1: UInt64) -> UInt64? {
        switch msr {
        case VMXMSR.basic:
            // Write-back VMCS accesses (6); INS/OUTS information; TRUE controls.
            return UInt64(revision) | regionSize << 32 | 6 << 50 | 1 << 54 | 1 << 55
        case VMXMSR.pinBasedControls: return ControlCapability(mustBeOne: pinDefault1, mayBeOne: pin).rawValue
        case VMXMSR.processorBasedControls:
            return ControlCapability(mustBeOne: processorDefault1, mayBeOne: processor).rawValue
        case VMXMSR.exitControls: return ControlCapability(mustBeOne: exitDefault1, mayBeOne: exit).rawValue
        case VMXMSR.entryControls: return ControlCapability(mustBeOne: entryDefault1, mayBeOne: entry).rawValue
        case VMXMSR.miscellaneous:
            // Exits store EFER.LMA (5); activity states HLT, shutdown, wait-for-SIPI (6 to 8); VMWRITE to every field
            // (29); injection of software events of length 0 (30).
            return preemptionTimerShift | 1 << 5 | 7 << 6 | cr3Targets << 16 | UInt64(msrListLimit / 512 - 1) << 25
                | 1 << 29 | 1 << 30
        case VMXMSR.cr0Fixed0: return cr0Fixed0
        case VMXMSR.cr0Fixed1: return cr0Fixed1
        case VMXMSR.cr4Fixed0: return cr4Fixed0
        case VMXMSR.cr4Fixed1: return cr4Fixed1
        case VMXMSR.vmcsEnumeration: return UInt64(VMCS.highestIndex) << 1
        case VMXMSR.eptAndVPID: return ept.rawValue
        case VMXMSR.truePinBasedControls: return truePin.rawValue
        case VMXMSR.trueProcessorBasedControls: return trueProcessor.rawValue
        case VMXMSR.trueExitControls: return trueExit.rawValue
        case VMXMSR.trueEntryControls: return trueEntry.rawValue
        case VMXMSR.vmFunctions: return vmFunctions
        default: return nil
        }
    }

    /// SDM 3C 26.8 "Restrictions on VMX Operation": whether CR0 may hold this value in VMX operation.
    /// `unrestricted`: PE and PG may be 0 ("unrestricted guest").
    static func allowsCR0(_ value: UInt64, unrestricted: Bool = false) -> Bool {
        var fixed0 = cr0Fixed0
        if unrestricted { fixed0 &= ~(CR0.protectionEnable | CR0.paging) }
        return value & fixed0 == fixed0 && value & ~cr0Fixed1 == 0
    }
    static func allowsCR4(_ value: UInt64, fixed1: UInt64) -> Bool {
        value & cr4Fixed0 == cr4Fixed0 && value & ~fixed1 == 0
    }
}
