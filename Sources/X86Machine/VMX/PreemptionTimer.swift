import X86Architecture

/// SDM 3C 28.5.1 "VMX-Preemption Timer": counts down once every 2^shift TSC ticks while the guest runs, also in HLT,
/// whenever the TSC's bit of that number changes because the TSC has counted on. (A write to the TSC is no count.)
extension Processor {
    func startPreemptionTimer(_ vmcs: VMCS) {
        guard vmx.controls.pin.contains(.activatePreemptionTimer) else { return }
        startPreemptionTimer(at: vmcs[.preemptionTimerValue])
    }

    private func startPreemptionTimer(at value: UInt64) {
        let tick: UInt64 = 1 &<< VMXModel.preemptionTimerShift
        let distance = value == 0 ? 0 : value &* tick &- timestampCounter & (tick - 1)
        let deadline = cpu.pointee.cycles &+ distance
        vmx.preemptionDeadline = deadline
        if distance > 0 { machine.schedule(.preemptionTimer(processor: index), at: deadline) }
    }

    func stopPreemptionTimer() {
        guard vmx.preemptionDeadline != nil else { return }
        vmx.preemptionDeadline = nil
        machine.cancel(.preemptionTimer(processor: index))
    }

    /// A write to the TSC moves the bits that are counted, not the count.
    func changeTSCAdjust(to value: UInt64) {
        let remaining = vmx.preemptionDeadline == nil ? nil : preemptionTimerRemaining
        system.tscAdjust = value
        if let remaining {
            stopPreemptionTimer()
            startPreemptionTimer(at: remaining)
        }
        rearmTimer()
    }

    /// What "save VMX-preemption timer value" stores.
    var preemptionTimerRemaining: UInt64 {
        guard let deadline = vmx.preemptionDeadline, deadline > cpu.pointee.cycles else { return 0 }
        let tick: UInt64 = 1 &<< VMXModel.preemptionTimerShift
        return (deadline - cpu.pointee.cycles + tick - 1) &>> VMXModel.preemptionTimerShift
    }
}
