@testable import X86Machine
import X86Architecture

extension VMXTestMachine {
    /// Fields of a 64-bit guest and a 64-bit host that pass every check. EPT and VPID 1; no optional interception.
    func fillVMCS() {
        self[.pinBasedControls] = UInt64(VMXModel.truePin.mustBeOne)
        self[.processorBasedControls]
            = UInt64(VMXModel.trueProcessor.mustBeOne | ProcessorBasedControls.activateSecondaryControls.rawValue)
        self[.secondaryProcessorBasedControls]
            = UInt64((SecondaryControls.enableEPT | .enableVPID | .enableRDTSCP | .enableINVPCID).rawValue)
        self[.exitControls] = UInt64(VMXModel.trueExit.mustBeOne
            | (ExitControls.hostAddressSpaceSize | .saveEFER | .loadEFER | .saveDebugControls).rawValue)
        self[.entryControls] = UInt64(VMXModel.trueEntry.mustBeOne
            | (EntryControls.ia32eModeGuest | .loadEFER | .loadDebugControls).rawValue)
        self[.virtualProcessorIdentifier] = 1
        self[.eptPointer] = eptp
        self[.ioBitmapA] = Self.ioBitmapA
        self[.ioBitmapB] = Self.ioBitmapB
        self[.msrBitmaps] = Self.msrBitmaps
        self[.virtualAPICAddress] = Self.virtualAPIC
        self[.apicAccessAddress] = Self.page
        self[.postedInterruptDescriptorAddress] = Self.postedInterrupts
        self[.eptpListAddress] = Self.eptpList
        self[.vmcsLinkPointer] = ~0
        fillHostState()
        fillGuestState()
    }

    private func fillHostState() {
        self[.hostCR0] = p.system.cr0
        self[.hostCR3] = p.system.cr3
        self[.hostCR4] = p.system.cr4
        self[.hostEFER] = p.system.efer
        self[.hostPAT] = p.system.pat
        self[.hostCSSelector] = 8
        for field in [VMCSField.hostSSSelector, .hostDSSelector, .hostESSelector, .hostFSSelector, .hostGSSelector] {
            self[field] = 0x10
        }
        self[.hostTRSelector] = 0x18
        self[.hostTRBase] = Self.tss
        self[.hostGDTRBase] = Self.gdt
        self[.hostIDTRBase] = Self.idt
        self[.hostRSP] = Self.hostStack
        self[.hostRIP] = Self.hostEntry
    }

    private func fillGuestState() {
        self[.guestCR0] = p.system.cr0
        self[.guestCR3] = guestPageTable
        self[.guestCR4] = p.system.cr4
        self[.guestEFER] = p.system.efer
        self[.guestPAT] = p.system.pat
        self[.guestDR7] = 0x400
        for n in 0..<6 {
            let fields = EntryChecks.segmentRegisters[n]
            self[fields.selector] = 0x10
            self[fields.base] = 0
            self[fields.limit] = 0xFFFF_FFFF
            self[fields.rights] = 0xC093
        }
        self[.guestCSSelector] = 8
        self[.guestCSAccessRights] = 0xA09B
        self[.guestLDTRAccessRights] = 0x1_0000
        self[.guestTRSelector] = 0x18
        self[.guestTRBase] = Self.tss
        self[.guestTRLimit] = 0x67
        self[.guestTRAccessRights] = 0x8B
        self[.guestGDTRBase] = Self.gdt
        self[.guestGDTRLimit] = 0x37
        self[.guestIDTRBase] = Self.idt
        self[.guestIDTRLimit] = 0xFFF
        self[.guestRSP] = Self.guestStack
        self[.guestRIP] = Self.guestCode
        self[.guestRFLAGS] = 2
    }

    /// The guest at CPL 3, with code and data of its own privilege.
    func fillUserGuest() {
        self[.guestCSSelector] = 0x33
        self[.guestCSAccessRights] = 0xA0FB
        for n in [SegmentIndex.es, SegmentIndex.ss, SegmentIndex.ds, SegmentIndex.fs, SegmentIndex.gs] {
            self[EntryChecks.segmentRegisters[n].selector] = 0x2B
            self[EntryChecks.segmentRegisters[n].rights] = 0xC0F3
        }
    }
}

/// A machine whose guest runs, after `change` to its VMCS.
func guest(model: ProcessorModel? = nil, _ change: (VMXTestMachine) -> Void = { _ in }) -> VMXTestMachine {
    let m = VMXTestMachine(model: model).prepared()
    change(m)
    precondition(m.launch(),
                 "\(m.p.vmx.entryFailure?.description ?? "entry failed: \(String(describing: m.failedValid))")")
    return m
}
