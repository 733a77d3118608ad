import X86Architecture

/// VMX operation of one processor. A plain value.
///
/// The VMCS itself is in its region in memory (`VMCS`); here is what a processor holds besides: the pointers, and the
/// controls that took effect at the latest VM entry (in VMX non-root operation nothing can VMWRITE them).
struct VMXState {
    static let noVMCS: UInt64 = ~0
    /// Not page-aligned: no page.
    static let noAPICAccessPage: UInt64 = 1

    /// VMXON has been executed and VMXOFF has not.
    var inOperation = false
    /// In VMX non-root operation: a guest is running.
    var inNonRoot = false
    /// How many times VMXON has been executed: VMRESUME of a VMCS that was launched before the latest one fails.
    var operation: UInt32 = 0
    /// Physical address of the VMXON region.
    var vmxonPointer = VMXState.noVMCS
    /// The current-VMCS pointer; all ones when there is none.
    var currentVMCS = VMXState.noVMCS

    /// Controls of the running guest; meaningful in VMX non-root operation only.
    var controls = VMXControls()
    /// Translations are tagged with this VPID: 0 outside VMX non-root operation and without "enable VPID".
    var currentVPID: UInt16 = 0
    /// In VMX non-root operation with "enable EPT".
    var eptEnabled = false
    /// The current EPTP, which VMFUNC changes.
    var eptp = EPTPointer(0)
    /// Tag of combined mappings: SDM 3C 31.4.1 "Information That May Be Cached".
    var ep4ta: UInt64 { eptp.root.rawValue }
    /// Accessed and dirty flags for EPT are in use.
    var eptKeepsDirtyFlags: Bool { eptp.accessedAndDirty }

    /// Cycle at which the VMX-preemption timer reaches zero; nil when it is not active.
    var preemptionDeadline: UInt64?
    /// An MTF VM exit is pending on the next instruction boundary (SDM 3C 28.5.2 "Monitor Trap Flag").
    var pendingMTF = false
    /// Retired instructions at the first boundary after VM entry with "monitor trap flag".
    var mtfStart: UInt64?
    /// Cycles of the first and of the latest PAUSE of the guest's current loop. SDM 3C 28.1.3, PAUSE.
    var pauseLoop: PauseLoop?
    /// The APIC-access page of the running guest; `noAPICAccessPage` without "virtualize APIC accesses".
    var apicAccessPage = VMXState.noAPICAccessPage
    /// The one that fast translations take into account.
    var lastAPICAccessPage = VMXState.noAPICAccessPage
    /// Page offset of a virtualized write that has to be emulated after the instruction.
    var pendingAPICWrite: UInt16?
    /// A VM exit at the next instruction boundary that an access to the virtual APIC caused.
    var trapLikeExit: TrapLikeExit?
    /// Requesting and servicing virtual interrupt. SDM 3C 27.4.2 "Guest Non-Register State", Guest interrupt status.
    var rvi: UInt8 = 0, svi: UInt8 = 0
    /// A pending virtual interrupt has been recognized.
    var virtualInterruptPending = false
    /// An event is being delivered through the IDT; VM exits meanwhile report it as IDT-vectoring information.
    var delivery: EventDelivery?
    /// IRET removed blocking by NMI and has not completed: reported by VM exits for faults of that IRET.
    var iretUnblockedNMI = false
    /// Set by a VMX abort; the processor is in VMX-abort shutdown.
    var abort: VMXAbort?
    /// Why the latest VM entry of this processor failed. For `explain`; nothing architectural depends on it.
    var entryFailure: VMEntryCheckFailure?

    init() {}
}

struct TrapLikeExit { var reason: UInt16, qualification: UInt64 }

struct PauseLoop { var first: UInt64, latest: UInt64 }

/// The event being delivered, as SDM 3C 30.2.4 "Information for VM Exits During Event Delivery" reports it.
struct EventDelivery {
    var information: InterruptionInformation
    var errorCode: UInt32 = 0
    /// Software interrupts and exceptions: bytes of the instruction.
    var instructionLength: UInt8 = 0
    /// RF as it would be in the saved image of RFLAGS (SDM 3C 30.3.3 "Saving RIP, RSP, RFLAGS, and SSP").
    var savedRF = false
}

/// VM-execution control fields as loaded by VM entry.
struct VMXControls {
    var pin = PinBasedControls(0)
    var processor = ProcessorBasedControls(0)
    /// 0 when "activate secondary controls" is 0.
    var secondary = SecondaryControls(0)
    var exit = ExitControls(0)
    var exceptionBitmap: UInt32 = 0
    var pageFaultMask: UInt32 = 0
    var pageFaultMatch: UInt32 = 0
    var cr0Mask: UInt64 = 0, cr0Shadow: UInt64 = 0
    var cr4Mask: UInt64 = 0, cr4Shadow: UInt64 = 0
    var cr3TargetCount: UInt32 = 0
    var cr3Targets: InlineArray<4, UInt64> = .init(repeating: 0)
    var ioBitmapA: UInt64 = 0, ioBitmapB: UInt64 = 0
    var msrBitmaps: UInt64 = 0
    var tscOffset: UInt64 = 0
    var vmFunctions = VMFunctionControls(0)
    var eptpList: UInt64 = 0
    /// The virtualization-exception information area.
    var exceptionInformation: UInt64 = 0
    var tscMultiplier: UInt64 = 0
    var virtualAPICAddress: UInt64 = 0, postedInterruptDescriptor: UInt64 = 0
    var tprThreshold: UInt32 = 0
    var notificationVector: UInt8 = 0
    var eoiExitBitmap: InlineArray<4, UInt64> = .init(repeating: 0)
    var pmlAddress: UInt64 = 0
    var vmreadBitmap: UInt64 = 0, vmwriteBitmap: UInt64 = 0
    /// The VMCS link pointer, all ones if there is none: where shadowed VMREAD and VMWRITE go.
    var linkPointer: UInt64 = VMXState.noVMCS
    var pleGap: UInt64 = 0, pleWindow: UInt64 = 0
}

extension Processor {
    /// In VMX non-root operation with this control set.
    @inline(__always) func guestHas(_ control: ProcessorBasedControls) -> Bool {
        vmx.inNonRoot && vmx.controls.processor.contains(control)
    }
    @inline(__always) func guestHas(_ control: SecondaryControls) -> Bool {
        vmx.inNonRoot && vmx.controls.secondary.contains(control)
    }
    @inline(__always) func guestHas(_ control: PinBasedControls) -> Bool {
        vmx.inNonRoot && vmx.controls.pin.contains(control)
    }
}
