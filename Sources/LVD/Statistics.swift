import Boot
import X86Architecture
import X86Machine

/// What a run's crossings, exits and interrupts add up to.
public struct CrossingStatistics: Sendable, Equatable {
    /// EPTP switches by what they mean, in the order of `Crossing.allCases`.
    public var crossings: [UInt64] = Array(repeating: 0, count: Crossing.allCases.count)
    /// VM exits by basic exit reason, ascending.
    public var exitsByReason: [(reason: UInt16, count: UInt64)] = []
    /// External interrupts delivered through the IDT.
    public var interrupts: UInt64 = 0
    /// Of those, while a domain's view was active.
    public var interruptsInsideDomain: UInt64 = 0
    public var nmis: UInt64 = 0
    public var nmisInsideDomain: UInt64 = 0
    public var exceptions: UInt64 = 0

    public init() {}

    public func count(_ crossing: Crossing) -> UInt64 { crossings[Crossing.allCases.firstIndex(of: crossing)!] }
    /// VMFUNC instructions that switched the view.
    public var vmfunc: UInt64 { crossings.reduce(0, +) }
    public var exits: UInt64 { exitsByReason.reduce(0) { $0 + $1.count } }

    public static func == (a: Self, b: Self) -> Bool {
        a.crossings == b.crossings && a.interrupts == b.interrupts && a.nmis == b.nmis && a.exceptions == b.exceptions
            && a.interruptsInsideDomain == b.interruptsInsideDomain && a.nmisInsideDomain == b.nmisInsideDomain
            && a.exitsByReason.map(\.reason) == b.exitsByReason.map(\.reason)
            && a.exitsByReason.map(\.count) == b.exitsByReason.map(\.count)
    }

    mutating func addExit(_ reason: UInt16) {
        let place = exitsByReason.firstIndex { $0.reason >= reason } ?? exitsByReason.count
        if place < exitsByReason.count, exitsByReason[place].reason == reason {
            exitsByReason[place].count += 1
        } else {
            exitsByReason.insert((reason, 1), at: place)
        }
    }
}

/// Counts while a run runs.
public final class StatisticsObserver: Observer {
    public let events: EventMask = [.eptpSwitch, .vmTransition, .delivery]
    public private(set) var statistics = CrossingStatistics()
    private let layout: GuestLayout
    private let sites: CrossingSites
    private var views: Views

    public init(layout: GuestLayout, processors: Int) {
        self.layout = layout
        sites = CrossingSites(layout)
        views = Views(processors: processors)
    }

    public func observe(_ event: Event, processor: Int, in machine: MachineView) {
        _ = views.follow(event, processor: processor, machine: machine, layout: layout)
        switch event {
        case .eptpSwitch(let rip, let index, _, _):
            let crossing = sites.crossing(rip: rip, index: index)
            statistics.crossings[Crossing.allCases.firstIndex(of: crossing)!] += 1
        case .vmExit(let reason, _, _):
            statistics.addExit(reason)
        case .delivered(_, let kind, _, _, _):
            let inside: UInt64 = views.isInDomain(processor) ? 1 : 0
            switch kind {
            case .external:
                statistics.interrupts += 1
                statistics.interruptsInsideDomain += inside
            case .nmi:
                statistics.nmis += 1
                statistics.nmisInsideDomain += inside
            default:
                statistics.exceptions += 1
            }
        default:
            break
        }
    }
}
