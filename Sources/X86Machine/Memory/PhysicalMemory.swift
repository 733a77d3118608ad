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

    private let pages: HostPages
    /// Per frame: the epoch of its latest write (0: never written, hence zero).
    private let epochPages: HostPages
    /// Per frame: `code` and `watched`.
    private let flagPages: HostPages
    let frameCount: Int
    @inline(__always) private var host: UnsafeMutableRawPointer { pages.base }
    @inline(__always) private var epochs: UnsafeMutablePointer<UInt32> {
        epochPages.base.assumingMemoryBound(to: UInt32.self)
    }
    @inline(__always) private var flagBytes: UnsafeMutablePointer<UInt8> {
        flagPages.base.assumingMemoryBound(to: UInt8.self)
    }

    /// Advanced by every snapshot and restore; a page of an older epoch still carries `undo`.
    private(set) var epoch: UInt32 = 1
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
    }

    // MARK: Addresses

    /// Offset into RAM, or nil where there is none.
    @inline(__always) func offset(of address: PhysicalAddress) -> UInt64? {
        let a = address.rawValue
        if a < lowBytes { return a }
        if a >= Self.highStart, a &- Self.highStart < bytes &- lowBytes { return lowBytes &+ (a &- Self.highStart) }
        return nil
    }
    @inline(__always) public func isRAM(_ address: PhysicalAddress) -> Bool { offset(of: address) != nil }
    @inline(__always) func frame(of address: PhysicalAddress) -> Int? { offset(of: address).map { Int($0 >> 12) } }
    func address(ofFrame frame: Int) -> PhysicalAddress {
        let o = UInt64(frame) << 12
        return PhysicalAddress(o < lowBytes ? o : o - lowBytes + Self.highStart)
    }

    /// Host address of the page that contains `address`, nil outside RAM. For fast translation entries:
    /// a *write* through it is allowed only while `flags(ofPage:)` is `none`.
    @inline(__always) func hostAddress(of address: PhysicalAddress) -> UnsafeMutableRawPointer? {
        guard let o = offset(of: address) else { return nil }
        return host + Int(o & ~Page.offsetMask)
    }
    func hostAddress(ofFrame frame: Int) -> UnsafeMutableRawPointer { host + frame << 12 }

    // MARK: Flags

    func flags(ofPage address: PhysicalAddress) -> PageFlags {
        guard let f = frame(of: address) else { return .none }
        return flags(ofFrame: f)
    }
    @inline(__always) func flags(ofFrame f: Int) -> PageFlags {
        var flags = PageFlags(rawValue: flagBytes[f])
        if epochs[f] != epoch { flags.insert(.undo) }
        return flags
    }
    /// Marks the page as the source of translated code (or no longer so).
    func setCode(_ isCode: Bool, page address: PhysicalAddress) {
        guard let f = frame(of: address) else { return }
        setFlag(.code, isCode, frame: f)
    }
    func setFlag(_ flag: PageFlags, _ on: Bool, frame f: Int) {
        flagBytes[f] = on ? flagBytes[f] | flag.rawValue : flagBytes[f] & ~flag.rawValue
    }

    /// To be called before the first write of an epoch to a frame: saves its contents for the newest snapshot.
    func beforeWrite(frame f: Int) {
        if epochs[f] == epoch { return }
        if epochs[f] == 0 { writtenFrames.append(UInt32(f)) }
        epochs[f] = epoch
        newest?.save(frame: f, of: self)
    }
    /// Every page carries `undo` again. The caller drops fast write entries.
    func advanceEpoch() { epoch += 1 }

    // MARK: Access

    /// Any alignment and width; bytes outside RAM read as ones.
    @inline(__always) func load<T: FixedWidthInteger & UnsignedInteger>(_ address: PhysicalAddress, as: T.Type) -> T {
        let inPage = address.rawValue & Page.offsetMask
        if inPage &+ UInt64(MemoryLayout<T>.size) <= Page.size, let o = offset(of: address) {
            return (host + Int(o)).loadUnaligned(as: T.self)
        }
        return loadBytewise(address, as: T.self)
    }
    private func loadBytewise<T: FixedWidthInteger & UnsignedInteger>(_ address: PhysicalAddress, as: T.Type) -> T {
        var value: T = 0
        for i in 0..<MemoryLayout<T>.size {
            let byte = offset(of: address + UInt64(i)).map { (host + Int($0)).load(as: UInt8.self) } ?? 0xFF
            value |= T(truncatingIfNeeded: byte) << T(i * 8)
        }
        return value
    }
    /// Any alignment and width; bytes outside RAM are lost. Does not notify: `Machine.physicalStore` does.
    func storeUnnotified<T: FixedWidthInteger & UnsignedInteger>(_ address: PhysicalAddress, _ value: T) {
        let inPage = address.rawValue & Page.offsetMask
        if inPage &+ UInt64(MemoryLayout<T>.size) <= Page.size {
            guard let o = offset(of: address) else { return }
            beforeWrite(frame: Int(o >> 12))
            (host + Int(o)).storeBytes(of: value, as: T.self)
            return
        }
        for i in 0..<MemoryLayout<T>.size {
            storeUnnotified(address + UInt64(i), UInt8(truncatingIfNeeded: value >> T(i * 8)))
        }
    }
}
