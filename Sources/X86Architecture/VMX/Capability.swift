// SDM 3D appendix A "VMX Capability Reporting Facility".
// Plain values only: the guest monitor compiles this file too (Embedded Swift, no allocation).

/// MSR numbers.
public enum VMXMSR {
    @inlinable public static var featureControl: UInt32 { 0x3A }
    @inlinable public static var basic: UInt32 { 0x480 }
    @inlinable public static var pinBasedControls: UInt32 { 0x481 }
    @inlinable public static var processorBasedControls: UInt32 { 0x482 }
    @inlinable public static var exitControls: UInt32 { 0x483 }
    @inlinable public static var entryControls: UInt32 { 0x484 }
    @inlinable public static var miscellaneous: UInt32 { 0x485 }
    @inlinable public static var cr0Fixed0: UInt32 { 0x486 }
    @inlinable public static var cr0Fixed1: UInt32 { 0x487 }
    @inlinable public static var cr4Fixed0: UInt32 { 0x488 }
    @inlinable public static var cr4Fixed1: UInt32 { 0x489 }
    @inlinable public static var vmcsEnumeration: UInt32 { 0x48A }
    @inlinable public static var secondaryControls: UInt32 { 0x48B }
    @inlinable public static var eptAndVPID: UInt32 { 0x48C }
    @inlinable public static var truePinBasedControls: UInt32 { 0x48D }
    @inlinable public static var trueProcessorBasedControls: UInt32 { 0x48E }
    @inlinable public static var trueExitControls: UInt32 { 0x48F }
    @inlinable public static var trueEntryControls: UInt32 { 0x490 }
    @inlinable public static var vmFunctions: UInt32 { 0x491 }
}

/// IA32_FEATURE_CONTROL. SDM 3C 26.7 "Enabling and Entering VMX Operation".
public struct FeatureControl: VMXControlWord {
    public var rawValue: UInt64
    @inlinable public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    @inlinable public static var lock: Self { .bit(0) }
    @inlinable public static var vmxInsideSMX: Self { .bit(1) }
    @inlinable public static var vmxOutsideSMX: Self { .bit(2) }
}

/// IA32_VMX_BASIC. SDM 3D A.1 "Basic VMX Information".
public struct VMXBasicInformation: Equatable, Sendable {
    public var rawValue: UInt64
    @inlinable public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    /// Bits 30:0.
    @inlinable public var revisionIdentifier: UInt32 { UInt32(truncatingIfNeeded: rawValue & 0x7FFF_FFFF) }
    /// Bits 44:32: bytes of a VMXON region and of a VMCS region.
    @inlinable public var regionSize: UInt64 { (rawValue >> 32) & 0x1FFF }
    /// Bit 48: addresses of VMX structures are limited to 32 bits.
    @inlinable public var limitedTo32Bits: Bool { rawValue & (1 << 48) != 0 }
    /// Bits 53:50: memory type of VMCS accesses (6 = write back).
    @inlinable public var memoryType: UInt64 { (rawValue >> 50) & 15 }
    /// Bit 54: INS and OUTS report instruction information.
    @inlinable public var reportsINSAndOUTS: Bool { rawValue & (1 << 54) != 0 }
    /// Bit 55: the TRUE capability MSRs exist; default1 controls may be 0.
    @inlinable public var hasTrueControls: Bool { rawValue & (1 << 55) != 0 }
    /// Bit 56: injection of a hardware exception may or may not deliver an error code, for any vector.
    @inlinable public var anyErrorCodeOnInjection: Bool { rawValue & (1 << 56) != 0 }
}

/// A capability MSR of a control word. SDM 3D A.2 "Reserved Controls and Default Settings".
public struct ControlCapability: Equatable, Sendable {
    public var rawValue: UInt64
    @inlinable public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    @inlinable public init(mustBeOne: UInt32, mayBeOne: UInt32) {
        rawValue = UInt64(mustBeOne) | UInt64(mayBeOne) << 32
    }
    /// Bits 31:0, "allowed 0-settings": a 1 here must be 1 in the control.
    @inlinable public var mustBeOne: UInt32 { UInt32(truncatingIfNeeded: rawValue) }
    /// Bits 63:32, "allowed 1-settings": a 0 here must be 0 in the control.
    @inlinable public var mayBeOne: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 32) }
    @inlinable public func allows(_ controls: UInt32) -> Bool {
        controls & mustBeOne == mustBeOne && controls & ~mayBeOne == 0
    }
    /// `wanted` with the bits that have to be 1 set and those that cannot be 1 cleared.
    @inlinable public func adjust(_ wanted: UInt32) -> UInt32 { (wanted | mustBeOne) & mayBeOne }
}

/// IA32_VMX_MISC. SDM 3D A.6 "Miscellaneous Data".
public struct VMXMiscellaneous: Equatable, Sendable {
    public var rawValue: UInt64
    @inlinable public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    /// Bits 4:0: the VMX-preemption timer counts down when this bit of the TSC changes.
    @inlinable public var preemptionTimerShift: UInt64 { rawValue & 31 }
    @inlinable public var exitStoresLMA: Bool { rawValue & (1 << 5) != 0 }
    @inlinable public var supportsHLTActivity: Bool { rawValue & (1 << 6) != 0 }
    @inlinable public var supportsShutdownActivity: Bool { rawValue & (1 << 7) != 0 }
    @inlinable public var supportsWaitForSIPIActivity: Bool { rawValue & (1 << 8) != 0 }
    /// Bits 24:16.
    @inlinable public var cr3TargetValues: UInt64 { (rawValue >> 16) & 0x1FF }
    /// Bits 27:25: N gives 512 * (N + 1), the recommended limit of an MSR list.
    @inlinable public var msrListLimit: UInt64 { 512 * (((rawValue >> 25) & 7) + 1) }
    /// Bit 29: VMWRITE can write VM-exit information fields.
    @inlinable public var vmwriteAnyField: Bool { rawValue & (1 << 29) != 0 }
    /// Bit 30: injection of software events with instruction length 0.
    @inlinable public var zeroLengthInjection: Bool { rawValue & (1 << 30) != 0 }
}

/// IA32_VMX_EPT_VPID_CAP. SDM 3D A.10 "VPID and EPT Capabilities".
public struct EPTAndVPIDCapability: VMXControlWord {
    public var rawValue: UInt64
    @inlinable public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    @inlinable public static var executeOnly: Self { .bit(0) }
    @inlinable public static var walkLength4: Self { .bit(6) }
    @inlinable public static var walkLength5: Self { .bit(7) }
    @inlinable public static var uncacheable: Self { .bit(8) }
    @inlinable public static var writeBack: Self { .bit(14) }
    @inlinable public static var pages2MiB: Self { .bit(16) }
    @inlinable public static var pages1GiB: Self { .bit(17) }
    @inlinable public static var invept: Self { .bit(20) }
    @inlinable public static var accessedAndDirty: Self { .bit(21) }
    @inlinable public static var advancedViolationInformation: Self { .bit(22) }
    @inlinable public static var supervisorShadowStack: Self { .bit(23) }
    @inlinable public static var inveptSingleContext: Self { .bit(25) }
    @inlinable public static var inveptAllContexts: Self { .bit(26) }
    @inlinable public static var invvpid: Self { .bit(32) }
    @inlinable public static var invvpidIndividualAddress: Self { .bit(40) }
    @inlinable public static var invvpidSingleContext: Self { .bit(41) }
    @inlinable public static var invvpidAllContexts: Self { .bit(42) }
    @inlinable public static var invvpidSingleContextRetainingGlobals: Self { .bit(43) }
}

/// INVEPT types. SDM 3C 33.3 "VMX Instructions", INVEPT.
public enum INVEPTType: UInt64, Sendable { case singleContext = 1, allContexts = 2 }

/// INVVPID types. SDM 3C 33.3 "VMX Instructions", INVVPID.
public enum INVVPIDType: UInt64, Sendable {
    case individualAddress = 0, singleContext = 1, allContexts = 2, singleContextRetainingGlobals = 3
}
