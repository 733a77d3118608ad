import X86Architecture

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Zeroed pages of the host that cost nothing until they are written: an anonymous mapping without reservation.
///
/// One inaccessible-by-construction page of slack follows, so that an access of up to eight bytes at the last
/// address stays inside the mapping.
final class HostPages {
    let base: UnsafeMutableRawPointer
    private let length: Int

    init(bytes: Int) {
        length = max(bytes, 1) + Int(Page.size)
        #if canImport(Darwin)
        let flags = MAP_PRIVATE | MAP_ANON | MAP_NORESERVE
        #else
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        #endif
        guard let mapped = mmap(nil, length, PROT_READ | PROT_WRITE, flags, -1, 0), mapped != MAP_FAILED else {
            fatalError("the host has no \(bytes) bytes of address space for guest memory")
        }
        base = mapped
    }

    deinit { munmap(base, length) }
}
