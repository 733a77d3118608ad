import DriverImage
import X86Decoder

/// The code of an ELF image as assembly text.
public struct DisassemblyReport: Sendable {
    /// One instruction, or one byte at which none starts.
    public struct Line: Sendable, Equatable {
        public var address: UInt64
        public var bytes: [UInt8]
        public var text: String
        /// What the operand refers to: the symbol of a branch target or of a relocation; empty when neither.
        public var reference: String
    }
    /// The names of one address, functions and global names first.
    public struct Label: Sendable, Equatable {
        public var address: UInt64
        public var names: [String]
    }
    public struct Section: Sendable {
        public var name: String
        /// By address, ascending.
        public var labels: [Label]
        public var lines: [Line]
    }
    public let file: String
    public private(set) var sections: [Section] = []

    /// - Parameters:
    ///   - section: only the section of this name.
    ///   - symbol: only the instructions of this symbol, to its end or to the next label.
    /// - Throws: `ImageError` when the image has no such section or symbol.
    public init(
        _ object: ELFObject, size: CodeSize = .bits64, section: String? = nil, symbol: String? = nil
    ) throws(ImageError) {
        file = object.file
        if let section, object.section(named: section) == nil {
            throw ImageError(
                .missing, file: file, at: .file, found: "no section \(section)", expected: "the name of a section")
        }
        // Addresses of a relocatable object are offsets in its sections: they say nothing across sections.
        let everywhere = object.kind == .relocatable ? nil : Self.labels(object) { $0 != .undefined }
        var wasFound = false
        for index in object.sections.indices {
            let header = object.sections[index]
            guard header.isAllocated && header.isExecutable && header.hasBytes && header.size > 0,
                section == nil || section == header.name
            else { continue }
            let labels = Self.labels(object) { $0 == .section(index) }
            var range = 0..<object.bytes(ofSection: index).count
            if let symbol {
                guard let found = Self.range(of: symbol, object, index, labels, range) else { continue }
                (range, wasFound) = (found, true)
            }
            sections.append(
                Section(
                    name: header.name, labels: labels,
                    lines: Self.lines(object, index, range, (labels, everywhere ?? labels), size)))
        }
        if let symbol, !wasFound {
            throw ImageError(
                .missing, file: file, at: .file, found: "no code at symbol \(symbol)",
                expected: "the name of a function")
        }
    }

    private static func labels(_ object: ELFObject, _ isWanted: (ImageSymbol.Place) -> Bool) -> [Label] {
        func rank(_ symbol: ImageSymbol) -> Int {
            (symbol.kind == .none ? 2 : 0) + (symbol.binding == .local ? 1 : 0)
        }
        let named = object.symbols.filter {
            !$0.name.isEmpty && [.function, .none, .object].contains($0.kind) && isWanted($0.place)
        }
        let sorted = named.enumerated().sorted {
            ($0.element.value, rank($0.element), $0.offset) < ($1.element.value, rank($1.element), $1.offset)
        }
        var labels: [Label] = []
        for (_, symbol) in sorted {
            if labels.last?.address == symbol.value {
                labels[labels.count - 1].names.append(symbol.name)
            } else {
                labels.append(Label(address: symbol.value, names: [symbol.name]))
            }
        }
        return labels
    }

    /// Offsets in the section; nil when the symbol is elsewhere.
    private static func range(
        of name: String, _ object: ELFObject, _ section: Int, _ labels: [Label], _ whole: Range<Int>
    ) -> Range<Int>? {
        let base = start(object, section), end = UInt64(whole.count)
        guard let symbol = object.symbols.first(where: { $0.name == name && $0.place == .section(section) }),
            symbol.value >= base, symbol.value - base < end
        else { return nil }
        let first = symbol.value - base
        let next = labels.first { $0.address > symbol.value }.map { min($0.address - base, end) } ?? end
        let last = symbol.size > 0 ? first + min(symbol.size, end - first) : next
        return Int(first)..<Int(last)
    }

    private static func start(_ object: ELFObject, _ section: Int) -> UInt64 {
        object.kind == .relocatable ? 0 : object.sections[section].address
    }

    private static func lines(
        _ object: ELFObject, _ section: Int, _ range: Range<Int>, _ labels: (own: [Label], all: [Label]),
        _ size: CodeSize
    ) -> [Line] {
        let bytes = object.bytes(ofSection: section), base = start(object, section)
        let relocations = object.relocations(ofSection: section).sorted { $0.offset < $1.offset }
        var nextRelocation = relocations.firstIndex { $0.offset >= UInt64(range.lowerBound) } ?? relocations.endIndex
        // A label ends an instruction: data between functions must not swallow the start of the next one.
        let starts = labels.own.compactMap { $0.address >= base ? Int(exactly: $0.address - base) : nil }
        var nextStart = 0, lines: [Line] = [], offset = range.lowerBound
        while offset < range.upperBound {
            let address = base &+ UInt64(offset)
            while nextStart < starts.endIndex && starts[nextStart] <= offset { nextStart += 1 }
            let limit = min(nextStart < starts.endIndex ? starts[nextStart] : range.upperBound, range.upperBound)
            var line = Line(address: address, bytes: [bytes[offset]], text: "(bad)", reference: "")
            let window = Array(bytes[offset..<min(offset + Decoder.maximumLength, limit)])
            if let i = try? Decoder.decode(window, size) {
                line.bytes = Array(window.prefix(Int(i.length)))
                line.text = Formatter.format(i, at: address)
                if let target = Formatter.branchTarget(i, at: address) {
                    line.reference = place(target, labels.all)
                } else if i.base == Instruction.ripBase && object.kind != .relocatable {
                    let offset = UInt64(bitPattern: Int64(i.displacement))
                    line.reference = place(address &+ UInt64(i.length) &+ offset, labels.all)
                }
            }
            offset += line.bytes.count
            while nextRelocation < relocations.endIndex && relocations[nextRelocation].offset < UInt64(offset) {
                line.reference = describe(relocations[nextRelocation], object)
                nextRelocation += 1
            }
            lines.append(line)
        }
        return lines
    }

    /// `name+0x10` of the last label at or before the address.
    private static func place(_ address: UInt64, _ labels: [Label]) -> String {
        var low = 0, high = labels.count
        while low < high {
            let middle = (low + high) / 2
            if labels[middle].address <= address { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return "" }
        return labels[low - 1].names[0] + plus(Int64(bitPattern: address &- labels[low - 1].address))
    }

    private static func describe(_ relocation: ImageRelocation, _ object: ELFObject) -> String {
        guard object.symbols.indices.contains(relocation.symbol) else { return "" }
        let symbol = object.symbols[relocation.symbol]
        var name = symbol.name
        if name.isEmpty, case .section(let section) = symbol.place { name = object.sections[section].name }
        // PC-relative fields count from their end: the addend includes that distance.
        let isRelative = [2, 4, 9].contains(relocation.type)
        return name + plus(isRelative ? relocation.addend &+ 4 : relocation.addend)
    }
    private static func plus(_ value: Int64) -> String {
        value == 0 ? "" : (value < 0 ? "-0x" : "+0x") + String(value.magnitude, radix: 16)
    }

    public var text: String {
        var text = ""
        for section in sections {
            text += text.isEmpty ? "section \(section.name)\n" : "\nsection \(section.name)\n"
            var label = 0
            for line in section.lines {
                while label < section.labels.count && section.labels[label].address < line.address { label += 1 }
                if label < section.labels.count && section.labels[label].address == line.address {
                    for name in section.labels[label].names { text += "\(name):\n" }
                }
                let bytes = line.bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
                text += padded("  " + String(line.address, radix: 16), 20)
                text += padded(bytes.joined(separator: " "), 32)
                text += line.text + (line.reference.isEmpty ? "" : "  ; " + line.reference) + "\n"
            }
        }
        return text
    }
    private func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.utf8.count))
    }

    public var json: JSONValue {
        .object([
            ("file", .string(baseName(file))),
            ("sections", .array(sections.map { section in
                .object([
                    ("name", .string(section.name)),
                    ("instructions", .array(section.lines.map { line in
                        .object([
                            ("address", .hex(line.address)), ("length", .count(line.bytes.count)),
                            ("text", .string(line.text)),
                            ("reference", line.reference.isEmpty ? .null : .string(line.reference)),
                        ])
                    })),
                ])
            })),
        ])
    }
}
