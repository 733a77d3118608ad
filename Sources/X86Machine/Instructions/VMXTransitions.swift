import X86Architecture
import X86Decoder

/// SDM 3C 33.3 "VMX Instructions": VMLAUNCH, VMRESUME, VMCALL, VMFUNC.
extension SystemInstructions {
    static func vmlaunch(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try enter(p, i, launch: true)
    }
    static func vmresume(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try enter(p, i, launch: false)
    }
    private static func enter(_ p: Processor, _ i: borrowing Instruction, launch: Bool) throws(Interruption) {
        try p.beginVMXInstruction(launch ? .vmlaunch : .vmresume, i)
        // A shadow VMCS cannot be entered.
        guard p.hasCurrentVMCS, !p.vmcs.isShadow else { return p.vmFailInvalid() }
        guard !p.system.blockingByMOVSS else { return p.vmFailValid(.entryEventsBlockedByMOVSS) }
        let isLaunched = p.vmcs.isLaunched
        if launch && isLaunched { return p.vmFailValid(.vmlaunchNonClearVMCS) }
        if !launch && !isLaunched { return p.vmFailValid(.vmresumeNonLaunchedVMCS) }
        // SDM 3C 33.4 "VM Instruction Error Numbers": VMXOFF and VMXON between VMLAUNCH and VMRESUME.
        if !launch && p.vmcs.launchOperation != p.vmx.operation { return p.vmFailValid(.vmresumeAfterVMXOFF) }
        try p.vmEnter(launch: launch, i)
    }

    static func vmcall(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        guard p.vmx.inOperation else { throw .exception(.invalidOpcode) }
        if p.vmx.inNonRoot { throw p.exit(.vmcall, i) }
        try p.requireVMXMode()
        try p.requireCPL0()
        // The dual-monitor treatment of SMIs is not supported.
        p.vmFailValid(.vmcallInRootOperation)
    }

    static func vmfunc(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try p.vmFunction(i)
    }
}
