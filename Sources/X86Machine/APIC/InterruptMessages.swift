import X86Architecture

/// What one message on the (virtual) system bus asks for. SDM 3A 11.6.1 "Interrupt Command Register (ICR)", 11.11.
enum DeliveryMode: UInt8 {
    case fixed = 0, lowestPriority = 1, smi = 2, reserved = 3, nmi = 4, initialize = 5, startUp = 6, extINT = 7
}

struct InterruptMessage {
    var vector: UInt8
    var mode: DeliveryMode
    var destination: UInt32
    var logical: Bool
    var levelTriggered = false
    /// Destinations are 8 bits wide and xAPIC-style (from the I/O APIC or an xAPIC), or 32 bits (from an x2APIC).
    var extended = false
}

extension Processor {
    /// A local interrupt source fires (SDM 3A 11.5.1 "Local Vector Table").
    func deliverLocal(_ entry: LocalAPIC.LVT, at cycle: UInt64) {
        let value = apic[entry]
        guard value & LocalAPIC.masked == 0, apicMode != .disabled else { return }
        switch entry == .timer || entry == .error ? .fixed : DeliveryMode(rawValue: UInt8(value >> 8 & 7)) ?? .fixed {
        case .fixed: receive(vector: UInt8(truncatingIfNeeded: value), at: cycle)
        case .nmi: receiveNMI(at: cycle)
        case .initialize: receiveINIT(at: cycle)
        default: break
        }
    }

    /// A fixed interrupt arrives. SDM 3A 11.5.2 "Valid Interrupt Vectors": 0 to 15 are illegal.
    func receive(vector: UInt8, levelTriggered: Bool = false, at cycle: UInt64) {
        guard apicMode != .disabled, apic.softwareEnabled else { return }
        guard vector >= 16 else { return reportError(APICError.receiveIllegalVector) }
        apic.accept(vector: vector, levelTriggered: levelTriggered)
        wake(at: cycle)
    }

    func receiveNMI(at cycle: UInt64) {
        system.pendingNMI = true
        wake(at: cycle)
    }

    func receiveINIT(at cycle: UInt64) {
        system.pendingINIT = true
        wake(at: cycle)
    }

    /// SDM 3A 9.4 "Multiple-Processor (MP) Initialization": a SIPI counts only in the wait-for-SIPI state (or when an
    /// INIT that leads there has arrived and only awaits the next boundary); otherwise it is lost.
    func receiveSIPI(vector: UInt8, at cycle: UInt64) {
        guard system.activity == .waitForSIPI || system.pendingINIT else { return }
        system.pendingSIPI = vector
        wake(at: cycle)
    }

    /// Time passes for a waiting processor; a running one looks at its next boundary.
    func wake(at cycle: UInt64) {
        if system.activity != .active { cpu.pointee.cycles = max(cpu.pointee.cycles, cycle) }
        attend()
    }

    /// ICR has been written: sends the interprocessor interrupt.
    func sendInterruptCommand() throws(Interruption) {
        let command = apic.interruptCommand
        let now = cpu.pointee.cycles
        let mode = DeliveryMode(rawValue: UInt8(command >> 8 & 7)) ?? .reserved
        let vector = UInt8(truncatingIfNeeded: command)
        let shorthand = command >> 18 & 3
        if mode == .smi || mode == .reserved || mode == .extINT {
            throw .notModelled("an interprocessor interrupt of delivery mode \(mode)")
        }
        // SDM 3A 11.6.1: INIT level de-assert has no meaning since the Pentium 4 family.
        if mode == .initialize, command & (1 << 14) == 0, command & (1 << 15) != 0 { return }
        if mode == .fixed || mode == .lowestPriority, vector < 16 { reportError(APICError.sendIllegalVector); return }
        var message = InterruptMessage(vector: vector, mode: mode, destination: 0, logical: command >> 11 & 1 != 0)
        message.extended = apicMode == .x2APIC
        message.destination = UInt32(truncatingIfNeeded: message.extended ? command >> 32 : command >> 56)
        switch shorthand {
        case 0:
            machine.send(message, at: now)
        case 1 where mode == .fixed:
            receive(vector: vector, at: now)
        case 2 where mode == .fixed:
            for processor in machine.processors { processor.take(message, at: now) }
        case 3:
            for processor in machine.processors where processor !== self { processor.take(message, at: now) }
        default:
            // SDM 3A Table 11-3 "Valid Combinations for the Pentium 4, Intel Xeon, and P6 Family Processors' Local
            // xAPIC ICR".
            throw .notModelled(
                "destination shorthand \(shorthand) with delivery mode \(mode) (SDM 3A Table 11-3: invalid)")
        }
    }

    /// Acts on a message that has chosen this processor.
    func take(_ message: InterruptMessage, at cycle: UInt64) {
        guard apicMode != .disabled else { return }
        switch message.mode {
        case .fixed, .lowestPriority: receive(vector: message.vector, levelTriggered: message.levelTriggered, at: cycle)
        case .nmi: receiveNMI(at: cycle)
        case .initialize: receiveINIT(at: cycle)
        case .startUp: receiveSIPI(vector: message.vector, at: cycle)
        case .smi, .reserved, .extINT: break
        }
    }

    /// SDM 3A 11.6.2 "Determining IPI Destination", 11.12.10 "x2APIC" destinations.
    func matches(_ message: InterruptMessage) -> Bool {
        let broadcast: UInt32 = message.extended ? .max : 0xFF
        if message.destination == broadcast { return true }
        if !message.logical { return apic.id == message.destination }
        if apicMode == .x2APIC {
            // A message from an 8-bit source reaches only cluster 0 of x2APICs.
            let cluster = message.destination >> 16, members = message.destination & 0xFFFF
            return apic.x2LogicalID >> 16 == cluster && apic.x2LogicalID & members != 0
        }
        let mine = apic.logicalDestination >> 24, wanted = message.destination & 0xFF
        if apic.destinationFormat >> 28 == 0xF { return mine & wanted != 0 }
        return mine >> 4 == wanted >> 4 && mine & wanted & 0xF != 0
    }
}

extension Machine {
    func send(_ message: InterruptMessage, at cycle: UInt64) {
        if message.mode == .lowestPriority {
            // SDM 3A 11.6.2.4 "Lowest Priority Delivery Mode": the smallest PPR; the lowest ID among equals.
            var chosen: Processor?
            for processor in processors where processor.matches(message) && processor.apic.softwareEnabled {
                if let c = chosen, c.apic.ppr <= processor.apic.ppr { continue }
                chosen = processor
            }
            chosen?.take(message, at: cycle)
            return
        }
        for processor in processors where processor.matches(message) { processor.take(message, at: cycle) }
    }

    func broadcastEndOfInterrupt(vector: UInt8, at cycle: UInt64) {
        platform.devices.ioapic.endOfInterrupt(vector: vector)
        deliverIOAPIC(at: cycle)
    }
}
