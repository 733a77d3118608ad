import Testing
@testable import X86Machine
import X86Architecture

/// A change to a valid VMCS, and the one check that it violates.
struct EntryCase: CustomTestStringConvertible, Sendable {
    let id: String
    let change: @Sendable (VMXTestMachine) -> Void
    init(_ id: String, _ change: @escaping @Sendable (VMXTestMachine) -> Void) { self.id = id; self.change = change }
    var testDescription: String { id }
}

/// SDM 3C 29.2 "Checks on VMX Controls and Host-State Area", 29.3.1 "Checks on the Guest State Area".
@Suite struct EntryCheckTests {
    @Test(arguments: controlCases)
    func `a violated control check is error 7`(_ c: EntryCase) {
        let m = VMXTestMachine().prepared()
        c.change(m)
        #expect(!m.launch())
        #expect(m.failedValid == .entryInvalidControlFields)
        expectOnly(c, m, .controls)
    }
    @Test(arguments: hostCases)
    func `a violated host-state check is error 8`(_ c: EntryCase) {
        let m = VMXTestMachine().prepared()
        c.change(m)
        #expect(!m.launch())
        #expect(m.failedValid == .entryInvalidHostState)
        expectOnly(c, m, .hostState)
    }
    @Test(arguments: registerCases + segmentCases + nonRegisterCases)
    func `a violated guest-state check is a VM exit with reason 33 and leaves the launch state clear`(_ c: EntryCase) {
        let m = VMXTestMachine().prepared()
        c.change(m)
        #expect(!m.launch())
        #expect(m.p.vmcs.u32(.exitReason) == 0x8000_0021)
        #expect(m.p.cpu.pointee.rip == VMXTestMachine.hostEntry && !m.p.vmcs.isLaunched)
        expectOnly(c, m, .guestState)
    }

    /// The failure is named, and no other check of its group fails.
    private func expectOnly(_ c: EntryCase, _ m: VMXTestMachine, _ group: VMEntryCheckFailure.Group) {
        guard let failure = m.p.vmx.entryFailure else { return #expect(Bool(false), "no failure was recorded") }
        #expect("\(failure.id)" == c.id && failure.group == group, "\(failure)")
        #expect(Self.failing(m).map(\.id) == [c.id])
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
        for c in Self.controlCases + Self.hostCases + Self.registerCases + Self.segmentCases + Self.nonRegisterCases {
            let m = VMXTestMachine().prepared()
            c.change(m)
            note(m)
        }
        let m = VMXTestMachine().prepared()
        Self.host32Bit(m)
        note(m)
        let entries = VMEntryCheckCatalogue.entries
        #expect(entries.count == Self.groups.flatMap(\.1).count)
        #expect(Dictionary(uniqueKeysWithValues: entries.map { ($0.id, $0.title) }) == titles)
    }

    @Test func `every check has a case that fails it`() {
        var failed: [String] = []
        for c in Self.controlCases + Self.hostCases + Self.registerCases + Self.segmentCases + Self.nonRegisterCases {
            let m = VMXTestMachine().prepared()
            c.change(m)
            failed += Self.failing(m).map(\.place)
        }
        let m = VMXTestMachine().prepared()
        Self.host32Bit(m)
        failed += Self.failing(m).map(\.place)
        let all = Self.groups.flatMap { name, list in list.indices.map { "\(name) \($0)" } }
        let without = all.filter { !failed.contains($0) }
        #expect(without == [])
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
    ]

    /// Clearing "host address-space size" violates several checks at once, whatever else is set; the first is reported.
    @Test func `a 32-bit host is refused in IA-32e mode by each of the checks that concern it`() {
        let m = VMXTestMachine().prepared()
        Self.host32Bit(m)
        #expect(!m.launch() && m.failedValid == .entryInvalidHostState)
        #expect(Self.failing(m).map(\.id) == ["hostSSSelectorNotNull", "hostAddressSpaceMatchesMode",
                                             "ia32eGuestNeedsLongModeHost", "host32BitRestrictions"])
        m[.hostCR4] &= ~CR4.pcidEnable
        m[.hostRIP] = 1 << 32
        #expect(Self.failing(m).map(\.id).last == "host32BitRestrictions")
    }
    private static func host32Bit(_ m: VMXTestMachine) {
        m[.exitControls] &= ~UInt64((ExitControls.hostAddressSpaceSize | .loadEFER).rawValue)
        m[.hostSSSelector] = 0
        m[.hostCR4] |= CR4.pcidEnable
    }
}

extension VMXTestMachine {
    func injects(vector: UInt8, _ type: InterruptionInformation.EventType, errorCode: Bool = false) {
        self[.entryInterruptionInformation] =
            UInt64(InterruptionInformation(vector: vector, type: type, deliversErrorCode: errorCode).rawValue)
        self[.entryInstructionLength] = 2
    }
}
