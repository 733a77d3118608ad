// Plain values only: the guest monitor compiles this file too (Embedded Swift, no allocation).

/// SDM 3A 4.5 "4-Level Paging and 5-Level Paging", tables 4-14 to 4-20; the low bits are the same in
/// 32-bit and PAE paging.
public enum PagingEntry {
    public static let present: UInt64 = 1 << 0
    public static let writable: UInt64 = 1 << 1
    public static let user: UInt64 = 1 << 2
    public static let writeThrough: UInt64 = 1 << 3
    public static let cacheDisable: UInt64 = 1 << 4
    public static let accessed: UInt64 = 1 << 5
    /// Entries that map a page only.
    public static let dirty: UInt64 = 1 << 6
    /// PS of a directory entry: maps a page. (In the last level, bit 7 is PAT.)
    public static let pageSize: UInt64 = 1 << 7
    /// Entries that map a page only.
    public static let global: UInt64 = 1 << 8
    /// PAT of entries that map a page larger than 4 KiB.
    public static let largePAT: UInt64 = 1 << 12
    public static let executeDisable: UInt64 = 1 << 63
    /// Bits 51:12.
    public static let address: UInt64 = 0x000F_FFFF_FFFF_F000
    public static let addressLimit: UInt64 = 1 << 52
}
