// A type per address space: mixing them is a compile error.
// Plain values only: the guest monitor compiles this file too (Embedded Swift, no allocation).

/// SDM 3A 3.1 "Memory Management Overview": the address that segmentation produces and paging translates.
public struct LinearAddress: Hashable, Sendable {
    public var rawValue: UInt64
    @inline(__always) public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    /// SDM 1 3.3.7.1 "Canonical Addressing", 48-bit linear addresses.
    @inline(__always) public var isCanonical: Bool {
        UInt64(bitPattern: Int64(bitPattern: rawValue &<< 16) &>> 16) == rawValue
    }
}

/// SDM 3C 31.3 "The Extended Page Table Mechanism (EPT)": what guest paging produces; physical when EPT is off.
public struct GuestPhysicalAddress: Hashable, Sendable {
    public var rawValue: UInt64
    @inline(__always) public init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

/// An address on the processor's physical bus.
public struct PhysicalAddress: Hashable, Sendable {
    public var rawValue: UInt64
    @inline(__always) public init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

public enum Page {
    public static let size: UInt64 = 4096
    public static let offsetMask: UInt64 = 4095
}
extension LinearAddress {
    @inline(__always) public var page: LinearAddress { .init(rawValue & ~Page.offsetMask) }
    @inline(__always) public static func + (a: Self, b: UInt64) -> Self { .init(a.rawValue &+ b) }
}
extension GuestPhysicalAddress {
    @inline(__always) public var page: GuestPhysicalAddress { .init(rawValue & ~Page.offsetMask) }
    @inline(__always) public static func + (a: Self, b: UInt64) -> Self { .init(a.rawValue &+ b) }
}
extension PhysicalAddress {
    @inline(__always) public var page: PhysicalAddress { .init(rawValue & ~Page.offsetMask) }
    @inline(__always) public static func + (a: Self, b: UInt64) -> Self { .init(a.rawValue &+ b) }
}
