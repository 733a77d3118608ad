import Boot
import LVD
import Traces
import X86Architecture
import X86Machine

/// Counts calls into domains until the one that is looked for.
final class CallCounter: Observer {
    let events: EventMask = [.eptpSwitch, .vmTransition, .delivery]
    private let layout: GuestLayout
    private let sites: CrossingSites
    private let wanted: UInt64?
    private let stop: () -> Void
    private(set) var calls: UInt64 = 0
    private(set) var found: (call: UInt64, cycle: UInt64, processor: Int)?
    /// The last external interrupt's vector: the guest's timer, as nothing else interrupts it by itself.
    private(set) var vector: UInt8?

    init(layout: GuestLayout, call: UInt64?, stop: @escaping () -> Void) {
        self.layout = layout
        wanted = call
        self.stop = stop
        sites = CrossingSites(layout)
    }

    func observe(_ event: Event, processor: Int, in machine: MachineView) {
        if case .delivered(let number, .external, _, _, _) = event { vector = number }
        guard case .eptpSwitch(let rip, let index, _, _) = event, found == nil,
            sites.crossing(rip: rip, index: index) == .call
        else { return }
        calls += 1
        let isWanted =
            if let wanted {
                wanted == calls
            } else {
                (GuestResults(machine, layout: layout)?.progress ?? 0) >= 1
            }
        guard isWanted else { return }
        found = (calls, machine.cycles(of: processor), processor)
        stop()
    }
}

/// Whether an injected interrupt has been taken, and in which view.
final class DeliveryWatch: Observer {
    let events: EventMask = [.delivery]
    private let source: InterruptTrace.Source
    private let views: Views
    /// nil: not yet; otherwise whether a domain's view was active.
    private(set) var delivered: Bool?

    init(_ source: InterruptTrace.Source, views: Views) {
        self.source = source
        self.views = views
    }

    func observe(_ event: Event, processor: Int, in machine: MachineView) {
        guard delivered == nil, case .delivered(let vector, let kind, _, _, _) = event else { return }
        switch source {
        case .vector(let wanted): guard kind == .external, vector == wanted else { return }
        case .nmi: guard kind == .nmi else { return }
        }
        let active = machine.vmx(of: processor).eptp
        delivered = active != nil && active != views.kernelEPTP[processor]
    }
}
