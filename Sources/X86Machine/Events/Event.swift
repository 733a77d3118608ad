import X86Architecture

/// What a run shows to those who watch it. The machine knows no domains: it reports what the processor did.
public enum Event: Sendable {
    /// VMFUNC leaf 0 completed. `rip` is the VMFUNC's own; EPTPs as in the VMCS before and after.
    case eptpSwitch(rip: LinearAddress, index: UInt32, from: UInt64, to: UInt64)
    case vmExit(reason: UInt16, qualification: UInt64, rip: LinearAddress)
    case vmEntry(rip: LinearAddress, eptp: UInt64)
    /// VMLAUNCH or VMRESUME at `rip` violated a check. (Failures of checks on guest state are VM exits besides.)
    case vmEntryFailure(VMEntryCheckFailure, rip: LinearAddress)
    /// Delivered through the IDT; `rip` and `rsp` are the interrupted ones. External, NMI, software, exception alike.
    case delivered(vector: UInt8, kind: DeliveryKind, rip: LinearAddress, rsp: UInt64, frame: LinearAddress)
    case interruptReturn(rip: LinearAddress, to: LinearAddress)
    case controlRegisterWrite(register: UInt8, old: UInt64, new: UInt64, rip: LinearAddress)
    case eptViolation(address: GuestPhysicalAddress, qualification: UInt64, rip: LinearAddress)
    /// A write touched a physical page under watch (`Machine.watch`). Reported after the write.
    case watchedWrite(address: PhysicalAddress, size: UInt8, rip: LinearAddress)
    case halted(rip: LinearAddress)
    /// One byte left a serial port.
    case serialOutput(port: UInt16, byte: UInt8)
    /// Only while subscribed to: an instruction is about to execute at `rip`.
    case instruction(rip: LinearAddress)
}

public enum DeliveryKind: UInt8, Sendable {
    case external = 0, nmi = 2, hardwareException = 3, softwareInterrupt = 4, privilegedSoftwareException = 5
    case softwareException = 6
}

/// Which events a run reports; what nobody asked for costs nothing.
public struct EventMask: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public static let eptpSwitch = EventMask(rawValue: 1 << 0)
    public static let vmTransition = EventMask(rawValue: 1 << 1)
    public static let delivery = EventMask(rawValue: 1 << 2)
    public static let controlRegister = EventMask(rawValue: 1 << 3)
    public static let eptViolation = EventMask(rawValue: 1 << 4)
    public static let watch = EventMask(rawValue: 1 << 5)
    public static let halt = EventMask(rawValue: 1 << 6)
    public static let serial = EventMask(rawValue: 1 << 7)
    public static let instruction = EventMask(rawValue: 1 << 8)
    /// What the digest of a run's events covers: all that the guest does, independently of what a tool watches.
    public static let hashed: EventMask = EventMask.all.subtracting(.watch)
    public static let all: EventMask = [
        .eptpSwitch, .vmTransition, .delivery, .controlRegister, .eptViolation, .watch, .halt, .serial,
    ]
}

/// Watches a run and can never disturb it: it gets values and a read-only view.
public protocol Observer: AnyObject {
    var events: EventMask { get }
    /// Called in order, at the cycle of the event, with the processor's state after it.
    func observe(_ event: Event, processor: Int, in machine: MachineView)
}

extension Event {
    /// The subscription that covers this event.
    public var mask: EventMask {
        switch self {
        case .eptpSwitch: .eptpSwitch
        case .vmExit, .vmEntry, .vmEntryFailure: .vmTransition
        case .delivered, .interruptReturn: .delivery
        case .controlRegisterWrite: .controlRegister
        case .eptViolation: .eptViolation
        case .watchedWrite: .watch
        case .halted: .halt
        case .serialOutput: .serial
        case .instruction: .instruction
        }
    }

    /// Feeds the event, field by field in declaration order, to the hash of the event stream.
    func hash(into h: inout StableHash, processor: Int, cycle: UInt64) {
        h.add(UInt64(mask.rawValue) << 32 | UInt64(processor))
        h.add(cycle)
        switch self {
        case .eptpSwitch(let rip, let index, let from, let to):
            h.add(rip.rawValue); h.add(UInt64(index)); h.add(from); h.add(to)
        case .vmExit(let reason, let qualification, let rip):
            h.add(UInt64(reason)); h.add(qualification); h.add(rip.rawValue)
        case .vmEntry(let rip, let eptp):
            h.add(1 << 32); h.add(rip.rawValue); h.add(eptp)
        case .vmEntryFailure(let failure, let rip):
            h.add(2 << 32); h.add(UInt64(failure.field.rawValue)); h.add(failure.value); h.add(rip.rawValue)
        case .delivered(let vector, let kind, let rip, let rsp, let frame):
            h.add(UInt64(vector) << 8 | UInt64(kind.rawValue)); h.add(rip.rawValue); h.add(rsp); h.add(frame.rawValue)
        case .interruptReturn(let rip, let to):
            h.add(1 << 32); h.add(rip.rawValue); h.add(to.rawValue)
        case .controlRegisterWrite(let register, let old, let new, let rip):
            h.add(UInt64(register)); h.add(old); h.add(new); h.add(rip.rawValue)
        case .eptViolation(let address, let qualification, let rip):
            h.add(address.rawValue); h.add(qualification); h.add(rip.rawValue)
        case .watchedWrite(let address, let size, let rip):
            h.add(address.rawValue); h.add(UInt64(size)); h.add(rip.rawValue)
        case .halted(let rip), .instruction(let rip):
            h.add(rip.rawValue)
        case .serialOutput(let port, let byte):
            h.add(UInt64(port) << 8 | UInt64(byte))
        }
    }
}
