// Plain values only: the guest monitor compiles this file too (Embedded Swift, no allocation).

/// Bits 15:0 of the exit-reason field. SDM 3D appendix C "VMX Basic Exit Reasons".
public enum ExitReason: UInt16, Sendable {
    case exceptionOrNMI = 0
    case externalInterrupt = 1
    case tripleFault = 2
    case initSignal = 3
    case startupIPI = 4
    case ioSMI = 5
    case otherSMI = 6
    case interruptWindow = 7
    case nmiWindow = 8
    case taskSwitch = 9
    case cpuid = 10
    case getsec = 11
    case hlt = 12
    case invd = 13
    case invlpg = 14
    case rdpmc = 15
    case rdtsc = 16
    case rsm = 17
    case vmcall = 18
    case vmclear = 19
    case vmlaunch = 20
    case vmptrld = 21
    case vmptrst = 22
    case vmread = 23
    case vmresume = 24
    case vmwrite = 25
    case vmxoff = 26
    case vmxon = 27
    case controlRegisterAccess = 28
    case movDR = 29
    case ioInstruction = 30
    case rdmsr = 31
    case wrmsr = 32
    case entryFailureInvalidGuestState = 33
    case entryFailureMSRLoading = 34
    case mwait = 36
    case monitorTrapFlag = 37
    case monitor = 39
    case pause = 40
    case entryFailureMachineCheck = 41
    case tprBelowThreshold = 43
    case apicAccess = 44
    case virtualizedEOI = 45
    case gdtrOrIDTRAccess = 46
    case ldtrOrTRAccess = 47
    case eptViolation = 48
    case eptMisconfiguration = 49
    case invept = 50
    case rdtscp = 51
    case preemptionTimerExpired = 52
    case invvpid = 53
    case wbinvd = 54
    case xsetbv = 55
    case apicWrite = 56
    case rdrand = 57
    case invpcid = 58
    case vmfunc = 59
    case encls = 60
    case rdseed = 61
    case pageModificationLogFull = 62
    case xsaves = 63
    case xrstors = 64
    case pconfig = 65
    case sppRelatedEvent = 66
    case umwait = 67
    case tpause = 68
    case loadiwkey = 69
    case enclv = 70
    case enqcmdPASIDTranslationFailure = 72
    case enqcmdsPASIDTranslationFailure = 73
    case busLock = 74
    case instructionTimeout = 75
    case seamcall = 76
    case tdcall = 77

    /// Short name, as the SDM's table begins each row.
    public var title: StaticString {
        switch self {
        case .exceptionOrNMI: "Exception or NMI"
        case .externalInterrupt: "External interrupt"
        case .tripleFault: "Triple fault"
        case .initSignal: "INIT signal"
        case .startupIPI: "Start-up IPI (SIPI)"
        case .ioSMI: "I/O SMI"
        case .otherSMI: "Other SMI"
        case .interruptWindow: "Interrupt window"
        case .nmiWindow: "NMI window"
        case .taskSwitch: "Task switch"
        case .cpuid: "CPUID"
        case .getsec: "GETSEC"
        case .hlt: "HLT"
        case .invd: "INVD"
        case .invlpg: "INVLPG"
        case .rdpmc: "RDPMC"
        case .rdtsc: "RDTSC"
        case .rsm: "RSM"
        case .vmcall: "VMCALL"
        case .vmclear: "VMCLEAR"
        case .vmlaunch: "VMLAUNCH"
        case .vmptrld: "VMPTRLD"
        case .vmptrst: "VMPTRST"
        case .vmread: "VMREAD"
        case .vmresume: "VMRESUME"
        case .vmwrite: "VMWRITE"
        case .vmxoff: "VMXOFF"
        case .vmxon: "VMXON"
        case .controlRegisterAccess: "Control-register accesses"
        case .movDR: "MOV DR"
        case .ioInstruction: "I/O instruction"
        case .rdmsr: "RDMSR"
        case .wrmsr: "WRMSR"
        case .entryFailureInvalidGuestState: "VM-entry failure due to invalid guest state"
        case .entryFailureMSRLoading: "VM-entry failure due to MSR loading"
        case .mwait: "MWAIT"
        case .monitorTrapFlag: "Monitor trap flag"
        case .monitor: "MONITOR"
        case .pause: "PAUSE"
        case .entryFailureMachineCheck: "VM-entry failure due to machine-check event"
        case .tprBelowThreshold: "TPR below threshold"
        case .apicAccess: "APIC access"
        case .virtualizedEOI: "Virtualized EOI"
        case .gdtrOrIDTRAccess: "Access to GDTR or IDTR"
        case .ldtrOrTRAccess: "Access to LDTR or TR"
        case .eptViolation: "EPT violation"
        case .eptMisconfiguration: "EPT misconfiguration"
        case .invept: "INVEPT"
        case .rdtscp: "RDTSCP"
        case .preemptionTimerExpired: "VMX-preemption timer expired"
        case .invvpid: "INVVPID"
        case .wbinvd: "WBINVD or WBNOINVD"
        case .xsetbv: "XSETBV"
        case .apicWrite: "APIC write"
        case .rdrand: "RDRAND"
        case .invpcid: "INVPCID"
        case .vmfunc: "VMFUNC"
        case .encls: "ENCLS"
        case .rdseed: "RDSEED"
        case .pageModificationLogFull: "Page-modification log full"
        case .xsaves: "XSAVES"
        case .xrstors: "XRSTORS"
        case .pconfig: "PCONFIG"
        case .sppRelatedEvent: "SPP-related event"
        case .umwait: "UMWAIT"
        case .tpause: "TPAUSE"
        case .loadiwkey: "LOADIWKEY"
        case .enclv: "ENCLV"
        case .enqcmdPASIDTranslationFailure: "ENQCMD PASID translation failure"
        case .enqcmdsPASIDTranslationFailure: "ENQCMDS PASID translation failure"
        case .busLock: "Bus lock"
        case .instructionTimeout: "Instruction timeout"
        case .seamcall: "SEAMCALL"
        case .tdcall: "TDCALL"
        }
    }
}

/// The exit-reason field. SDM 3C 27.9.1 "Basic VM-Exit Information", Table "Format of Exit Reason".
public struct ExitReasonField: VMXControlWord {
    public var rawValue: UInt32
    @inlinable public init(_ rawValue: UInt32) { self.rawValue = rawValue }
    /// Bits 15:0.
    @inlinable public var basic: UInt16 { UInt16(truncatingIfNeeded: rawValue) }
    /// The VM exit happened after a pending MTF VM exit (SMM only).
    @inlinable public static var pendingMTF: Self { .bit(28) }
    @inlinable public static var fromRootOperation: Self { .bit(29) }
    @inlinable public static var entryFailure: Self { .bit(31) }
}

/// VMX-abort indicators, in bytes 4 to 7 of the VMCS region. SDM 3C 30.7 "VMX Aborts".
public enum VMXAbort: UInt32, Sendable {
    case savingGuestMSRs = 1
    case hostPDPTEs = 2
    case corruptedVMCS = 3
    case loadingHostMSRs = 4
    case machineCheck = 5
    case hostAddressSpaceSize = 6

    public var title: StaticString {
        switch self {
        case .savingGuestMSRs: "There was a failure in saving guest MSRs"
        case .hostPDPTEs: "Host checking of the page-directory-pointer-table entries failed"
        case .corruptedVMCS: "The current VMCS has been corrupted such that a VM exit cannot complete properly"
        case .loadingHostMSRs: "There was a failure on loading host MSRs"
        case .machineCheck: "There was a machine-check event during VM exit"
        case .hostAddressSpaceSize:
            "The logical processor was in IA-32e mode before the VM exit and \"host address-space size\" was 0"
        }
    }
}
