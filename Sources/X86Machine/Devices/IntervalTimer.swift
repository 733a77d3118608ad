/// The 8254 programmable interval timer: channel 0 (IRQ 0), channel 2 (speaker gate at port 0x61); channel 1 counts for
/// nobody. Intel 8254 data sheet (231164), "Mode Definitions". Counts are derived from cycles.
struct IntervalTimer {
    static let frequency: UInt64 = 1_193_182

    struct Channel {
        var mode: UInt8 = 3
        var bcd = false
        /// 1: low byte only, 2: high byte only, 3: low then high.
        var access: UInt8 = 3
        /// 0 stands for 65,536.
        var reload: UInt16 = 0
        var writesHigh = false, readsHigh = false
        var partial: UInt8 = 0
        var latched: UInt16?
        var latchedStatus: UInt8?
        /// The count has been loaded since the mode was set; its tick.
        var loaded = false
        var start: UInt64 = 0
        var gate = true

        var period: UInt64 {
            if reload == 0 { return bcd ? 10_000 : 65_536 }
            return UInt64(bcd ? Self.fromBCD(reload) : reload)
        }

        /// The OUT pin at a tick.
        func output(at tick: UInt64) -> Bool {
            // Before the count is loaded, and while the gate is low, OUT stays as the mode begins.
            guard loaded, gate, tick >= start else { return mode != 0 }
            let elapsed = tick - start
            switch mode {
            case 0: return elapsed >= period
            case 2: return elapsed % period != period - 1
            case 4: return elapsed != period
            default: return elapsed % period < (period + 1) / 2
            }
        }

        func count(at tick: UInt64) -> UInt16 {
            guard loaded, gate, tick >= start else { return reload }
            let elapsed = tick - start
            let value: UInt64
            switch mode {
            // After terminal count the counter wraps and goes on.
            case 0, 4: value = (period &- elapsed) & 0xFFFF
            case 2: value = period - elapsed % period
            default:
                // Mode 3 counts down by two, twice a period.
                let half = (period + 1) / 2, phase = elapsed % period
                value = (period - 2 * (phase < half ? phase : phase - half)) & 0xFFFE
            }
            return bcd ? Self.toBCD(UInt16(truncatingIfNeeded: value % 10_000)) : UInt16(truncatingIfNeeded: value)
        }

        static func fromBCD(_ v: UInt16) -> UInt16 {
            (v >> 12) * 1000 + (v >> 8 & 15) * 100 + (v >> 4 & 15) * 10 + (v & 15)
        }
        static func toBCD(_ v: UInt16) -> UInt16 {
            (v / 1000) << 12 | (v / 100 % 10) << 8 | (v / 10 % 10) << 4 | v % 10
        }
    }

    var channels: InlineArray<3, Channel> = .init(repeating: Channel())
    private let cyclesPerSecond: UInt64
    init(cyclesPerSecond: UInt64) {
        self.cyclesPerSecond = cyclesPerSecond
        channels[2].gate = false
    }

    func tick(at cycle: UInt64) -> UInt64 {
        let product = cycle.multipliedFullWidth(by: Self.frequency)
        guard product.high < cyclesPerSecond else { return .max }
        return cyclesPerSecond.dividingFullWidth(product).quotient
    }
    /// The first cycle at which `tick` has been reached.
    func cycle(ofTick tick: UInt64) -> UInt64 {
        let product = tick.multipliedFullWidth(by: cyclesPerSecond)
        guard product.high < Self.frequency else { return .max }
        let (quotient, remainder) = Self.frequency.dividingFullWidth(product)
        return quotient &+ (remainder == 0 ? 0 : 1)
    }

    mutating func read(channel c: Int, at cycle: UInt64) -> UInt8 {
        if let status = channels[c].latchedStatus {
            channels[c].latchedStatus = nil
            return status
        }
        let value = channels[c].latched ?? channels[c].count(at: tick(at: cycle))
        let high = channels[c].access == 2 || channels[c].access == 3 && channels[c].readsHigh
        if channels[c].access == 3 { channels[c].readsHigh.toggle() }
        if channels[c].access != 3 || high { channels[c].latched = nil }
        return UInt8(truncatingIfNeeded: high ? value >> 8 : value)
    }

    /// True when the channel's waveform starts anew.
    mutating func write(channel c: Int, _ value: UInt8, at cycle: UInt64) -> Bool {
        switch channels[c].access {
        case 1: channels[c].reload = UInt16(value)
        case 2: channels[c].reload = UInt16(value) << 8
        default:
            channels[c].writesHigh.toggle()
            if channels[c].writesHigh {
                channels[c].partial = value
                return false
            }
            channels[c].reload = UInt16(value) << 8 | UInt16(channels[c].partial)
        }
        // The count is loaded by the next clock pulse.
        channels[c].start = tick(at: cycle) &+ 1
        channels[c].loaded = true
        return true
    }

    /// The control word at port 0x43; nil for a mode that is not modelled, otherwise the channel that was set, or 3.
    mutating func control(_ value: UInt8, at cycle: UInt64) -> Int? {
        let c = Int(value >> 6)
        if c == 3 { readBack(value, at: cycle); return 3 }
        if value >> 4 & 3 == 0 {
            if channels[c].latched == nil { channels[c].latched = channels[c].count(at: tick(at: cycle)) }
            return 3
        }
        // Modes 6 and 7 are 2 and 3.
        let mode = value >> 1 & 7 > 5 ? value >> 1 & 3 : value >> 1 & 7
        guard mode == 0 || mode == 2 || mode == 3 || mode == 4 else { return nil }
        let gate = channels[c].gate
        channels[c] = Channel()
        channels[c].gate = gate
        channels[c].mode = mode
        channels[c].bcd = value & 1 != 0
        channels[c].access = value >> 4 & 3
        return c
    }

    private mutating func readBack(_ value: UInt8, at cycle: UInt64) {
        for c in 0..<3 where value & (2 << UInt8(c)) != 0 {
            let channel = channels[c]
            if value & 0x20 == 0, channel.latched == nil { channels[c].latched = channel.count(at: tick(at: cycle)) }
            if value & 0x10 == 0, channel.latchedStatus == nil {
                let output: UInt8 = channel.output(at: tick(at: cycle)) ? 0x80 : 0
                let programmed = channel.access << 4 | channel.mode << 1 | (channel.bcd ? 1 : 0)
                channels[c].latchedStatus = output | (channel.loaded ? 0 : 0x40) | programmed
            }
        }
    }

    /// A rising gate starts the waveform of channel 2 anew (modes 2 and 3); mode 0 counts while it is high.
    mutating func setGate2(_ level: Bool, at cycle: UInt64) {
        if level && !channels[2].gate { channels[2].start = tick(at: cycle) &+ 1 }
        channels[2].gate = level
    }

    /// The cycle of channel 0's next rising OUT edge after `cycle`, nil if there is none.
    func nextInterrupt(after cycle: UInt64) -> UInt64? {
        let channel = channels[0]
        guard channel.loaded else { return nil }
        let now = tick(at: cycle)
        if channel.mode == 0 || channel.mode == 4 {
            // The strobe of mode 4 is low for one tick.
            let end = channel.start &+ channel.period &+ (channel.mode == 4 ? 1 : 0)
            return now >= end ? nil : self.cycle(ofTick: end)
        }
        let periods = now < channel.start ? 1 : (now - channel.start) / channel.period + 1
        return self.cycle(ofTick: channel.start &+ periods * channel.period)
    }
}
