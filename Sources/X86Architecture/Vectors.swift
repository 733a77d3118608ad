// Plain values only: the guest monitor compiles this file too (Embedded Swift, no allocation).

/// SDM 3A 6.3.1 "External Interrupts", table 6-1 "Protected-Mode Exceptions and Interrupts".
public enum Vector {
    public static let divideError: UInt8 = 0
    public static let debug: UInt8 = 1
    public static let nmi: UInt8 = 2
    public static let breakpoint: UInt8 = 3
    public static let overflow: UInt8 = 4
    public static let boundRange: UInt8 = 5
    public static let invalidOpcode: UInt8 = 6
    public static let deviceNotAvailable: UInt8 = 7
    public static let doubleFault: UInt8 = 8
    public static let coprocessorSegmentOverrun: UInt8 = 9
    public static let invalidTSS: UInt8 = 10
    public static let segmentNotPresent: UInt8 = 11
    public static let stackFault: UInt8 = 12
    public static let generalProtection: UInt8 = 13
    public static let pageFault: UInt8 = 14
    public static let x87Error: UInt8 = 16
    public static let alignmentCheck: UInt8 = 17
    public static let machineCheck: UInt8 = 18
    public static let simdException: UInt8 = 19
    public static let virtualization: UInt8 = 20
    public static let controlProtection: UInt8 = 21

    /// Exceptions that push an error code in protected mode: #DF, #TS, #NP, #SS, #GP, #PF, #AC, #CP.
    public static func pushesErrorCode(_ vector: UInt8) -> Bool {
        vector < 32 && (UInt32(1) << UInt32(vector)) & 0x0022_7D00 != 0
    }
}

/// SDM 3A 6.15 "Exception and Interrupt Reference", "Interrupt 14": bits of the page-fault error code.
public enum PageFaultCode {
    public static let present: UInt32 = 1 << 0
    public static let write: UInt32 = 1 << 1
    public static let user: UInt32 = 1 << 2
    public static let reserved: UInt32 = 1 << 3
    public static let instructionFetch: UInt32 = 1 << 4
    public static let protectionKey: UInt32 = 1 << 5
}

/// SDM 3A 6.13 "Error Code": bits of a selector error code.
public enum SelectorErrorCode {
    public static let external: UInt32 = 1 << 0
    public static let idt: UInt32 = 1 << 1
    public static let localDescriptorTable: UInt32 = 1 << 2
}
