import X86Architecture
import X86Decoder

/// SDM 3C 28.5.7 "VM Functions".
extension Processor {
    /// VMFUNC, at any CPL.
    func vmFunction(_ i: borrowing Instruction) throws(Interruption) {
        // 28.5.7.1 "Enabling VM Functions": #UD outside VMX non-root operation and without the control.
        guard guestHas(.enableVMFunctions) else { throw .exception(.invalidOpcode) }
        let function = UInt32(truncatingIfNeeded: gpr(GPR.rax))
        // 28.5.7.2 "General Operation of the VMFUNC Instruction": no function above 63 can ever be enabled.
        guard function < 64 else { throw .exception(.invalidOpcode) }
        guard vmx.controls.vmFunctions.rawValue >> UInt64(function) & 1 != 0 else {
            throw exit(.vmfunc, i)
        }
        // Only function 0 can be enabled (`EntryChecks.vmFunctionReserved`).
        try switchEPTP(i)
    }

    /// 28.5.7.3 "EPTP Switching".
    private func switchEPTP(_ i: borrowing Instruction) throws(Interruption) {
        let index = UInt32(truncatingIfNeeded: gpr(GPR.rcx))
        guard index < VMFunctionControls.eptpListEntries else { throw exit(.vmfunc, i) }
        let tentative = EPTPointer(ram.load(PhysicalAddress(vmx.controls.eptpList) + UInt64(index) * 8,
                                                       as: UInt64.self))
        guard tentative.isValid(physicalAddressBits: UInt64(machine.configuration.model.physicalAddressBits)) else {
            throw exit(.vmfunc, i)
        }
        translationSpaceChanges()
        let old = vmx.eptp
        // No cached translation is dropped: combined mappings are tagged with EP4TA.
        vmx.eptp = tentative
        // The EPTP index is written whether or not "EPT-violation #VE" is 1: the processor supports that control.
        writeVMCS { v in
            v.set(.eptPointer, tentative.rawValue)
            v.set(.eptpIndex, UInt64(index & 0xFFFF))
        }
        cpu.pointee.cycles &+= Timing.haswell.vmfunc
        translationContextChanged()
        if machine.eventMask.contains(.eptpSwitch) {
            machine.emit(.eptpSwitch(rip: LinearAddress(cpu.pointee.rip), index: index, from: old.rawValue,
                                     to: tentative.rawValue), self)
        }
    }
}
