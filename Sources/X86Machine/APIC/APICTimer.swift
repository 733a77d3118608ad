import X86Architecture

/// SDM 3A 11.5.4 "APIC Timer". Counts are derived from cycles: nothing ticks.
struct APICTimer {
    var initialCount: UInt32 = 0
    var divideConfiguration: UInt32 = 0
    /// Cycle at which the count was `initialCount`, while running.
    var start: UInt64 = 0
    /// Counting (one-shot or periodic).
    var running = false
    /// IA32_TSC_DEADLINE; 0 is disarmed.
    var deadline: UInt64 = 0

    enum Mode: UInt32 { case oneShot = 0, periodic = 1, tscDeadline = 2, reserved = 3 }

    /// SDM 3A Figure 11-10: bits 3, 1, 0 give 2, 4 ... 128, and 1.
    var divisor: UInt64 {
        let code = UInt64(divideConfiguration & 3 | divideConfiguration >> 1 & 4)
        return 1 << ((code + 1) & 7)
    }

    /// Cycles from a full count to zero.
    func period(_ timing: Timing) -> UInt64 { UInt64(initialCount) * divisor * timing.apicTimerTick }

    func currentCount(at cycle: UInt64, _ timing: Timing) -> UInt32 {
        guard running, cycle >= start else { return running ? initialCount : 0 }
        let ticks = (cycle - start) / (divisor * timing.apicTimerTick)
        return ticks >= UInt64(initialCount) ? 0 : initialCount - UInt32(ticks)
    }
}

extension LocalAPIC {
    var timerMode: APICTimer.Mode { APICTimer.Mode(rawValue: self[.timer] >> 17 & 3) ?? .reserved }
}

extension Processor {
    private var timerEvent: TimedEvent { .apicTimer(processor: index) }

    /// The time-stamp counter now (SDM 3B 17.17 "Time-Stamp Counter"): cycles plus IA32_TSC_ADJUST.
    var timestampCounter: UInt64 { cpu.pointee.cycles &+ system.tscAdjust }

    /// Puts the next expiry into the queue, or takes it out. After every change of mode, count, divisor or deadline,
    /// and after a write to the TSC or IA32_TSC_ADJUST.
    func rearmTimer() {
        machine.cancel(timerEvent)
        let now = cpu.pointee.cycles
        switch apic.timerMode {
        case .oneShot, .periodic:
            guard apic.timer.running else { return }
            machine.schedule(timerEvent, at: apic.timer.start &+ apic.timer.period(machine.timing))
        case .tscDeadline:
            guard apic.timer.deadline != 0 else { return }
            // SDM 3A 11.5.4.1: a deadline that has passed (an unsigned comparison) expires at once.
            let distance = apic.timer.deadline > timestampCounter ? apic.timer.deadline - timestampCounter : 0
            let (cycle, overflow) = now.addingReportingOverflow(distance)
            machine.schedule(timerEvent, at: overflow ? .max : cycle)
        case .reserved:
            return
        }
    }

    func timerExpired(at cycle: UInt64) {
        switch apic.timerMode {
        case .oneShot:
            apic.timer.running = false
        case .periodic:
            apic.timer.start &+= apic.timer.period(machine.timing)
            machine.schedule(timerEvent, at: apic.timer.start &+ apic.timer.period(machine.timing))
        case .tscDeadline:
            apic.timer.deadline = 0
        case .reserved:
            return
        }
        deliverLocal(.timer, at: cycle)
    }

    /// SDM 3A 11.5.4: writing the initial count starts the timer; 0 stops it. Ignored in TSC-deadline mode.
    func writeInitialCount(_ value: UInt32) {
        if apic.timerMode == .tscDeadline { return }
        apic.timer.initialCount = value
        apic.timer.start = cpu.pointee.cycles
        apic.timer.running = value != 0
        rearmTimer()
    }

    /// The count goes on from where it is, at the new rate.
    func writeDivideConfiguration(_ value: UInt32) {
        let remaining = apic.timer.currentCount(at: cpu.pointee.cycles, machine.timing)
        apic.timer.divideConfiguration = value & 0xB
        if apic.timer.running {
            let elapsed = UInt64(apic.timer.initialCount - remaining)
            apic.timer.start = cpu.pointee.cycles &- elapsed * apic.timer.divisor * machine.timing.apicTimerTick
        }
        rearmTimer()
    }

    /// SDM 3A 11.5.4.1 "TSC-Deadline Mode": a change to or from that mode disarms the timer.
    func timerModeChanged(from old: APICTimer.Mode) {
        let new = apic.timerMode
        if old == new { return }
        if old == .tscDeadline || new == .tscDeadline || new == .reserved {
            apic.timer.running = false
            apic.timer.initialCount = 0
            apic.timer.deadline = 0
        }
        rearmTimer()
    }

    /// IA32_TSC_DEADLINE (SDM 3A 11.5.4.1): in other modes reads are zero and writes ignored.
    var tscDeadline: UInt64 {
        get { apic.timerMode == .tscDeadline ? apic.timer.deadline : 0 }
        set {
            guard apic.timerMode == .tscDeadline else { return }
            apic.timer.deadline = newValue
            rearmTimer()
        }
    }
}
