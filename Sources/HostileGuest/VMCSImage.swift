import X86Architecture

/// Code that fills the current VMCS with a guest and a host that pass the checks of VM entry, and then damages some of
/// it: most entries shall succeed, many only just.
enum VMCSImage {
    /// Controls by the capability MSR that says what may be set: what is wanted, bits that are added at random.
    private static let controls: [(field: VMCSField, msr: UInt32, wanted: UInt32, optional: UInt32)] = [
        (.pinBasedControls, 0x48D, 0, 0xFF), (.processorBasedControls, 0x48E, 1 << 31, 0x7FFF_FFFF),
        (.secondaryProcessorBasedControls, 0x48B, 0x2 | 0x1000 | 0x8, 0xFFFF_FFFF),
        (.exitControls, 0x48F, 1 << 9 | 1 << 20 | 1 << 21, 0x0FFF_FFFF),
        (.entryControls, 0x490, 1 << 9 | 1 << 15, 0x0FFF_FFFF),
    ]

    static func write(_ c: inout CodeBytes, _ r: inout SplitMix) {
        let isPlain = r.oneIn(3)
        for control in controls {
            var wanted = control.wanted
            if !isPlain { wanted |= control.optional & UInt32(truncatingIfNeeded: r.next() & r.next()) }
            // mov ecx, msr; rdmsr; and edx, wanted; or eax, edx; mov edx, field; vmwrite rdx, rax
            c.move32(1, UInt64(control.msr))
            c.put(0x0F, 0x32, 0x81, 0xE2)
            c.word(wanted, 4)
            c.put(0x09, 0xD0)
            c.move32(2, UInt64(control.field.rawValue))
            c.put(0x0F, 0x79, 0xD0)
        }
        for (field, value) in fields {
            let changes = !isPlain && r.oneIn(60)
            c.writeVMCS(UInt64(field.rawValue), changes ? Interesting.value(&r) : value)
        }
        if isPlain { return }
        // Some fields that are otherwise 0: injections, pending exceptions, lists, masks.
        for _ in 0..<r.below(4) { c.writeVMCS(Interesting.field(&r), Interesting.value(&r)) }
        if r.oneIn(3) {
            let information = UInt64(1 << 31 | r.below(8) << 8 | r.below(256) | (r.oneIn(2) ? 1 << 11 : 0))
            c.writeVMCS(UInt64(VMCSField.entryInterruptionInformation.rawValue), information)
        }
    }

    private static let fields: [(VMCSField, UInt64)] = [
        (.virtualProcessorIdentifier, 1), (.eptPointer, Layout.ept | 0x1E), (.ioBitmapA, Layout.ioBitmaps),
        (.ioBitmapB, Layout.ioBitmaps + 0x1000), (.msrBitmaps, Layout.msrBitmaps), (.eptpListAddress, Layout.eptpList),
        (.exitMSRStoreAddress, Layout.msrArea), (.exitMSRLoadAddress, Layout.msrArea),
        (.entryMSRLoadAddress, Layout.msrArea), (.exitMSRStoreCount, 2), (.exitMSRLoadCount, 1),
        (.entryMSRLoadCount, 1), (.virtualAPICAddress, Layout.virtualAPIC), (.apicAccessAddress, Layout.apicAccess),
        (.pmlAddress, Layout.pml), (.pmlIndex, 511), (.vmreadBitmapAddress, Layout.bitmaps),
        (.vmwriteBitmapAddress, Layout.bitmaps + 0x1000), (.vmFunctionControls, 1),
        (.virtualizationExceptionInformationAddress, Layout.virtualization), (.vmcsLinkPointer, ~0),
        (.postedInterruptDescriptorAddress, Layout.postedInterrupts), (.postedInterruptNotificationVector, 0xF2),
        (.preemptionTimerValue, 200),
        (.hostCR0, 0x8001_0033), (.hostCR3, Layout.root64), (.hostCR4, 0x26A0), (.hostEFER, 0xD01),
        (.hostPAT, 0x0007_0406_0007_0406), (.hostCSSelector, 8), (.hostSSSelector, 0x10), (.hostDSSelector, 0x10),
        (.hostESSelector, 0x10), (.hostFSSelector, 0x10), (.hostGSSelector, 0x10), (.hostTRSelector, 0x40),
        (.hostTRBase, Layout.tss), (.hostGDTRBase, Layout.gdt), (.hostIDTRBase, Layout.idt64),
        (.hostRSP, Layout.stackTop), (.hostRIP, Layout.exitRecovery),
        (.guestCR0, 0x8001_0033), (.guestCR3, Layout.root64), (.guestCR4, 0x26A0), (.guestEFER, 0xD01),
        (.guestPAT, 0x0007_0406_0007_0406), (.guestDR7, 0x400), (.guestCSSelector, 8), (.guestSSSelector, 0x10),
        (.guestDSSelector, 0x10), (.guestESSelector, 0x10), (.guestFSSelector, 0x10), (.guestGSSelector, 0x10),
        (.guestTRSelector, 0x40), (.guestTRBase, Layout.tss), (.guestTRLimit, 0xFFF), (.guestTRAccessRights, 0x8B),
        (.guestLDTRAccessRights, 0x1_0000), (.guestCSAccessRights, 0xA09B), (.guestSSAccessRights, 0xC093),
        (.guestDSAccessRights, 0xC093), (.guestESAccessRights, 0xC093), (.guestFSAccessRights, 0xC093),
        (.guestGSAccessRights, 0xC093), (.guestCSLimit, 0xFFFF_FFFF), (.guestSSLimit, 0xFFFF_FFFF),
        (.guestDSLimit, 0xFFFF_FFFF), (.guestESLimit, 0xFFFF_FFFF), (.guestFSLimit, 0xFFFF_FFFF),
        (.guestGSLimit, 0xFFFF_FFFF), (.guestGDTRBase, Layout.gdt), (.guestGDTRLimit, 0x7F),
        (.guestIDTRBase, Layout.idt64), (.guestIDTRLimit, 0xFFF), (.guestRSP, Layout.stackTop - 0x2000),
        (.guestRIP, Layout.payload), (.guestRFLAGS, 0x202),
    ]
}
