// SDM 3C 27.6 "VM-Execution Control Fields" to 27.8 "VM-Entry Control Fields": one name per bit.
// Plain values only: the guest monitor compiles this file too (Embedded Swift, no allocation).

/// A word of VMX control bits. (`OptionSet` would need arrays, which the monitor cannot have.)
public protocol VMXControlWord: Equatable, Sendable {
    associatedtype Word: FixedWidthInteger & UnsignedInteger & Sendable
    var rawValue: Word { get set }
    init(_ rawValue: Word)
}
extension VMXControlWord {
    @inlinable @inline(__always) public func contains(_ other: Self) -> Bool {
        rawValue & other.rawValue == other.rawValue
    }
    @inlinable @inline(__always) public static func | (a: Self, b: Self) -> Self { Self(a.rawValue | b.rawValue) }
    @inlinable @inline(__always) public static func & (a: Self, b: Self) -> Self { Self(a.rawValue & b.rawValue) }
    @inlinable @inline(__always) public mutating func insert(_ other: Self) { rawValue |= other.rawValue }
    @inlinable @inline(__always) public mutating func remove(_ other: Self) { rawValue &= ~other.rawValue }
    /// The word with only bit `n` set.
    @inlinable @inline(__always) public static func bit(_ n: Word) -> Self { Self(1 << n) }
}

/// SDM 3C 27.6.1 "Pin-Based VM-Execution Controls".
public struct PinBasedControls: VMXControlWord {
    public var rawValue: UInt32
    @inlinable public init(_ rawValue: UInt32) { self.rawValue = rawValue }
    @inlinable public static var externalInterruptExiting: Self { .bit(0) }
    @inlinable public static var nmiExiting: Self { .bit(3) }
    @inlinable public static var virtualNMIs: Self { .bit(5) }
    @inlinable public static var activatePreemptionTimer: Self { .bit(6) }
    @inlinable public static var processPostedInterrupts: Self { .bit(7) }
}

/// SDM 3C 27.6.2 "Processor-Based VM-Execution Controls", primary.
public struct ProcessorBasedControls: VMXControlWord {
    public var rawValue: UInt32
    @inlinable public init(_ rawValue: UInt32) { self.rawValue = rawValue }
    @inlinable public static var interruptWindowExiting: Self { .bit(2) }
    @inlinable public static var useTSCOffsetting: Self { .bit(3) }
    @inlinable public static var hltExiting: Self { .bit(7) }
    @inlinable public static var invlpgExiting: Self { .bit(9) }
    @inlinable public static var mwaitExiting: Self { .bit(10) }
    @inlinable public static var rdpmcExiting: Self { .bit(11) }
    @inlinable public static var rdtscExiting: Self { .bit(12) }
    @inlinable public static var cr3LoadExiting: Self { .bit(15) }
    @inlinable public static var cr3StoreExiting: Self { .bit(16) }
    @inlinable public static var activateTertiaryControls: Self { .bit(17) }
    @inlinable public static var cr8LoadExiting: Self { .bit(19) }
    @inlinable public static var cr8StoreExiting: Self { .bit(20) }
    @inlinable public static var useTPRShadow: Self { .bit(21) }
    @inlinable public static var nmiWindowExiting: Self { .bit(22) }
    @inlinable public static var movDRExiting: Self { .bit(23) }
    @inlinable public static var unconditionalIOExiting: Self { .bit(24) }
    @inlinable public static var useIOBitmaps: Self { .bit(25) }
    @inlinable public static var monitorTrapFlag: Self { .bit(27) }
    @inlinable public static var useMSRBitmaps: Self { .bit(28) }
    @inlinable public static var monitorExiting: Self { .bit(29) }
    @inlinable public static var pauseExiting: Self { .bit(30) }
    @inlinable public static var activateSecondaryControls: Self { .bit(31) }
}

/// SDM 3C 27.6.2 "Processor-Based VM-Execution Controls", secondary.
public struct SecondaryControls: VMXControlWord {
    public var rawValue: UInt32
    @inlinable public init(_ rawValue: UInt32) { self.rawValue = rawValue }
    @inlinable public static var virtualizeAPICAccesses: Self { .bit(0) }
    @inlinable public static var enableEPT: Self { .bit(1) }
    @inlinable public static var descriptorTableExiting: Self { .bit(2) }
    @inlinable public static var enableRDTSCP: Self { .bit(3) }
    @inlinable public static var virtualizeX2APICMode: Self { .bit(4) }
    @inlinable public static var enableVPID: Self { .bit(5) }
    @inlinable public static var wbinvdExiting: Self { .bit(6) }
    @inlinable public static var unrestrictedGuest: Self { .bit(7) }
    @inlinable public static var apicRegisterVirtualization: Self { .bit(8) }
    @inlinable public static var virtualInterruptDelivery: Self { .bit(9) }
    @inlinable public static var pauseLoopExiting: Self { .bit(10) }
    @inlinable public static var rdrandExiting: Self { .bit(11) }
    @inlinable public static var enableINVPCID: Self { .bit(12) }
    @inlinable public static var enableVMFunctions: Self { .bit(13) }
    @inlinable public static var vmcsShadowing: Self { .bit(14) }
    @inlinable public static var enableENCLSExiting: Self { .bit(15) }
    @inlinable public static var rdseedExiting: Self { .bit(16) }
    @inlinable public static var enablePML: Self { .bit(17) }
    @inlinable public static var eptViolationException: Self { .bit(18) }
    @inlinable public static var concealVMXFromPT: Self { .bit(19) }
    @inlinable public static var enableXSAVES: Self { .bit(20) }
    @inlinable public static var enablePASIDTranslation: Self { .bit(21) }
    @inlinable public static var modeBasedExecuteControl: Self { .bit(22) }
    @inlinable public static var subPageWritePermissions: Self { .bit(23) }
    @inlinable public static var ptUsesGuestPhysicalAddresses: Self { .bit(24) }
    @inlinable public static var useTSCScaling: Self { .bit(25) }
    @inlinable public static var enableUserWaitAndPause: Self { .bit(26) }
    @inlinable public static var enablePCONFIG: Self { .bit(27) }
    @inlinable public static var enableENCLVExiting: Self { .bit(28) }
    @inlinable public static var vmmBusLockDetection: Self { .bit(30) }
    @inlinable public static var instructionTimeout: Self { .bit(31) }
}

/// SDM 3C 27.7.1 "VM-Exit Controls", primary.
public struct ExitControls: VMXControlWord {
    public var rawValue: UInt32
    @inlinable public init(_ rawValue: UInt32) { self.rawValue = rawValue }
    @inlinable public static var saveDebugControls: Self { .bit(2) }
    @inlinable public static var hostAddressSpaceSize: Self { .bit(9) }
    @inlinable public static var loadPerfGlobalCtrl: Self { .bit(12) }
    @inlinable public static var acknowledgeInterruptOnExit: Self { .bit(15) }
    @inlinable public static var savePAT: Self { .bit(18) }
    @inlinable public static var loadPAT: Self { .bit(19) }
    @inlinable public static var saveEFER: Self { .bit(20) }
    @inlinable public static var loadEFER: Self { .bit(21) }
    @inlinable public static var savePreemptionTimer: Self { .bit(22) }
    @inlinable public static var clearBNDCFGS: Self { .bit(23) }
    @inlinable public static var concealVMXFromPT: Self { .bit(24) }
    @inlinable public static var clearRTITCtl: Self { .bit(25) }
    @inlinable public static var clearLBRCtl: Self { .bit(26) }
    @inlinable public static var clearUINV: Self { .bit(27) }
    @inlinable public static var loadCETState: Self { .bit(28) }
    @inlinable public static var loadPKRS: Self { .bit(29) }
    @inlinable public static var savePerfGlobalCtrl: Self { .bit(30) }
    @inlinable public static var activateSecondaryControls: Self { .bit(31) }
}

/// SDM 3C 27.8.1 "VM-Entry Controls".
public struct EntryControls: VMXControlWord {
    public var rawValue: UInt32
    @inlinable public init(_ rawValue: UInt32) { self.rawValue = rawValue }
    @inlinable public static var loadDebugControls: Self { .bit(2) }
    @inlinable public static var ia32eModeGuest: Self { .bit(9) }
    @inlinable public static var entryToSMM: Self { .bit(10) }
    @inlinable public static var deactivateDualMonitorTreatment: Self { .bit(11) }
    @inlinable public static var loadPerfGlobalCtrl: Self { .bit(13) }
    @inlinable public static var loadPAT: Self { .bit(14) }
    @inlinable public static var loadEFER: Self { .bit(15) }
    @inlinable public static var loadBNDCFGS: Self { .bit(16) }
    @inlinable public static var concealVMXFromPT: Self { .bit(17) }
    @inlinable public static var loadRTITCtl: Self { .bit(18) }
    @inlinable public static var loadUINV: Self { .bit(19) }
    @inlinable public static var loadCETState: Self { .bit(20) }
    @inlinable public static var loadLBRCtl: Self { .bit(21) }
    @inlinable public static var loadPKRS: Self { .bit(22) }
}

/// SDM 3C 27.6.14 "VM-Function Controls".
public struct VMFunctionControls: VMXControlWord {
    public var rawValue: UInt64
    @inlinable public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    @inlinable public static var eptpSwitching: Self { .bit(0) }
    /// Entries of an EPTP list; ECX selects one.
    @inlinable public static var eptpListEntries: UInt32 { 512 }
}

/// SDM 3C 27.4.2 "Guest Non-Register State", Interruptibility state.
public struct InterruptibilityState: VMXControlWord {
    public var rawValue: UInt32
    @inlinable public init(_ rawValue: UInt32) { self.rawValue = rawValue }
    @inlinable public static var blockingBySTI: Self { .bit(0) }
    @inlinable public static var blockingByMOVSS: Self { .bit(1) }
    @inlinable public static var blockingBySMI: Self { .bit(2) }
    @inlinable public static var blockingByNMI: Self { .bit(3) }
    @inlinable public static var enclaveInterruption: Self { .bit(4) }
}

/// SDM 3C 27.4.2 "Guest Non-Register State", Pending debug exceptions.
public struct PendingDebugExceptions: VMXControlWord {
    public var rawValue: UInt64
    @inlinable public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    @inlinable public static var b0: Self { .bit(0) }
    @inlinable public static var b1: Self { .bit(1) }
    @inlinable public static var b2: Self { .bit(2) }
    @inlinable public static var b3: Self { .bit(3) }
    @inlinable public static var busLock: Self { .bit(11) }
    @inlinable public static var enabledBreakpoint: Self { .bit(12) }
    @inlinable public static var singleStep: Self { .bit(14) }
    @inlinable public static var rtm: Self { .bit(16) }
}

/// Segment access rights as the VMCS holds them. SDM 3C 27.4.1 "Guest Register State", Table "Format of Access Rights".
public struct SegmentAccessRights: VMXControlWord {
    public var rawValue: UInt32
    @inlinable public init(_ rawValue: UInt32) { self.rawValue = rawValue }
    /// Bits 3:0.
    @inlinable public var type: UInt32 { rawValue & 0xF }
    @inlinable public static var codeOrData: Self { .bit(4) }
    @inlinable public var dpl: UInt32 { (rawValue >> 5) & 3 }
    @inlinable public static var present: Self { .bit(7) }
    @inlinable public static var available: Self { .bit(12) }
    @inlinable public static var long: Self { .bit(13) }
    @inlinable public static var defaultBig: Self { .bit(14) }
    @inlinable public static var granularity: Self { .bit(15) }
    @inlinable public static var unusable: Self { .bit(16) }
    /// Bits 11:8 and 31:17.
    @inlinable public static var reserved: Self { Self(0xFFFE_0F00) }
}
