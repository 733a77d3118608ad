import Testing
@testable import X86Machine
import X86Architecture

/// A change to a valid VMCS, and the check that it violates: alone, or as one of `failing`, in the order of the checks.
struct EntryCase: Sendable {
    let id: String
    let failing: [String]
    let change: @Sendable (VMXTestMachine) -> Void
    init(_ id: String, among failing: [String]? = nil, _ change: @escaping @Sendable (VMXTestMachine) -> Void) {
        self.id = id
        self.failing = failing ?? [id]
        self.change = change
    }
}

/// One check of a VM entry with every way in which its test violates it.
struct CheckedEntry: CustomTestStringConvertible, Sendable {
    let id: String
    var violations: [EntryCase]
    var testDescription: String { id }

    static func grouped(_ cases: [EntryCase]) -> [CheckedEntry] {
        var all: [CheckedEntry] = []
        for c in cases {
            if let n = all.firstIndex(where: { $0.id == c.id }) {
                all[n].violations.append(c)
            } else {
                all.append(CheckedEntry(id: c.id, violations: [c]))
            }
        }
        return all
    }
}

/// SDM 3C 29.2 "Checks on VMX Controls and Host-State Area", 29.3.1 "Checks on the Guest State Area".
@Suite struct EntryCheckTests {
    private static let controls = CheckedEntry.grouped(controlCases)
    private static let hostState = CheckedEntry.grouped(hostCases)
    private static let guestState = CheckedEntry.grouped(registerCases + segmentCases + nonRegisterCases)
    private static let allCases = controlCases + hostCases + registerCases + segmentCases + nonRegisterCases

    @Test(arguments: controls)
    func `a violated control check is error 7`(_ check: CheckedEntry) {
        for c in check.violations {
            let m = VMXTestMachine().prepared()
            c.change(m)
            #expect(!m.launch())
            #expect(m.failedValid == .entryInvalidControlFields)
            expectOnly(c, m, .controls)
        }
    }
    @Test(arguments: hostState)
    func `a violated host-state check is error 8`(_ check: CheckedEntry) {
        for c in check.violations {
            let m = VMXTestMachine().prepared()
            c.change(m)
            #expect(!m.launch())
            #expect(m.failedValid == .entryInvalidHostState)
            expectOnly(c, m, .hostState)
        }
    }
    @Test(arguments: guestState)
    func `a violated guest-state check is a VM exit with reason 33 and leaves the launch state clear`(
        _ check: CheckedEntry
    ) {
        for c in check.violations {
            let m = VMXTestMachine().prepared()
            c.change(m)
            #expect(!m.launch())
            #expect(m.p.vmcs.u32(.exitReason) == 0x8000_0021)
            #expect(m.p.cpu.pointee.rip == VMXTestMachine.hostEntry && !m.p.vmcs.isLaunched)
            expectOnly(c, m, .guestState)
        }
    }

    /// The first failure is named, and no other check fails than the case says.
    private func expectOnly(_ c: EntryCase, _ m: VMXTestMachine, _ group: VMEntryCheckFailure.Group) {
        guard let failure = m.p.vmx.entryFailure else { return #expect(Bool(false), "no failure was recorded") }
        #expect("\(failure.id)" == c.failing[0] && failure.group == group, "\(failure)")
        #expect(Self.failing(m).map(\.id) == c.failing)
        #expect(c.failing.contains(c.id))
    }

    @Test func `each check has exactly one test, by its name`() {
        let tested = (Self.controls + Self.hostState + Self.guestState).map(\.id)
        #expect(tested.sorted() == VMEntryCheckCatalogue.entries.map(\.id).sorted())
    }

    private static let groups: [(String, [EntryChecks.Check])] = [
        ("controls", EntryChecks.controlChecks), ("host", EntryChecks.hostStateChecks),
        ("registers", EntryChecks.guestRegisterChecks), ("segments", EntryChecks.guestSegmentChecks),
        ("tables and flags", EntryChecks.guestTableAndFlagChecks), ("non-register", EntryChecks.guestNonRegisterChecks),
    ]
    private static func failing(_ m: VMXTestMachine) -> [(id: String, place: String)] {
        let checks = EntryChecks(m.p)
        return groups.flatMap { name, list in
            list.enumerated().compactMap { n, check in check(checks).map { ("\($0.id)", "\(name) \(n)") } }
        }
    }

    @Test func `the catalogue names every check with its section, in order`() {
        var titles: [String: String] = [:]
        func note(_ m: VMXTestMachine) {
            let checks = EntryChecks(m.p)
            for check in Self.groups.flatMap(\.1) {
                if let failure = check(checks) { titles["\(failure.id)"] = "\(failure.title)" }
            }
        }
        for c in Self.allCases {
            let m = VMXTestMachine().prepared()
            c.change(m)
            note(m)
        }
        let entries = VMEntryCheckCatalogue.entries
        #expect(entries.count == Self.groups.flatMap(\.1).count)
        #expect(Dictionary(uniqueKeysWithValues: entries.map { ($0.id, $0.title) }) == titles)
    }

    @Test func `the unchanged VMCS passes every check`() {
        let m = VMXTestMachine().prepared()
        #expect(Self.failing(m).isEmpty)
        #expect(m.launch())
    }

    @Test func `a failed entry is part of the digest by name`() {
        func digest(_ field: VMCSField) -> MachineDigest {
            let m = VMXTestMachine().prepared()
            m[field] = 0
            m.launch()
            m[field] = 1
            return m.machine.digest
        }
        #expect(digest(.hostCSSelector) == digest(.hostCSSelector))
    }

    // MARK: Controls

    static let controlCases: [EntryCase] = [
        EntryCase("pinBasedReserved") { $0[.pinBasedControls] |= 1 << 8 },
        EntryCase("pinBasedReserved") { $0[.pinBasedControls] &= ~2 },
        EntryCase("processorBasedReserved") { $0[.processorBasedControls] |= 1 << 17 },
        EntryCase("secondaryReserved") { $0.set(SecondaryControls.enableENCLSExiting) },
        EntryCase("cr3TargetCount") { $0[.cr3TargetCount] = 5 },
        EntryCase("ioBitmapAddresses") { $0.set(ProcessorBasedControls.useIOBitmaps); $0[.ioBitmapA] += 1 },
        EntryCase("ioBitmapAddresses") { $0.set(ProcessorBasedControls.useIOBitmaps); $0[.ioBitmapB] = 1 << 46 },
        EntryCase("msrBitmapAddress") { $0.set(ProcessorBasedControls.useMSRBitmaps); $0[.msrBitmaps] += 0x10 },
        EntryCase("virtualAPICAddress") { $0.set(ProcessorBasedControls.useTPRShadow); $0[.virtualAPICAddress] += 8 },
        EntryCase("virtualAPICAddress") {
            $0.set(ProcessorBasedControls.useTPRShadow)
            $0[.virtualAPICAddress] = 1 << 46
        },
        EntryCase("tprThresholdReserved") { $0.set(ProcessorBasedControls.useTPRShadow); $0[.tprThreshold] = 0x10 },
        EntryCase("tprThresholdNotAboveVTPR") {
            $0.set(ProcessorBasedControls.useTPRShadow)
            $0[.tprThreshold] = 6
            $0.store(VMXTestMachine.virtualAPIC + 0x80, UInt32(0x5F))
        },
        EntryCase("apicVirtualizationNeedsTPRShadow") { $0.set(SecondaryControls.virtualizeX2APICMode) },
        EntryCase("apicVirtualizationNeedsTPRShadow") { $0.set(SecondaryControls.apicRegisterVirtualization) },
        EntryCase("apicVirtualizationNeedsTPRShadow") {
            $0.set(SecondaryControls.virtualInterruptDelivery)
            $0.set(PinBasedControls.externalInterruptExiting)
        },
        EntryCase("apicAccessAddress") {
            $0.set(SecondaryControls.virtualizeAPICAccesses)
            $0[.apicAccessAddress] += 8
        },
        EntryCase("x2APICModeExcludesAPICAccesses") {
            $0.set(ProcessorBasedControls.useTPRShadow)
            $0.set(.virtualizeX2APICMode | SecondaryControls.virtualizeAPICAccesses)
        },
        EntryCase("virtualInterruptDeliveryNeedsExiting") {
            $0.set(ProcessorBasedControls.useTPRShadow)
            $0.set(SecondaryControls.virtualInterruptDelivery)
        },
        EntryCase("postedInterruptsNeedDelivery") { $0.posts(); $0.clear(.virtualInterruptDelivery) },
        EntryCase("postedInterruptsNeedAcknowledge") {
            $0.posts()
            $0[.exitControls] &= ~UInt64(ExitControls.acknowledgeInterruptOnExit.rawValue)
        },
        EntryCase("postedInterruptNotificationVector") { $0.posts(); $0[.postedInterruptNotificationVector] = 0x100 },
        EntryCase("postedInterruptDescriptorAddress") { $0.posts(); $0[.postedInterruptDescriptorAddress] += 0x20 },
        EntryCase("virtualNMIsNeedNMIExiting") { $0.set(PinBasedControls.virtualNMIs) },
        EntryCase("nmiWindowNeedsVirtualNMIs") { $0.set(ProcessorBasedControls.nmiWindowExiting) },
        EntryCase("vpidIsNotZero") { $0[.virtualProcessorIdentifier] = 0 },
        EntryCase("eptpMemoryType") { $0[.eptPointer] = $0.eptp & ~7 | 1 },
        EntryCase("eptpWalkLength") { $0[.eptPointer] = $0.eptp & ~0x38 | 2 << 3 },
        EntryCase("eptpReserved") { $0[.eptPointer] |= 1 << 7 },
        EntryCase("eptpReserved") { $0[.eptPointer] |= 1 << 46 },
        EntryCase("unrestrictedGuestNeedsEPT") {
            $0.set(SecondaryControls.unrestrictedGuest)
            $0.clear(.enableEPT)
        },
        EntryCase("modeBasedExecuteNeedsEPT") {
            $0.set(SecondaryControls.modeBasedExecuteControl)
            $0.clear(.enableEPT)
        },
        EntryCase("pmlNeedsEPT") { $0.set(SecondaryControls.enablePML); $0.clear(.enableEPT) },
        EntryCase("pmlAddress") { $0.set(SecondaryControls.enablePML); $0[.pmlAddress] = 8 },
        EntryCase("pmlAddress") { $0.set(SecondaryControls.enablePML); $0[.pmlAddress] = 1 << 46 },
        EntryCase("shadowingBitmapAddresses") {
            $0.set(SecondaryControls.vmcsShadowing)
            $0[.vmreadBitmapAddress] = 8
        },
        EntryCase("shadowingBitmapAddresses") {
            $0.set(SecondaryControls.vmcsShadowing)
            $0[.vmwriteBitmapAddress] = 1 << 46
        },
        EntryCase("vmFunctionReserved") { $0.set(SecondaryControls.enableVMFunctions); $0[.vmFunctionControls] = 2 },
        EntryCase("eptpSwitchingNeedsEPT") {
            $0.set(SecondaryControls.enableVMFunctions)
            $0[.vmFunctionControls] = 1
            $0.clear(.enableEPT)
        },
        EntryCase("eptpListAddress") {
            $0.set(SecondaryControls.enableVMFunctions)
            $0[.vmFunctionControls] = 1
            $0[.eptpListAddress] += 8
        },
        EntryCase("exceptionInformationAddress") {
            $0.set(SecondaryControls.eptViolationException)
            $0[.virtualizationExceptionInformationAddress] = 8
        },
        EntryCase("exceptionInformationAddress") {
            $0.set(SecondaryControls.eptViolationException)
            $0[.virtualizationExceptionInformationAddress] = 1 << 46
        },
        EntryCase("exitReserved") { $0[.exitControls] |= 1 << 12 },
        EntryCase("savePreemptionTimerNeedsTimer") { $0.set(ExitControls.savePreemptionTimer) },
        EntryCase("exitMSRStoreArea") {
            $0[.exitMSRStoreCount] = 1
            $0[.exitMSRStoreAddress] = VMXTestMachine.msrArea + 8
        },
        EntryCase("exitMSRLoadArea") { $0[.exitMSRLoadCount] = 2; $0[.exitMSRLoadAddress] = (1 << 46) - 16 },
        EntryCase("entryReserved") { $0[.entryControls] |= 1 << 10 },
        EntryCase("injectionType") { $0[.entryInterruptionInformation] = 1 << 31 | 1 << 8 | 40 },
        EntryCase("injectionVector") { $0.injects(vector: 3, .nmi) },
        EntryCase("injectionVector") { $0.injects(vector: 32, .hardwareException) },
        EntryCase("injectionVector") { $0.injects(vector: 1, .otherEvent) },
        EntryCase("injectionErrorCodeDelivery") { $0.injects(vector: 14, .hardwareException) },
        EntryCase("injectionErrorCodeDelivery") { $0.injects(vector: 6, .hardwareException, errorCode: true) },
        EntryCase("injectionReserved") {
            $0.injects(vector: 6, .hardwareException)
            $0[.entryInterruptionInformation] |= 1 << 12
        },
        EntryCase("injectionErrorCode") {
            $0.injects(vector: 13, .hardwareException, errorCode: true)
            $0[.entryExceptionErrorCode] = 0x1_0000
        },
        EntryCase("injectionLength") { $0.injects(vector: 0x80, .softwareInterrupt); $0[.entryInstructionLength] = 16 },
        EntryCase("injectionLength") { $0.injects(vector: 3, .softwareException); $0[.entryInstructionLength] = 16 },
        EntryCase("entryMSRLoadArea") { $0[.entryMSRLoadCount] = 1; $0[.entryMSRLoadAddress] = 1 },
    ]

    // MARK: Host state

    static let hostCases: [EntryCase] = [
        EntryCase("hostCR0Fixed") { $0[.hostCR0] &= ~CR0.numericError },
        EntryCase("hostCR0Fixed") { $0[.hostCR0] |= 1 << 32 },
        EntryCase("hostCR4Fixed") { $0[.hostCR4] &= ~CR4.vmxEnable },
        EntryCase("hostCR3Width") { $0[.hostCR3] |= 1 << 46 },
        EntryCase("hostSysenterCanonical") { $0[.hostSysenterESP] = 1 << 47 },
        EntryCase("hostSysenterCanonical") { $0[.hostSysenterEIP] = 1 << 47 },
        EntryCase("hostPATValid") { $0.set(ExitControls.loadPAT); $0[.hostPAT] = 2 },
        EntryCase("hostEFERReserved") { $0[.hostEFER] |= 2 },
        EntryCase("hostEFERLongMode") { $0[.hostEFER] &= ~EFER.longModeEnable },
        EntryCase("hostSelectorsRPLAndTI") { $0[.hostDSSelector] = 0x13 },
        EntryCase("hostSelectorsRPLAndTI") { $0[.hostTRSelector] = 0x1C },
        EntryCase("hostCSSelectorNotNull") { $0[.hostCSSelector] = 0 },
        EntryCase("hostTRSelectorNotNull") { $0[.hostTRSelector] = 0 },
        EntryCase("hostBasesCanonical") { $0[.hostFSBase] = 1 << 47 },
        EntryCase("hostBasesCanonical") { $0[.hostGSBase] = 1 << 47 },
        EntryCase("hostBasesCanonical") { $0[.hostGDTRBase] = 1 << 47 },
        EntryCase("hostBasesCanonical") { $0[.hostIDTRBase] = 1 << 47 },
        EntryCase("hostBasesCanonical") { $0[.hostTRBase] = 1 << 47 },
        EntryCase("host64BitPAE") { $0[.hostCR4] &= ~CR4.physicalAddressExtension },
        EntryCase("hostRIPCanonical") { $0[.hostRIP] = 1 << 47 },
        EntryCase(modeDiffers, host32Bit),
        EntryCase("hostSSSelectorNotNull", among: ["hostSSSelectorNotNull", modeDiffers]) {
            host32Bit($0)
            $0[.hostSSSelector] = 0
        },
        EntryCase("ia32eGuestNeedsLongModeHost", among: [modeDiffers, "ia32eGuestNeedsLongModeHost"]) {
            $0[.exitControls] &= ~UInt64((ExitControls.hostAddressSpaceSize | .loadEFER).rawValue)
        },
        EntryCase("host32BitRestrictions", among: [modeDiffers, "host32BitRestrictions"]) {
            host32Bit($0)
            $0[.hostCR4] |= CR4.pcidEnable
        },
        EntryCase("host32BitRestrictions", among: [modeDiffers, "host32BitRestrictions"]) {
            host32Bit($0)
            $0[.hostRIP] = 1 << 32
        },
    ]

    /// The processor is in IA-32e mode, so a 32-bit host is refused in any case; what else is asked of one fails beside
    /// that.
    private static let modeDiffers = "hostAddressSpaceMatchesMode"
    private static func host32Bit(_ m: VMXTestMachine) {
        m[.exitControls] &= ~UInt64((ExitControls.hostAddressSpaceSize | .loadEFER).rawValue)
        m.fill32BitGuest()
    }
}

extension VMXTestMachine {
    func injects(vector: UInt8, _ type: InterruptionInformation.EventType, errorCode: Bool = false) {
        self[.entryInterruptionInformation] =
            UInt64(InterruptionInformation(vector: vector, type: type, deliversErrorCode: errorCode).rawValue)
        self[.entryInstructionLength] = 2
    }
}
