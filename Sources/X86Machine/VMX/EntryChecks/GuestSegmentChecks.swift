import X86Architecture

/// SDM 3C 29.3.1.2 "Checks on Guest Segment Registers". A failure is exit reason 33.
extension EntryChecks {
    static let guestSegmentChecks: [Check] = [
        trSelectorTI, ldtrSelectorTI, ssSelectorRPL, virtual8086Bases, systemBasesCanonical, csBaseHigh,
        dataBasesHigh, virtual8086Limits, virtual8086Rights, csType, ssType, dataTypes, segmentsAreCodeOrData,
        csPrivilege, ssPrivilege, dataPrivilege, segmentsPresent, segmentRightsReserved, csDefaultSize,
        segmentGranularity, trType, trIsSystem, trPresent, trRightsReserved, trGranularity, trUsable, ldtrType,
        ldtrIsSystem, ldtrPresent, ldtrRightsReserved, ldtrGranularity,
    ]

    private static let segmentTitle: StaticString = "SDM 3C 29.3.1.2 \"Checks on Guest Segment Registers\""
    private func fail(_ id: StaticString, _ field: VMCSField, _ wanted: String) -> VMEntryCheckFailure {
        failGuest(id, Self.segmentTitle, field, wanted)
    }

    /// The four fields of one segment register.
    struct SegmentFields {
        let selector, base, limit, rights: VMCSField
    }
    static let es = SegmentFields(selector: .guestESSelector, base: .guestESBase, limit: .guestESLimit,
                                  rights: .guestESAccessRights)
    static let cs = SegmentFields(selector: .guestCSSelector, base: .guestCSBase, limit: .guestCSLimit,
                                  rights: .guestCSAccessRights)
    static let ss = SegmentFields(selector: .guestSSSelector, base: .guestSSBase, limit: .guestSSLimit,
                                  rights: .guestSSAccessRights)
    static let ds = SegmentFields(selector: .guestDSSelector, base: .guestDSBase, limit: .guestDSLimit,
                                  rights: .guestDSAccessRights)
    static let fs = SegmentFields(selector: .guestFSSelector, base: .guestFSBase, limit: .guestFSLimit,
                                  rights: .guestFSAccessRights)
    static let gs = SegmentFields(selector: .guestGSSelector, base: .guestGSBase, limit: .guestGSLimit,
                                  rights: .guestGSAccessRights)
    static let ldtr = SegmentFields(selector: .guestLDTRSelector, base: .guestLDTRBase, limit: .guestLDTRLimit,
                                    rights: .guestLDTRAccessRights)
    static let tr = SegmentFields(selector: .guestTRSelector, base: .guestTRBase, limit: .guestTRLimit,
                                  rights: .guestTRAccessRights)
    /// In sreg numbering.
    static let segmentRegisters: InlineArray<8, SegmentFields> = [es, cs, ss, ds, fs, gs, ldtr, tr]

    private func isUsable(_ s: SegmentFields) -> Bool { !rights(s.rights).contains(.unusable) }
    /// CS, and those of SS, DS, ES, FS, GS that are usable; none in virtual-8086 mode, which has rules of its own.
    private func firstCodeOrData(where violates: (SegmentFields) -> Bool) -> SegmentFields? {
        guard !isVirtual8086 else { return nil }
        for n in 0..<6 {
            let s = Self.segmentRegisters[n]
            if n != SegmentIndex.cs && !isUsable(s) { continue }
            if violates(s) { return s }
        }
        return nil
    }

    // MARK: Selectors

    @Sendable static func trSelectorTI(_ s: Self) -> VMEntryCheckFailure? {
        s.vmcs[.guestTRSelector] & 4 == 0 ? nil : s.fail("trSelectorTI", .guestTRSelector, "TI 0")
    }
    @Sendable static func ldtrSelectorTI(_ s: Self) -> VMEntryCheckFailure? {
        guard s.isUsable(ldtr), s.vmcs[.guestLDTRSelector] & 4 != 0 else { return nil }
        return s.fail("ldtrSelectorTI", .guestLDTRSelector, "TI 0 while LDTR is usable")
    }
    @Sendable static func ssSelectorRPL(_ s: Self) -> VMEntryCheckFailure? {
        guard !s.isVirtual8086, !s.unrestricted else { return nil }
        return (s.vmcs[.guestSSSelector] ^ s.vmcs[.guestCSSelector]) & 3 == 0 ? nil
            : s.fail("ssSelectorRPL", .guestSSSelector, "RPL of SS equal to RPL of CS")
    }

    // MARK: Bases and limits

    private func firstVirtual8086(where violates: (SegmentFields) -> Bool) -> SegmentFields? {
        guard isVirtual8086 else { return nil }
        for n in 0..<6 where violates(Self.segmentRegisters[n]) { return Self.segmentRegisters[n] }
        return nil
    }
    @Sendable static func virtual8086Bases(_ s: Self) -> VMEntryCheckFailure? {
        s.firstVirtual8086 { s.vmcs[$0.base] != s.vmcs[$0.selector] << 4 }
            .map { s.fail("virtual8086Bases", $0.base, "the selector shifted left by 4") }
    }
    @Sendable static func systemBasesCanonical(_ s: Self) -> VMEntryCheckFailure? {
        for r in [tr, fs, gs, ldtr] where !s.isCanonical(s.vmcs[r.base]) {
            if r.base == .guestLDTRBase && !s.isUsable(r) { continue }
            return s.fail("systemBasesCanonical", r.base, "a canonical address")
        }
        return nil
    }
    @Sendable static func csBaseHigh(_ s: Self) -> VMEntryCheckFailure? {
        s.vmcs[.guestCSBase] >> 32 == 0 ? nil : s.fail("csBaseHigh", .guestCSBase, "bits 63:32 0")
    }
    @Sendable static func dataBasesHigh(_ s: Self) -> VMEntryCheckFailure? {
        for r in [ss, ds, es] where s.isUsable(r) && s.vmcs[r.base] >> 32 != 0 {
            return s.fail("dataBasesHigh", r.base, "bits 63:32 0")
        }
        return nil
    }
    @Sendable static func virtual8086Limits(_ s: Self) -> VMEntryCheckFailure? {
        s.firstVirtual8086 { s.vmcs[$0.limit] != 0xFFFF }.map { s.fail("virtual8086Limits", $0.limit, "FFFFH") }
    }
    @Sendable static func virtual8086Rights(_ s: Self) -> VMEntryCheckFailure? {
        s.firstVirtual8086 { s.vmcs[$0.rights] != 0xF3 }.map { s.fail("virtual8086Rights", $0.rights, "F3H") }
    }

    // MARK: Access rights of CS, SS, DS, ES, FS, GS

    @Sendable static func csType(_ s: Self) -> VMEntryCheckFailure? {
        guard !s.isVirtual8086 else { return nil }
        let type = s.rights(.guestCSAccessRights).type
        return type & 9 == 9 || (type == 3 && s.unrestricted) ? nil
            : s.fail("csType", .guestCSAccessRights, "type 9, 11, 13 or 15 (3 with \"unrestricted guest\")")
    }
    @Sendable static func ssType(_ s: Self) -> VMEntryCheckFailure? {
        guard !s.isVirtual8086, s.isUsable(ss) else { return nil }
        let type = s.rights(.guestSSAccessRights).type
        return type == 3 || type == 7 ? nil : s.fail("ssType", .guestSSAccessRights, "type 3 or 7")
    }
    @Sendable static func dataTypes(_ s: Self) -> VMEntryCheckFailure? {
        guard !s.isVirtual8086 else { return nil }
        for r in [ds, es, fs, gs] where s.isUsable(r) {
            let type = s.rights(r.rights).type
            if type & 1 == 0 || type & 0xA == 8 {
                return s.fail("dataTypes", r.rights, "accessed, and readable if code")
            }
        }
        return nil
    }
    @Sendable static func segmentsAreCodeOrData(_ s: Self) -> VMEntryCheckFailure? {
        s.firstCodeOrData { !s.rights($0.rights).contains(.codeOrData) }
            .map { s.fail("segmentsAreCodeOrData", $0.rights, "S 1") }
    }
    @Sendable static func csPrivilege(_ s: Self) -> VMEntryCheckFailure? {
        guard !s.isVirtual8086 else { return nil }
        let cs = s.rights(.guestCSAccessRights), ss = s.rights(.guestSSAccessRights)
        let ok = switch cs.type {
        case 3: cs.dpl == 0
        case 9, 11: cs.dpl == ss.dpl
        default: cs.dpl <= ss.dpl
        }
        return ok ? nil : s.fail("csPrivilege", .guestCSAccessRights,
                                 "DPL 0 (type 3), equal to SS.DPL (9, 11) or at most SS.DPL (13, 15)")
    }
    @Sendable static func ssPrivilege(_ s: Self) -> VMEntryCheckFailure? {
        guard !s.isVirtual8086 else { return nil }
        let dpl = s.rights(.guestSSAccessRights).dpl
        if !s.unrestricted && UInt64(dpl) != s.vmcs[.guestSSSelector] & 3 {
            return s.fail("ssPrivilege", .guestSSAccessRights, "DPL equal to RPL of the selector")
        }
        let mustBeZero = s.rights(.guestCSAccessRights).type == 3 || s.guestCR0 & CR0.protectionEnable == 0
        return mustBeZero && dpl != 0
            ? s.fail("ssPrivilege", .guestSSAccessRights, "DPL 0 in real-address mode or with CS of type 3") : nil
    }
    @Sendable static func dataPrivilege(_ s: Self) -> VMEntryCheckFailure? {
        guard !s.isVirtual8086, !s.unrestricted else { return nil }
        for r in [ds, es, fs, gs] where s.isUsable(r) {
            let access = s.rights(r.rights)
            if access.type <= 11 && UInt64(access.dpl) < s.vmcs[r.selector] & 3 {
                return s.fail("dataPrivilege", r.rights, "DPL not less than RPL of the selector")
            }
        }
        return nil
    }
    @Sendable static func segmentsPresent(_ s: Self) -> VMEntryCheckFailure? {
        s.firstCodeOrData { !s.rights($0.rights).contains(.present) }
            .map { s.fail("segmentsPresent", $0.rights, "P 1") }
    }
    @Sendable static func segmentRightsReserved(_ s: Self) -> VMEntryCheckFailure? {
        s.firstCodeOrData { s.rights($0.rights).rawValue & SegmentAccessRights.reserved.rawValue != 0 }
            .map { s.fail("segmentRightsReserved", $0.rights, "bits 11:8 and 31:17 0") }
    }
    @Sendable static func csDefaultSize(_ s: Self) -> VMEntryCheckFailure? {
        guard !s.isVirtual8086, s.ia32eGuest,
              s.rights(.guestCSAccessRights).contains(.long | .defaultBig) else { return nil }
        return s.fail("csDefaultSize", .guestCSAccessRights, "D/B 0 with L 1")
    }
    /// G must be 0 if any of limit 11:0 is 0, and 1 if any of limit 31:20 is 1.
    private func hasConsistentGranularity(_ r: SegmentFields) -> Bool {
        let limit = vmcs[r.limit], isPages = rights(r.rights).contains(.granularity)
        if limit & 0xFFF != 0xFFF && isPages { return false }
        return limit >> 20 == 0 || isPages
    }
    @Sendable static func segmentGranularity(_ s: Self) -> VMEntryCheckFailure? {
        s.firstCodeOrData { !s.hasConsistentGranularity($0) }
            .map { s.fail("segmentGranularity", $0.rights, "G that fits the limit") }
    }

    // MARK: TR and LDTR

    @Sendable static func trType(_ s: Self) -> VMEntryCheckFailure? {
        let type = s.rights(.guestTRAccessRights).type
        return type == 11 || (type == 3 && !s.ia32eGuest) ? nil
            : s.fail("trType", .guestTRAccessRights, "a busy TSS: type 11 (3 outside IA-32e mode)")
    }
    @Sendable static func trIsSystem(_ s: Self) -> VMEntryCheckFailure? {
        s.rights(.guestTRAccessRights).contains(.codeOrData) ? s.fail("trIsSystem", .guestTRAccessRights, "S 0") : nil
    }
    @Sendable static func trPresent(_ s: Self) -> VMEntryCheckFailure? {
        s.rights(.guestTRAccessRights).contains(.present) ? nil : s.fail("trPresent", .guestTRAccessRights, "P 1")
    }
    @Sendable static func trRightsReserved(_ s: Self) -> VMEntryCheckFailure? {
        s.rights(.guestTRAccessRights).rawValue & SegmentAccessRights.reserved.rawValue == 0 ? nil
            : s.fail("trRightsReserved", .guestTRAccessRights, "bits 11:8 and 31:17 0")
    }
    @Sendable static func trGranularity(_ s: Self) -> VMEntryCheckFailure? {
        s.hasConsistentGranularity(tr) ? nil : s.fail("trGranularity", .guestTRAccessRights, "G that fits the limit")
    }
    @Sendable static func trUsable(_ s: Self) -> VMEntryCheckFailure? {
        s.isUsable(tr) ? nil : s.fail("trUsable", .guestTRAccessRights, "bit 16 0: TR usable")
    }
    @Sendable static func ldtrType(_ s: Self) -> VMEntryCheckFailure? {
        guard s.isUsable(ldtr), s.rights(.guestLDTRAccessRights).type != 2 else { return nil }
        return s.fail("ldtrType", .guestLDTRAccessRights, "type 2 (LDT)")
    }
    @Sendable static func ldtrIsSystem(_ s: Self) -> VMEntryCheckFailure? {
        guard s.isUsable(ldtr), s.rights(.guestLDTRAccessRights).contains(.codeOrData) else { return nil }
        return s.fail("ldtrIsSystem", .guestLDTRAccessRights, "S 0")
    }
    @Sendable static func ldtrPresent(_ s: Self) -> VMEntryCheckFailure? {
        guard s.isUsable(ldtr), !s.rights(.guestLDTRAccessRights).contains(.present) else { return nil }
        return s.fail("ldtrPresent", .guestLDTRAccessRights, "P 1")
    }
    @Sendable static func ldtrRightsReserved(_ s: Self) -> VMEntryCheckFailure? {
        guard s.isUsable(ldtr),
              s.rights(.guestLDTRAccessRights).rawValue & SegmentAccessRights.reserved.rawValue != 0 else { return nil }
        return s.fail("ldtrRightsReserved", .guestLDTRAccessRights, "bits 11:8 and 31:17 0")
    }
    @Sendable static func ldtrGranularity(_ s: Self) -> VMEntryCheckFailure? {
        guard s.isUsable(ldtr), !s.hasConsistentGranularity(ldtr) else { return nil }
        return s.fail("ldtrGranularity", .guestLDTRAccessRights, "G that fits the limit")
    }
}
