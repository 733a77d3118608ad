// SDM 3C 30.2 "Recording VM-Exit Information and Updating VM-Entry Control Fields".
// Plain values only: the guest monitor compiles this file too (Embedded Swift, no allocation).

/// SDM 3C Table 30-7 "Exit Qualification for EPT Violations".
public struct EPTViolationQualification: VMXControlWord {
    public var rawValue: UInt64
    @inlinable public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    @inlinable public static var dataRead: Self { .bit(0) }
    @inlinable public static var dataWrite: Self { .bit(1) }
    @inlinable public static var instructionFetch: Self { .bit(2) }
    /// The AND of the read bits of the entries used; likewise the next two.
    @inlinable public static var readable: Self { .bit(3) }
    @inlinable public static var writable: Self { .bit(4) }
    @inlinable public static var executable: Self { .bit(5) }
    @inlinable public static var userExecutable: Self { .bit(6) }
    @inlinable public static var linearAddressValid: Self { .bit(7) }
    /// With bit 7: the access was to the translation of the linear address; else to a guest paging-structure entry.
    @inlinable public static var translationOfLinearAddress: Self { .bit(8) }
    @inlinable public static var userModeLinearAddress: Self { .bit(9) }
    @inlinable public static var readWritePage: Self { .bit(10) }
    @inlinable public static var executeDisablePage: Self { .bit(11) }
    @inlinable public static var nmiUnblockingDueToIRET: Self { .bit(12) }
    @inlinable public var permissions: EPTPermissions { EPTPermissions((rawValue >> 3) & 7) }
}

/// SDM 3C Table 30-3 "Exit Qualification for Control-Register Accesses".
public struct ControlRegisterQualification: Equatable, Sendable {
    public var rawValue: UInt64
    @inlinable public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    public enum AccessType: UInt64, Sendable { case moveTo = 0, moveFrom = 1, clts = 2, lmsw = 3 }
    @inlinable public init(register: UInt64, access: AccessType, gpr: UInt64 = 0,
                           lmswMemoryOperand: Bool = false, lmswSource: UInt64 = 0) {
        rawValue = register | access.rawValue << 4 | (lmswMemoryOperand ? 1 << 6 : 0) | gpr << 8 | lmswSource << 16
    }
    @inlinable public var register: UInt64 { rawValue & 15 }
    @inlinable public var access: AccessType {
        switch (rawValue >> 4) & 3 {
        case 0: return .moveTo
        case 1: return .moveFrom
        case 2: return .clts
        default: return .lmsw
        }
    }
    @inlinable public var lmswMemoryOperand: Bool { rawValue & (1 << 6) != 0 }
    /// General-purpose register of MOV CR, instruction-encoding order (0 = RAX ... 15 = R15).
    @inlinable public var gpr: UInt64 { (rawValue >> 8) & 15 }
    @inlinable public var lmswSource: UInt64 { (rawValue >> 16) & 0xFFFF }
}

/// SDM 3C Table 30-4 "Exit Qualification for MOV DR".
public struct MovDRQualification: Equatable, Sendable {
    public var rawValue: UInt64
    @inlinable public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    @inlinable public init(register: UInt64, fromDR: Bool, gpr: UInt64) {
        rawValue = register | (fromDR ? 1 << 4 : 0) | gpr << 8
    }
    @inlinable public var register: UInt64 { rawValue & 7 }
    @inlinable public var fromDR: Bool { rawValue & (1 << 4) != 0 }
    @inlinable public var gpr: UInt64 { (rawValue >> 8) & 15 }
}

/// SDM 3C Table 30-5 "Exit Qualification for I/O Instructions".
public struct IOQualification: Equatable, Sendable {
    public var rawValue: UInt64
    @inlinable public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    @inlinable public init(port: UInt16, size: UInt64, isIn: Bool, isString: Bool = false, isRepeated: Bool = false,
                           isImmediate: Bool = false) {
        rawValue = (size - 1) | (isIn ? 1 << 3 : 0) | (isString ? 1 << 4 : 0) | (isRepeated ? 1 << 5 : 0)
            | (isImmediate ? 1 << 6 : 0) | UInt64(port) << 16
    }
    /// Bytes: 1, 2, 4.
    @inlinable public var size: UInt64 { (rawValue & 7) + 1 }
    @inlinable public var isIn: Bool { rawValue & (1 << 3) != 0 }
    @inlinable public var isString: Bool { rawValue & (1 << 4) != 0 }
    @inlinable public var isRepeated: Bool { rawValue & (1 << 5) != 0 }
    @inlinable public var isImmediate: Bool { rawValue & (1 << 6) != 0 }
    @inlinable public var port: UInt16 { UInt16(truncatingIfNeeded: rawValue >> 16) }
}

/// SDM 3C Table 30-1 "Exit Qualification for Debug Exceptions".
public struct DebugExceptionQualification: VMXControlWord {
    public var rawValue: UInt64
    @inlinable public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    @inlinable public var breakpoints: UInt64 { rawValue & 15 }
    @inlinable public static var busLock: Self { .bit(11) }
    @inlinable public static var debugRegisterAccess: Self { .bit(13) }
    @inlinable public static var singleStep: Self { .bit(14) }
    @inlinable public static var rtm: Self { .bit(16) }
}

/// Exit qualification after a failed entry. SDM 3C 29.8 "VM-Entry Failures During or After Loading Guest State".
/// (For MSR loading it is the entry's number, from 1.)
public enum EntryFailureQualification: UInt64, Sendable {
    case other = 0
    case pdpteLoading = 2
    case nmiInjectionWithBlockingBySTI = 3
    case vmcsLinkPointer = 4
}

/// VM-entry and VM-exit interruption information, IDT-vectoring information: one layout.
/// SDM 3C 27.8.3 "VM-Entry Controls for Event Injection", 27.9.2 "Information for VM Exits Due to Vectored Events".
public struct InterruptionInformation: Equatable, Sendable {
    public var rawValue: UInt32
    @inlinable public init(_ rawValue: UInt32) { self.rawValue = rawValue }
    @inlinable public init(vector: UInt8, type: EventType, deliversErrorCode: Bool = false) {
        rawValue = UInt32(vector) | UInt32(type.rawValue) << 8 | (deliversErrorCode ? 1 << 11 : 0) | 1 << 31
    }
    public enum EventType: UInt8, Sendable {
        case externalInterrupt = 0, reserved = 1, nmi = 2, hardwareException = 3
        case softwareInterrupt = 4, privilegedSoftwareException = 5, softwareException = 6, otherEvent = 7
    }
    @inlinable public static var none: Self { Self(0) }
    @inlinable public var vector: UInt8 { UInt8(truncatingIfNeeded: rawValue) }
    @inlinable public var type: EventType {
        switch (rawValue >> 8) & 7 {
        case 0: return .externalInterrupt
        case 2: return .nmi
        case 3: return .hardwareException
        case 4: return .softwareInterrupt
        case 5: return .privilegedSoftwareException
        case 6: return .softwareException
        case 7: return .otherEvent
        default: return .reserved
        }
    }
    /// "Deliver error code" on entry, "error code valid" on exit.
    @inlinable public var hasErrorCode: Bool { rawValue & (1 << 11) != 0 }
    /// VM exits only: IRET had unblocked NMIs.
    @inlinable public static var nmiUnblockingDueToIRET: UInt32 { 1 << 12 }
    @inlinable public var isValid: Bool { rawValue & (1 << 31) != 0 }
    /// Bits 30:12, reserved in the VM-entry field.
    @inlinable public var reservedOnEntry: UInt32 { rawValue & 0x7FFF_F000 }
}

/// The part of the VM-exit instruction-information field that instructions with one memory operand share:
/// VMCLEAR, VMPTRLD, VMPTRST, VMXON, INVEPT, INVVPID, INVPCID, LGDT, ...
/// SDM 3C 30.2.5 "Information for VM Exits Due to Instruction Execution".
public struct InstructionInformation: Equatable, Sendable {
    public var rawValue: UInt32
    @inlinable public init(_ rawValue: UInt32) { self.rawValue = rawValue }
    /// log2.
    @inlinable public var scale: UInt32 { rawValue & 3 }
    /// 0: 16 bits, 1: 32 bits, 2: 64 bits.
    @inlinable public var addressSize: UInt32 { (rawValue >> 7) & 7 }
    @inlinable public var isRegister: Bool { rawValue & (1 << 10) != 0 }
    /// Bits 6:3: register operand of VMREAD, VMWRITE, SLDT, ... when `isRegister`.
    @inlinable public var register1: UInt32 { (rawValue >> 3) & 15 }
    /// Sreg numbering: ES 0 ... GS 5.
    @inlinable public var segment: UInt32 { (rawValue >> 15) & 7 }
    @inlinable public var index: UInt32 { (rawValue >> 18) & 15 }
    @inlinable public var hasIndex: Bool { rawValue & (1 << 22) == 0 }
    @inlinable public var base: UInt32 { (rawValue >> 23) & 15 }
    @inlinable public var hasBase: Bool { rawValue & (1 << 27) == 0 }
    /// Bits 31:28: INVEPT, INVVPID, INVPCID type register; VMREAD, VMWRITE field-encoding register.
    @inlinable public var register2: UInt32 { (rawValue >> 28) & 15 }
}
