// SDM 3D appendix B "Field Encoding in VMCS", in its order.
// Plain values only: the guest monitor compiles this file too (Embedded Swift, no allocation).

/// A VMCS component, by its full encoding (access type "full").
public enum VMCSField: UInt32, Sendable {
    // B.1.1 16-bit control fields
    case virtualProcessorIdentifier = 0x0000
    case postedInterruptNotificationVector = 0x0002
    case eptpIndex = 0x0004
    case hlatPrefixSize = 0x0006
    case lastPIDPointerIndex = 0x0008
    // B.1.2 16-bit guest-state fields
    case guestESSelector = 0x0800
    case guestCSSelector = 0x0802
    case guestSSSelector = 0x0804
    case guestDSSelector = 0x0806
    case guestFSSelector = 0x0808
    case guestGSSelector = 0x080A
    case guestLDTRSelector = 0x080C
    case guestTRSelector = 0x080E
    case guestInterruptStatus = 0x0810
    case pmlIndex = 0x0812
    case guestUINV = 0x0814
    // B.1.3 16-bit host-state fields
    case hostESSelector = 0x0C00
    case hostCSSelector = 0x0C02
    case hostSSSelector = 0x0C04
    case hostDSSelector = 0x0C06
    case hostFSSelector = 0x0C08
    case hostGSSelector = 0x0C0A
    case hostTRSelector = 0x0C0C
    // B.2.1 64-bit control fields
    case ioBitmapA = 0x2000
    case ioBitmapB = 0x2002
    case msrBitmaps = 0x2004
    case exitMSRStoreAddress = 0x2006
    case exitMSRLoadAddress = 0x2008
    case entryMSRLoadAddress = 0x200A
    case executiveVMCSPointer = 0x200C
    case pmlAddress = 0x200E
    case tscOffset = 0x2010
    case virtualAPICAddress = 0x2012
    case apicAccessAddress = 0x2014
    case postedInterruptDescriptorAddress = 0x2016
    case vmFunctionControls = 0x2018
    case eptPointer = 0x201A
    case eoiExitBitmap0 = 0x201C
    case eoiExitBitmap1 = 0x201E
    case eoiExitBitmap2 = 0x2020
    case eoiExitBitmap3 = 0x2022
    case eptpListAddress = 0x2024
    case vmreadBitmapAddress = 0x2026
    case vmwriteBitmapAddress = 0x2028
    case virtualizationExceptionInformationAddress = 0x202A
    case xssExitingBitmap = 0x202C
    case enclsExitingBitmap = 0x202E
    case subPagePermissionTablePointer = 0x2030
    case tscMultiplier = 0x2032
    case tertiaryProcessorBasedControls = 0x2034
    case enclvExitingBitmap = 0x2036
    case lowPASIDDirectoryAddress = 0x2038
    case highPASIDDirectoryAddress = 0x203A
    case sharedEPTPointer = 0x203C
    case pconfigExitingBitmap = 0x203E
    case hlatPointer = 0x2040
    case pidPointerTableAddress = 0x2042
    case secondaryExitControls = 0x2044
    case specCtrlMask = 0x204A
    case specCtrlShadow = 0x204C
    case injectedEventData = 0x2052
    // B.2.2 64-bit read-only data fields
    case guestPhysicalAddress = 0x2400
    case originalEventData = 0x2404
    // B.2.3 64-bit guest-state fields
    case vmcsLinkPointer = 0x2800
    case guestDebugCtl = 0x2802
    case guestPAT = 0x2804
    case guestEFER = 0x2806
    case guestPerfGlobalCtrl = 0x2808
    case guestPDPTE0 = 0x280A
    case guestPDPTE1 = 0x280C
    case guestPDPTE2 = 0x280E
    case guestPDPTE3 = 0x2810
    case guestBNDCFGS = 0x2812
    case guestRTITCtl = 0x2814
    case guestLBRCtl = 0x2816
    case guestPKRS = 0x2818
    case guestFREDConfig = 0x281A
    case guestFREDRSP1 = 0x281C
    case guestFREDRSP2 = 0x281E
    case guestFREDRSP3 = 0x2820
    case guestFREDStackLevels = 0x2822
    case guestFREDSSP1 = 0x2824
    case guestFREDSSP2 = 0x2826
    case guestFREDSSP3 = 0x2828
    // B.2.4 64-bit host-state fields
    case hostPAT = 0x2C00
    case hostEFER = 0x2C02
    case hostPerfGlobalCtrl = 0x2C04
    case hostPKRS = 0x2C06
    case hostFREDConfig = 0x2C08
    case hostFREDRSP1 = 0x2C0A
    case hostFREDRSP2 = 0x2C0C
    case hostFREDRSP3 = 0x2C0E
    case hostFREDStackLevels = 0x2C10
    case hostFREDSSP1 = 0x2C12
    case hostFREDSSP2 = 0x2C14
    case hostFREDSSP3 = 0x2C16
    // B.3.1 32-bit control fields
    case pinBasedControls = 0x4000
    case processorBasedControls = 0x4002
    case exceptionBitmap = 0x4004
    case pageFaultErrorCodeMask = 0x4006
    case pageFaultErrorCodeMatch = 0x4008
    case cr3TargetCount = 0x400A
    case exitControls = 0x400C
    case exitMSRStoreCount = 0x400E
    case exitMSRLoadCount = 0x4010
    case entryControls = 0x4012
    case entryMSRLoadCount = 0x4014
    case entryInterruptionInformation = 0x4016
    case entryExceptionErrorCode = 0x4018
    case entryInstructionLength = 0x401A
    case tprThreshold = 0x401C
    case secondaryProcessorBasedControls = 0x401E
    case pleGap = 0x4020
    case pleWindow = 0x4022
    case instructionTimeoutControl = 0x4024
    // B.3.2 32-bit read-only data fields
    case instructionError = 0x4400
    case exitReason = 0x4402
    case exitInterruptionInformation = 0x4404
    case exitInterruptionErrorCode = 0x4406
    case idtVectoringInformation = 0x4408
    case idtVectoringErrorCode = 0x440A
    case exitInstructionLength = 0x440C
    case exitInstructionInformation = 0x440E
    // B.3.3 32-bit guest-state fields
    case guestESLimit = 0x4800
    case guestCSLimit = 0x4802
    case guestSSLimit = 0x4804
    case guestDSLimit = 0x4806
    case guestFSLimit = 0x4808
    case guestGSLimit = 0x480A
    case guestLDTRLimit = 0x480C
    case guestTRLimit = 0x480E
    case guestGDTRLimit = 0x4810
    case guestIDTRLimit = 0x4812
    case guestESAccessRights = 0x4814
    case guestCSAccessRights = 0x4816
    case guestSSAccessRights = 0x4818
    case guestDSAccessRights = 0x481A
    case guestFSAccessRights = 0x481C
    case guestGSAccessRights = 0x481E
    case guestLDTRAccessRights = 0x4820
    case guestTRAccessRights = 0x4822
    case guestInterruptibilityState = 0x4824
    case guestActivityState = 0x4826
    case guestSMBASE = 0x4828
    case guestSysenterCS = 0x482A
    case preemptionTimerValue = 0x482E
    // B.3.4 32-bit host-state field
    case hostSysenterCS = 0x4C00
    // B.4.1 natural-width control fields
    case cr0GuestHostMask = 0x6000
    case cr4GuestHostMask = 0x6002
    case cr0ReadShadow = 0x6004
    case cr4ReadShadow = 0x6006
    case cr3TargetValue0 = 0x6008
    case cr3TargetValue1 = 0x600A
    case cr3TargetValue2 = 0x600C
    case cr3TargetValue3 = 0x600E
    // B.4.2 natural-width read-only data fields
    case exitQualification = 0x6400
    case ioRCX = 0x6402
    case ioRSI = 0x6404
    case ioRDI = 0x6406
    case ioRIP = 0x6408
    case guestLinearAddress = 0x640A
    // B.4.3 natural-width guest-state fields
    case guestCR0 = 0x6800
    case guestCR3 = 0x6802
    case guestCR4 = 0x6804
    case guestESBase = 0x6806
    case guestCSBase = 0x6808
    case guestSSBase = 0x680A
    case guestDSBase = 0x680C
    case guestFSBase = 0x680E
    case guestGSBase = 0x6810
    case guestLDTRBase = 0x6812
    case guestTRBase = 0x6814
    case guestGDTRBase = 0x6816
    case guestIDTRBase = 0x6818
    case guestDR7 = 0x681A
    case guestRSP = 0x681C
    case guestRIP = 0x681E
    case guestRFLAGS = 0x6820
    case guestPendingDebugExceptions = 0x6822
    case guestSysenterESP = 0x6824
    case guestSysenterEIP = 0x6826
    case guestSCET = 0x6828
    case guestSSP = 0x682A
    case guestInterruptSSPTable = 0x682C
    // B.4.4 natural-width host-state fields
    case hostCR0 = 0x6C00
    case hostCR3 = 0x6C02
    case hostCR4 = 0x6C04
    case hostFSBase = 0x6C06
    case hostGSBase = 0x6C08
    case hostTRBase = 0x6C0A
    case hostGDTRBase = 0x6C0C
    case hostIDTRBase = 0x6C0E
    case hostSysenterESP = 0x6C10
    case hostSysenterEIP = 0x6C12
    case hostRSP = 0x6C14
    case hostRIP = 0x6C16
    case hostSCET = 0x6C18
    case hostSSP = 0x6C1A
    case hostInterruptSSPTable = 0x6C1C

    @inlinable public var encoding: VMCSFieldEncoding { VMCSFieldEncoding(rawValue) }
}

/// SDM 3C 27.11.2 "VMREAD, VMWRITE, and Encodings of VMCS Fields", Table "Structure of VMCS Component Encoding".
public struct VMCSFieldEncoding: Equatable, Sendable {
    public var rawValue: UInt32
    @inlinable public init(_ rawValue: UInt32) { self.rawValue = rawValue }

    public enum Width: UInt32, Sendable { case bits16 = 0, bits64 = 1, bits32 = 2, natural = 3 }
    public enum FieldType: UInt32, Sendable { case control = 0, readOnlyData = 1, guestState = 2, hostState = 3 }

    /// Bit 0: the upper 32 bits of a 64-bit field.
    @inlinable public var isHigh: Bool { rawValue & 1 != 0 }
    /// Bits 9:1.
    @inlinable public var index: UInt32 { (rawValue >> 1) & 0x1FF }
    /// Bits 11:10.
    @inlinable public var type: FieldType {
        switch (rawValue >> 10) & 3 {
        case 0: return .control
        case 1: return .readOnlyData
        case 2: return .guestState
        default: return .hostState
        }
    }
    /// Bits 14:13.
    @inlinable public var width: Width {
        switch (rawValue >> 13) & 3 {
        case 0: return .bits16
        case 1: return .bits64
        case 2: return .bits32
        default: return .natural
        }
    }
    /// Bits 12 and 31:15 are reserved; "high" exists for 64-bit fields only.
    @inlinable public var hasReservedBits: Bool {
        rawValue & 0xFFFF_9000 != 0 || (isHigh && width != .bits64)
    }
}
