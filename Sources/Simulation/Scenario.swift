import Boot
import Isolation
import Traces

/// Everything that a run of the guest system is a function of, and where it ends if the guest does not end it.
public struct Scenario: Sendable {
    public var system: LVDConfiguration
    public var workload: Workload
    public var interrupts = InterruptTrace()
    /// The rules to check; empty: none.
    public var invariants: [any Invariant.Type] = Registry.invariants
    /// The machine clock at which a run is given up as inconclusive.
    public var cyclesMax: UInt64

    /// - Parameter drivers: paths of the driver images, in the order in which they are loaded.
    public init(drivers: [String], workload: Workload) {
        system = LVDConfiguration(drivers: drivers)
        system.workload = workload.description
        self.workload = workload
        // Far beyond what any known driver takes, near enough to end before a person gives up.
        cyclesMax = 10_000_000_000 + workload.operations.multipliedReportingOverflow(by: 200_000).partialValue
    }

    public var isIsolated: Bool { system.isolation == .isolated }
}
