// Plain values only: the guest monitor compiles this file too (Embedded Swift, no allocation).

/// SDM 4 "Model-Specific Registers (MSRs)": the addresses of those that are modelled; those of VMX are in `VMXMSR`.
public enum MSR {
    public static let p5MachineCheckAddress: UInt32 = 0x0
    public static let p5MachineCheckType: UInt32 = 0x1
    public static let timeStampCounter: UInt32 = 0x10
    public static let platformID: UInt32 = 0x17
    public static let apicBase: UInt32 = 0x1B
    public static let tscAdjust: UInt32 = 0x3B
    public static let biosUpdateTrigger: UInt32 = 0x79
    public static let biosSignature: UInt32 = 0x8B
    public static let mtrrCapabilities: UInt32 = 0xFE
    public static let sysenterCS: UInt32 = 0x174
    public static let sysenterESP: UInt32 = 0x175
    public static let sysenterEIP: UInt32 = 0x176
    public static let machineCheckCapabilities: UInt32 = 0x179
    public static let machineCheckStatus: UInt32 = 0x17A
    public static let miscEnable: UInt32 = 0x1A0
    public static let lastBranchSelect: UInt32 = 0x1C8
    public static let lastBranchTopOfStack: UInt32 = 0x1C9
    public static let debugControl: UInt32 = 0x1D9
    public static let mtrrPhysicalBase0: UInt32 = 0x200
    public static let mtrrPhysicalMask9: UInt32 = 0x213
    public static let mtrrFixed64K: UInt32 = 0x250
    public static let mtrrFixed16K80000: UInt32 = 0x258
    public static let mtrrFixed16KA0000: UInt32 = 0x259
    public static let mtrrFixed4KC0000: UInt32 = 0x268
    public static let mtrrFixed4KF8000: UInt32 = 0x26F
    public static let pageAttributeTable: UInt32 = 0x277
    public static let mtrrDefaultType: UInt32 = 0x2FF
    /// 16 records of the sources and of the targets of branches (SDM 3B 17.4.8 "LBR Stack").
    public static let lastBranchFromFirst: UInt32 = 0x680
    public static let lastBranchFromLast: UInt32 = 0x68F
    public static let lastBranchToFirst: UInt32 = 0x6C0
    public static let lastBranchToLast: UInt32 = 0x6CF
    public static let tscDeadline: UInt32 = 0x6E0
    public static let x2apicFirst: UInt32 = 0x800
    public static let x2apicLast: UInt32 = 0x8FF
    public static let efer: UInt32 = 0xC000_0080
    public static let star: UInt32 = 0xC000_0081
    public static let lstar: UInt32 = 0xC000_0082
    public static let cstar: UInt32 = 0xC000_0083
    public static let fmask: UInt32 = 0xC000_0084
    public static let fsBase: UInt32 = 0xC000_0100
    public static let gsBase: UInt32 = 0xC000_0101
    public static let kernelGSBase: UInt32 = 0xC000_0102
    public static let tscAux: UInt32 = 0xC000_0103
    /// IA32_XSS.
    public static let supervisorState: UInt32 = 0xDA0
}

/// IA32_DEBUGCTL. SDM 3B 17.4.1 "IA32_DEBUGCTL MSR".
public enum DebugControl {
    /// LBR: branches are recorded.
    public static let lastBranchRecord: UInt64 = 1 << 0
    /// BTF: RFLAGS.TF traps after taken branches only.
    public static let branchStep: UInt64 = 1 << 1
}

/// IA32_MISC_ENABLE, SDM 4 table 2-2.
public enum MiscEnable {
    public static let fastStrings: UInt64 = 1 << 0
    public static let thermalControl: UInt64 = 1 << 3
    public static let performanceMonitoring: UInt64 = 1 << 7
    public static let noBTS: UInt64 = 1 << 11
    public static let noPEBS: UInt64 = 1 << 12
    public static let speedStep: UInt64 = 1 << 16
    public static let monitor: UInt64 = 1 << 18
    /// CPUID.0:EAX reports at most 2.
    public static let limitCPUID: UInt64 = 1 << 22
    public static let noTaskPriorityMessages: UInt64 = 1 << 23
    /// CPUID reports no XD, EFER.NXE is reserved.
    public static let executeDisableOff: UInt64 = 1 << 34
    public static let writable: UInt64 = fastStrings | thermalControl | speedStep | monitor | limitCPUID
        | noTaskPriorityMessages | executeDisableOff
    public static let reset: UInt64 = fastStrings | noBTS | noPEBS
}
