// Plain values only: the guest monitor compiles this file too (Embedded Swift, no allocation).

/// SDM 3C 27.6.11 "Extended-Page-Table Pointer (EPTP)".
public struct EPTPointer: Equatable, Sendable {
    public var rawValue: UInt64
    @inlinable public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    @inlinable public init(root: PhysicalAddress, memoryType: EPTMemoryType = .writeBack,
                           accessedAndDirty: Bool = false) {
        rawValue = (root.rawValue & ~0xFFF) | UInt64(memoryType.rawValue) | (3 << 3) | (accessedAndDirty ? 1 << 6 : 0)
    }
    /// Bits 2:0, type of accesses to the EPT paging structures.
    @inlinable public var memoryTypeBits: UInt64 { rawValue & 7 }
    /// Bits 5:3 hold the page-walk length minus 1.
    @inlinable public var walkLength: UInt64 { ((rawValue >> 3) & 7) + 1 }
    /// Bit 6: accessed and dirty flags for EPT.
    @inlinable public var accessedAndDirty: Bool { rawValue & (1 << 6) != 0 }
    /// The EPT PML4 table: bits 51:12. These bits are also EP4TA, the tag of cached translations
    /// (SDM 3C 31.4.1 "Information That May Be Cached").
    @inlinable public var root: PhysicalAddress { PhysicalAddress(rawValue & 0x000F_FFFF_FFFF_F000) }

    /// Whether VM entry and VMFUNC would take this value: SDM 3C 29.2.1.1 "VM-Execution Control Fields".
    /// Types UC and WB, length 4, with bit 6 only if A/D flags are supported; bit 7 (supervisor shadow stack) is not.
    public func isValid(physicalAddressBits: UInt64, supportsAccessedAndDirty: Bool = true) -> Bool {
        guard memoryTypeBits == 0 || memoryTypeBits == 6, walkLength == 4 else { return false }
        guard supportsAccessedAndDirty || !accessedAndDirty else { return false }
        return rawValue & 0xF80 == 0 && rawValue >> physicalAddressBits == 0
    }
}

/// SDM 3C 31.3.7 "EPT and Memory Typing".
public enum EPTMemoryType: UInt8, Sendable {
    case uncacheable = 0, writeCombining = 1, writeThrough = 4, writeProtected = 5, writeBack = 6
}
