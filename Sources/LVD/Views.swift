import Boot
import X86Architecture
import X86Machine

/// Which view each processor runs in, followed from the machine's events: the machine knows EPTPs and a list, this
/// knows which of them is the kernel's. Updated before anybody else looks at an event.
public struct Views: Sendable {
    /// One domain's view on one processor: every processor has an EPT of its own for every domain.
    public struct DomainView: Sendable, Equatable {
        public var processor: Int
        public var eptp: UInt64
        /// CR3 when the view was last entered: a guest-physical address, the same value as in the kernel.
        public var cr3: UInt64
        /// Every CR3 with which it was entered: a root of each process that has called into it, ended ones among them.
        public var roots: [UInt64]
        /// Index into `GuestLayout.drivers`; nil when nothing of any driver is mapped.
        public var driver: Int?
        public var view: AddressView { AddressView(cr3: cr3, eptp: eptp) }
    }

    /// EPTP with which the processor first entered VMX non-root operation: EPT_K. nil before late launch.
    public private(set) var kernelEPTP: [UInt64?]
    /// EPTP now; nil in root operation before the first VM entry.
    public private(set) var activeEPTP: [UInt64?]
    /// In order of first entry.
    public private(set) var domains: [DomainView] = []
    /// What CR3 has held in the kernel's view since launch: roots of processes, ended ones among them; ascending.
    public private(set) var processRoots: [UInt64] = []

    public init(processors: Int) {
        kernelEPTP = Array(repeating: nil, count: processors)
        activeEPTP = Array(repeating: nil, count: processors)
    }

    public func isInDomain(_ processor: Int) -> Bool {
        guard let active = activeEPTP[processor], let kernel = kernelEPTP[processor] else { return false }
        return active != kernel
    }
    public var anyInDomain: Bool { activeEPTP.indices.contains { isInDomain($0) } }

    /// The view that `processor` runs in, if it is a domain's.
    public func domain(of processor: Int) -> DomainView? {
        guard isInDomain(processor), let eptp = activeEPTP[processor] else { return nil }
        return domains.first { $0.processor == processor && $0.eptp == eptp }
    }

    private mutating func note(root cr3: UInt64) -> Bool {
        let root = cr3 & PagingEntry.address
        let place = processRoots.firstIndex { $0 >= root } ?? processRoots.count
        if place < processRoots.count, processRoots[place] == root { return false }
        processRoots.insert(root, at: place)
        return true
    }

    /// Follows one event. Returns true when something is new: a domain's view, a CR3 with which it is entered, a root
    /// of a process.
    public mutating func follow(_ event: Event, processor: Int, machine: MachineView, layout: GuestLayout) -> Bool {
        switch event {
        case .vmEntry(_, let eptp):
            if kernelEPTP[processor] == nil { kernelEPTP[processor] = eptp }
            activeEPTP[processor] = eptp
            return !isInDomain(processor) && note(root: machine.cr3(of: processor))
        case .controlRegisterWrite(3, _, let root, _):
            guard kernelEPTP[processor] != nil, machine.vmx(of: processor).inNonRoot, !isInDomain(processor) else {
                return false
            }
            return note(root: root)
        case .eptpSwitch(_, _, _, let to):
            activeEPTP[processor] = to
            guard isInDomain(processor) else { return false }
            return enter(eptp: to, cr3: machine.cr3(of: processor), processor, machine, layout)
        default:
            return false
        }
    }

    private mutating func enter(
        eptp: UInt64, cr3: UInt64, _ processor: Int, _ machine: MachineView, _ layout: GuestLayout
    ) -> Bool {
        if let known = domains.firstIndex(where: { $0.processor == processor && $0.eptp == eptp }) {
            domains[known].cr3 = cr3
            guard !domains[known].roots.contains(cr3) else { return false }
            domains[known].roots.append(cr3)
            return true
        }
        // The list index says nothing lasting (entry 1 is rewritten for whoever is called next): a domain is the one
        // whose code its view maps.
        var reader = TranslationReader(machine)
        let view = AddressView(cr3: cr3, eptp: eptp)
        let driver = layout.drivers.firstIndex { driver in
            driver.segments.contains { reader.translate($0.range.lowerBound, in: view) != nil }
        }
        domains.append(DomainView(processor: processor, eptp: eptp, cr3: cr3, roots: [cr3], driver: driver))
        return true
    }
}
