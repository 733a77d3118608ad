/// The CMOS clock and RAM, ports 0x70 and 0x71. Motorola MC146818A data sheet, "Address Map".
/// The date is derived from cycles: 2020-01-01 00:00:00 at power-on, so that runs repeat.
struct RealTimeClock {
    private var index: UInt8 = 0
    private var ram: InlineArray<128, UInt8> = .init(repeating: 0)
    /// Register B: 24-hour mode, BCD.
    private var registerB: UInt8 = 0x02
    private let cyclesPerSecond: UInt64
    /// Seconds added by software that set the clock are not kept: time registers ignore writes.
    init(cyclesPerSecond: UInt64, memoryBytes: UInt64) {
        self.cyclesPerSecond = cyclesPerSecond
        let base: UInt64 = 640
        let above1M = min(memoryBytes >> 10, 65_535 + 1024) - min(memoryBytes >> 10, 1024)
        let above16M = min(memoryBytes, 0xC000_0000) > 16 << 20 ? (min(memoryBytes, 0xC000_0000) - 16 << 20) >> 16 : 0
        let above4G = memoryBytes > 0xC000_0000 ? (memoryBytes - 0xC000_0000) >> 16 : 0
        let sizes = [
            (0x15, base, 2), (0x17, above1M, 2), (0x30, above1M, 2), (0x34, above16M, 2), (0x5B, above4G, 3),
        ]
        for (at, value, bytes) in sizes {
            for i in 0..<bytes { ram[at + i] = UInt8(truncatingIfNeeded: value >> UInt64(8 * i)) }
        }
        ram[0x32] = 0x20
    }

    mutating func select(_ value: UInt8) { index = value & 0x7F }

    func read(at cycle: UInt64) -> UInt8 {
        let time = CalendarTime(secondsSince2020: cycle / cyclesPerSecond)
        switch index {
        case 0x00: return encode(time.second)
        case 0x02: return encode(time.minute)
        case 0x04: return encodeHour(time.hour)
        case 0x06: return encode(time.weekday)
        case 0x07: return encode(time.day)
        case 0x08: return encode(time.month)
        case 0x09: return encode(time.year % 100)
        case 0x32: return Self.bcd(time.year / 100)
        // 32,768 Hz time base, 1,024 Hz rate.
        case 0x0A: return 0x26 | (isUpdating(at: cycle) ? 0x80 : 0)
        case 0x0B: return registerB
        case 0x0C: return 0
        case 0x0D: return 0x80
        default: return ram[Int(index)]
        }
    }

    /// False: interrupts of the clock were enabled, which is not modelled.
    mutating func write(_ value: UInt8) -> Bool {
        switch index {
        case 0x00, 0x02, 0x04, 0x06...0x0A, 0x0C, 0x0D, 0x32: return true
        case 0x0B:
            registerB = value & 0x87
            return value & 0x70 == 0
        default:
            ram[Int(index)] = value
            return true
        }
    }

    /// UIP, "Update Cycle": high from 244 us before the update, which takes 1,984 us with this time base, to its end,
    /// when the time of day is the next second's. The SET bit of register B keeps updates from beginning.
    private func isUpdating(at cycle: UInt64) -> Bool {
        registerB & 0x80 == 0 && cycle % cyclesPerSecond >= cyclesPerSecond - cyclesPerSecond * 2228 / 1_000_000
    }

    private func encode(_ value: UInt64) -> UInt8 { registerB & 4 != 0 ? UInt8(value) : Self.bcd(value) }
    private func encodeHour(_ hour: UInt64) -> UInt8 {
        if registerB & 2 != 0 { return encode(hour) }
        return encode(hour % 12 == 0 ? 12 : hour % 12) | (hour >= 12 ? 0x80 : 0)
    }
    private static func bcd(_ value: UInt64) -> UInt8 { UInt8((value / 10) << 4 | value % 10) }
}

/// A civil date in the Gregorian calendar, counted from 2020-01-01, a Wednesday.
private struct CalendarTime {
    var year: UInt64, month: UInt64, day: UInt64, weekday: UInt64, hour: UInt64, minute: UInt64, second: UInt64

    init(secondsSince2020 seconds: UInt64) {
        second = seconds % 60
        minute = seconds / 60 % 60
        hour = seconds / 3600 % 24
        var days = seconds / 86_400
        weekday = (days + 3) % 7 + 1
        // The calendar repeats every 400 years; 2020 begins such a cycle for this purpose.
        year = 2020 + days / 146_097 * 400
        days %= 146_097
        while days >= (Self.isLeap(year) ? 366 : 365) {
            days -= Self.isLeap(year) ? 366 : 365
            year += 1
        }
        month = 1
        while days >= Self.length(month, year) {
            days -= Self.length(month, year)
            month += 1
        }
        day = days + 1
    }
    private static func isLeap(_ y: UInt64) -> Bool { y % 4 == 0 && y % 100 != 0 || y % 400 == 0 }
    private static func length(_ month: UInt64, _ year: UInt64) -> UInt64 {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}
