import X86Architecture

/// What else has to happen when a page is written. `none` is the only state in which a fast write entry may exist.
struct PageFlags: OptionSet {
    let rawValue: UInt8
    /// Translated blocks were made from this page.
    static let code = PageFlags(rawValue: 1)
    /// Not written since the newest snapshot (or since power-on): the first write saves the page.
    static let undo = PageFlags(rawValue: 2)
    /// Writes are reported (`Machine.watch`).
    static let watched = PageFlags(rawValue: 4)
    static let none: PageFlags = []
}

/// RAM: sparse, lazily backed by the host. Page numbers below are *frame numbers*: indices of RAM pages, without the
/// hole.
///
/// Layout: `0 ..< min(bytes, 0xC000_0000)`, the rest from 4 GiB on; between them is the hole for MMIO.
public final class PhysicalMemory {
    /// Bytes of RAM, a multiple of the page size.
    public let bytes: UInt64
    /// Where RAM below 4 GiB ends: 3 GiB or less.
    public let lowBytes: UInt64
    public static let holeStart: UInt64 = 0xC000_0000
    public static let highStart: UInt64 = 0x1_0000_0000

    private let pages: HostPages, epochPages: HostPages, flagPages: HostPages
    let frameCount: Int
    /// What hot paths keep a copy of: this object without an object. Valid as long as this is.
    let ram: RAM

    private var epoch: UInt32 { ram.epoch.pointee }
    /// Frames written at least once since power-on, in order of first write.
    private(set) var writtenFrames: [UInt32] = []
    /// The version of memory that writes now diverge from, as long as somebody holds it.
    weak var newest: MemoryVersion?

    init(bytes: UInt64) {
        self.bytes = (bytes &+ Page.offsetMask) & ~Page.offsetMask
        lowBytes = min(self.bytes, Self.holeStart)
        frameCount = Int(self.bytes / Page.size)
        pages = HostPages(bytes: Int(self.bytes))
        epochPages = HostPages(bytes: frameCount * MemoryLayout<UInt32>.stride)
        flagPages = HostPages(bytes: frameCount)
        let epoch = UnsafeMutablePointer<UInt32>.allocate(capacity: 1)
        epoch.initialize(to: 1)
        ram = RAM(
            host: pages.base, epochs: epochPages.base.assumingMemoryBound(to: UInt32.self),
            flagBytes: flagPages.base.assumingMemoryBound(to: UInt8.self), epoch: epoch, bytes: self.bytes,
            lowBytes: lowBytes)
    }
    deinit { ram.epoch.deallocate() }

    // MARK: Addresses

    @inline(__always) func offset(of address: PhysicalAddress) -> UInt64? { ram.offset(of: address) }
    @inline(__always) public func isRAM(_ address: PhysicalAddress) -> Bool { ram.isRAM(address) }
    @inline(__always) func frame(of address: PhysicalAddress) -> Int? { ram.frame(of: address) }
    func address(ofFrame frame: Int) -> PhysicalAddress {
        let o = UInt64(frame) << 12
        return PhysicalAddress(o < lowBytes ? o : o - lowBytes + Self.highStart)
    }

    @inline(__always) func hostAddress(of address: PhysicalAddress) -> UnsafeMutableRawPointer? {
        ram.hostAddress(of: address)
    }
    func hostAddress(ofFrame frame: Int) -> UnsafeMutableRawPointer { ram.host + frame << 12 }

    // MARK: Flags

    func flags(ofPage address: PhysicalAddress) -> PageFlags { ram.flags(ofPage: address) }
    /// Marks the page as the source of translated code (or no longer so).
    func setCode(_ isCode: Bool, page address: PhysicalAddress) {
        guard let f = frame(of: address) else { return }
        setFlag(.code, isCode, frame: f)
    }
    func setFlag(_ flag: PageFlags, _ on: Bool, frame f: Int) {
        ram.flagBytes[f] = on ? ram.flagBytes[f] | flag.rawValue : ram.flagBytes[f] & ~flag.rawValue
    }

    /// To be called before the first write of an epoch to a frame: saves its contents for the newest snapshot.
    func beforeWrite(frame f: Int) {
        if !ram.needsSaving(frame: f) { return }
        if ram.epochs[f] == 0 { writtenFrames.append(UInt32(f)) }
        ram.epochs[f] = epoch
        newest?.save(frame: f, of: self)
    }
    /// Every page carries `undo` again. The caller drops fast write entries.
    func advanceEpoch() { ram.epoch.pointee += 1 }

    // MARK: Access

    @inline(__always) func load<T: FixedWidthInteger & UnsignedInteger>(_ address: PhysicalAddress, as: T.Type) -> T {
        ram.load(address, as: T.self)
    }
    /// Any alignment and width; bytes outside RAM are lost. Does not notify: `Machine.physicalStore` does.
    func storeUnnotified<T: FixedWidthInteger & UnsignedInteger>(_ address: PhysicalAddress, _ value: T) {
        let inPage = address.rawValue & Page.offsetMask
        if inPage &+ UInt64(MemoryLayout<T>.size) <= Page.size {
            guard let o = offset(of: address) else { return }
            beforeWrite(frame: Int(o >> 12))
            (ram.host + Int(o)).storeBytes(of: value, as: T.self)
            return
        }
        for i in 0..<MemoryLayout<T>.size {
            storeUnnotified(address + UInt64(i), UInt8(truncatingIfNeeded: value >> T(i * 8)))
        }
    }
}
