#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// The bytes of an input file at an address that does not move, read only through bounds-checked accessors.
/// Small files are copied; large ones (a kernel with its BTF) are mapped, so that only what is read costs memory.
public final class FileContents: @unchecked Sendable {
    public let name: String
    public let count: Int
    let base: UnsafeRawPointer
    private let mapped: Bool

    static let copyLimit = 16 << 20
    static let sizeLimit = 1 << 30

    public init(name: String, bytes: [UInt8]) {
        self.name = name
        count = bytes.count
        let copy = UnsafeMutableRawPointer.allocate(byteCount: max(1, bytes.count), alignment: 16)
        bytes.withUnsafeBytes { source in
            if let start = source.baseAddress { copy.copyMemory(from: start, byteCount: source.count) }
        }
        base = UnsafeRawPointer(copy)
        mapped = false
    }

    public init(path: String) throws(ImageError) {
        name = path
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let code = errno
            let absent = code == ENOENT || code == ENOTDIR
            throw ImageError(
                absent ? .missing : .unreadable, file: path, at: .file, found: String(cString: strerror(code)),
                expected: "a readable file")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw ImageError(
                .unreadable, file: path, at: .file, found: "something that is not a regular file",
                expected: "a readable file")
        }
        guard status.st_size <= Self.sizeLimit else {
            throw ImageError(
                .unsupported, file: path, at: .file, found: "\(status.st_size) bytes",
                expected: "at most \(Self.sizeLimit)")
        }
        count = Int(status.st_size)
        if count > Self.copyLimit {
            guard let start = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
                throw ImageError(
                    .unreadable, file: path, at: .file, found: String(cString: strerror(errno)),
                    expected: "a file that can be mapped")
            }
            base = UnsafeRawPointer(start)
            mapped = true
            return
        }
        let copy = UnsafeMutableRawPointer.allocate(byteCount: max(1, count), alignment: 16)
        base = UnsafeRawPointer(copy)
        mapped = false
        var done = 0
        while done < count {
            let got = read(descriptor, copy + done, count - done)
            if got < 0 && errno == EINTR { continue }
            guard got > 0 else {
                throw ImageError(
                    .unreadable, file: path, at: .fileOffset(UInt64(done)),
                    found: got == 0 ? "the end of the file" : String(cString: strerror(errno)),
                    expected: "\(count) bytes")
            }
            done += got
        }
    }

    deinit {
        if mapped { munmap(UnsafeMutableRawPointer(mutating: base), count) } else { base.deallocate() }
    }

    /// Whether `size` bytes from `offset` are inside the file.
    func holds(_ offset: UInt64, _ size: UInt64) -> Bool {
        let (end, overflow) = offset.addingReportingOverflow(size)
        return !overflow && end <= UInt64(count)
    }

    /// The little-endian integer at `offset`. The range must have been checked with `holds`.
    func integer<T: FixedWidthInteger>(at offset: Int, as: T.Type = T.self) -> T {
        precondition(offset >= 0 && offset <= count - MemoryLayout<T>.size)
        return T(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: T.self))
    }

    public func bytes(_ range: Range<Int>) -> [UInt8] {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        return [UInt8](UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count))
    }

    /// Whether `text` occurs in a range of the file; false when the range is not inside it.
    public func contains(_ text: String, at offset: UInt64, size: UInt64) -> Bool {
        guard holds(offset, size) else { return false }
        let pattern = Array(text.utf8)
        guard let first = pattern.first else { return true }
        var position = Int(offset)
        let last = position + Int(size) - pattern.count
        while position <= last, let hit = memchr(base + position, Int32(first), last + 1 - position) {
            if memcmp(hit, pattern, pattern.count) == 0 { return true }
            position = UnsafeRawPointer(hit) - base + 1
        }
        return false
    }

    /// The NUL-terminated string at `offset`, nil when no NUL comes before `limit`.
    func string(at offset: Int, limit: Int) -> String? {
        precondition(limit <= count)
        guard offset >= 0, offset < limit, let end = memchr(base + offset, 0, limit - offset) else { return nil }
        let length = UnsafeRawPointer(end) - (base + offset)
        return String(decoding: UnsafeRawBufferPointer(start: base + offset, count: length), as: UTF8.self)
    }
}
