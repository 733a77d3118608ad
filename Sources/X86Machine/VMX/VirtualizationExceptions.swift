import X86Architecture

/// SDM 3C 28.5.8 "Virtualization Exceptions".
extension Processor {
    /// Whether an EPT violation, instead of causing this VM exit, becomes a virtualization exception (#VE); if so its
    /// information area has been filled in, and the exception remains to be raised.
    func convertsToException(_ cause: VMExitCause) -> Bool {
        // 28.5.8.1 "Convertible EPT Violations": with CR0.PE, not during delivery through the IDT, and only if the
        // guest has cleared the busy word of the previous #VE.
        guard cause.isConvertible, guestHas(.eptViolationException), isProtectedMode, vmx.delivery == nil else {
            return false
        }
        let area = PhysicalAddress(vmx.controls.exceptionInformation)
        guard ram.load(area + VirtualizationExceptionInformation.busy, as: UInt32.self) == 0 else {
            return false
        }
        saveExceptionInformation(cause, at: area)
        return true
    }

    /// 28.5.8.2 "Virtualization-Exception Information". The addresses are physical: no EPT need map the area.
    private func saveExceptionInformation(_ cause: VMExitCause, at area: PhysicalAddress) {
        typealias Offset = VirtualizationExceptionInformation
        let memory = machine.memory
        memory.storeUnnotified(area + Offset.reason, UInt32(cause.reason))
        memory.storeUnnotified(area + Offset.busy, ~0 as UInt32)
        memory.storeUnnotified(area + Offset.qualification, cause.qualification)
        memory.storeUnnotified(area + Offset.guestLinearAddress, cause.guestLinearAddress?.rawValue ?? 0)
        memory.storeUnnotified(area + Offset.guestPhysicalAddress, cause.guestPhysicalAddress?.rawValue ?? 0)
        memory.storeUnnotified(area + Offset.eptpIndex, vmcs.u16(.eptpIndex))
        machine.pageWritten(area, size: Int(Offset.size), by: self)
    }
}

/// Offsets in bytes into the virtualization-exception information area: SDM 3C 28.5.8.2 "Virtualization-Exception
/// Information".
enum VirtualizationExceptionInformation {
    static let reason: UInt64 = 0
    /// FFFFFFFFH from the delivery of a #VE until software clears it.
    static let busy: UInt64 = 4
    static let qualification: UInt64 = 8
    static let guestLinearAddress: UInt64 = 16
    static let guestPhysicalAddress: UInt64 = 24
    static let eptpIndex: UInt64 = 32
    static let size: UInt64 = 34
}
