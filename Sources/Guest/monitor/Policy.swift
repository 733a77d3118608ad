import CMonitor

/// The VM-execution, exit and entry controls: what the design needs, checked against what the processor can do.
enum Policy {
    /// One preemption-timer period; a domain that makes no progress for `patience` of them in a row is terminated.
    static let timerPeriodTSC: UInt64 = 1 << 22
    static let patience: UInt64 = 4
    static let vpid: UInt64 = 1
    static let cr3Targets: UInt64 = 4

    /// External interrupts go straight to the guest's IDT, whichever view is active; NMIs come here and are injected.
    static var pin: PinBasedControls {
        #if WEAK_A7
        return .nmiExiting | .virtualNMIs
        #else
        return .nmiExiting | .virtualNMIs | .activatePreemptionTimer
        #endif
    }
    /// What `lvdsim run --interrupts` adds to that, for comparison.
    static func pin(interrupts: UInt64) -> PinBasedControls {
        switch interrupts {
        case UInt64(LVD_INTERRUPTS_EXITING): pin | .externalInterruptExiting
        case UInt64(LVD_INTERRUPTS_POSTED): pin | .externalInterruptExiting | .processPostedInterrupts
        default: pin
        }
    }
    static let notificationVector: UInt64 = 0xF2
    /// Every access to privileged state exits; HLT, INVLPG, RDTSC do not.
    static var processor: ProcessorBasedControls {
        .useMSRBitmaps | .unconditionalIOExiting | .movDRExiting | .cr3LoadExiting | .activateSecondaryControls
    }
    static var secondary: SecondaryControls { .enableEPT | .enableVPID | .descriptorTableExiting | .enableVMFunctions }
    /// Enabled if the processor has them, so that the kernel can use what it could use natively.
    static var secondaryIfAvailable: SecondaryControls { .enableRDTSCP | .enableINVPCID | .enableXSAVES }
    static var exit: ExitControls {
        let always: ExitControls =
            .saveDebugControls | .hostAddressSpaceSize | .savePAT | .loadPAT | .saveEFER | .loadEFER
        // SDM 3C 28.2.1.2 "VM-Exit Control Fields": saved only if it is on.
        return pin.contains(.activatePreemptionTimer) ? always | .savePreemptionTimer : always
    }
    static var entry: EntryControls { .loadDebugControls | .ia32eModeGuest | .loadPAT | .loadEFER }

    /// `wanted` as the processor takes it; nil if it cannot have all of it.
    static func adjusted(_ wanted: UInt32, _ msr: UInt32, optional: UInt32 = 0) -> UInt64? {
        let capability = ControlCapability(read_msr(msr))
        let value = capability.adjust(wanted | optional)
        return value & wanted == wanted ? UInt64(value) : nil
    }

    /// Writes all control fields; false if a needed one is not available.
    static func write(eptp: UInt64, msrBitmap: UInt64, hasTrueControls: Bool, interrupts: UInt64) -> Bool {
        let pinMSR = hasTrueControls ? VMXMSR.truePinBasedControls : VMXMSR.pinBasedControls
        let processorMSR = hasTrueControls ? VMXMSR.trueProcessorBasedControls : VMXMSR.processorBasedControls
        let exitMSR = hasTrueControls ? VMXMSR.trueExitControls : VMXMSR.exitControls
        let entryMSR = hasTrueControls ? VMXMSR.trueEntryControls : VMXMSR.entryControls
        let notYet = SecondaryControls.enableVMFunctions.rawValue  // hypercall 0x31 turns them on
        let isPosted = interrupts == UInt64(LVD_INTERRUPTS_POSTED)
        let processor = isPosted ? processor | .useTPRShadow : processor
        let secondary =
            isPosted
            ? secondary | .virtualizeAPICAccesses | .apicRegisterVirtualization | .virtualInterruptDelivery : secondary
        let exit = interrupts == UInt64(LVD_INTERRUPTS_DIRECT) ? exit : exit | .acknowledgeInterruptOnExit
        guard let pin = adjusted(pin(interrupts: interrupts).rawValue, pinMSR),
            let processor = adjusted(processor.rawValue, processorMSR),
            let secondary = adjusted(
                secondary.rawValue, VMXMSR.secondaryControls, optional: secondaryIfAvailable.rawValue),
            let exit = adjusted(exit.rawValue, exitMSR),
            let entry = adjusted(entry.rawValue, entryMSR),
            read_msr(VMXMSR.vmFunctions) & VMFunctionControls.eptpSwitching.rawValue != 0,
            VMXMiscellaneous(read_msr(VMXMSR.miscellaneous)).cr3TargetValues >= cr3Targets
        else { return false }
        VMCS[.pinBasedControls] = pin
        VMCS[.processorBasedControls] = processor
        VMCS[.secondaryProcessorBasedControls] = secondary & ~UInt64(notYet)
        VMCS[.exitControls] = exit
        VMCS[.entryControls] = entry
        VMCS[.exceptionBitmap] = 0
        VMCS[.pageFaultErrorCodeMask] = 0
        VMCS[.pageFaultErrorCodeMatch] = 0
        VMCS[.cr3TargetCount] = cr3Targets
        VMCS[.exitMSRStoreCount] = 0
        VMCS[.exitMSRLoadCount] = 0
        VMCS[.entryMSRLoadCount] = 0
        VMCS[.entryInterruptionInformation] = 0
        VMCS[.msrBitmaps] = msrBitmap
        VMCS[.eptPointer] = eptp
        VMCS[.virtualProcessorIdentifier] = vpid
        VMCS[.vmcsLinkPointer] = ~0
        return true
    }

    /// All bits of CR0 and CR4 belong to the monitor; reads see the shadow.
    static func ownControlRegisters() {
        VMCS[.cr0GuestHostMask] = ~0
        VMCS[.cr4GuestHostMask] = ~0
    }
}
