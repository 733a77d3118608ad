import Boot
import LVD
import X86Architecture
import X86Machine

/// What every domain's view maps, and in which pages that is written down: recomputed when one of those pages changes,
/// so that a rule about all mappings holds at every step without reading them all at every step.
public struct Census: Sendable {
    public struct Entry: Sendable {
        public var domain: Views.DomainView
        /// Ascending by linear address.
        public var mappings: [PageMapping]
        /// Pages of the domain's own paging structures, ascending.
        public var tables: [UInt64]
        /// The page-table root that is the domain's own, by its place in the domain's window; nil where nothing is.
        public var ownRoot: PhysicalAddress?
        /// The CR3 values with which it is entered that lead anywhere in its view.
        public var roots: [UInt64]
        /// Process roots that lead anywhere in its view, and where.
        public var aliases: [(root: UInt64, physical: PhysicalAddress)]

        /// What holds a linear address; nil: nothing.
        func mapping(of linear: UInt64) -> PageMapping? {
            var low = 0
            var high = mappings.count
            while low < high {
                let middle = (low + high) / 2
                if mappings[middle].linearRange.upperBound <= linear { low = middle + 1 } else { high = middle }
            }
            return low < mappings.count && mappings[low].linear <= linear ? mappings[low] : nil
        }

        /// Whether any byte of `range` lies in a page of the domain's paging structures.
        public func holdsTable(_ range: Range<UInt64>) -> Bool {
            var low = 0
            var high = tables.count
            while low < high {
                let middle = (low + high) / 2
                if tables[middle] &+ Page.size <= range.lowerBound { low = middle + 1 } else { high = middle }
            }
            return low < tables.count && tables[low] < range.upperBound
        }
    }

    public private(set) var entries: [Entry] = []
    /// Where the state page is, in every domain's view and in the kernel's behind it.
    private var statePages: [(view: AddressView, physical: PhysicalAddress)] = []
    /// Words of the watched pages as last judged, without the flags that the processor's walks set by themselves.
    private var words: [UInt64: [UInt64]] = [:]

    public init() {}

    /// Reads the structures again and returns the pages that a change would have to go through, ascending.
    mutating func take(_ views: Views, machine: MachineView, layout: GuestLayout) -> [UInt64] {
        let statePage = layout.statePage, processRoots = Self.processRoots(views, machine)
        entries = []
        statePages = []
        var pages: Set<UInt64> = []
        for domain in views.domains {
            var reader = TranslationReader(machine), domain = domain
            // Any root that is alive shows the same (I3); the one that called last may be gone.
            let roots = domain.roots.filter { reader.physical($0 & PagingEntry.address, under: domain.eptp) != nil }
            if let living = roots.last, !roots.contains(domain.cr3) { domain.cr3 = living }
            let mappings = reader.mappings(of: domain.view)
            let tables = reader.guestTables.sorted()
            entries.append(
                Entry(
                    domain: domain, mappings: mappings, tables: tables,
                    ownRoot: domain.driver.flatMap {
                        reader.physical(layout.drivers[$0].pageTableRoot, under: domain.eptp)
                    }, roots: roots,
                    aliases: processRoots.compactMap { root in
                        reader.physical(root, under: domain.eptp).map { (root, $0) }
                    }))
            // Where the kernel's view is asked for the same addresses, its tables matter too.
            for root in roots {
                let view = AddressView(cr3: root, eptp: domain.eptp)
                if let statePage, let page = reader.translate(statePage.rawValue, in: view) {
                    statePages.append((view, page.physical))
                }
                guard let kernel = views.kernelEPTP[domain.processor] else { continue }
                let kernels = AddressView(cr3: root, eptp: kernel)
                for mapping in mappings { _ = reader.translate(mapping.linear, in: kernels) }
                if let statePage, let page = reader.translate(statePage.rawValue, in: kernels) {
                    statePages.append((kernels, page.physical))
                }
            }
            pages.formUnion(reader.guestTables)
            pages.formUnion(reader.eptTables)
        }
        words = [:]
        for page in pages { words[page] = Self.read(page, machine) }
        return pages.sorted()
    }

    /// Also those that no processor has loaded yet but a domain could, without an exit (1.4).
    private static func processRoots(_ views: Views, _ machine: MachineView) -> [UInt64] {
        var roots = Set(views.processRoots)
        let targets: [VMCSField] = [.cr3TargetValue0, .cr3TargetValue1, .cr3TargetValue2, .cr3TargetValue3]
        for processor in 0..<machine.processorCount {
            let count = machine.vmcsField(.cr3TargetCount, of: processor) ?? 0
            for field in targets.prefix(Int(min(count, 4))) {
                if let value = machine.vmcsField(field, of: processor) { roots.insert(value & PagingEntry.address) }
            }
        }
        return roots.sorted()
    }

    func statePage(in view: AddressView) -> PhysicalAddress? { statePages.first { $0.view == view }?.physical }
    /// Pages that hold a copy of the state page.
    var statePageCopies: [UInt64] { statePages.map { $0.physical.page.rawValue } }

    /// Whether the page of `address` holds translations that were read.
    func isTable(_ address: PhysicalAddress) -> Bool { words[address.rawValue & ~Page.offsetMask] != nil }

    /// Whether a write at `address` changed more than accessed and dirty flags of a page that matters.
    func isChange(_ address: PhysicalAddress, size: UInt8, machine: MachineView) -> Bool {
        guard size > 0 else { return false }
        var word = address.rawValue & ~7
        while word < address.rawValue &+ UInt64(size) {
            if let old = words[word & ~Page.offsetMask] {
                let now = machine.word(at: PhysicalAddress(word)) & Self.meaning
                if old[Int(word & Page.offsetMask) / 8] != now { return true }
            }
            word &+= 8
        }
        return false
    }

    /// Everything but accessed and dirty of guest entries (bits 5 and 6) and of EPT entries (bits 8 and 9).
    private static let meaning: UInt64 = ~(1 << 5 | 1 << 6 | 1 << 8 | 1 << 9)

    private static func read(_ page: UInt64, _ machine: MachineView) -> [UInt64] {
        (0..<512).map { machine.word(at: PhysicalAddress(page + $0 * 8)) & meaning }
    }
}
