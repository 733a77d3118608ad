import X86Architecture

/// One remembered state of memory, as a difference to the version that follows it towards the present.
///
/// Versions form a tree whose root is the memory itself (re-rooting persistent arrays: H. Baker, "Shallow binding
/// makes functional arrays fast", 1991): a version holds the old contents of exactly those pages in which it differs
/// from `next`, or from memory when it is the tip. Going back swaps pages along the path and turns the links round, so
/// every version that somebody holds stays reachable, and one that nobody holds is freed together with its pages.
final class MemoryVersion {
    /// nil for the tip, the version that memory diverges from.
    private(set) var next: MemoryVersion?
    private(set) var saved: [(frame: UInt32, page: SavedPage)] = []

    enum SavedPage {
        case zero
        case bytes(UnsafeMutableRawPointer)
    }

    deinit {
        discard()
        // A long chain is released by a loop: recursion would be as deep as the chain is long.
        var link = next
        next = nil
        while isKnownUniquelyReferenced(&link) {
            let following = link?.next
            link?.next = nil
            link = following
        }
    }

    private func discard() {
        for case (_, .bytes(let page)) in saved { page.deallocate() }
        saved.removeAll()
    }

    /// Remembers what the frame holds now. Once per frame and version.
    func save(frame: Int, of memory: PhysicalMemory) {
        saved.append((UInt32(frame), Self.copy(memory.hostAddress(ofFrame: frame))))
    }

    /// A new tip that equals memory as it is.
    static func advance(_ memory: PhysicalMemory) -> MemoryVersion {
        let version = MemoryVersion()
        memory.newest?.next = version
        memory.newest = version
        memory.advanceEpoch()
        return version
    }

    /// Makes memory equal to this version. Returns the frames that were rewritten (some possibly twice).
    func restore(into memory: PhysicalMemory) -> [UInt32] {
        var rewritten: [UInt32] = []
        var path: [MemoryVersion] = [self]
        while let following = path[path.count - 1].next { path.append(following) }
        // What memory holds beyond the tip is nobody's: dropped.
        let tip = path[path.count - 1]
        for (frame, page) in tip.saved {
            Self.write(page, to: memory.hostAddress(ofFrame: Int(frame)))
            rewritten.append(frame)
        }
        tip.discard()
        // Each step back exchanges pages, so that the version left behind can be returned to.
        while path.count > 1 {
            let left = path.removeLast()
            let reached = path[path.count - 1]
            left.saved = reached.saved.map { (frame, page) in
                let host = memory.hostAddress(ofFrame: Int(frame))
                let current = Self.copy(host)
                Self.write(page, to: host)
                if case .bytes(let p) = page { p.deallocate() }
                rewritten.append(frame)
                return (frame, current)
            }
            reached.saved = []
            reached.next = nil
            left.next = reached
        }
        memory.newest = self
        memory.advanceEpoch()
        return rewritten
    }

    private static func copy(_ page: UnsafeMutableRawPointer) -> SavedPage {
        if isZero(page) { return .zero }
        let bytes = UnsafeMutableRawPointer.allocate(byteCount: Int(Page.size), alignment: 64)
        bytes.copyMemory(from: page, byteCount: Int(Page.size))
        return .bytes(bytes)
    }

    private static func write(_ page: SavedPage, to host: UnsafeMutableRawPointer) {
        switch page {
        case .zero: host.initializeMemory(as: UInt8.self, repeating: 0, count: Int(Page.size))
        case .bytes(let bytes): host.copyMemory(from: bytes, byteCount: Int(Page.size))
        }
    }

    static func isZero(_ page: UnsafeMutableRawPointer) -> Bool {
        let words = page.assumingMemoryBound(to: UInt64.self)
        for i in stride(from: 0, to: Int(Page.size) / 8, by: 8) {
            let any = words[i] | words[i + 1] | words[i + 2] | words[i + 3]
                | words[i + 4] | words[i + 5] | words[i + 6] | words[i + 7]
            if any != 0 { return false }
        }
        return true
    }
}
