import X86Architecture

/// SDM 3C 29.2.1 "Checks on VMX Controls". A failure is VMfail with error 7.
extension EntryChecks {
    static let controlChecks: [Check] = [
        pinBasedReserved, processorBasedReserved, secondaryReserved, cr3TargetCount, ioBitmapAddresses,
        msrBitmapAddress, virtualAPICAddress, tprThresholdReserved, tprThresholdNotAboveVTPR,
        apicVirtualizationNeedsTPRShadow, apicAccessAddress, x2APICModeExcludesAPICAccesses,
        virtualInterruptDeliveryNeedsExiting, postedInterruptsNeedDelivery, postedInterruptsNeedAcknowledge,
        postedInterruptNotificationVector, postedInterruptDescriptorAddress, virtualNMIsNeedNMIExiting,
        nmiWindowNeedsVirtualNMIs, vpidIsNotZero, eptpMemoryType,
        eptpWalkLength, eptpReserved, unrestrictedGuestNeedsEPT, modeBasedExecuteNeedsEPT, pmlNeedsEPT, pmlAddress,
        vmFunctionReserved, eptpSwitchingNeedsEPT, eptpListAddress, shadowingBitmapAddresses,
        exceptionInformationAddress, exitReserved, savePreemptionTimerNeedsTimer, exitMSRStoreArea, exitMSRLoadArea,
        entryReserved, injectionType, injectionVector, injectionErrorCodeDelivery, injectionReserved,
        injectionErrorCode, injectionLength, entryMSRLoadArea,
    ]

    private static let execution: StaticString = "SDM 3C 29.2.1.1 \"VM-Execution Control Fields\""
    private static let exitControls: StaticString = "SDM 3C 29.2.1.2 \"VM-Exit Control Fields\""
    private static let entryControls: StaticString = "SDM 3C 29.2.1.3 \"VM-Entry Control Fields\""

    private func fail(_ id: StaticString, _ title: StaticString, _ field: VMCSField, _ wanted: String)
        -> VMEntryCheckFailure {
        VMEntryCheckFailure(group: .controls, id: id, title: title, field: field, value: vmcs[field], wanted: wanted)
    }
    private func reserved(_ id: StaticString, _ title: StaticString, _ field: VMCSField,
                          _ capability: ControlCapability) -> VMEntryCheckFailure? {
        if capability.allows(vmcs.u32(field)) { return nil }
        return fail(id, title, field, "\(hex(capability.mustBeOne)) set, \(hex(~capability.mayBeOne)) clear")
    }

    // MARK: VM-execution controls

    @Sendable static func pinBasedReserved(_ s: Self) -> VMEntryCheckFailure? {
        s.reserved("pinBasedReserved", execution, .pinBasedControls, VMXModel.truePin)
    }
    @Sendable static func processorBasedReserved(_ s: Self) -> VMEntryCheckFailure? {
        s.reserved("processorBasedReserved", execution, .processorBasedControls, VMXModel.trueProcessor)
    }
    @Sendable static func secondaryReserved(_ s: Self) -> VMEntryCheckFailure? {
        guard s.processor.contains(.activateSecondaryControls) else { return nil }
        return s.reserved("secondaryReserved", execution, .secondaryProcessorBasedControls,
                          s.secondaryCapability)
    }
    @Sendable static func cr3TargetCount(_ s: Self) -> VMEntryCheckFailure? {
        if s.vmcs[.cr3TargetCount] <= VMXModel.cr3Targets { return nil }
        return s.fail("cr3TargetCount", execution, .cr3TargetCount, "at most \(VMXModel.cr3Targets)")
    }
    @Sendable static func ioBitmapAddresses(_ s: Self) -> VMEntryCheckFailure? {
        guard s.processor.contains(.useIOBitmaps) else { return nil }
        for field in [VMCSField.ioBitmapA, .ioBitmapB] where !s.isPageAddress(s.vmcs[field]) {
            return s.fail("ioBitmapAddresses", execution, field, "a 4-KByte aligned physical address")
        }
        return nil
    }
    @Sendable static func msrBitmapAddress(_ s: Self) -> VMEntryCheckFailure? {
        guard s.processor.contains(.useMSRBitmaps), !s.isPageAddress(s.vmcs[.msrBitmaps]) else { return nil }
        return s.fail("msrBitmapAddress", execution, .msrBitmaps, "a 4-KByte aligned physical address")
    }
    @Sendable static func virtualNMIsNeedNMIExiting(_ s: Self) -> VMEntryCheckFailure? {
        guard s.pin.contains(.virtualNMIs), !s.pin.contains(.nmiExiting) else { return nil }
        return s.fail("virtualNMIsNeedNMIExiting", execution, .pinBasedControls,
                      "\"NMI exiting\" with \"virtual NMIs\"")
    }
    @Sendable static func nmiWindowNeedsVirtualNMIs(_ s: Self) -> VMEntryCheckFailure? {
        guard s.processor.contains(.nmiWindowExiting), !s.pin.contains(.virtualNMIs) else { return nil }
        return s.fail("nmiWindowNeedsVirtualNMIs", execution, .processorBasedControls,
                      "\"virtual NMIs\" with \"NMI-window exiting\"")
    }
    @Sendable static func vpidIsNotZero(_ s: Self) -> VMEntryCheckFailure? {
        guard s.secondary.contains(.enableVPID), s.vmcs[.virtualProcessorIdentifier] == 0 else { return nil }
        return s.fail("vpidIsNotZero", execution, .virtualProcessorIdentifier, "not 0000H with \"enable VPID\"")
    }
    @Sendable static func eptpMemoryType(_ s: Self) -> VMEntryCheckFailure? {
        guard s.secondary.contains(.enableEPT) else { return nil }
        let type = EPTPointer(s.vmcs[.eptPointer]).memoryTypeBits
        return type == 0 || type == 6 ? nil
            : s.fail("eptpMemoryType", execution, .eptPointer, "memory type 0 (UC) or 6 (WB) in bits 2:0")
    }
    @Sendable static func eptpWalkLength(_ s: Self) -> VMEntryCheckFailure? {
        guard s.secondary.contains(.enableEPT), EPTPointer(s.vmcs[.eptPointer]).walkLength != 4 else { return nil }
        return s.fail("eptpWalkLength", execution, .eptPointer, "3 in bits 5:3 (page-walk length 4)")
    }
    @Sendable static func eptpReserved(_ s: Self) -> VMEntryCheckFailure? {
        guard s.secondary.contains(.enableEPT) else { return nil }
        let eptp = s.vmcs[.eptPointer]
        return eptp & 0xF80 == 0 && s.isPhysical(eptp) ? nil
            : s.fail("eptpReserved", execution, .eptPointer, "bits 11:7 and those beyond the physical-address width 0")
    }
    @Sendable static func unrestrictedGuestNeedsEPT(_ s: Self) -> VMEntryCheckFailure? {
        guard s.unrestricted, !s.secondary.contains(.enableEPT) else { return nil }
        return s.fail("unrestrictedGuestNeedsEPT", execution, .secondaryProcessorBasedControls,
                      "\"enable EPT\" with \"unrestricted guest\"")
    }
    @Sendable static func modeBasedExecuteNeedsEPT(_ s: Self) -> VMEntryCheckFailure? {
        guard s.secondary.contains(.modeBasedExecuteControl), !s.secondary.contains(.enableEPT) else { return nil }
        return s.fail("modeBasedExecuteNeedsEPT", execution, .secondaryProcessorBasedControls,
                      "\"enable EPT\" with \"mode-based execute control for EPT\"")
    }
    @Sendable static func pmlNeedsEPT(_ s: Self) -> VMEntryCheckFailure? {
        guard s.secondary.contains(.enablePML), !s.secondary.contains(.enableEPT) else { return nil }
        return s.fail("pmlNeedsEPT", execution, .secondaryProcessorBasedControls, "\"enable EPT\" with \"enable PML\"")
    }
    @Sendable static func pmlAddress(_ s: Self) -> VMEntryCheckFailure? {
        guard s.secondary.contains(.enablePML), !s.isPageAddress(s.vmcs[.pmlAddress]) else { return nil }
        return s.fail("pmlAddress", execution, .pmlAddress, "a 4-KByte aligned physical address")
    }
    @Sendable static func shadowingBitmapAddresses(_ s: Self) -> VMEntryCheckFailure? {
        guard s.secondary.contains(.vmcsShadowing) else { return nil }
        for field in [VMCSField.vmreadBitmapAddress, .vmwriteBitmapAddress] where !s.isPageAddress(s.vmcs[field]) {
            return s.fail("shadowingBitmapAddresses", execution, field, "a 4-KByte aligned physical address")
        }
        return nil
    }
    @Sendable static func vmFunctionReserved(_ s: Self) -> VMEntryCheckFailure? {
        guard s.secondary.contains(.enableVMFunctions) else { return nil }
        return s.vmcs[.vmFunctionControls] & ~VMXModel.vmFunctions == 0 ? nil
            : s.fail("vmFunctionReserved", execution, .vmFunctionControls, "only bits of IA32_VMX_VMFUNC")
    }
    private var switchesEPTP: Bool {
        secondary.contains(.enableVMFunctions) && VMFunctionControls(vmcs[.vmFunctionControls]).contains(.eptpSwitching)
    }
    @Sendable static func eptpSwitchingNeedsEPT(_ s: Self) -> VMEntryCheckFailure? {
        guard s.switchesEPTP, !s.secondary.contains(.enableEPT) else { return nil }
        return s.fail("eptpSwitchingNeedsEPT", execution, .vmFunctionControls, "\"enable EPT\" with \"EPTP switching\"")
    }
    @Sendable static func eptpListAddress(_ s: Self) -> VMEntryCheckFailure? {
        guard s.switchesEPTP, !s.isPageAddress(s.vmcs[.eptpListAddress]) else { return nil }
        return s.fail("eptpListAddress", execution, .eptpListAddress, "a 4-KByte aligned physical address")
    }

    @Sendable static func exceptionInformationAddress(_ s: Self) -> VMEntryCheckFailure? {
        let field = VMCSField.virtualizationExceptionInformationAddress
        guard s.secondary.contains(.eptViolationException), !s.isPageAddress(s.vmcs[field]) else { return nil }
        return s.fail("exceptionInformationAddress", execution, field, "a 4-KByte aligned physical address")
    }

    // MARK: VM-exit controls

    @Sendable static func exitReserved(_ s: Self) -> VMEntryCheckFailure? {
        s.reserved("exitReserved", exitControls, .exitControls, VMXModel.trueExit)
    }
    @Sendable static func savePreemptionTimerNeedsTimer(_ s: Self) -> VMEntryCheckFailure? {
        guard s.exit.contains(.savePreemptionTimer), !s.pin.contains(.activatePreemptionTimer) else { return nil }
        return s.fail("savePreemptionTimerNeedsTimer", exitControls, .exitControls,
                      "\"activate VMX-preemption timer\" with \"save VMX-preemption timer value\"")
    }
    private func area(_ id: StaticString, _ title: StaticString, _ address: VMCSField, _ count: VMCSField)
        -> VMEntryCheckFailure? {
        // 32 bits: software may have written beyond them in the region.
        let n = UInt64(vmcs.u32(count))
        guard n != 0 else { return nil }
        let first = vmcs[address]
        if first & 0xF == 0, isPhysical(first), isPhysical(first &+ n &* 16 &- 1) { return nil }
        return fail(id, title, address, "a 16-byte aligned physical address, and the last byte one too")
    }
    @Sendable static func exitMSRStoreArea(_ s: Self) -> VMEntryCheckFailure? {
        s.area("exitMSRStoreArea", exitControls, .exitMSRStoreAddress, .exitMSRStoreCount)
    }
    @Sendable static func exitMSRLoadArea(_ s: Self) -> VMEntryCheckFailure? {
        s.area("exitMSRLoadArea", exitControls, .exitMSRLoadAddress, .exitMSRLoadCount)
    }

    // MARK: VM-entry controls

    @Sendable static func entryReserved(_ s: Self) -> VMEntryCheckFailure? {
        s.reserved("entryReserved", entryControls, .entryControls, VMXModel.trueEntry)
    }
    @Sendable static func injectionType(_ s: Self) -> VMEntryCheckFailure? {
        guard s.injection.isValid, s.injection.type == .reserved else { return nil }
        return s.fail("injectionType", entryControls, .entryInterruptionInformation,
                      "an interruption type other than 1")
    }
    @Sendable static func injectionVector(_ s: Self) -> VMEntryCheckFailure? {
        guard s.injection.isValid else { return nil }
        let ok = switch s.injection.type {
        case .nmi: s.injection.vector == 2
        case .hardwareException: s.injection.vector <= 31
        case .otherEvent: s.injection.vector == 0
        default: true
        }
        return ok ? nil : s.fail("injectionVector", entryControls, .entryInterruptionInformation,
                                 "vector 2 for NMI, at most 31 for hardware exceptions, 0 for other events")
    }
    @Sendable static func injectionErrorCodeDelivery(_ s: Self) -> VMEntryCheckFailure? {
        guard s.injection.isValid else { return nil }
        // IA32_VMX_BASIC[56] is 0: exactly the exceptions that have an error code, in protected mode.
        let isProtected = !s.unrestricted || s.guestCR0 & CR0.protectionEnable != 0
        let wanted = isProtected && s.injection.type == .hardwareException && Vector.pushesErrorCode(s.injection.vector)
            && s.injection.vector != Vector.controlProtection
        return s.injection.hasErrorCode == wanted ? nil
            : s.fail("injectionErrorCodeDelivery", entryControls, .entryInterruptionInformation,
                     "bit 11 \(wanted ? 1 : 0) for this type and vector")
    }
    @Sendable static func injectionReserved(_ s: Self) -> VMEntryCheckFailure? {
        guard s.injection.isValid, s.injection.reservedOnEntry != 0 else { return nil }
        return s.fail("injectionReserved", entryControls, .entryInterruptionInformation, "bits 30:12 0")
    }
    @Sendable static func injectionErrorCode(_ s: Self) -> VMEntryCheckFailure? {
        guard s.injection.isValid, s.injection.hasErrorCode,
              s.vmcs[.entryExceptionErrorCode] >> 16 != 0 else { return nil }
        return s.fail("injectionErrorCode", entryControls, .entryExceptionErrorCode, "bits 31:16 0")
    }
    @Sendable static func injectionLength(_ s: Self) -> VMEntryCheckFailure? {
        guard s.injection.isValid else { return nil }
        switch s.injection.type {
        case .softwareInterrupt, .privilegedSoftwareException, .softwareException: break
        default: return nil
        }
        // IA32_VMX_MISC[30] is 1.
        return s.vmcs[.entryInstructionLength] <= 15 ? nil
            : s.fail("injectionLength", entryControls, .entryInstructionLength, "0 to 15")
    }
    @Sendable static func entryMSRLoadArea(_ s: Self) -> VMEntryCheckFailure? {
        s.area("entryMSRLoadArea", entryControls, .entryMSRLoadAddress, .entryMSRLoadCount)
    }
}
