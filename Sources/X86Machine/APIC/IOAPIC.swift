import X86Architecture

/// The I/O APIC at 0xFEC0_0000 with 24 inputs. Intel 82093AA "I/O Advanced Programmable Interrupt Controller (IOAPIC)",
/// chapter 3 "Register Description"; version 0x20 adds the EOI register. A plain value.
struct IOAPIC {
    static let base: UInt64 = 0xFEC0_0000
    static let inputs = 24
    private var select: UInt8 = 0
    private var id: UInt32 = 0
    /// I/O redirection table.
    private(set) var entries: InlineArray<24, UInt64> = .init(repeating: IOAPIC.masked)
    /// Input levels, one bit each; the timer's is high at power-on.
    private var lines: UInt32 = 1 << 2
    /// Edges seen and not yet sent.
    private var edges: UInt32 = 0

    private static let masked: UInt64 = 1 << 16
    private static let levelTriggered: UInt64 = 1 << 15, remoteIRR: UInt64 = 1 << 14, activeLow: UInt64 = 1 << 13
    /// Bits of an entry that software can write.
    private static let writable: UInt64 = 0xFF00_0000_0001_AFFF

    /// IOREGSEL at +0, IOWIN at +0x10.
    func load(offset: UInt64) -> UInt32 {
        switch offset {
        case 0x00: UInt32(select)
        case 0x10: register(select)
        default: 0
        }
    }

    private func register(_ n: UInt8) -> UInt32 {
        switch n {
        case 0, 2: return id
        case 1: return UInt32(Self.inputs - 1) << 16 | 0x20
        default:
            let i = Int(n) - 0x10
            guard i >= 0, i / 2 < Self.inputs else { return 0 }
            return UInt32(truncatingIfNeeded: entries[i / 2] >> (i & 1 == 0 ? 0 : 32))
        }
    }

    mutating func store(offset: UInt64, _ value: UInt32) {
        switch offset {
        case 0x00: select = UInt8(truncatingIfNeeded: value)
        case 0x10: setRegister(select, value)
        case 0x40: endOfInterrupt(vector: UInt8(truncatingIfNeeded: value))
        default: break
        }
    }

    private mutating func setRegister(_ n: UInt8, _ value: UInt32) {
        if n == 0 { id = value & 0x0F00_0000; return }
        let i = Int(n) - 0x10
        guard i >= 0, i / 2 < Self.inputs else { return }
        let old = entries[i / 2]
        let new = i & 1 == 0 ? old & ~0xFFFF_FFFF | UInt64(value) : old & 0xFFFF_FFFF | UInt64(value) << 32
        var entry = new & Self.writable | old & Self.remoteIRR
        // An edge-triggered input has no Remote IRR.
        if entry & Self.levelTriggered == 0 { entry &= ~Self.remoteIRR }
        entries[i / 2] = entry
    }

    /// The input pin changes (`true`: high).
    mutating func setLine(_ input: Int, _ level: Bool) {
        guard input < Self.inputs else { return }
        let bit: UInt32 = 1 << UInt32(input)
        let active = level != (entries[input] & Self.activeLow != 0)
        let wasActive = (lines & bit != 0) != (entries[input] & Self.activeLow != 0)
        lines = level ? lines | bit : lines & ~bit
        if active && !wasActive && entries[input] & Self.masked == 0 { edges |= bit }
    }

    /// The next message to send, if any; repeat until nil.
    mutating func nextMessage() -> InterruptMessage? {
        for input in 0..<Self.inputs {
            let entry = entries[input], bit: UInt32 = 1 << UInt32(input)
            guard entry & Self.masked == 0 else { continue }
            if entry & Self.levelTriggered != 0 {
                let active = (lines & bit != 0) != (entry & Self.activeLow != 0)
                guard active, entry & Self.remoteIRR == 0 else { continue }
                entries[input] |= Self.remoteIRR
            } else {
                guard edges & bit != 0 else { continue }
            }
            edges &= ~bit
            var message = InterruptMessage(
                vector: UInt8(truncatingIfNeeded: entry),
                mode: DeliveryMode(rawValue: UInt8(entry >> 8 & 7)) ?? .reserved,
                destination: UInt32(truncatingIfNeeded: entry >> 56), logical: entry >> 11 & 1 != 0)
            message.levelTriggered = entry & Self.levelTriggered != 0
            return message
        }
        return nil
    }

    /// SDM 3A 11.8.5: the EOI message lets level-triggered inputs of that vector interrupt again.
    mutating func endOfInterrupt(vector: UInt8) {
        for input in 0..<Self.inputs where UInt8(truncatingIfNeeded: entries[input]) == vector {
            if entries[input] & Self.levelTriggered != 0 { entries[input] &= ~Self.remoteIRR }
        }
    }
}
