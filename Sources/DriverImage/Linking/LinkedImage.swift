/// What a page of a linked image may be used for.
public struct SegmentPermissions: Sendable, Equatable {
    public var read: Bool
    public var write: Bool
    public var execute: Bool
    public init(read: Bool, write: Bool, execute: Bool) {
        self.read = read
        self.write = write
        self.execute = execute
    }
    public static let text = SegmentPermissions(read: true, write: false, execute: true)
    public static let readOnly = SegmentPermissions(read: true, write: false, execute: false)
    public static let data = SegmentPermissions(read: true, write: true, execute: false)
}

extension SegmentPermissions: CustomStringConvertible {
    public var description: String { (read ? "r" : "-") + (write ? "w" : "-") + (execute ? "x" : "-") }
}

/// Whole pages with one permission: ready to be placed in guest memory.
public struct LinkedSegment: Sendable {
    /// `text`, `rodata` or `data`.
    public var name: String
    /// Linear address of the first byte; a multiple of 4096.
    public var address: UInt64
    public var permissions: SegmentPermissions
    /// Contents, zero-initialised parts included; its length is a multiple of 4096.
    public var bytes: [UInt8]
}

/// A section of an input where the linker put it.
public struct PlacedSection: Sendable {
    public var name: String
    public var address: UInt64
    public var size: UInt64
    /// Index into `LinkedImage.segments`; nil for the per-CPU template.
    public var segment: Int?
}

/// A defined symbol with its final linear address.
public struct LinkedSymbol: Sendable, Equatable {
    public var name: String
    public var address: UInt64
    public var size: UInt64
    public var isGlobal: Bool
    public var isFunction: Bool
    /// Index into `LinkedImage.objects`.
    public var object: Int
}

/// An import of one input and what it was bound to.
public struct ResolvedImport: Sendable, Equatable {
    public var name: String
    public var address: UInt64
    /// Index into `LinkedImage.objects` of the input that exports it; nil when the caller's resolver supplied it.
    public var suppliedBy: Int?
}

/// One input of a link.
public struct LinkedObject: Sendable {
    public var file: String
    public var sections: [PlacedSection]
    public var imports: [ResolvedImport]
    /// Relocations applied, R_X86_64_NONE included.
    public var relocationCount: Int
    /// Linear address of `init_module`, from the relocation in `.gnu.linkonce.this_module`.
    public var initAddress: UInt64?
    /// Linear address of `cleanup_module`.
    public var cleanupAddress: UInt64?
    /// Linear address and size of `struct module`.
    public var thisModule: (address: UInt64, size: UInt64)?
}

/// Relocatable objects linked at a fixed linear address.
public struct LinkedImage: Sendable {
    public var base: UInt64
    /// Ascending, disjoint, the first at `base`.
    public var segments: [LinkedSegment]
    /// What each processor's copy of the per-CPU variables starts as, linked at the caller's per-CPU base (an offset
    /// from GS, not a place in memory).
    public var perCPU: LinkedSegment?
    /// Every named definition, by address, then by name.
    public var symbols: [LinkedSymbol]
    /// In the order they were given.
    public var objects: [LinkedObject]

    /// First address behind the image; a multiple of 4096.
    public var end: UInt64 { segments.last.map { $0.address &+ UInt64($0.bytes.count) } ?? base }

    /// The global symbol of that name in the first input that defines it.
    public func address(of name: String) -> UInt64? {
        var best: LinkedSymbol?
        for symbol in symbols where symbol.isGlobal && symbol.name == name {
            if best == nil || symbol.object < best!.object { best = symbol }
        }
        return best?.address
    }
}
