import X86Architecture

// What VMX will define; this file goes when it lands.

extension Processor {
    func vmExit(_ cause: VMExitCause) {}
    func vmxCheckException(_ e: Exception, type: InterruptionInformation.EventType = .hardwareException,
                           instructionLength: UInt8 = 0, debugBits: UInt64 = 0) throws(Interruption) {}
    func vmxCheckTripleFault() throws(Interruption) {}
    func vmxCheckINIT() throws(Interruption) {}
    var vmxBlocksINIT: Bool { false }
    func vmxCheckSIPI(vector: UInt8) throws(Interruption) {}
    var nmiIsBlocked: Bool { system.blockingByNMI }
    func vmxCheckNMI() throws(Interruption) {}
    func vmxCheckExternalInterrupt() throws(Interruption) {}
    func vmxBoundaryMTF() throws(Interruption) {}
    func vmxBoundaryBeforeNMI() throws(Interruption) {}
    func vmxBoundaryBeforeInterrupts() throws(Interruption) {}
    func guestHas(_ control: PinBasedControls) -> Bool { false }
    func eptTranslate(
        _ a: GuestPhysicalAddress, _ kind: AccessKind, isPageWalk: Bool, linear: LinearAddress?
    ) throws(Interruption) -> EPTTranslation {
        throw .notModelled("EPT")
    }
}
struct EPTTranslation {
    var physical: PhysicalAddress
    /// log2 of the page's size.
    var shift: UInt8
    var readable, writable, executable: Bool
}
struct EventDelivery {
    var information: InterruptionInformation
    var errorCode: UInt32 = 0
    var instructionLength: UInt8 = 0
    var savedRF = false
}
extension VMXState {
    var eptEnabled: Bool { false }
    var eptKeepsDirtyFlags: Bool { false }
    var ep4ta: UInt64 { 0 }
    var currentVPID: UInt16 { 0 }
    var delivery: EventDelivery? { get { nil } set {} }
    var iretUnblockedNMI: Bool { get { false } set {} }
}
