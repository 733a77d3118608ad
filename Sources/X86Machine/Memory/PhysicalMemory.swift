import X86Architecture

/// RAM: sparse, lazily backed by the host.
public final class PhysicalMemory {
    public let bytes: UInt64
    init(bytes: UInt64) { self.bytes = bytes }
}
