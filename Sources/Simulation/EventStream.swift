import X86Architecture
import X86Machine

/// Hashes every event of a run, and hands it to whoever records or compares.
public final class EventStream: Observer {
    public let events = EventRecord.mask
    public private(set) var hash = StableHash()
    public private(set) var count = 0
    /// Called after hashing.
    public var sink: ((EventRecord) -> Void)?

    public init() {}

    public func observe(_ event: Event, processor: Int, in machine: MachineView) {
        guard let record = EventRecord(event, processor: processor, cycle: machine.cycles(of: processor)) else {
            return
        }
        record.add(to: &hash)
        count += 1
        sink?(record)
    }
}
