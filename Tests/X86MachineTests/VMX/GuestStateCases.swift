@testable import X86Machine
import X86Architecture

extension EntryCheckTests {
    static let registerCases: [EntryCase] = [
        EntryCase("guestCR0Fixed") { $0[.guestCR0] &= ~CR0.numericError },
        EntryCase("guestCR0Fixed") { $0[.guestCR0] |= 1 << 32 },
        EntryCase("guestPagingNeedsProtection") {
            $0.set(SecondaryControls.unrestrictedGuest)
            $0[.guestCR0] &= ~CR0.protectionEnable
        },
        EntryCase("guestCR4Fixed") { $0[.guestCR4] &= ~CR4.vmxEnable },
        EntryCase("guestCR4Fixed") { $0[.guestCR4] |= CR4.smxEnable },
        EntryCase("guestDebugCtlReserved") { $0[.guestDebugCtl] = 4 },
        EntryCase("guestIA32ePaging") { $0[.guestCR4] &= ~CR4.physicalAddressExtension },
        EntryCase("guestPCIDNeedsIA32e") {
            $0.fill32BitGuest()
            $0[.guestCR4] |= CR4.pcidEnable
        },
        EntryCase("guestCR3Width") { $0[.guestCR3] |= 1 << 46 },
        EntryCase("guestDR7High") { $0[.guestDR7] |= 1 << 32 },
        EntryCase("guestSysenterCanonical") { $0[.guestSysenterESP] = 1 << 47 },
        EntryCase("guestSysenterCanonical") { $0[.guestSysenterEIP] = 1 << 47 },
        EntryCase("guestPATValid") { $0.set(EntryControls.loadPAT); $0[.guestPAT] = 3 << 56 },
        EntryCase("guestEFERReserved") { $0[.guestEFER] |= 4 },
        EntryCase("guestEFERLongModeActive") { $0[.guestEFER] &= ~(EFER.longModeActive | EFER.longModeEnable) },
        EntryCase("guestEFERLongModeEnable") { $0[.guestEFER] &= ~EFER.longModeEnable },
        EntryCase("guestTableBasesCanonical") { $0[.guestGDTRBase] = 1 << 47 },
        EntryCase("guestTableBasesCanonical") { $0[.guestIDTRBase] = 1 << 47 },
        EntryCase("guestTableLimits") { $0[.guestGDTRLimit] = 0x1_0000 },
        EntryCase("guestTableLimits") { $0[.guestIDTRLimit] = 0x1_0000 },
        EntryCase("guestRIPHigh") {
            $0[.guestCSAccessRights] = 0xC09B
            $0[.guestRIP] = 1 << 32
        },
        EntryCase("guestRIPCanonicalWidth") { $0[.guestRIP] = 1 << 48 },
        EntryCase("guestRFLAGSReserved") { $0[.guestRFLAGS] |= 1 << 3 },
        EntryCase("guestRFLAGSReserved") { $0[.guestRFLAGS] |= 1 << 22 },
        EntryCase("guestRFLAGSReserved") { $0[.guestRFLAGS] = 0 },
        EntryCase("guestVirtual8086Mode") {
            $0.fillVirtual8086Guest()
            $0.set(EntryControls.ia32eModeGuest)
            $0[.guestEFER] |= EFER.longModeActive | EFER.longModeEnable
        },
        EntryCase("guestInterruptFlagForInjection") { $0.injects(vector: 40, .externalInterrupt) },
    ]

    static let segmentCases: [EntryCase] = [
        EntryCase("trSelectorTI") { $0[.guestTRSelector] |= 4 },
        EntryCase("ldtrSelectorTI") { $0.usableLDTR(); $0[.guestLDTRSelector] = 0x24 },
        EntryCase("ssSelectorRPL") { $0[.guestCSSelector] |= 3 },
        EntryCase("virtual8086Bases") { $0.fillVirtual8086Guest(); $0[.guestDSBase] = 0x10 },
        EntryCase("systemBasesCanonical") { $0[.guestTRBase] = 1 << 47 },
        EntryCase("systemBasesCanonical") { $0[.guestFSBase] = 1 << 47 },
        EntryCase("systemBasesCanonical") { $0[.guestGSBase] = 1 << 47 },
        EntryCase("systemBasesCanonical") { $0.usableLDTR(); $0[.guestLDTRBase] = 1 << 47 },
        EntryCase("csBaseHigh") { $0[.guestCSBase] = 1 << 32 },
        EntryCase("dataBasesHigh") { $0[.guestSSBase] = 1 << 32 },
        EntryCase("dataBasesHigh") { $0[.guestESBase] = 1 << 32 },
        EntryCase("virtual8086Limits") { $0.fillVirtual8086Guest(); $0[.guestCSLimit] = 0xFFFE },
        EntryCase("virtual8086Rights") { $0.fillVirtual8086Guest(); $0[.guestSSAccessRights] = 0x93 },
        EntryCase("csType") { $0[.guestCSAccessRights] = 0xA098 },
        EntryCase("csType") { $0[.guestCSAccessRights] = 0xC093 },
        EntryCase("ssType") { $0[.guestSSAccessRights] = 0xC091 },
        EntryCase("dataTypes") { $0[.guestDSAccessRights] = 0xC092 },
        EntryCase("dataTypes") { $0[.guestGSAccessRights] = 0xC099 },
        EntryCase("segmentsAreCodeOrData") { $0[.guestDSAccessRights] = 0xC083 },
        EntryCase("segmentsAreCodeOrData") { $0[.guestCSAccessRights] = 0xA08B },
        EntryCase("csPrivilege") { $0[.guestCSAccessRights] = 0xA0FB },
        EntryCase("csPrivilege") { $0[.guestCSAccessRights] = 0xA0FF },
        EntryCase("ssPrivilege") { $0[.guestSSSelector] = 0x13; $0[.guestCSSelector] = 0xB },
        EntryCase("ssPrivilege") {
            $0.set(SecondaryControls.unrestrictedGuest)
            $0[.guestCSAccessRights] = 0xC093
            $0[.guestSSAccessRights] = 0xC0F3
        },
        EntryCase("dataPrivilege") { $0[.guestDSSelector] = 0x13 },
        EntryCase("segmentsPresent") { $0[.guestESAccessRights] = 0xC013 },
        EntryCase("segmentRightsReserved") { $0[.guestFSAccessRights] |= 1 << 8 },
        EntryCase("segmentRightsReserved") { $0[.guestCSAccessRights] |= 1 << 17 },
        EntryCase("csDefaultSize") { $0[.guestCSAccessRights] = 0xE09B },
        EntryCase("segmentGranularity") { $0[.guestDSAccessRights] = 0x4093 },
        EntryCase("segmentGranularity") { $0[.guestDSLimit] = 0xFFFF_F000 },
        EntryCase("trType") { $0[.guestTRAccessRights] = 0x89 },
        EntryCase("trType") { $0[.guestTRAccessRights] = 0x83 },
        EntryCase("trIsSystem") { $0[.guestTRAccessRights] = 0x9B },
        EntryCase("trPresent") { $0[.guestTRAccessRights] = 0x0B },
        EntryCase("trRightsReserved") { $0[.guestTRAccessRights] |= 1 << 9 },
        EntryCase("trGranularity") { $0[.guestTRLimit] = 0x10_0067 },
        EntryCase("trUsable") { $0[.guestTRAccessRights] |= 1 << 16 },
        EntryCase("ldtrType") { $0.usableLDTR(); $0[.guestLDTRAccessRights] = 0x83 },
        EntryCase("ldtrIsSystem") { $0.usableLDTR(); $0[.guestLDTRAccessRights] = 0x92 },
        EntryCase("ldtrPresent") { $0.usableLDTR(); $0[.guestLDTRAccessRights] = 0x02 },
        EntryCase("ldtrRightsReserved") { $0.usableLDTR(); $0[.guestLDTRAccessRights] |= 1 << 10 },
        EntryCase("ldtrGranularity") { $0.usableLDTR(); $0[.guestLDTRLimit] = 0x10_0000 },
    ]

    static let nonRegisterCases: [EntryCase] = [
        EntryCase("activityStateSupported") { $0[.guestActivityState] = 4 },
        EntryCase("haltNeedsPrivilege") { $0.fillUserGuest(); $0[.guestActivityState] = 1 },
        EntryCase("blockingNeedsActive") { $0[.guestActivityState] = 1; $0[.guestInterruptibilityState] = 2 },
        EntryCase("injectionAllowedByActivity") {
            $0[.guestActivityState] = 1
            $0.injects(vector: 6, .hardwareException)
        },
        EntryCase("injectionAllowedByActivity") { $0[.guestActivityState] = 3; $0.injects(vector: 2, .nmi) },
        EntryCase("injectionAllowedByActivity") {
            $0[.guestActivityState] = 2
            $0[.guestRFLAGS] = 0x202
            $0.injects(vector: 40, .externalInterrupt)
        },
        EntryCase("interruptibilityReserved") { $0[.guestInterruptibilityState] = 1 << 5 },
        EntryCase("blockingBySTIOrMOVSS") { $0[.guestRFLAGS] = 0x202; $0[.guestInterruptibilityState] = 3 },
        EntryCase("blockingBySTINeedsIF") { $0[.guestInterruptibilityState] = 1 },
        EntryCase("externalInjectionWithBlocking") {
            $0[.guestRFLAGS] = 0x202
            $0[.guestInterruptibilityState] = 1
            $0.injects(vector: 40, .externalInterrupt)
        },
        EntryCase("nmiInjectionWithBlockingByMOVSS") {
            $0[.guestInterruptibilityState] = 2
            $0.injects(vector: 2, .nmi)
        },
        EntryCase("blockingBySMI") { $0[.guestInterruptibilityState] = 4 },
        EntryCase("nmiInjectionWithVirtualBlocking") {
            $0.set(.nmiExiting | PinBasedControls.virtualNMIs)
            $0[.guestInterruptibilityState] = 8
            $0.injects(vector: 2, .nmi)
        },
        EntryCase("enclaveInterruption") { $0[.guestInterruptibilityState] = 0x10 },
        EntryCase("pendingDebugReserved") { $0[.guestPendingDebugExceptions] = 1 << 4 },
        EntryCase("pendingDebugSingleStep") { $0[.guestInterruptibilityState] = 2; $0[.guestRFLAGS] = 0x102 },
        EntryCase("pendingDebugSingleStep") { $0[.guestActivityState] = 1; $0[.guestPendingDebugExceptions] = 1 << 14 },
        EntryCase("pendingDebugRTM") { $0[.guestPendingDebugExceptions] = 1 << 16 },
        EntryCase("linkPointerAddress") {
            $0.store(VMXTestMachine.page + 8, VMXModel.revision)
            $0[.vmcsLinkPointer] = VMXTestMachine.page + 8
        },
        EntryCase("linkPointerRevision") { $0[.vmcsLinkPointer] = VMXTestMachine.page },
        EntryCase("linkPointerShadowIndicator") { $0[.vmcsLinkPointer] = VMXTestMachine.shadowVMCS },
        EntryCase("linkPointerShadowIndicator") {
            $0.set(SecondaryControls.vmcsShadowing)
            $0[.vmcsLinkPointer] = VMXTestMachine.otherVMCS
        },
        EntryCase("linkPointerIsNotCurrent") { $0[.vmcsLinkPointer] = VMXTestMachine.vmcs },
        EntryCase("pdptesReserved") { $0.fill32BitGuest(); $0[.guestPDPTE2] = 0x1003 },
    ]
}

extension VMXTestMachine {
    /// Protected mode with PAE paging, the PDPTEs not present.
    func fill32BitGuest() {
        self[.entryControls] &= ~UInt64(EntryControls.ia32eModeGuest.rawValue)
        self[.guestEFER] = 0
        self[.guestCSAccessRights] = 0xC09B
    }
    func fillVirtual8086Guest() {
        fill32BitGuest()
        self[.guestRFLAGS] = 0x2_0002
        for n in 0..<6 {
            let fields = EntryChecks.segmentRegisters[n]
            self[fields.selector] = 0x10
            self[fields.base] = 0x100
            self[fields.limit] = 0xFFFF
            self[fields.rights] = 0xF3
        }
    }
    func usableLDTR() {
        self[.guestLDTRSelector] = 0x20
        self[.guestLDTRLimit] = 0xFFF
        self[.guestLDTRAccessRights] = 0x82
    }
}
