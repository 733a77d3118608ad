import Boot
import LVD
import Simulation
import X86Architecture

/// The events of a run as JSON Lines, for `jq` and eyes: docs/reference/event-trace.md. The first line is a
/// header; then one event per line, with names where addresses have them.
public struct EventTrace {
    private let layout: GuestLayout
    private let sites: CrossingSites
    public init(_ layout: GuestLayout) {
        self.layout = layout
        sites = CrossingSites(layout)
    }

    public func header(_ scenario: Scenario) -> String {
        JSONValue.object([
            ("format", .string("lvdsim-events")),
            ("version", .count(1 as UInt64)),
            ("image", .string(scenario.system.drivers.map(baseName).joined(separator: " "))),
            ("isolation", .string(scenario.isIsolated ? "isolated" : "native")),
            ("workload", .string(scenario.workload.description)),
            ("processors", .count(scenario.system.processorCount)),
            ("seed", .count(scenario.system.seed))
        ]).text(indent: nil) + "\n"
    }

    public func line(_ event: EventRecord) -> String {
        var members: [(String, JSONValue)] = [
            ("cycle", .count(event.cycle)), ("processor", .count(event.processor)), ("event", .string(event.kind.name))
        ]
        for (i, field) in event.kind.fields.enumerated() {
            let value = event.values[i]
            switch field {
            case "index", "vector", "kind", "register", "byte": members.append((field, .count(value)))
            case "reason": members.append((field, .string(exitName(UInt16(truncatingIfNeeded: value)))))
            default: members.append((field, .hex(value)))
            }
            if field == "rip", let name = layout.describe(LinearAddress(value)) {
                members.append(("at", .string(name)))
            }
        }
        if event.kind == .eptpSwitch {
            let crossing = sites.crossing(
                rip: LinearAddress(event.values[0]), index: UInt32(truncatingIfNeeded: event.values[1]))
            members.append(("crossing", .string(crossing.rawValue)))
        }
        if let note = event.note { members.append(("check", .string(note))) }
        return JSONValue.object(members).text(indent: nil) + "\n"
    }
}
