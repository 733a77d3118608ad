import X86Architecture

/// RAM by host pointers: a plain value, so that what runs often asks no object. Frames and layout: `PhysicalMemory`,
/// which owns what this points to.
struct RAM {
    let host: UnsafeMutableRawPointer
    /// Per frame: the epoch of its latest write (0: never written, hence zero).
    let epochs: UnsafeMutablePointer<UInt32>
    /// Per frame: `code` and `watched`.
    let flagBytes: UnsafeMutablePointer<UInt8>
    /// Advanced by every snapshot and restore; a page of an older epoch still carries `undo`.
    let epoch: UnsafeMutablePointer<UInt32>
    let bytes: UInt64
    let lowBytes: UInt64

    /// Offset into RAM, or nil where there is none.
    @inline(__always) func offset(of address: PhysicalAddress) -> UInt64? {
        let a = address.rawValue, high = PhysicalMemory.highStart
        if a < lowBytes { return a }
        if a >= high, a &- high < bytes &- lowBytes { return lowBytes &+ (a &- high) }
        return nil
    }
    @inline(__always) func isRAM(_ address: PhysicalAddress) -> Bool { offset(of: address) != nil }
    @inline(__always) func frame(of address: PhysicalAddress) -> Int? { offset(of: address).map { Int($0 >> 12) } }

    /// Host address of the page that contains `address`, nil outside RAM. For fast translation entries:
    /// a *write* through it is allowed only while `flags(ofPage:)` is `none`.
    @inline(__always) func hostAddress(of address: PhysicalAddress) -> UnsafeMutableRawPointer? {
        guard let o = offset(of: address) else { return nil }
        return host + Int(o & ~Page.offsetMask)
    }

    @inline(__always) func flags(ofPage address: PhysicalAddress) -> PageFlags {
        guard let f = frame(of: address) else { return .none }
        return flags(ofFrame: f)
    }
    @inline(__always) func flags(ofFrame f: Int) -> PageFlags {
        var flags = PageFlags(rawValue: flagBytes[f])
        if needsSaving(frame: f) { flags.insert(.undo) }
        return flags
    }
    /// Whether `PhysicalMemory.beforeWrite` has something to do.
    @inline(__always) func needsSaving(frame f: Int) -> Bool { epochs[f] != epoch.pointee }

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
}
