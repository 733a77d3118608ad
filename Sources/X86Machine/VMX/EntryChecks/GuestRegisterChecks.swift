import X86Architecture

/// SDM 3C 29.3.1.1 "Checks on Guest Control Registers, Debug Registers, and MSRs", 29.3.1.3 "Checks on Guest
/// Descriptor-Table Registers", 29.3.1.4 "Checks on Guest RIP, RFLAGS, and SSP". A failure is exit reason 33.
extension EntryChecks {
    static let guestRegisterChecks: [Check] = [
        guestCR0Fixed, guestPagingNeedsProtection, guestCR4Fixed, guestDebugCtlReserved, guestIA32ePaging,
        guestPCIDNeedsIA32e, guestCR3Width, guestDR7High, guestSysenterCanonical, guestPATValid, guestEFERReserved,
        guestEFERLongModeActive, guestEFERLongModeEnable,
    ]
    static let guestTableAndFlagChecks: [Check] = [
        guestTableBasesCanonical, guestTableLimits, guestRIPHigh, guestRIPCanonicalWidth, guestRFLAGSReserved,
        guestVirtual8086Mode, guestInterruptFlagForInjection,
    ]

    private static let guestRegisters: StaticString =
        "SDM 3C 29.3.1.1 \"Checks on Guest Control Registers, Debug Registers, and MSRs\""
    private static let guestTables: StaticString = "SDM 3C 29.3.1.3 \"Checks on Guest Descriptor-Table Registers\""
    private static let guestFlags: StaticString = "SDM 3C 29.3.1.4 \"Checks on Guest RIP, RFLAGS, and SSP\""

    func failGuest(_ id: StaticString, _ title: StaticString, _ field: VMCSField, _ wanted: String)
        -> VMEntryCheckFailure {
        VMEntryCheckFailure(group: .guestState, id: id, title: title, field: field, value: vmcs[field], wanted: wanted)
    }

    /// CD and NW are never checked.
    @Sendable static func guestCR0Fixed(_ s: Self) -> VMEntryCheckFailure? {
        VMXModel.allowsCR0(s.guestCR0, unrestricted: s.unrestricted) ? nil
            : s.failGuest("guestCR0Fixed", guestRegisters, .guestCR0,
                          "the bits of IA32_VMX_CR0_FIXED0 1 (PE and PG not with \"unrestricted guest\")")
    }
    @Sendable static func guestPagingNeedsProtection(_ s: Self) -> VMEntryCheckFailure? {
        s.guestCR0 & (CR0.paging | CR0.protectionEnable) != CR0.paging ? nil
            : s.failGuest("guestPagingNeedsProtection", guestRegisters, .guestCR0, "PE 1 with PG 1")
    }
    @Sendable static func guestCR4Fixed(_ s: Self) -> VMEntryCheckFailure? {
        VMXModel.allowsCR4(s.vmcs[.guestCR4], fixed1: s.cr4Fixed1) ? nil
            : s.failGuest("guestCR4Fixed", guestRegisters, .guestCR4,
                          "the bits of IA32_VMX_CR4_FIXED0 1, others as IA32_VMX_CR4_FIXED1")
    }
    /// Defined here: LBR (0), BTF (1); others are not supported.
    @Sendable static func guestDebugCtlReserved(_ s: Self) -> VMEntryCheckFailure? {
        guard s.entry.contains(.loadDebugControls), s.vmcs[.guestDebugCtl] & ~0x3 != 0 else { return nil }
        return s.failGuest("guestDebugCtlReserved", guestRegisters, .guestDebugCtl, "reserved bits 0")
    }
    @Sendable static func guestIA32ePaging(_ s: Self) -> VMEntryCheckFailure? {
        guard s.ia32eGuest else { return nil }
        if s.guestCR0 & CR0.paging == 0 {
            return s.failGuest("guestIA32ePaging", guestRegisters, .guestCR0, "PG 1 with \"IA-32e mode guest\"")
        }
        return s.vmcs[.guestCR4] & CR4.physicalAddressExtension != 0 ? nil
            : s.failGuest("guestIA32ePaging", guestRegisters, .guestCR4, "PAE 1 with \"IA-32e mode guest\"")
    }
    @Sendable static func guestPCIDNeedsIA32e(_ s: Self) -> VMEntryCheckFailure? {
        guard !s.ia32eGuest, s.vmcs[.guestCR4] & CR4.pcidEnable != 0 else { return nil }
        return s.failGuest("guestPCIDNeedsIA32e", guestRegisters, .guestCR4, "PCIDE 0 without \"IA-32e mode guest\"")
    }
    @Sendable static func guestCR3Width(_ s: Self) -> VMEntryCheckFailure? {
        s.isPhysical(s.vmcs[.guestCR3]) ? nil
            : s.failGuest("guestCR3Width", guestRegisters, .guestCR3, "no bit beyond the physical-address width")
    }
    @Sendable static func guestDR7High(_ s: Self) -> VMEntryCheckFailure? {
        guard s.entry.contains(.loadDebugControls), s.vmcs[.guestDR7] >> 32 != 0 else { return nil }
        return s.failGuest("guestDR7High", guestRegisters, .guestDR7, "bits 63:32 0")
    }
    @Sendable static func guestSysenterCanonical(_ s: Self) -> VMEntryCheckFailure? {
        for field in [VMCSField.guestSysenterESP, .guestSysenterEIP] where !s.isCanonical(s.vmcs[field]) {
            return s.failGuest("guestSysenterCanonical", guestRegisters, field, "a canonical address")
        }
        return nil
    }
    @Sendable static func guestPATValid(_ s: Self) -> VMEntryCheckFailure? {
        guard s.entry.contains(.loadPAT), !Processor.isValidPAT(s.vmcs[.guestPAT]) else { return nil }
        return s.failGuest("guestPATValid", guestRegisters, .guestPAT, "each byte 0, 1, 4, 5, 6 or 7")
    }
    @Sendable static func guestEFERReserved(_ s: Self) -> VMEntryCheckFailure? {
        guard s.entry.contains(.loadEFER) else { return nil }
        return s.vmcs[.guestEFER] & ~(EFER.writable | EFER.longModeActive) == 0 ? nil
            : s.failGuest("guestEFERReserved", guestRegisters, .guestEFER, "reserved bits 0")
    }
    @Sendable static func guestEFERLongModeActive(_ s: Self) -> VMEntryCheckFailure? {
        guard s.entry.contains(.loadEFER) else { return nil }
        return (s.vmcs[.guestEFER] & EFER.longModeActive != 0) == s.ia32eGuest ? nil
            : s.failGuest("guestEFERLongModeActive", guestRegisters, .guestEFER, "LMA equal to \"IA-32e mode guest\"")
    }
    @Sendable static func guestEFERLongModeEnable(_ s: Self) -> VMEntryCheckFailure? {
        guard s.entry.contains(.loadEFER), s.guestCR0 & CR0.paging != 0 else { return nil }
        let efer = s.vmcs[.guestEFER]
        return (efer & EFER.longModeActive != 0) == (efer & EFER.longModeEnable != 0) ? nil
            : s.failGuest("guestEFERLongModeEnable", guestRegisters, .guestEFER, "LME equal to LMA with CR0.PG 1")
    }

    // MARK: Descriptor guestTables, RIP, RFLAGS

    @Sendable static func guestTableBasesCanonical(_ s: Self) -> VMEntryCheckFailure? {
        for field in [VMCSField.guestGDTRBase, .guestIDTRBase] where !s.isCanonical(s.vmcs[field]) {
            return s.failGuest("guestTableBasesCanonical", guestTables, field, "a canonical address")
        }
        return nil
    }
    @Sendable static func guestTableLimits(_ s: Self) -> VMEntryCheckFailure? {
        for field in [VMCSField.guestGDTRLimit, .guestIDTRLimit] where s.vmcs[field] >> 16 != 0 {
            return s.failGuest("guestTableLimits", guestTables, field, "bits 31:16 0")
        }
        return nil
    }
    private var is64BitCode: Bool { ia32eGuest && rights(.guestCSAccessRights).contains(.long) }
    @Sendable static func guestRIPHigh(_ s: Self) -> VMEntryCheckFailure? {
        guard !s.is64BitCode, s.vmcs[.guestRIP] >> 32 != 0 else { return nil }
        return s.failGuest("guestRIPHigh", guestFlags, .guestRIP, "bits 63:32 0 outside 64-bit mode")
    }
    /// Bits 63:48 identical; bit 47 may differ (the address is then not canonical, and the first fetch faults).
    @Sendable static func guestRIPCanonicalWidth(_ s: Self) -> VMEntryCheckFailure? {
        guard s.is64BitCode else { return nil }
        let high = s.vmcs[.guestRIP] >> 48
        return high == 0 || high == 0xFFFF ? nil
            : s.failGuest("guestRIPCanonicalWidth", guestFlags, .guestRIP, "bits 63:48 identical")
    }
    @Sendable static func guestRFLAGSReserved(_ s: Self) -> VMEntryCheckFailure? {
        s.guestRFLAGS & ~RFLAGS.defined == 0 && s.guestRFLAGS & RFLAGS.alwaysOne != 0 ? nil
            : s.failGuest("guestRFLAGSReserved", guestFlags, .guestRFLAGS, "bits 63:22, 15, 5 and 3 0, bit 1 1")
    }
    @Sendable static func guestVirtual8086Mode(_ s: Self) -> VMEntryCheckFailure? {
        guard s.isVirtual8086, s.ia32eGuest || s.guestCR0 & CR0.protectionEnable == 0 else { return nil }
        return s.failGuest("guestVirtual8086Mode", guestFlags, .guestRFLAGS, "VM 0 in IA-32e mode or with CR0.PE 0")
    }
    @Sendable static func guestInterruptFlagForInjection(_ s: Self) -> VMEntryCheckFailure? {
        guard s.injection.isValid, s.injection.type == .externalInterrupt,
              s.guestRFLAGS & RFLAGS.interrupt == 0 else { return nil }
        return s.failGuest("guestInterruptFlagForInjection", guestFlags, .guestRFLAGS,
                           "IF 1 with injection of an external interrupt")
    }
}
