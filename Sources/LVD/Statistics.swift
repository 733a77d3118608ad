import Boot
import X86Architecture
import X86Machine

/// What a run's crossings, exits and interrupts add up to.
public struct CrossingStatistics: Sendable, Equatable {
    /// EPTP switches by what they mean, in the order of `Crossing.allCases`.
    public var crossings: [UInt64] = Array(repeating: 0, count: Crossing.allCases.count)
    /// External interrupts delivered through the IDT.
    public var interrupts: UInt64 = 0
    /// Of those, while a domain's view was active.
    public var interruptsInsideDomain: UInt64 = 0
    public var nmis: UInt64 = 0
    public var nmisInsideDomain: UInt64 = 0
    public var exceptions: UInt64 = 0
    /// VM exits by basic exit reason, ascending.
    public var exitsByReason: [(reason: UInt16, count: UInt64)] {
        var counts: [UInt16: UInt64] = [:]
        for (key, count) in callers { counts[key.reason, default: 0] += count }
        return counts.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
    /// VM exits by basic exit reason and by the function whose instruction or place it was, ascending by reason, then
    /// most frequent first.
    public var exitsByCaller: [(reason: UInt16, caller: String, count: UInt64)] {
        callers.map { ($0.key.reason, $0.key.caller, $0.value) }.sorted { a, b in
            a.0 != b.0 ? a.0 < b.0 : a.2 != b.2 ? a.2 > b.2 : a.1 < b.1
        }
    }
    /// External interrupts and NMIs by vector (an NMI's is 2), ascending, and by what they interrupted.
    public var interruptsByVector: [(vector: UInt8, places: InterruptPlaces)] {
        places.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
    public var calls = CallStatistics()

    struct Caller: Hashable, Sendable {
        var reason: UInt16
        var caller: String
    }
    var callers: [Caller: UInt64] = [:]
    var places: [UInt8: InterruptPlaces] = [:]

    public init() {}

    public func count(_ crossing: Crossing) -> UInt64 { crossings[Crossing.allCases.firstIndex(of: crossing)!] }
    /// VMFUNC instructions that switched the view.
    public var vmfunc: UInt64 { crossings.reduce(0, +) }
    public var exits: UInt64 { callers.reduce(0) { $0 + $1.value } }
}

/// What interrupts interrupted.
public struct InterruptPlaces: Sendable, Equatable {
    /// The kernel, or the monitor's guest before there was a monitor.
    public var kernel: UInt64 = 0
    /// The crossing pages, in whichever view: a thread on its way in or out.
    public var crossing: UInt64 = 0
    /// A domain's own code.
    public var domain: UInt64 = 0
    public init() {}
}

/// Counts while a run runs.
public final class StatisticsObserver: Observer {
    public let events: EventMask = [.eptpSwitch, .vmTransition, .delivery]
    public var statistics: CrossingStatistics {
        var result = counted
        result.calls = calls.finished
        return result
    }
    private var counted = CrossingStatistics()
    private let layout: GuestLayout
    private let sites: CrossingSites
    private var views: Views
    private var calls = CallFollower()

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
            counted.crossings[Crossing.allCases.firstIndex(of: crossing)!] += 1
            calls.follow(
                crossing, rsp: machine.general(4, of: processor), rdi: machine.general(7, of: processor),
                cycle: machine.cycles(of: processor))
        case .vmExit(let reason, _, let rip):
            counted.callers[.init(reason: reason, caller: caller(rip, processor)), default: 0] += 1
        case .delivered(let vector, let kind, let rip, _, _):
            let isInside = views.isInDomain(processor), inside: UInt64 = isInside ? 1 : 0
            if kind == .external || kind == .nmi { place(vector, rip, isInside: isInside) }
            switch kind {
            case .external:
                counted.interrupts += 1
                counted.interruptsInsideDomain += inside
            case .nmi:
                counted.nmis += 1
                counted.nmisInsideDomain += inside
            default:
                counted.exceptions += 1
            }
        default:
            break
        }
    }

    /// The function that `rip` lies in, with its image; the image alone where no symbol reaches.
    private func caller(_ rip: LinearAddress, _ processor: Int) -> String {
        for driver in layout.drivers where driver.segments.contains(where: { $0.range.contains(rip.rawValue) }) {
            let symbol = driver.symbols.symbol(containing: rip)?.symbol.name
            return symbol.map { "\(driver.name):\($0)" } ?? driver.name
        }
        if GuestLayout.processPages.contains(rip.rawValue) { return "process" }
        return layout.kernel.symbol(containing: rip).map { "kernel:\($0.symbol.name)" } ?? "elsewhere"
    }

    private func place(_ vector: UInt8, _ rip: LinearAddress, isInside: Bool) {
        var places = counted.places[vector] ?? InterruptPlaces()
        if layout.crossingPages?.contains(rip.rawValue) == true {
            places.crossing += 1
        } else if isInside {
            places.domain += 1
        } else {
            places.kernel += 1
        }
        counted.places[vector] = places
    }
}
