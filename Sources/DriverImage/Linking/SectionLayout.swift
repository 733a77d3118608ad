/// Decides where every section goes: one run of whole pages per permission, inputs in order within each.
struct SectionLayout {
    enum Role: Int, CaseIterable { case text, readOnly, data, perCPU }

    struct Place {
        var address: UInt64
        var size: UInt64
        /// Index into the segments that `makeSegments` returns.
        var segment: Int
    }

    private struct Segment {
        var role: Role
        var address: UInt64
        var end: UInt64
    }

    private let base: UInt64
    private let maximumBytes: UInt64
    private let perCPUBase: UInt64?
    private var segments: [Segment] = []
    private(set) var perCPUSegment: Int?
    /// By input, then by section index; nil: the section is not in memory.
    private(set) var places: [[Place?]] = []

    init(base: UInt64, maximumBytes: UInt64, perCPUBase: UInt64?) {
        self.base = base
        self.maximumBytes = maximumBytes
        self.perCPUBase = perCPUBase
    }

    // MARK: Placing

    mutating func place(_ inputs: [LinkInput], _ commons: inout CommonSymbols) throws(ImageError) {
        places = inputs.map { [Place?](repeating: nil, count: $0.object.sections.count) }
        var roles: [[Role?]] = []
        for input in inputs { roles.append(try Self.roles(of: input.object, perCPU: perCPUBase != nil)) }
        var cursor = base
        for role in Role.allCases {
            let start = role == .perCPU ? perCPUBase ?? 0 : roundUp(cursor, 4096)
            var position = start
            // Zero-initialised sections last: initialised data stays together.
            for zeroed in [false, true] {
                for (index, input) in inputs.enumerated() {
                    for (number, section) in input.object.sections.enumerated()
                    where roles[index][number] == role && (section.type == SectionType.noBits) == zeroed {
                        position = roundUp(position, section.alignment)
                        places[index][number] = Place(address: position, size: section.size, segment: segments.count)
                        let used = position - (role == .perCPU ? start : base)
                        guard section.size <= maximumBytes, used <= maximumBytes - section.size else {
                            throw input.object.error(
                                .unsupported, at: .section(section.name), found: "\(section.size) bytes",
                                expected: "an image of at most \(maximumBytes) bytes")
                        }
                        position += section.size
                    }
                }
            }
            if role == .data { position = try commons.place(from: position, limit: base + maximumBytes) }
            guard position > start else { continue }
            if role == .perCPU { perCPUSegment = segments.count } else { cursor = position }
            segments.append(Segment(role: role, address: start, end: position))
        }
    }

    /// A kernel keeps `.modinfo` and `__versions` out of memory, and so do we.
    private static func roles(of object: any ObjectFileReader, perCPU: Bool) throws(ImageError) -> [Role?] {
        var roles: [Role?] = []
        for section in object.sections {
            guard section.isAllocated, section.name != ".modinfo", section.name != "__versions" else {
                roles.append(nil)
                continue
            }
            if section.flags & 0x400 != 0 {
                throw object.error(
                    .unsupported, at: .section(section.name), found: "thread-local storage",
                    expected: "code for a kernel")
            }
            if section.flags & 0x800 != 0 {
                throw object.error(
                    .unsupported, at: .section(section.name), found: "a compressed section",
                    expected: "uncompressed contents")
            }
            guard section.alignment <= 4096 else {
                throw object.error(
                    .unsupported, at: .section(section.name), found: "alignment \(section.alignment)",
                    expected: "at most 4096")
            }
            if section.name == ".data..percpu" || section.name.hasPrefix(".data..percpu..") {
                guard perCPU else {
                    throw object.error(
                        .unsupported, at: .section(section.name), found: "\(section.size) bytes of per-CPU variables",
                        expected: "a module without static per-CPU variables")
                }
                roles.append(.perCPU)
            } else if PatchSection.purpose(ofSection: section.name) != nil {
                roles.append(.readOnly)
            } else if section.isExecutable {
                guard !section.isWritable else {
                    throw object.error(
                        .unsupported, at: .section(section.name), found: "writable and executable contents",
                        expected: "one or the other")
                }
                roles.append(.text)
            } else {
                roles.append(section.isWritable ? .data : .readOnly)
            }
        }
        return roles
    }

    // MARK: Contents

    /// Padding between functions traps (INT3) rather than running into something.
    private static let textPadding: UInt8 = 0xcc

    func makeSegments(_ inputs: [LinkInput]) -> [LinkedSegment] {
        var made = segments.map { segment in
            let size = Int(roundUp(segment.end - segment.address, 4096))
            let permissions: SegmentPermissions
            let name: String
            switch segment.role {
            case .text: (name, permissions) = ("text", .text)
            case .readOnly: (name, permissions) = ("rodata", .readOnly)
            case .data: (name, permissions) = ("data", .data)
            case .perCPU: (name, permissions) = ("percpu", .data)
            }
            return LinkedSegment(
                name: name, address: segment.address, permissions: permissions,
                bytes: [UInt8](repeating: segment.role == .text ? Self.textPadding : 0, count: size))
        }
        for (index, input) in inputs.enumerated() {
            for (number, place) in places[index].enumerated() {
                guard let place, place.size > 0, input.object.sections[number].hasBytes else { continue }
                let start = Int(place.address - segments[place.segment].address)
                made[place.segment].bytes.replaceSubrange(
                    start..<(start + Int(place.size)), with: input.object.bytes(ofSection: number))
            }
        }
        return made
    }

    func placedSections(ofObject index: Int, _ object: any ObjectFileReader) -> [PlacedSection] {
        var list: [PlacedSection] = []
        for (number, place) in places[index].enumerated() {
            guard let place else { continue }
            list.append(PlacedSection(
                name: object.sections[number].name, address: place.address, size: place.size,
                segment: place.segment == perCPUSegment ? nil : place.segment))
        }
        return list
    }
}

/// `alignment` is a power of two.
func roundUp(_ value: UInt64, _ alignment: UInt64) -> UInt64 { (value + alignment - 1) & ~(alignment - 1) }
