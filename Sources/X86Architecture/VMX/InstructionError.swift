// Plain values only: the guest monitor compiles this file too (Embedded Swift, no allocation).

/// SDM 3C 33.4 "VM Instruction Error Numbers".
public enum VMInstructionError: UInt32, Sendable {
    case vmcallInRootOperation = 1
    case vmclearInvalidAddress = 2
    case vmclearWithVMXONPointer = 3
    case vmlaunchNonClearVMCS = 4
    case vmresumeNonLaunchedVMCS = 5
    case vmresumeAfterVMXOFF = 6
    case entryInvalidControlFields = 7
    case entryInvalidHostState = 8
    case vmptrldInvalidAddress = 9
    case vmptrldWithVMXONPointer = 10
    case vmptrldIncorrectRevision = 11
    case unsupportedVMCSComponent = 12
    case vmwriteReadOnlyComponent = 13
    case vmxonInRootOperation = 15
    case entryInvalidExecutiveVMCS = 16
    case entryNonLaunchedExecutiveVMCS = 17
    case entryExecutiveVMCSNotVMXONPointer = 18
    case vmcallNonClearVMCS = 19
    case vmcallInvalidExitControls = 20
    case vmcallIncorrectMSEGRevision = 22
    case vmxoffUnderDualMonitor = 23
    case vmcallInvalidSMMMonitorFeatures = 24
    case entryInvalidExecutionControlsInExecutiveVMCS = 25
    case entryEventsBlockedByMOVSS = 26
    case invalidOperandToINVEPTOrINVVPID = 28

    /// The SDM's wording.
    public var title: StaticString {
        switch self {
        case .vmcallInRootOperation: "VMCALL executed in VMX root operation"
        case .vmclearInvalidAddress: "VMCLEAR with invalid physical address"
        case .vmclearWithVMXONPointer: "VMCLEAR with VMXON pointer"
        case .vmlaunchNonClearVMCS: "VMLAUNCH with non-clear VMCS"
        case .vmresumeNonLaunchedVMCS: "VMRESUME with non-launched VMCS"
        case .vmresumeAfterVMXOFF: "VMRESUME after VMXOFF"
        case .entryInvalidControlFields: "VM entry with invalid control field(s)"
        case .entryInvalidHostState: "VM entry with invalid host-state field(s)"
        case .vmptrldInvalidAddress: "VMPTRLD with invalid physical address"
        case .vmptrldWithVMXONPointer: "VMPTRLD with VMXON pointer"
        case .vmptrldIncorrectRevision: "VMPTRLD with incorrect VMCS revision identifier"
        case .unsupportedVMCSComponent: "VMREAD/VMWRITE from/to unsupported VMCS component"
        case .vmwriteReadOnlyComponent: "VMWRITE to read-only VMCS component"
        case .vmxonInRootOperation: "VMXON executed in VMX root operation"
        case .entryInvalidExecutiveVMCS: "VM entry with invalid executive-VMCS pointer"
        case .entryNonLaunchedExecutiveVMCS: "VM entry with non-launched executive VMCS"
        case .entryExecutiveVMCSNotVMXONPointer:
            "VM entry with executive-VMCS pointer not VMXON pointer"
        case .vmcallNonClearVMCS: "VMCALL with non-clear VMCS"
        case .vmcallInvalidExitControls: "VMCALL with invalid VM-exit control fields"
        case .vmcallIncorrectMSEGRevision: "VMCALL with incorrect MSEG revision identifier"
        case .vmxoffUnderDualMonitor: "VMXOFF under dual-monitor treatment of SMIs and SMM"
        case .vmcallInvalidSMMMonitorFeatures: "VMCALL with invalid SMM-monitor features"
        case .entryInvalidExecutionControlsInExecutiveVMCS:
            "VM entry with invalid VM-execution control fields in executive VMCS"
        case .entryEventsBlockedByMOVSS: "VM entry with events blocked by MOV SS"
        case .invalidOperandToINVEPTOrINVVPID: "Invalid operand to INVEPT/INVVPID"
        }
    }
}
