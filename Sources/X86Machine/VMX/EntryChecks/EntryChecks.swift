import X86Architecture

/// What the checks of a VM entry look at: the VMCS, and the little processor state that they depend on.
/// SDM 3C 29.2 "Checks on VMX Controls and Host-State Area", 29.3.1 "Checks on the Guest State Area".
///
/// One static function per check, in the SDM's order; the first that fails names the failure.
struct EntryChecks {
    let vmcs: VMCS
    private let ram: RAM
    private let passed: PassedEntry
    /// Address of the current VMCS.
    let pointer: UInt64
    /// Bits below MAXPHYADDR.
    let physicalMask: UInt64
    /// IA32_VMX_CR4_FIXED1.
    let cr4Fixed1: UInt64
    /// IA32_VMX_PROCBASED_CTLS2.
    let secondaryCapability: ControlCapability
    /// IA32_EFER.LMA when the entry began.
    let isLongMode: Bool
    let pin: PinBasedControls
    let processor: ProcessorBasedControls
    /// 0 without "activate secondary controls".
    let secondary: SecondaryControls
    let exit: ExitControls
    let entry: EntryControls
    let injection: InterruptionInformation

    typealias Check = @Sendable (EntryChecks) -> VMEntryCheckFailure?

    init(_ p: Processor) {
        vmcs = p.vmcs
        ram = p.ram
        passed = p.engine.passedEntry
        pointer = p.vmx.currentVMCS
        physicalMask = p.physicalMask
        cr4Fixed1 = p.writableCR4
        secondaryCapability = p.engine.secondaryControls
        isLongMode = p.isLongMode
        pin = PinBasedControls(vmcs.u32(.pinBasedControls))
        processor = ProcessorBasedControls(vmcs.u32(.processorBasedControls))
        secondary = processor.contains(.activateSecondaryControls)
            ? SecondaryControls(vmcs.u32(.secondaryProcessorBasedControls)) : SecondaryControls(0)
        exit = ExitControls(vmcs.u32(.exitControls))
        entry = EntryControls(vmcs.u32(.entryControls))
        injection = InterruptionInformation(vmcs.u32(.entryInterruptionInformation))
    }

    /// Memory outside the VMCS region: what a check finds there is not known to the next VM entry.
    var memory: RAM {
        passed.dependsOnMemory = true
        return ram
    }

    /// The first failure of `checks`.
    func run(_ checks: [Check]) -> VMEntryCheckFailure? {
        for check in checks {
            if let failure = check(self) { return failure }
        }
        return nil
    }

    // MARK: Words of the SDM

    /// "must be 4-KByte aligned" and "must not set any bits beyond the processor's physical-address width".
    func isPageAddress(_ a: UInt64) -> Bool { a & Page.offsetMask == 0 && isPhysical(a) }
    func isPhysical(_ a: UInt64) -> Bool { a & ~physicalMask == 0 }
    func isCanonical(_ a: UInt64) -> Bool { LinearAddress(a).isCanonical }
    var ia32eGuest: Bool { entry.contains(.ia32eModeGuest) }
    var hostIs64Bit: Bool { exit.contains(.hostAddressSpaceSize) }
    var unrestricted: Bool { secondary.contains(.unrestrictedGuest) }
    var guestRFLAGS: UInt64 { vmcs[.guestRFLAGS] }
    var isVirtual8086: Bool { guestRFLAGS & RFLAGS.virtual8086 != 0 }
    var guestCR0: UInt64 { vmcs[.guestCR0] }
    func rights(_ f: VMCSField) -> SegmentAccessRights { SegmentAccessRights(vmcs.u32(f)) }
    var interruptibility: InterruptibilityState { InterruptibilityState(vmcs.u32(.guestInterruptibilityState)) }
}
