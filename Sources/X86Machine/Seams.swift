import X86Architecture

// What other parts of the machine will define; each definition here goes when its owner's lands.

extension Processor {
    func vmExit(_ cause: VMExitCause) {}
    func interceptsException(_ e: Exception) -> Bool { false }
    func vmxBoundary(_ point: VMXBoundaryPoint) -> Bool { false }
    var vmxNeedsNextBoundary: Bool { false }
    func vmxUnblockVirtualNMI() {}
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
extension VMXState {
    var eptEnabled: Bool { false }
    var eptKeepsDirtyFlags: Bool { false }
    var ep4ta: UInt64 { 0 }
    var currentVPID: UInt16 { 0 }
}
