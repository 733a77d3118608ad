import X86Architecture

/// SDM 3C 29.2.2 to 29.2.4: checks on the host-state area. A failure is VMfail with error 8.
extension EntryChecks {
    static let hostStateChecks: [Check] = [
        hostCR0Fixed, hostCR4Fixed, hostCR3Width, hostSysenterCanonical, hostPATValid, hostEFERReserved,
        hostEFERLongMode, hostSelectorsRPLAndTI, hostCSSelectorNotNull, hostTRSelectorNotNull, hostSSSelectorNotNull,
        hostBasesCanonical, hostAddressSpaceMatchesMode, ia32eGuestNeedsLongModeHost, host32BitRestrictions,
        host64BitPAE, hostRIPCanonical,
    ]

    private static let hostRegisters: StaticString = "SDM 3C 29.2.2 \"Checks on Host Control Registers, MSRs, and SSP\""
    private static let hostSegments: StaticString
        = "SDM 3C 29.2.3 \"Checks on Host Segment and Descriptor-Table Registers\""
    private static let addressSpace: StaticString = "SDM 3C 29.2.4 \"Checks Related to Address-Space Size\""

    private func fail(_ id: StaticString, _ title: StaticString, _ field: VMCSField, _ wanted: String)
        -> VMEntryCheckFailure {
        VMEntryCheckFailure(group: .hostState, id: id, title: title, field: field, value: vmcs[field], wanted: wanted)
    }

    @Sendable static func hostCR0Fixed(_ s: Self) -> VMEntryCheckFailure? {
        VMXModel.allowsCR0(s.vmcs[.hostCR0]) ? nil
            : s.fail("hostCR0Fixed", hostRegisters, .hostCR0,
                     "the bits of IA32_VMX_CR0_FIXED0 1, others as IA32_VMX_CR0_FIXED1")
    }
    @Sendable static func hostCR4Fixed(_ s: Self) -> VMEntryCheckFailure? {
        VMXModel.allowsCR4(s.vmcs[.hostCR4], fixed1: s.cr4Fixed1) ? nil
            : s.fail("hostCR4Fixed", hostRegisters, .hostCR4,
                     "the bits of IA32_VMX_CR4_FIXED0 1, others as IA32_VMX_CR4_FIXED1")
    }
    @Sendable static func hostCR3Width(_ s: Self) -> VMEntryCheckFailure? {
        s.isPhysical(s.vmcs[.hostCR3]) ? nil
            : s.fail("hostCR3Width", hostRegisters, .hostCR3, "no bit beyond the physical-address width")
    }
    @Sendable static func hostSysenterCanonical(_ s: Self) -> VMEntryCheckFailure? {
        for field in [VMCSField.hostSysenterESP, .hostSysenterEIP] where !s.isCanonical(s.vmcs[field]) {
            return s.fail("hostSysenterCanonical", hostRegisters, field, "a canonical address")
        }
        return nil
    }
    @Sendable static func hostPATValid(_ s: Self) -> VMEntryCheckFailure? {
        guard s.exit.contains(.loadPAT), !Processor.isValidPAT(s.vmcs[.hostPAT]) else { return nil }
        return s.fail("hostPATValid", hostRegisters, .hostPAT, "each byte 0, 1, 4, 5, 6 or 7")
    }
    @Sendable static func hostEFERReserved(_ s: Self) -> VMEntryCheckFailure? {
        guard s.exit.contains(.loadEFER) else { return nil }
        return s.vmcs[.hostEFER] & ~(EFER.writable | EFER.longModeActive) == 0 ? nil
            : s.fail("hostEFERReserved", hostRegisters, .hostEFER, "reserved bits 0")
    }
    @Sendable static func hostEFERLongMode(_ s: Self) -> VMEntryCheckFailure? {
        guard s.exit.contains(.loadEFER) else { return nil }
        let wanted = s.hostIs64Bit ? EFER.longModeEnable | EFER.longModeActive : 0
        return s.vmcs[.hostEFER] & (EFER.longModeEnable | EFER.longModeActive) == wanted ? nil
            : s.fail("hostEFERLongMode", hostRegisters, .hostEFER,
                     "LMA and LME both equal to \"host address-space size\"")
    }

    @Sendable static func hostSelectorsRPLAndTI(_ s: Self) -> VMEntryCheckFailure? {
        let fields: [VMCSField] = [.hostCSSelector, .hostSSSelector, .hostDSSelector, .hostESSelector, .hostFSSelector,
                                   .hostGSSelector, .hostTRSelector]
        for field in fields where s.vmcs[field] & 7 != 0 {
            return s.fail("hostSelectorsRPLAndTI", hostSegments, field, "RPL and TI 0")
        }
        return nil
    }
    @Sendable static func hostCSSelectorNotNull(_ s: Self) -> VMEntryCheckFailure? {
        s.vmcs[.hostCSSelector] != 0 ? nil : s.fail("hostCSSelectorNotNull", hostSegments, .hostCSSelector, "not 0000H")
    }
    @Sendable static func hostTRSelectorNotNull(_ s: Self) -> VMEntryCheckFailure? {
        s.vmcs[.hostTRSelector] != 0 ? nil : s.fail("hostTRSelectorNotNull", hostSegments, .hostTRSelector, "not 0000H")
    }
    @Sendable static func hostSSSelectorNotNull(_ s: Self) -> VMEntryCheckFailure? {
        guard !s.hostIs64Bit, s.vmcs[.hostSSSelector] == 0 else { return nil }
        return s.fail("hostSSSelectorNotNull", hostSegments, .hostSSSelector, "not 0000H with a 32-bit host")
    }
    @Sendable static func hostBasesCanonical(_ s: Self) -> VMEntryCheckFailure? {
        for field in [VMCSField.hostFSBase, .hostGSBase, .hostGDTRBase, .hostIDTRBase, .hostTRBase]
        where !s.isCanonical(s.vmcs[field]) {
            return s.fail("hostBasesCanonical", hostSegments, field, "a canonical address")
        }
        return nil
    }

    @Sendable static func hostAddressSpaceMatchesMode(_ s: Self) -> VMEntryCheckFailure? {
        s.hostIs64Bit == s.isLongMode ? nil
            : s.fail("hostAddressSpaceMatchesMode", addressSpace, .exitControls,
                     "\"host address-space size\" equal to IA32_EFER.LMA at VM entry (\(s.isLongMode ? 1 : 0))")
    }
    @Sendable static func ia32eGuestNeedsLongModeHost(_ s: Self) -> VMEntryCheckFailure? {
        guard s.ia32eGuest, !s.hostIs64Bit else { return nil }
        return s.fail("ia32eGuestNeedsLongModeHost", addressSpace, .entryControls,
                      "\"IA-32e mode guest\" 0 with a 32-bit host")
    }
    @Sendable static func host32BitRestrictions(_ s: Self) -> VMEntryCheckFailure? {
        guard !s.hostIs64Bit else { return nil }
        if s.vmcs[.hostCR4] & CR4.pcidEnable != 0 {
            return s.fail("host32BitRestrictions", addressSpace, .hostCR4, "PCIDE 0 with a 32-bit host")
        }
        return s.vmcs[.hostRIP] >> 32 == 0 ? nil
            : s.fail("host32BitRestrictions", addressSpace, .hostRIP, "bits 63:32 0 with a 32-bit host")
    }
    @Sendable static func host64BitPAE(_ s: Self) -> VMEntryCheckFailure? {
        guard s.hostIs64Bit, s.vmcs[.hostCR4] & CR4.physicalAddressExtension == 0 else { return nil }
        return s.fail("host64BitPAE", addressSpace, .hostCR4, "PAE 1 with a 64-bit host")
    }
    @Sendable static func hostRIPCanonical(_ s: Self) -> VMEntryCheckFailure? {
        guard s.hostIs64Bit, !s.isCanonical(s.vmcs[.hostRIP]) else { return nil }
        return s.fail("hostRIPCanonical", addressSpace, .hostRIP, "a canonical address")
    }
}
