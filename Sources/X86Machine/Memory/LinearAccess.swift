import X86Architecture

/// Accesses to linear addresses: any alignment, across pages, to RAM or devices.
///
/// Segment limits and access rights have been checked when these are called; the canonical check of 64-bit mode and
/// the alignment check are made here.
extension Processor {
    /// Reads `T` at `a`. `stack`: a non-canonical address raises #SS(0) instead of #GP(0).
    func load<T: FixedWidthInteger & UnsignedInteger>(
        _ a: LinearAddress, as: T.Type, _ privilege: Privilege = .current, stack: Bool = false
    ) throws(Interruption) -> T {
        let size = UInt64(MemoryLayout<T>.size)
        try checkAddress(a, size, privilege, stack: stack)
        let inPage = Page.size &- (a.rawValue & Page.offsetMask)
        if size <= inPage {
            let physical = try translate(a, .read, privilege)
            if privilege != .supervisor { noteAccess(a, size, isWrite: false) }
            if _slowPath(isAPICAccessPage(physical)) {
                return T(truncatingIfNeeded: try virtualAPICLoad(physical, size: Int(size)))
            }
            return try machine.physicalLoad(physical, as: T.self, from: self)
        }
        let first = try translate(a, .read, privilege)
        let second = try translate(nextPage(a), .read, privilege)
        try probeAPICAccess(first, size: Int(size), .read)
        try probeAPICAccess(second, size: Int(size), .read)
        if privilege != .supervisor { noteAccess(a, size, isWrite: false) }
        var value: T = 0
        for i in 0..<size {
            let from = i < inPage ? first + i : second + (i &- inPage)
            value |=
                T(truncatingIfNeeded: try machine.physicalLoad(from, as: UInt8.self, from: self))
                &<< T(truncatingIfNeeded: i &* 8)
        }
        return value
    }

    /// Writes `value` at `a`, all of it or (when a fault is thrown) nothing.
    func store<T: FixedWidthInteger & UnsignedInteger>(
        _ a: LinearAddress, _ value: T, _ privilege: Privilege = .current, stack: Bool = false
    ) throws(Interruption) {
        let size = UInt64(MemoryLayout<T>.size)
        try checkAddress(a, size, privilege, stack: stack)
        let inPage = Page.size &- (a.rawValue & Page.offsetMask)
        if size <= inPage {
            let physical = try translate(a, .write, privilege)
            if privilege != .supervisor { noteAccess(a, size, isWrite: true) }
            if _slowPath(isAPICAccessPage(physical)) {
                return try virtualAPICStore(physical, size: Int(size), UInt64(truncatingIfNeeded: value))
            }
            return try machine.physicalStore(physical, value, from: self)
        }
        let first = try translate(a, .write, privilege)
        let second = try translate(nextPage(a), .write, privilege)
        try probeAPICAccess(first, size: Int(size), .write)
        try probeAPICAccess(second, size: Int(size), .write)
        if privilege != .supervisor { noteAccess(a, size, isWrite: true) }
        for i in 0..<size {
            let to = i < inPage ? first + i : second + (i &- inPage)
            try machine.physicalStore(
                to, UInt8(truncatingIfNeeded: value &>> T(truncatingIfNeeded: i &* 8)), from: self)
        }
    }

    /// Throws what a write of `bytes` at `a` would throw, so that instructions with several stores change nothing
    /// before every access is known to succeed. `bytes` up to one page.
    func probeWrite(_ a: LinearAddress, bytes: Int, _ privilege: Privilege = .current, stack: Bool = false)
        throws(Interruption)
    {
        try probe(a, bytes: bytes, .write, privilege, stack: stack)
    }

    /// As `probeWrite`, for reads.
    func probeRead(_ a: LinearAddress, bytes: Int, _ privilege: Privilege = .current, stack: Bool = false)
        throws(Interruption)
    {
        try probe(a, bytes: bytes, .read, privilege, stack: stack)
    }

    private func probe(
        _ a: LinearAddress, bytes: Int, _ kind: AccessKind, _ privilege: Privilege, stack: Bool
    ) throws(Interruption) {
        let size = UInt64(bytes)
        try checkCanonical(a, size, stack: stack)
        try probeAPICAccess(try translate(a, kind, privilege), size: bytes, kind)
        if size > Page.size &- (a.rawValue & Page.offsetMask) {
            try probeAPICAccess(try translate(nextPage(a), kind, privilege), size: bytes, kind)
        }
    }

    /// Instruction bytes at the code-segment offset `rip`, up to the end of their page or of the segment and at most
    /// `buffer.count`; returns how many (at least one). A decoder that needs more asks again at `rip` + that many.
    func loadCode(_ rip: UInt64, into buffer: UnsafeMutableBufferPointer<UInt8>) throws(Interruption) -> Int {
        var available = UInt64(buffer.count)
        let a: LinearAddress
        if is64BitMode {
            a = LinearAddress(rip)
            guard a.isCanonical else { throw .exception(.generalProtection()) }
        } else {
            let limit = UInt64(system.segments[SegmentIndex.cs].limit)
            guard rip <= limit else { throw .exception(.generalProtection()) }
            available = min(available, limit &- rip &+ 1)
            a = LinearAddress((cpu.pointee.segmentBase.1 &+ rip) & 0xFFFF_FFFF)
        }
        let physical = try translate(a, .execute)
        try probeAPICAccess(physical, size: 1, .execute)
        available = min(available, Page.size &- (a.rawValue & Page.offsetMask))
        for i in 0..<available {
            buffer[Int(i)] = try machine.physicalLoad(physical + i, as: UInt8.self, from: self)
        }
        return Int(available)
    }

    // MARK: Checks

    /// The linear address of the page after `a`'s, wrapping as the mode does.
    private func nextPage(_ a: LinearAddress) -> LinearAddress {
        let next = (a.rawValue & ~Page.offsetMask) &+ Page.size
        return LinearAddress(is64BitMode || next &>> 33 != 0 ? next : next & 0xFFFF_FFFF)
    }

    private func checkAddress(_ a: LinearAddress, _ size: UInt64, _ privilege: Privilege, stack: Bool)
        throws(Interruption)
    {
        try checkCanonical(a, size, stack: stack)
        // SDM 3A 6.15 "Interrupt 17—Alignment Check Exception (#AC)": at CPL 3 only; implicit accesses are exempt.
        if a.rawValue & (size &- 1) != 0, privilege == .current, system.cpl == 3,
            system.flags & RFLAGS.alignmentCheck != 0, system.cr0 & CR0.alignmentMask != 0
        {
            throw .exception(Exception(vector: Vector.alignmentCheck, errorCode: 0))
        }
    }

    /// SDM 1 3.3.7.1 "Canonical Addressing": every byte accessed.
    private func checkCanonical(_ a: LinearAddress, _ size: UInt64, stack: Bool) throws(Interruption) {
        guard isLongMode else { return }
        if a.isCanonical && (a + (size &- 1)).isCanonical { return }
        throw .exception(stack ? .stackFault() : .generalProtection())
    }
}
