// Plain values only: the guest monitor compiles this file too (Embedded Swift, no allocation).

/// SDM 3A 2.5 "Control Registers": the bits of CR0.
public enum CR0 {
    public static let protectionEnable: UInt64 = 1 << 0
    public static let monitorCoprocessor: UInt64 = 1 << 1
    public static let emulation: UInt64 = 1 << 2
    public static let taskSwitched: UInt64 = 1 << 3
    public static let extensionType: UInt64 = 1 << 4
    public static let numericError: UInt64 = 1 << 5
    public static let writeProtect: UInt64 = 1 << 16
    public static let alignmentMask: UInt64 = 1 << 18
    public static let notWriteThrough: UInt64 = 1 << 29
    public static let cacheDisable: UInt64 = 1 << 30
    public static let paging: UInt64 = 1 << 31

    /// Bits that software can change; the others of bits 31:0 are ignored on a write and read as 0.
    public static let writable: UInt64 = protectionEnable | monitorCoprocessor | emulation | taskSwitched | numericError
        | writeProtect | alignmentMask | notWriteThrough | cacheDisable | paging
}

/// SDM 3A 2.5 "Control Registers": the bits of CR3 outside the table address.
public enum CR3 {
    public static let writeThrough: UInt64 = 1 << 3
    public static let cacheDisable: UInt64 = 1 << 4
    /// With CR4.PCIDE the low 12 bits are the PCID.
    public static let pcid: UInt64 = 0xFFF
    /// Bit 63 of the operand of MOV to CR3 with CR4.PCIDE = 1: do not invalidate. Never stored.
    public static let keepTranslations: UInt64 = 1 << 63
}

/// SDM 3A 2.5 "Control Registers": the bits of CR4.
public enum CR4 {
    public static let virtual8086Extensions: UInt64 = 1 << 0
    public static let protectedModeVirtualInterrupts: UInt64 = 1 << 1
    public static let timeStampDisable: UInt64 = 1 << 2
    public static let debuggingExtensions: UInt64 = 1 << 3
    public static let pageSizeExtensions: UInt64 = 1 << 4
    public static let physicalAddressExtension: UInt64 = 1 << 5
    public static let machineCheckEnable: UInt64 = 1 << 6
    public static let pageGlobalEnable: UInt64 = 1 << 7
    public static let performanceCounterEnable: UInt64 = 1 << 8
    public static let osfxsr: UInt64 = 1 << 9
    public static let osxmmexcpt: UInt64 = 1 << 10
    public static let userModeInstructionPrevention: UInt64 = 1 << 11
    public static let linearAddress57: UInt64 = 1 << 12
    public static let vmxEnable: UInt64 = 1 << 13
    public static let smxEnable: UInt64 = 1 << 14
    public static let fsgsbase: UInt64 = 1 << 16
    public static let pcidEnable: UInt64 = 1 << 17
    public static let osxsave: UInt64 = 1 << 18
    public static let smep: UInt64 = 1 << 20
    public static let smap: UInt64 = 1 << 21
    public static let protectionKeys: UInt64 = 1 << 22
}

/// SDM 3A 2.2.1 "Extended Feature Enable Register".
public enum EFER {
    public static let systemCallEnable: UInt64 = 1 << 0
    public static let longModeEnable: UInt64 = 1 << 8
    /// Read only: the processor sets it when paging is enabled with LME.
    public static let longModeActive: UInt64 = 1 << 10
    public static let executeDisableEnable: UInt64 = 1 << 11
    public static let writable: UInt64 = systemCallEnable | longModeEnable | executeDisableEnable
}

/// SDM 1 13.3 "Enabling the XSAVE Feature Set and XSAVE-Enabled Features".
public enum XCR0 {
    public static let x87: UInt64 = 1 << 0
    public static let sse: UInt64 = 1 << 1
    public static let avx: UInt64 = 1 << 2
}

/// SDM 3B 17.2 "Debug Registers".
public enum DR6 {
    public static let breakpoints: UInt64 = 0xF
    public static let accessDetected: UInt64 = 1 << 13
    public static let singleStep: UInt64 = 1 << 14
    public static let taskSwitch: UInt64 = 1 << 15
    /// Bits 31:16 and 11:4 read as 1 (bit 16 RTM and bit 11 are inverted conditions of absent features).
    public static let alwaysOne: UInt64 = 0xFFFF_0FF0
    public static let writable: UInt64 = breakpoints | accessDetected | singleStep | taskSwitch
}

/// SDM 3B 17.2.4 "Debug Control Register (DR7)".
public enum DR7 {
    public static let generalDetect: UInt64 = 1 << 13
    public static let alwaysOne: UInt64 = 1 << 10
    /// L0 to G3, LE, GE, GD and the R/W and LEN fields.
    public static let writable: UInt64 = 0xFFFF_23FF
    /// L and G of the four breakpoints.
    public static let anyEnabled: UInt64 = 0xFF

    public static func isEnabled(_ dr7: UInt64, _ n: Int) -> Bool { dr7 >> UInt64(2 * n) & 3 != 0 }
    /// R/Wn: 0 execution, 1 data writes, 2 I/O with CR4.DE, 3 data reads and writes.
    public static func condition(_ dr7: UInt64, _ n: Int) -> UInt64 { dr7 >> UInt64(16 + 4 * n) & 3 }
    /// LENn: 0 one byte, 1 two, 2 eight, 3 four.
    public static func length(_ dr7: UInt64, _ n: Int) -> UInt64 { dr7 >> UInt64(18 + 4 * n) & 3 }
}
