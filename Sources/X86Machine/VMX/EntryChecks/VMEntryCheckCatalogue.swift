/// Every check of a VM entry by name, with the section of the SDM that demands it: for explaining them without a failed
/// entry at hand. In the order in which they are made; a test compares it with what the checks say of themselves.
public enum VMEntryCheckCatalogue {
    public struct Entry: Sendable, Equatable {
        public let id: String
        public let title: String
    }
    public static let entries: [Entry] = sections.flatMap { title, ids in
        ids.split(separator: " ").map { Entry(id: String($0), title: title) }
    }

    private static let sections: [(title: String, ids: String)] = [
        (
            "SDM 3C 29.2.1.1 \"VM-Execution Control Fields\"",
            "pinBasedReserved processorBasedReserved secondaryReserved cr3TargetCount ioBitmapAddresses "
                + "msrBitmapAddress virtualAPICAddress tprThresholdReserved tprThresholdNotAboveVTPR "
                + "apicVirtualizationNeedsTPRShadow apicAccessAddress x2APICModeExcludesAPICAccesses "
                + "virtualInterruptDeliveryNeedsExiting postedInterruptsNeedDelivery postedInterruptsNeedAcknowledge "
                + "postedInterruptNotificationVector postedInterruptDescriptorAddress virtualNMIsNeedNMIExiting "
                + "nmiWindowNeedsVirtualNMIs vpidIsNotZero eptpMemoryType "
                + "eptpWalkLength eptpReserved unrestrictedGuestNeedsEPT modeBasedExecuteNeedsEPT pmlNeedsEPT "
                + "pmlAddress vmFunctionReserved eptpSwitchingNeedsEPT eptpListAddress shadowingBitmapAddresses "
                + "exceptionInformationAddress"
        ),
        (
            "SDM 3C 29.2.1.2 \"VM-Exit Control Fields\"",
            "exitReserved savePreemptionTimerNeedsTimer exitMSRStoreArea exitMSRLoadArea"
        ),
        (
            "SDM 3C 29.2.1.3 \"VM-Entry Control Fields\"",
            "entryReserved injectionType injectionVector injectionErrorCodeDelivery injectionReserved "
                + "injectionErrorCode injectionLength entryMSRLoadArea"
        ),
        (
            "SDM 3C 29.2.2 \"Checks on Host Control Registers, MSRs, and SSP\"",
            "hostCR0Fixed hostCR4Fixed hostCR3Width hostSysenterCanonical hostPATValid hostEFERReserved "
                + "hostEFERLongMode"
        ),
        (
            "SDM 3C 29.2.3 \"Checks on Host Segment and Descriptor-Table Registers\"",
            "hostSelectorsRPLAndTI hostCSSelectorNotNull hostTRSelectorNotNull hostSSSelectorNotNull "
                + "hostBasesCanonical"
        ),
        (
            "SDM 3C 29.2.4 \"Checks Related to Address-Space Size\"",
            "hostAddressSpaceMatchesMode ia32eGuestNeedsLongModeHost host32BitRestrictions host64BitPAE "
                + "hostRIPCanonical"
        ),
        (
            "SDM 3C 29.3.1.1 \"Checks on Guest Control Registers, Debug Registers, and MSRs\"",
            "guestCR0Fixed guestPagingNeedsProtection guestCR4Fixed guestDebugCtlReserved guestIA32ePaging "
                + "guestPCIDNeedsIA32e guestCR3Width guestDR7High guestSysenterCanonical guestPATValid "
                + "guestEFERReserved guestEFERLongModeActive guestEFERLongModeEnable"
        ),
        (
            "SDM 3C 29.3.1.3 \"Checks on Guest Descriptor-Table Registers\"",
            "guestTableBasesCanonical guestTableLimits"
        ),
        (
            "SDM 3C 29.3.1.4 \"Checks on Guest RIP, RFLAGS, and SSP\"",
            "guestRIPHigh guestRIPCanonicalWidth guestRFLAGSReserved guestVirtual8086Mode "
                + "guestInterruptFlagForInjection"
        ),
        (
            "SDM 3C 29.3.1.2 \"Checks on Guest Segment Registers\"",
            "trSelectorTI ldtrSelectorTI ssSelectorRPL virtual8086Bases systemBasesCanonical csBaseHigh "
                + "dataBasesHigh virtual8086Limits virtual8086Rights csType ssType dataTypes segmentsAreCodeOrData "
                + "csPrivilege ssPrivilege dataPrivilege segmentsPresent segmentRightsReserved csDefaultSize "
                + "segmentGranularity trType trIsSystem trPresent trRightsReserved trGranularity trUsable ldtrType "
                + "ldtrIsSystem ldtrPresent ldtrRightsReserved ldtrGranularity"
        ),
        (
            "SDM 3C 29.3.1.5 \"Checks on Guest Non-Register State\"",
            "activityStateSupported haltNeedsPrivilege blockingNeedsActive injectionAllowedByActivity "
                + "interruptibilityReserved blockingBySTIOrMOVSS blockingBySTINeedsIF externalInjectionWithBlocking "
                + "nmiInjectionWithBlockingByMOVSS blockingBySMI nmiInjectionWithVirtualBlocking enclaveInterruption "
                + "pendingDebugReserved pendingDebugSingleStep pendingDebugRTM linkPointerAddress linkPointerRevision "
                + "linkPointerShadowIndicator linkPointerIsNotCurrent"
        ),
        (
            "SDM 3C 29.3.1.6 \"Checks on Guest Page-Directory-Pointer-Table Entries\"",
            "pdptesReserved"
        )
    ]
}
