import DriverImage

/// A boot module that holds one linked driver: `struct lvd_domain_header` and the segments behind it
/// (Sources/Guest/include/lvd/boot.h).
struct DriverModule {
    static let magic: UInt64 = 0x0031_4d4f_4444_564c  // "LVDDOM1\0"
    static let version: UInt32 = 1
    static let maximumSegments = 16
    static let headerBytes = 776

    var name: String
    var image: LinkedImage
    /// `domain_dispatch` of the runtime; 0 in a native image.
    var dispatch: UInt64
    /// Index of the driver among the image's objects.
    var driver: Int

    /// The header and the segments, each at a multiple of 4096; zero pages at a segment's end are left out.
    func bytes() -> [UInt8] {
        precondition(image.segments.count <= Self.maximumSegments)
        let object = image.objects[driver]
        var header: [UInt8] = []
        func append<T: FixedWidthInteger>(_ value: T) {
            withUnsafeBytes(of: value.littleEndian) { header.append(contentsOf: $0) }
        }
        append(Self.magic)
        append(Self.version)
        append(UInt32(Self.headerBytes))
        append(image.base)
        append(image.end - image.base)
        append(dispatch)
        append(object.initAddress ?? 0)
        append(object.cleanupAddress ?? 0)
        append(object.thisModule?.address ?? 0)
        let text = Array(name.utf8.prefix(63))
        header += text + [UInt8](repeating: 0, count: 64 - text.count)
        append(UInt32(image.segments.count))
        append(UInt32(0))
        var contents: [UInt8] = []
        for segment in image.segments {
            let end = segment.bytes.lastIndex { $0 != 0 }.map { $0 + 1 } ?? 0
            let used = (end + 4095) / 4096 * 4096
            append(segment.address - image.base)
            append(UInt64(4096 + contents.count))
            append(UInt64(used))
            append(UInt64(segment.bytes.count))
            append(UInt32((segment.permissions.read ? 1 : 0) | (segment.permissions.write ? 2 : 0)
                | (segment.permissions.execute ? 4 : 0)))
            append(UInt32(0))
            contents += segment.bytes[..<used]
        }
        header += [UInt8](repeating: 0, count: 4096 - header.count)
        return header + contents
    }
}
