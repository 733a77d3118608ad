import X86Architecture

/// SDM 3C 28.5.1 "VMX-Preemption Timer": counts down once every 2^shift TSC ticks while the guest runs, also in HLT.
extension Processor {
    func startPreemptionTimer(_ vmcs: VMCS) {
        guard vmx.controls.pin.contains(.activatePreemptionTimer) else { return }
        let shift = VMXModel.preemptionTimerShift
        let deadline = ((cpu.pointee.cycles &>> shift) &+ vmcs[.preemptionTimerValue]) &<< shift
        vmx.preemptionDeadline = deadline
        if deadline > cpu.pointee.cycles { machine.schedule(.preemptionTimer(processor: index), at: deadline) }
    }

    func stopPreemptionTimer() {
        guard vmx.preemptionDeadline != nil else { return }
        vmx.preemptionDeadline = nil
        machine.cancel(.preemptionTimer(processor: index))
    }

    /// What "save VMX-preemption timer value" stores.
    var preemptionTimerRemaining: UInt64 {
        guard let deadline = vmx.preemptionDeadline else { return 0 }
        let shift = VMXModel.preemptionTimerShift
        let now = cpu.pointee.cycles &>> shift, end = deadline &>> shift
        return end > now ? end - now : 0
    }
}
