import X86Architecture

/// The checks of SDM 3C 29.2.1.1 "VM-Execution Control Fields" that concern APIC virtualization and posted interrupts.
extension EntryChecks {
    private func failAPIC(_ id: StaticString, _ field: VMCSField, _ wanted: String) -> VMEntryCheckFailure {
        VMEntryCheckFailure(group: .controls, id: id, title: "SDM 3C 29.2.1.1 \"VM-Execution Control Fields\"",
                            field: field, value: vmcs[field], wanted: wanted)
    }

    @Sendable static func virtualAPICAddress(_ s: Self) -> VMEntryCheckFailure? {
        guard s.processor.contains(.useTPRShadow), !s.isPageAddress(s.vmcs[.virtualAPICAddress]) else { return nil }
        return s.failAPIC("virtualAPICAddress", .virtualAPICAddress, "a 4-KByte aligned physical address")
    }
    @Sendable static func tprThresholdReserved(_ s: Self) -> VMEntryCheckFailure? {
        guard s.processor.contains(.useTPRShadow), !s.secondary.contains(.virtualInterruptDelivery),
              s.vmcs[.tprThreshold] & ~0xF != 0 else { return nil }
        return s.failAPIC("tprThresholdReserved", .tprThreshold, "bits 31:4 0")
    }
    @Sendable static func tprThresholdNotAboveVTPR(_ s: Self) -> VMEntryCheckFailure? {
        guard s.processor.contains(.useTPRShadow), !s.secondary.contains(.virtualizeAPICAccesses),
              !s.secondary.contains(.virtualInterruptDelivery) else { return nil }
        let vtpr = s.memory.load(PhysicalAddress(s.vmcs[.virtualAPICAddress]) + 0x80, as: UInt8.self)
        return s.vmcs[.tprThreshold] & 0xF <= UInt64(vtpr >> 4) ? nil
            : s.failAPIC("tprThresholdNotAboveVTPR", .tprThreshold, "bits 3:0 at most VTPR[7:4], \(vtpr >> 4)")
    }
    @Sendable static func apicVirtualizationNeedsTPRShadow(_ s: Self) -> VMEntryCheckFailure? {
        let dependent: SecondaryControls = .virtualizeX2APICMode | .apicRegisterVirtualization
            | .virtualInterruptDelivery
        guard !s.processor.contains(.useTPRShadow), (s.secondary & dependent).rawValue != 0 else { return nil }
        return s.failAPIC("apicVirtualizationNeedsTPRShadow", .secondaryProcessorBasedControls,
                          "\"use TPR shadow\" with these controls")
    }
    @Sendable static func apicAccessAddress(_ s: Self) -> VMEntryCheckFailure? {
        guard s.secondary.contains(.virtualizeAPICAccesses),
              !s.isPageAddress(s.vmcs[.apicAccessAddress]) else { return nil }
        return s.failAPIC("apicAccessAddress", .apicAccessAddress, "a 4-KByte aligned physical address")
    }
    @Sendable static func x2APICModeExcludesAPICAccesses(_ s: Self) -> VMEntryCheckFailure? {
        guard s.secondary.contains(.virtualizeX2APICMode | .virtualizeAPICAccesses) else { return nil }
        return s.failAPIC("x2APICModeExcludesAPICAccesses", .secondaryProcessorBasedControls,
                          "not both \"virtualize x2APIC mode\" and \"virtualize APIC accesses\"")
    }
    @Sendable static func virtualInterruptDeliveryNeedsExiting(_ s: Self) -> VMEntryCheckFailure? {
        guard s.secondary.contains(.virtualInterruptDelivery),
              !s.pin.contains(.externalInterruptExiting) else { return nil }
        return s.failAPIC("virtualInterruptDeliveryNeedsExiting", .pinBasedControls,
                          "\"external-interrupt exiting\" with \"virtual-interrupt delivery\"")
    }

    // MARK: "Process posted interrupts"

    @Sendable static func postedInterruptsNeedDelivery(_ s: Self) -> VMEntryCheckFailure? {
        guard s.pin.contains(.processPostedInterrupts),
              !s.secondary.contains(.virtualInterruptDelivery) else { return nil }
        return s.failAPIC("postedInterruptsNeedDelivery", .secondaryProcessorBasedControls,
                          "\"virtual-interrupt delivery\" with \"process posted interrupts\"")
    }
    @Sendable static func postedInterruptsNeedAcknowledge(_ s: Self) -> VMEntryCheckFailure? {
        guard s.pin.contains(.processPostedInterrupts),
              !s.exit.contains(.acknowledgeInterruptOnExit) else { return nil }
        return s.failAPIC("postedInterruptsNeedAcknowledge", .exitControls,
                          "\"acknowledge interrupt on exit\" with \"process posted interrupts\"")
    }
    @Sendable static func postedInterruptNotificationVector(_ s: Self) -> VMEntryCheckFailure? {
        guard s.pin.contains(.processPostedInterrupts),
              s.vmcs[.postedInterruptNotificationVector] > 0xFF else { return nil }
        return s.failAPIC("postedInterruptNotificationVector", .postedInterruptNotificationVector, "0 to 255")
    }
    @Sendable static func postedInterruptDescriptorAddress(_ s: Self) -> VMEntryCheckFailure? {
        let address = s.vmcs[.postedInterruptDescriptorAddress]
        guard s.pin.contains(.processPostedInterrupts),
              address & 0x3F != 0 || !s.isPhysical(address) else { return nil }
        return s.failAPIC("postedInterruptDescriptorAddress", .postedInterruptDescriptorAddress,
                          "a 64-byte aligned physical address")
    }
}
