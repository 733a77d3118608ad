import X86Architecture

/// Why an instruction did not complete: the guest-visible kinds, and the two that end a run.
///
/// Slow paths throw it, having changed no architectural state; `Processor.handle(_:)` delivers it.
enum Interruption: Error {
    /// A fault of the current instruction; RIP still points at it.
    case exception(Exception)
    /// The instruction (or its access) causes a VM exit (SDM 3C chapter 30 "VM Exits"). RIP still points at it.
    case vmExit(VMExitCause)
    /// A valid encoding or state that is not modelled: the run stops with exit code 3 and this text.
    case notModelled(String)
    /// The processor has entered the shutdown state and the run has been told: nothing is left to deliver.
    case shutdown
}

/// SDM 3A 6.15 "Exception and Interrupt Reference".
struct Exception: Equatable {
    var vector: UInt8
    var errorCode: UInt32?
    /// New CR2, page faults only.
    var faultingAddress: LinearAddress?
    /// Debug exceptions only: what is to be recorded in DR6, in its layout.
    var debugConditions: UInt64 = 0
    static let divideError = Exception(vector: 0)
    static let debug = Exception(vector: 1)
    static let invalidOpcode = Exception(vector: 6)
    static let deviceNotAvailable = Exception(vector: 7)
    static let virtualization = Exception(vector: Vector.virtualization)
    static func generalProtection(_ code: UInt32 = 0) -> Exception { Exception(vector: 13, errorCode: code) }
    static func segmentNotPresent(_ code: UInt32) -> Exception { Exception(vector: 11, errorCode: code) }
    static func stackFault(_ code: UInt32 = 0) -> Exception { Exception(vector: 12, errorCode: code) }
    static func invalidTSS(_ code: UInt32) -> Exception { Exception(vector: 10, errorCode: code) }
    static func pageFault(_ code: UInt32, _ address: LinearAddress) -> Exception {
        Exception(vector: 14, errorCode: code, faultingAddress: address)
    }
    init(vector: UInt8, errorCode: UInt32? = nil, faultingAddress: LinearAddress? = nil) {
        self.vector = vector; self.errorCode = errorCode; self.faultingAddress = faultingAddress
    }
}

/// What a VM exit records besides the guest state (SDM 3C 27.9 "VM-Exit Information Fields").
struct VMExitCause {
    /// Basic exit reason, SDM 3D appendix C "VMX Basic Exit Reasons".
    var reason: UInt16
    var qualification: UInt64 = 0
    var guestLinearAddress: LinearAddress?
    var guestPhysicalAddress: GuestPhysicalAddress?
    /// VM-exit instruction information (SDM 3C 30.2.5), where defined.
    var instructionInformation: UInt32 = 0
    /// VM-exit interruption information and error code, exceptions and interrupts only.
    var interruptionInformation: UInt32 = 0
    var interruptionErrorCode: UInt32 = 0
    /// VM-exit instruction length, bytes: instructions, software interrupts and exceptions.
    var instructionLength: UInt8 = 0
    /// EPT violations only: "suppress #VE" is 0 in the entry that decides (SDM 3C 28.5.8.1 "Convertible EPT
    /// Violations").
    var isConvertible = false
    init(_ reason: ExitReason, qualification: UInt64 = 0) {
        self.reason = reason.rawValue; self.qualification = qualification
    }
}
