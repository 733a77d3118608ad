import DriverImage

/// An executable in ELF form, read and checked: what is to be put where, and where it begins.
/// System V ABI, "ELF Header", "Program Header", "Note Section".
struct ExecutableImage {
    struct Segment: Equatable {
        var physical: UInt64
        var memoryBytes: UInt64
        var contents: Range<Int>
        var isLoaded: Range<UInt64> { physical..<physical + memoryBytes }
    }
    var segments: [Segment]
    /// Physical entry point.
    var entry: UInt32
    /// Physical end of the highest segment.
    var end: UInt64 { segments.map(\.isLoaded.upperBound).max() ?? 0 }

    /// ELF class 2.
    var is64: Bool
    private var noteRanges: [Range<Int>] = []

    init(_ bytes: [UInt8], name: String) throws(ImageError) {
        let reader = ImageReader(bytes: bytes, name: name)
        is64 = try Self.checkIdentification(reader)
        let table = try ProgramHeaders(reader, is64: is64)
        segments = []
        var virtual: [(range: Range<UInt64>, physical: UInt64)] = []
        for index in 0..<table.count {
            if let range = table.notes(index) { noteRanges.append(range) }
            guard let header = try table.load(index) else { continue }
            let segment = try Self.segment(header, reader)
            for other in segments where other.isLoaded.overlaps(segment.isLoaded) {
                throw reader.malformed(
                    header.offset, found: "a segment at physical \(hex(segment.physical)) that overlaps another",
                    expected: "segments apart from each other")
            }
            let (virtualEnd, wraps) = header.virtual.addingReportingOverflow(segment.memoryBytes)
            guard !wraps else {
                throw reader.malformed(header.offset, found: "a segment at \(hex(header.virtual)) that wraps around",
                                       expected: "a segment inside the address space")
            }
            segments.append(segment)
            virtual.append((header.virtual..<virtualEnd, segment.physical))
        }
        guard !segments.isEmpty else {
            throw reader.malformed(nil, found: "no loadable segment", expected: "a PT_LOAD program header")
        }
        // The entry point is a linear address of one of the segments; paging is off, so its physical address counts.
        let start = reader.integer(at: 24, is64 ? 8 : 4)
        var physicalEntry = start
        for (range, physical) in virtual where range.contains(start) {
            physicalEntry = start - range.lowerBound + physical
        }
        let isInside = segments.contains { $0.isLoaded.contains(physicalEntry) }
        guard isInside, let entry32 = UInt32(exactly: physicalEntry) else {
            throw reader.malformed(24, found: "the entry point \(hex(start))", expected: "an address inside a segment")
        }
        entry = entry32
    }

    /// The descriptor of the first note of this owner and type.
    func note(owner: String, type: UInt32, in bytes: [UInt8]) -> Range<Int>? {
        let reader = ImageReader(bytes: bytes, name: "")
        func aligned(_ size: UInt64) -> Int { Int((size + 3) & ~3) }
        for range in noteRanges {
            var at = range.lowerBound
            while at + 12 <= range.upperBound {
                let nameSize = reader.integer(at: at, 4), size = reader.integer(at: at + 4, 4)
                let name = at + 12, descriptor = name + aligned(nameSize)
                guard descriptor + Int(size) <= range.upperBound else { break }
                if reader.integer(at: at + 8, 4) == UInt64(type), nameSize > 0,
                   Array(bytes[name..<name + Int(nameSize) - 1]) == Array(owner.utf8)
                {
                    return descriptor..<descriptor + Int(size)
                }
                at = descriptor + aligned(size)
            }
        }
        return nil
    }

    private static func checkIdentification(_ reader: ImageReader) throws(ImageError) -> Bool {
        guard reader.bytes.count >= 52, reader.integer(at: 0, 4) == 0x464C_457F else {
            throw reader.malformed(0, found: "no ELF magic", expected: "7f 45 4c 46 (ELF)")
        }
        let kind = reader.bytes[4], order = reader.bytes[5]
        guard kind == 1 || kind == 2, order == 1 else {
            throw reader.unsupported(4, found: "ELF class \(kind), byte order \(order)",
                                     expected: "class 1 (32-bit) or 2 (64-bit), byte order 1 (little-endian)")
        }
        let type = reader.integer(at: 16, 2), machine = reader.integer(at: 18, 2)
        guard type == 2 else {
            throw reader.unsupported(16, found: "ELF type \(type)", expected: "2 (an executable)")
        }
        guard machine == 3 || machine == 62 else {
            throw reader.unsupported(18, found: "ELF machine \(machine)", expected: "3 (i386) or 62 (x86-64)")
        }
        return kind == 2
    }

    private static func segment(_ header: ProgramHeaders.Load, _ reader: ImageReader) throws(ImageError) -> Segment {
        let (fileEnd, overflow) = header.fileOffset.addingReportingOverflow(header.fileBytes)
        guard !overflow, fileEnd <= UInt64(reader.bytes.count) else {
            throw reader.malformed(
                header.offset, found: "a segment of \(header.fileBytes) bytes at file offset \(hex(header.fileOffset))",
                expected: "a segment that ends within the file's \(reader.bytes.count) bytes")
        }
        guard header.fileBytes <= header.memoryBytes else {
            throw reader.malformed(
                header.offset, found: "\(header.fileBytes) bytes in the file for \(header.memoryBytes) in memory",
                expected: "no more bytes in the file than in memory")
        }
        let (end, wraps) = header.physical.addingReportingOverflow(header.memoryBytes)
        guard !wraps, end <= 1 << 32 else {
            throw reader.unsupported(
                header.offset,
                found: "a segment at physical \(hex(header.physical)) of \(hex(header.memoryBytes)) bytes",
                expected: "segments below 4 GiB")
        }
        return Segment(physical: header.physical, memoryBytes: header.memoryBytes,
                       contents: Int(header.fileOffset)..<Int(fileEnd))
    }
}

/// Little-endian integers of a file; offsets are checked by the caller except where it says otherwise.
struct ImageReader {
    let bytes: [UInt8]
    let name: String

    func integer(at offset: Int, _ size: Int) -> UInt64 {
        var value: UInt64 = 0
        for i in 0..<size { value |= UInt64(bytes[offset + i]) << UInt64(8 * i) }
        return value
    }
    func malformed(_ offset: Int?, found: String, expected: String) -> ImageError {
        ImageError(.malformed, file: name, at: place(offset), found: found, expected: expected)
    }
    func unsupported(_ offset: Int?, found: String, expected: String, hint: String? = nil) -> ImageError {
        ImageError(.unsupported, file: name, at: place(offset), found: found, expected: expected, hint: hint)
    }
    func mismatch(_ offset: Int?, found: String, expected: String, hint: String? = nil) -> ImageError {
        ImageError(.mismatch, file: name, at: place(offset), found: found, expected: expected, hint: hint)
    }
    private func place(_ offset: Int?) -> ImagePlace { offset.map { .fileOffset(UInt64($0)) } ?? .file }
}

/// The program header table of either class.
private struct ProgramHeaders {
    struct Load {
        /// Of the program header itself, for messages.
        var offset: Int
        var fileOffset: UInt64, virtual: UInt64, physical: UInt64, fileBytes: UInt64, memoryBytes: UInt64
    }
    let count: Int
    private let reader: ImageReader
    private let is64: Bool
    private let start: Int
    private let entryBytes: Int

    init(_ reader: ImageReader, is64: Bool) throws(ImageError) {
        self.reader = reader
        self.is64 = is64
        guard !is64 || reader.bytes.count >= 64 else {
            throw reader.malformed(0, found: "\(reader.bytes.count) bytes", expected: "a 64-byte ELF header")
        }
        let table = is64 ? reader.integer(at: 32, 8) : reader.integer(at: 28, 4)
        let size = reader.integer(at: is64 ? 54 : 42, 2), number = reader.integer(at: is64 ? 56 : 44, 2)
        guard number == 0 || size == (is64 ? 56 : 32) else {
            throw reader.malformed(
                is64 ? 54 : 42, found: "program headers of \(size) bytes", expected: "\(is64 ? 56 : 32)")
        }
        let (end, overflow) = table.addingReportingOverflow(size * number)
        guard !overflow, end <= UInt64(reader.bytes.count) else {
            throw reader.malformed(
                is64 ? 32 : 28, found: "\(number) program headers at \(hex(table))",
                expected: "a table that ends within the file's \(reader.bytes.count) bytes")
        }
        (count, start, entryBytes) = (Int(number), Int(table), Int(size))
    }

    /// Where in the file a PT_NOTE is; nil unless it is one, inside the file.
    func notes(_ index: Int) -> Range<Int>? {
        let at = start + index * entryBytes
        guard reader.integer(at: at, 4) == 4 else { return nil }
        let offset = reader.integer(at: at + (is64 ? 8 : 4), is64 ? 8 : 4)
        let (end, overflow) = offset.addingReportingOverflow(reader.integer(at: at + (is64 ? 32 : 16), is64 ? 8 : 4))
        guard !overflow, end <= UInt64(reader.bytes.count) else { return nil }
        return Int(offset)..<Int(end)
    }

    /// nil unless it is a PT_LOAD that occupies memory.
    func load(_ index: Int) throws(ImageError) -> Load? {
        let at = start + index * entryBytes
        guard reader.integer(at: at, 4) == 1 else { return nil }
        func word(_ at32: Int, _ at64: Int) -> UInt64 { reader.integer(at: at + (is64 ? at64 : at32), is64 ? 8 : 4) }
        let load = Load(offset: at, fileOffset: word(4, 8), virtual: word(8, 16), physical: word(12, 24),
                        fileBytes: word(16, 32), memoryBytes: word(20, 40))
        return load.memoryBytes == 0 ? nil : load
    }
}

func hex(_ value: some BinaryInteger) -> String { "0x" + String(value, radix: 16) }
