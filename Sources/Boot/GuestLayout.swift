import X86Architecture

/// The symbols of one image, by name and by address.
public struct SymbolMap: Sendable {
    public struct Symbol: Sendable, Equatable {
        public var name: String
        public var address: LinearAddress
        /// 0 when the image does not say.
        public var size: UInt64
        public init(name: String, address: LinearAddress, size: UInt64) {
            self.name = name
            self.address = address
            self.size = size
        }
    }

    /// Ascending by address, then by name.
    public let symbols: [Symbol]
    private let byName: [String: Int]

    /// Of several symbols with one name the lowest address is the one found by name.
    public init(_ symbols: [Symbol]) {
        let sorted = symbols.sorted { ($0.address.rawValue, $0.name) < ($1.address.rawValue, $1.name) }
        var index: [String: Int] = [:]
        for (i, symbol) in sorted.enumerated() where index[symbol.name] == nil { index[symbol.name] = i }
        self.symbols = sorted
        byName = index
    }

    public subscript(_ name: String) -> LinearAddress? { byName[name].map { symbols[$0].address } }
    public func symbol(named name: String) -> Symbol? { byName[name].map { symbols[$0] } }

    /// The last symbol at or below `address` that reaches it (a symbol without a size reaches to the next one).
    public func symbol(containing address: LinearAddress) -> (symbol: Symbol, offset: UInt64)? {
        var low = 0
        var high = symbols.count
        while low < high {
            let middle = (low + high) / 2
            if symbols[middle].address.rawValue <= address.rawValue { low = middle + 1 } else { high = middle }
        }
        var i = low - 1
        while i >= 0, low - i <= 8 {
            let offset = address.rawValue &- symbols[i].address.rawValue
            if offset < symbols[i].size || symbols[i].size == 0 { return (symbols[i], offset) }
            i -= 1
        }
        return nil
    }
}

/// One linked driver image: an isolated domain, or a driver inside the kernel.
public struct DriverLayout: Sendable {
    public struct Segment: Sendable, Equatable {
        /// `text`, `rodata` or `data`.
        public var name: String
        public var range: Range<UInt64>
        public var writable: Bool
        public var executable: Bool
    }
    /// The name of the driver as the module's `.modinfo` or its file gives it.
    public var name: String
    /// The file it came from, as the user gave it.
    public var file: String
    /// Number of its domain, from 0; nil when the driver runs natively.
    public var domain: Int?
    public var base: LinearAddress
    /// Where the kernel's crossings enter: dispatch address of the domain runtime; nil when native.
    public var entry: LinearAddress?
    public var initModule: LinearAddress
    public var cleanupModule: LinearAddress?
    public var segments: [Segment]
    public var symbols: SymbolMap

    /// Where the root of the domain's page table is, guest-physical in its views.
    public var pageTableRoot: UInt64 {
        base.rawValue &- DriverPlacement.kernelBase &+ DriverPlacement.domainPhysical &+ DriverPlacement.pageTables
    }
}

/// A VMFUNC instruction the kernel image declares, from its `.lvd_vmfunc_sites` section.
public struct VMFunctionSite: Sendable, Equatable {
    public var address: LinearAddress
    /// What ECX must hold there; 0xffffffff when it is chosen at run time.
    public var expectedECX: UInt32
}

/// Linear addresses mapped in the kernel and in every domain, from the kernel image's `.lvd_shared_ranges` section.
public struct SharedRange: Sendable, Equatable {
    public enum Backing: UInt32, Sendable {
        /// The same memory in every view.
        case common = 0
        /// An equal part for each processor, of which a processor's views hold only its own.
        case perProcessor = 1
        /// One page, other memory in each view: the state page.
        case perView = 2
    }
    public var name: String
    public var range: Range<UInt64>
    /// LVD_MAX_CPUS in Sources/Guest/include/lvd/layout.h.
    public static let processorsMax: UInt64 = 8
    /// A processor's part of a `perProcessor` range.
    public func part(of processor: Int) -> Range<UInt64> {
        let size = UInt64(range.count) / Self.processorsMax
        return range.lowerBound + UInt64(processor) * size..<range.lowerBound + UInt64(processor + 1) * size
    }
    /// The greatest rights a domain may have.
    public var writable: Bool
    public var executable: Bool
    public var backing: Backing
    public init(name: String, range: Range<UInt64>, writable: Bool, executable: Bool, backing: Backing) {
        self.name = name
        self.range = range
        self.writable = writable
        self.executable = executable
        self.backing = backing
    }
}

/// What a message's first word is called, from the kernel image's `.lvd_rpc_names` section.
public struct ProcedureName: Sendable, Equatable {
    /// From a domain to the kernel; else the other way round.
    public var isCallback: Bool
    /// Class and number of the message (Sources/Guest/include/lvd/rpc.h).
    public var kind: UInt32
    public var number: UInt32
    public var name: String
}

/// What is where in the guest: symbols and ranges as linear addresses of the kernel's view.
public struct GuestLayout: Sendable {
    public var kernel: SymbolMap
    /// Empty when the guest runs natively.
    public var monitor: SymbolMap
    public var drivers: [DriverLayout]
    public var vmFunctionSites: [VMFunctionSite]
    /// Crossing pages mapped at one address in every view: `__vmfunc_text_start ..< __vmfunc_text_end`.
    public var crossingPages: Range<UInt64>?
    /// Everything that domains share with the kernel, crossing pages and state page among it.
    public var sharedRanges: [SharedRange] = []
    /// `vmfunc_state_page`: one linear address, another page per processor and view.
    public var statePage: LinearAddress?
    /// `struct lvd_results`.
    public var results: LinearAddress?
    /// Whether the drivers run in domains.
    public var isolated: Bool
    public var procedureNames: [ProcedureName] = []

    /// The stacks that the processors' interrupt stack tables point to.
    public var interruptStacks: SharedRange? { sharedRanges.first { $0.name == "lvd_ist_stacks" } }

    /// Code and stack of processes, LVD_USER_TEXT in Sources/Guest/include/lvd/layout.h.
    public static let processPages: Range<UInt64> = 0x40_0000..<0x40_2000

    public func isShared(_ address: UInt64) -> Bool { sharedRanges.contains { $0.range.contains(address) } }

    /// `name+offset` of an address in whichever image holds it, with that image's name.
    public func describe(_ address: LinearAddress) -> String? {
        func text(_ image: String, _ map: SymbolMap) -> String? {
            guard let (symbol, offset) = map.symbol(containing: address) else { return nil }
            return offset == 0 ? "\(image):\(symbol.name)" : "\(image):\(symbol.name)+0x\(String(offset, radix: 16))"
        }
        for driver in drivers where driver.segments.contains(where: { $0.range.contains(address.rawValue) }) {
            return text(driver.name, driver.symbols)
        }
        // The monitor runs on page tables of its own, at its physical addresses.
        if LVDSystem.monitorMemory.contains(address.rawValue) { return text("monitor", monitor) }
        if Self.processPages.contains(address.rawValue) {
            return "process:0x\(String(address.rawValue - Self.processPages.lowerBound, radix: 16))"
        }
        return text("kernel", kernel)
    }
}
