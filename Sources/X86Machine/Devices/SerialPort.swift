/// A 16550A UART. National Semiconductor PC16550D data sheet (TL/C/8652), "Registers".
/// Transmission takes no time: the holding register is empty again as soon as it was written.
struct SerialPort {
    static let base: UInt16 = 0x3F8
    private var divisor: UInt16 = 1
    private var interruptEnable: UInt8 = 0
    private var fifoControl: UInt8 = 0
    private var lineControl: UInt8 = 0
    private var modemControl: UInt8 = 0
    private var scratch: UInt8 = 0
    /// LSR error bits since the last read: overrun.
    private var lineErrors: UInt8 = 0
    /// The transmitter-empty interrupt waits: set by a write to THR or by enabling it, cleared by reading IIR.
    private var transmitterInterrupt = false
    private var received: [UInt8] = []
    /// Reads of LSR that found nothing received, with no other access between them: software that waits for input.
    private var idleStatusReads: UInt8 = 0
    /// An event that asks the machine's source of input is in the queue.
    var asksSource = false
    /// When the guest became ready for the character that is asked for.
    var readySince: UInt64 = 0
    /// Bytes on the wire that have not arrived.
    var incoming: [UInt8] = []

    /// The peer is always there: DCD, DSR, CTS.
    private static let peerLines: UInt8 = 0xB0

    private var divisorLatch: Bool { lineControl & 0x80 != 0 }
    private var fifoEnabled: Bool { fifoControl & 1 != 0 }
    /// Somebody waits for input: the receiver is empty, and its interrupt is enabled or software polls for it.
    var isReadyForInput: Bool {
        received.isEmpty && !loopback && (interruptEnable & 1 != 0 || idleStatusReads >= Self.pollingReads)
    }
    /// More status reads in a row than any transmitter needs, which is always empty.
    private static let pollingReads: UInt8 = 64
    private var loopback: Bool { modemControl & 0x10 != 0 }
    private var fifoDepth: Int { fifoEnabled ? 16 : 1 }
    private var trigger: Int { fifoEnabled ? [1, 4, 8, 14][Int(fifoControl >> 6)] : 1 }

    /// Cycles for one character of ten bits at the programmed rate (divisor of 115,200).
    func characterCycles(_ cyclesPerSecond: UInt64) -> UInt64 {
        cyclesPerSecond * 10 * UInt64(max(divisor, 1)) / 115_200
    }

    /// IIR bits 3:0 by priority; 1: nothing pending.
    private var interruptIdentity: UInt8 {
        if interruptEnable & 4 != 0, lineErrors != 0 { return 6 }
        if interruptEnable & 1 != 0, !received.isEmpty {
            // Below the trigger level it is the character time-out, which takes no time here.
            return received.count >= trigger ? 4 : 0xC
        }
        if interruptEnable & 2 != 0, transmitterInterrupt { return 2 }
        return 1
    }

    /// The interrupt line, gated by OUT2 as on a PC.
    var interruptLine: Bool { interruptIdentity != 1 && modemControl & 8 != 0 && !loopback }

    mutating func read(_ register: UInt16) -> UInt8 {
        if register != 5 || !received.isEmpty {
            idleStatusReads = 0
        } else if idleStatusReads < Self.pollingReads {
            idleStatusReads += 1
        }
        switch register {
        case 0 where divisorLatch: return UInt8(truncatingIfNeeded: divisor)
        case 0: return received.isEmpty ? 0 : received.removeFirst()
        case 1: return divisorLatch ? UInt8(divisor >> 8) : interruptEnable
        case 2:
            let identity = interruptIdentity
            if identity == 2 { transmitterInterrupt = false }
            return identity | (fifoEnabled ? 0xC0 : 0)
        case 3: return lineControl
        case 4: return modemControl
        case 5:
            defer { lineErrors = 0 }
            return 0x60 | lineErrors | (received.isEmpty ? 0 : 1)
        case 6:
            if !loopback { return Self.peerLines }
            // CTS, DSR, RI, DCD show RTS, DTR, OUT1, OUT2.
            return (modemControl & 2) << 3 | (modemControl & 1) << 5 | (modemControl & 4) << 4 | (modemControl & 8) << 4
        default: return scratch
        }
    }

    /// The byte that leaves, if the write sends one.
    mutating func write(_ register: UInt16, _ value: UInt8) -> UInt8? {
        idleStatusReads = 0
        switch register {
        case 0 where divisorLatch: divisor = divisor & 0xFF00 | UInt16(value)
        case 0:
            transmitterInterrupt = true
            if !loopback { return value }
            receive(value)
        case 1 where divisorLatch: divisor = divisor & 0xFF | UInt16(value) << 8
        case 1:
            if value & 2 != 0, interruptEnable & 2 == 0 { transmitterInterrupt = true }
            interruptEnable = value & 0xF
        case 2:
            if (value ^ fifoControl) & 1 != 0 || value & 2 != 0 { received.removeAll() }
            fifoControl = value & 1 == 0 ? 0 : value & 0xC9
        case 3: lineControl = value
        case 4: modemControl = value & 0x1F
        case 7: scratch = value
        default: break
        }
        return nil
    }

    /// A character arrives; without room it is lost and counted as overrun.
    mutating func receive(_ byte: UInt8) {
        if received.count < fifoDepth { received.append(byte) } else { lineErrors |= 2 }
    }
}
