import X86Architecture

/// SDM 3C 29.3.1.5 "Checks on Guest Non-Register State", 29.3.1.6 "Checks on Guest Page-Directory-Pointer-Table
/// Entries". A failure is exit reason 33.
extension EntryChecks {
    static let guestNonRegisterChecks: [Check] = [
        activityStateSupported, haltNeedsPrivilege, blockingNeedsActive, injectionAllowedByActivity,
        interruptibilityReserved, blockingBySTIOrMOVSS, blockingBySTINeedsIF, externalInjectionWithBlocking,
        nmiInjectionWithBlockingByMOVSS, blockingBySMI, nmiInjectionWithVirtualBlocking, enclaveInterruption,
        pendingDebugReserved, pendingDebugSingleStep, pendingDebugRTM, linkPointerAddress, linkPointerRevision,
        linkPointerShadowIndicator, linkPointerIsNotCurrent, pdptesReserved,
    ]

    private static let nonRegisterTitle: StaticString = "SDM 3C 29.3.1.5 \"Checks on Guest Non-Register State\""
    private static let pdpteTitle: StaticString =
        "SDM 3C 29.3.1.6 \"Checks on Guest Page-Directory-Pointer-Table Entries\""
    private func fail(_ id: StaticString, _ field: VMCSField, _ wanted: String) -> VMEntryCheckFailure {
        failGuest(id, Self.nonRegisterTitle, field, wanted)
    }

    // MARK: Activity state

    private var activity: ActivityState? { ActivityState(rawValue: vmcs.u32(.guestActivityState)) }

    @Sendable static func activityStateSupported(_ s: Self) -> VMEntryCheckFailure? {
        s.activity != nil ? nil : s.fail("activityStateSupported", .guestActivityState, "0 to 3")
    }
    @Sendable static func haltNeedsPrivilege(_ s: Self) -> VMEntryCheckFailure? {
        guard s.activity == .halted, s.rights(.guestSSAccessRights).dpl != 0 else { return nil }
        return s.fail("haltNeedsPrivilege", .guestActivityState, "not HLT unless SS.DPL is 0")
    }
    @Sendable static func blockingNeedsActive(_ s: Self) -> VMEntryCheckFailure? {
        let blocking = s.interruptibility.rawValue & 3 != 0
        return blocking && s.activity != .active
            ? s.fail("blockingNeedsActive", .guestActivityState, "active with blocking by STI or MOV SS") : nil
    }
    @Sendable static func injectionAllowedByActivity(_ s: Self) -> VMEntryCheckFailure? {
        guard s.injection.isValid, let activity = s.activity else { return nil }
        let type = s.injection.type, vector = s.injection.vector
        let ok = switch activity {
        case .active: true
        case .halted:
            type == .externalInterrupt || type == .nmi || type == .otherEvent
                || (type == .hardwareException && (vector == Vector.debug || vector == Vector.machineCheck))
        case .shutdown: type == .nmi || (type == .hardwareException && vector == Vector.machineCheck)
        case .waitForSIPI: false
        }
        return ok ? nil : s.fail("injectionAllowedByActivity", .guestActivityState,
                                 "a state in which the injected event is not blocked")
    }

    // MARK: Interruptibility state

    @Sendable static func interruptibilityReserved(_ s: Self) -> VMEntryCheckFailure? {
        s.interruptibility.rawValue >> 5 == 0 ? nil
            : s.fail("interruptibilityReserved", .guestInterruptibilityState, "bits 31:5 0")
    }
    @Sendable static func blockingBySTIOrMOVSS(_ s: Self) -> VMEntryCheckFailure? {
        guard s.interruptibility.contains(.blockingBySTI | .blockingByMOVSS) else { return nil }
        return s.fail("blockingBySTIOrMOVSS", .guestInterruptibilityState, "not both of bits 0 and 1")
    }
    @Sendable static func blockingBySTINeedsIF(_ s: Self) -> VMEntryCheckFailure? {
        guard s.interruptibility.contains(.blockingBySTI), s.guestRFLAGS & RFLAGS.interrupt == 0 else { return nil }
        return s.fail("blockingBySTINeedsIF", .guestInterruptibilityState, "bit 0 0 with RFLAGS.IF 0")
    }
    @Sendable static func externalInjectionWithBlocking(_ s: Self) -> VMEntryCheckFailure? {
        guard s.injection.isValid, s.injection.type == .externalInterrupt,
              s.interruptibility.rawValue & 3 != 0 else { return nil }
        return s.fail("externalInjectionWithBlocking", .guestInterruptibilityState,
                      "bits 0 and 1 0 with injection of an external interrupt")
    }
    @Sendable static func nmiInjectionWithBlockingByMOVSS(_ s: Self) -> VMEntryCheckFailure? {
        guard s.injection.isValid, s.injection.type == .nmi,
              s.interruptibility.contains(.blockingByMOVSS) else { return nil }
        return s.fail("nmiInjectionWithBlockingByMOVSS", .guestInterruptibilityState,
                      "bit 1 0 with injection of an NMI")
    }
    /// The processor is not in SMM.
    @Sendable static func blockingBySMI(_ s: Self) -> VMEntryCheckFailure? {
        guard s.interruptibility.contains(.blockingBySMI) else { return nil }
        return s.fail("blockingBySMI", .guestInterruptibilityState, "bit 2 0 outside SMM")
    }
    @Sendable static func nmiInjectionWithVirtualBlocking(_ s: Self) -> VMEntryCheckFailure? {
        guard s.pin.contains(.virtualNMIs), s.injection.isValid, s.injection.type == .nmi,
              s.interruptibility.contains(.blockingByNMI) else { return nil }
        return s.fail("nmiInjectionWithVirtualBlocking", .guestInterruptibilityState,
                      "bit 3 0 with \"virtual NMIs\" and injection of an NMI")
    }
    /// SGX is not supported.
    @Sendable static func enclaveInterruption(_ s: Self) -> VMEntryCheckFailure? {
        guard s.interruptibility.contains(.enclaveInterruption) else { return nil }
        return s.fail("enclaveInterruption", .guestInterruptibilityState, "bit 4 0 without SGX")
    }

    // MARK: Pending debug exceptions

    @Sendable static func pendingDebugReserved(_ s: Self) -> VMEntryCheckFailure? {
        // Bits 11:4, 13, 15 and 63:17.
        s.vmcs[.guestPendingDebugExceptions] & ~0x1_500F == 0 ? nil
            : s.fail("pendingDebugReserved", .guestPendingDebugExceptions, "bits 11:4, 13, 15 and 63:17 0")
    }
    @Sendable static func pendingDebugSingleStep(_ s: Self) -> VMEntryCheckFailure? {
        guard s.interruptibility.rawValue & 3 != 0 || s.activity == .halted else { return nil }
        let branchTrap = s.vmcs[.guestDebugCtl] & 2 != 0
        let wanted = s.guestRFLAGS & RFLAGS.trap != 0 && !branchTrap
        return PendingDebugExceptions(s.vmcs[.guestPendingDebugExceptions]).contains(.singleStep) == wanted ? nil
            : s.fail("pendingDebugSingleStep", .guestPendingDebugExceptions,
                     "BS \(wanted ? 1 : 0), as RFLAGS.TF and IA32_DEBUGCTL.BTF say")
    }
    /// RTM is not supported.
    @Sendable static func pendingDebugRTM(_ s: Self) -> VMEntryCheckFailure? {
        guard PendingDebugExceptions(s.vmcs[.guestPendingDebugExceptions]).contains(.rtm) else { return nil }
        return s.fail("pendingDebugRTM", .guestPendingDebugExceptions, "bit 16 0 without RTM")
    }

    // MARK: VMCS link pointer

    private func failLink(_ id: StaticString, _ wanted: String) -> VMEntryCheckFailure {
        var failure = fail(id, .vmcsLinkPointer, wanted)
        failure.qualification = .vmcsLinkPointer
        return failure
    }
    private var link: UInt64? { vmcs[.vmcsLinkPointer] == ~0 ? nil : vmcs[.vmcsLinkPointer] }

    @Sendable static func linkPointerAddress(_ s: Self) -> VMEntryCheckFailure? {
        guard let link = s.link, !s.isPageAddress(link) else { return nil }
        return s.failLink("linkPointerAddress", "all ones, or a 4-KByte aligned physical address")
    }
    @Sendable static func linkPointerRevision(_ s: Self) -> VMEntryCheckFailure? {
        guard let link = s.link else { return nil }
        let first = s.memory.load(PhysicalAddress(link), as: UInt32.self) & ~VMCS.shadowIndicator
        return first == VMXModel.revision && s.memory.isRAM(PhysicalAddress(link)) ? nil
            : s.failLink("linkPointerRevision", "the VMCS revision identifier at that address")
    }
    @Sendable static func linkPointerShadowIndicator(_ s: Self) -> VMEntryCheckFailure? {
        guard let link = s.link else { return nil }
        let isShadow = s.memory.load(PhysicalAddress(link), as: UInt32.self) & VMCS.shadowIndicator != 0
        let wanted = s.secondary.contains(.vmcsShadowing)
        return isShadow == wanted ? nil
            : s.failLink("linkPointerShadowIndicator",
                         "a VMCS with shadow-VMCS indicator \(wanted ? 1 : 0), as \"VMCS shadowing\" says")
    }
    @Sendable static func linkPointerIsNotCurrent(_ s: Self) -> VMEntryCheckFailure? {
        s.link == s.pointer ? s.failLink("linkPointerIsNotCurrent", "not the current VMCS") : nil
    }

    // MARK: PDPTEs

    var usesPAEPaging: Bool {
        guestCR0 & CR0.paging != 0 && vmcs[.guestCR4] & CR4.physicalAddressExtension != 0 && !ia32eGuest
    }
    /// The PDPTEs that the entry loads: from the VMCS with EPT, else from the table at CR3.
    func pdpte(_ n: Int) -> UInt64 {
        if secondary.contains(.enableEPT) {
            let fields: InlineArray<4, VMCSField> = [.guestPDPTE0, .guestPDPTE1, .guestPDPTE2, .guestPDPTE3]
            return vmcs[fields[n]]
        }
        return memory.load(PhysicalAddress(vmcs[.guestCR3] & 0xFFFF_FFE0) + UInt64(8 * n), as: UInt64.self)
    }
    /// SDM 3A Table 4-8 "Format of a PAE Page-Directory-Pointer-Table Entry (PDPTE)": bits 2:1, 8:5 and those beyond
    /// the physical-address width are reserved in a present entry.
    @Sendable static func pdptesReserved(_ s: Self) -> VMEntryCheckFailure? {
        guard s.usesPAEPaging else { return nil }
        let fields: InlineArray<4, VMCSField> = [.guestPDPTE0, .guestPDPTE1, .guestPDPTE2, .guestPDPTE3]
        for n in 0..<4 {
            let e = s.pdpte(n)
            guard e & 1 != 0, e & (0x1E6 | ~s.physicalMask) != 0 else { continue }
            var failure = s.failGuest("pdptesReserved", pdpteTitle, fields[n], "reserved bits 0")
            failure.qualification = .pdpteLoading
            return failure
        }
        return nil
    }
}
