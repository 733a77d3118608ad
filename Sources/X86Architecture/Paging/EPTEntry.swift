// Plain values only: the guest monitor compiles this file too (Embedded Swift, no allocation).

/// An entry of an EPT paging structure. SDM 3C 31.3.2 "EPT Translation Mechanism", Tables "Format of an EPT ... Entry".
public struct EPTEntry: Equatable, Sendable {
    public var rawValue: UInt64
    @inlinable public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    @inlinable public static var notPresent: Self { Self(0) }

    /// A PML4E, PDPTE or PDE that references a table. By default it restricts nothing.
    @inlinable public init(table: PhysicalAddress, permissions: EPTPermissions = .all) {
        rawValue = (table.rawValue & Self.addressMask) | permissions.rawValue
    }
    /// An entry that maps a page: `isLarge` in a PDPTE (1 GiB) or PDE (2 MiB).
    @inlinable public init(page: PhysicalAddress, permissions: EPTPermissions, memoryType: EPTMemoryType = .writeBack,
                           isLarge: Bool = false, ignorePAT: Bool = false) {
        rawValue = (page.rawValue & Self.addressMask) | permissions.rawValue | UInt64(memoryType.rawValue) << 3
            | (ignorePAT ? 1 << 6 : 0) | (isLarge ? 1 << 7 : 0)
    }

    @inlinable public static var addressMask: UInt64 { 0x000F_FFFF_FFFF_F000 }
    @inlinable public static var accessedFlag: UInt64 { 1 << 8 }
    @inlinable public static var dirtyFlag: UInt64 { 1 << 9 }

    /// Bits 2:0. An entry with none of them is not present.
    @inlinable public var permissions: EPTPermissions { EPTPermissions(rawValue & 7) }
    @inlinable public var isPresent: Bool { rawValue & 7 != 0 }
    /// Bit 10: with "mode-based execute control for EPT" the permission to fetch from user-mode linear addresses.
    @inlinable public var userExecutable: Bool { rawValue & (1 << 10) != 0 }
    /// Bits 5:3 of an entry that maps a page.
    @inlinable public var memoryTypeBits: UInt64 { (rawValue >> 3) & 7 }
    @inlinable public var ignorePAT: Bool { rawValue & (1 << 6) != 0 }
    /// Bit 7 of a PDPTE or PDE: the entry maps a page.
    @inlinable public var isLarge: Bool { rawValue & (1 << 7) != 0 }
    @inlinable public var accessed: Bool { rawValue & Self.accessedFlag != 0 }
    @inlinable public var dirty: Bool { rawValue & Self.dirtyFlag != 0 }
    /// Bit 63, "suppress #VE", of an entry that is not present or maps a page: SDM 3C 28.5.8.1 "Convertible EPT
    /// Violations".
    @inlinable public var suppressesException: Bool { rawValue & (1 << 63) != 0 }
    /// Bits 51:12: the table, or the page (low bits of large pages included).
    @inlinable public var address: PhysicalAddress { PhysicalAddress(rawValue & Self.addressMask) }
    /// Bits 61:52, 58 to 60 aside when their features are off: ignored by the processor; free for software.
    @inlinable public static var ignoredMask: UInt64 { 0xFFF0_0000_0000_0000 }
}

/// Bits 2:0 of an EPT entry.
public struct EPTPermissions: VMXControlWord {
    public var rawValue: UInt64
    @inlinable public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    @inlinable public static var none: Self { Self(0) }
    @inlinable public static var read: Self { .bit(0) }
    @inlinable public static var write: Self { .bit(1) }
    @inlinable public static var execute: Self { .bit(2) }
    @inlinable public static var readWrite: Self { Self(3) }
    @inlinable public static var readExecute: Self { Self(5) }
    @inlinable public static var all: Self { Self(7) }
}

/// Levels of an EPT walk; the raw value is the SDM's level number (4 = PML4E, 1 = PTE).
public enum EPTLevel: UInt8, Sendable {
    case pte = 1, pde = 2, pdpte = 3, pml4e = 4
    /// Lowest bit of the guest-physical address that selects an entry at this level.
    @inlinable public var shift: UInt64 { 12 + 9 * (UInt64(rawValue) - 1) }
    /// Bytes that one entry covers.
    @inlinable public var span: UInt64 { 1 << shift }
    @inlinable public func index(_ address: GuestPhysicalAddress) -> UInt64 { (address.rawValue >> shift) & 511 }
}
