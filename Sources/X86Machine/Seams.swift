import X86Architecture
import X86Decoder

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
    var readableCR0: UInt64 { system.cr0 }
    var readableCR4: UInt64 { system.cr4 }
    func vmxCheckMovToCR0(_ i: borrowing Instruction, _ value: UInt64) throws(Interruption) -> UInt64 { value }
    func vmxCheckMovToCR4(_ i: borrowing Instruction, _ value: UInt64) throws(Interruption) -> UInt64 { value }
    func vmxCheckMovToCR3(_ i: borrowing Instruction, _ value: UInt64) throws(Interruption) {}
    func vmxCheckMovToCR8(_ i: borrowing Instruction) throws(Interruption) {}
    func vmxCheckMovFromCR3(_ i: borrowing Instruction) throws(Interruption) {}
    func vmxCheckMovFromCR8(_ i: borrowing Instruction) throws(Interruption) {}
    func vmxCheckCLTS(_ i: borrowing Instruction) throws(Interruption) -> Bool { true }
    func vmxCheckLMSW(_ i: borrowing Instruction, _ source: UInt16, linear: LinearAddress?) throws(Interruption) -> UInt16 { source }
    func vmxCheckMovDR(_ i: borrowing Instruction, fromDR: Bool) throws(Interruption) {}
    func checkVMXFixedBits(cr0: UInt64) throws(Interruption) {}
    func checkVMXFixedBits(cr4: UInt64) throws(Interruption) {}
    func vmxCheckCPUID(_ i: borrowing Instruction) throws(Interruption) {}
    func vmxCheckINVD(_ i: borrowing Instruction) throws(Interruption) {}
    func vmxCheckXSETBV(_ i: borrowing Instruction) throws(Interruption) {}
    func vmxCheckHLT(_ i: borrowing Instruction) throws(Interruption) {}
    func vmxCheckINVLPG(_ i: borrowing Instruction, linear: LinearAddress) throws(Interruption) {}
    func vmxCheckRDPMC(_ i: borrowing Instruction) throws(Interruption) {}
    func vmxCheckRDTSC(_ i: borrowing Instruction) throws(Interruption) {}
    func vmxCheckRDTSCPEnabled() throws(Interruption) {}
    func vmxCheckRDTSCP(_ i: borrowing Instruction) throws(Interruption) {}
    func vmxCheckINVPCIDEnabled() throws(Interruption) {}
    func vmxCheckINVPCID(_ i: borrowing Instruction) throws(Interruption) {}
    func vmxCheckWBINVD(_ i: borrowing Instruction) throws(Interruption) {}
    func vmxCheckMONITOR(_ i: borrowing Instruction) throws(Interruption) {}
    func vmxCheckMWAIT(_ i: borrowing Instruction, armed: Bool) throws(Interruption) {}
    func vmxCheckPAUSE(_ i: borrowing Instruction) throws(Interruption) {}
    enum DescriptorTableInstruction { case sgdt, sidt, lgdt, lidt, sldt, str, lldt, ltr }
    func vmxCheckDescriptorTable(_ which: DescriptorTableInstruction, _ i: borrowing Instruction) throws(Interruption) {}
    func vmxCheckIO(_ i: borrowing Instruction, port: UInt16, size: Int, isIn: Bool, isImmediate: Bool = false,
                    string: LinearAddress? = nil) throws(Interruption) {}
    func vmxCheckRDMSR(_ i: borrowing Instruction, _ msr: UInt32) throws(Interruption) {}
    func vmxCheckWRMSR(_ i: borrowing Instruction, _ msr: UInt32) throws(Interruption) {}
    var tscOffsetOfGuest: UInt64 { 0 }
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

enum VMXModel {
    static func capability(_ msr: UInt32) -> UInt64? { nil }
}
