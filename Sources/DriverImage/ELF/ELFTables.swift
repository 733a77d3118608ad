import CELF

/// The tables of one ELF file while it is being read: owns the libelf descriptor.
struct ELFTables {
    private let contents: FileContents
    private let elf: OpaquePointer
    let entry: UInt64
    private let sectionCount: Int
    private let nameTable: Int

    private static let versionAgreed: Bool = elf_version(UInt32(EV_CURRENT)) != UInt32(EV_NONE)

    init(_ contents: FileContents) throws(ImageError) {
        self.contents = contents
        precondition(Self.versionAgreed, "libelf is older than its header")
        // libelf wants a mutable pointer and does not write through it: it is opened for reading.
        let image = UnsafeMutableRawPointer(mutating: contents.base).assumingMemoryBound(to: CChar.self)
        guard let elf = elf_memory(image, contents.count) else {
            throw Self.libraryError(contents, "the file")
        }
        var header = GElf_Ehdr()
        var sectionCount = 0
        var nameTable = 0
        guard elf_kind(elf) == ELF_K_ELF, gelf_getehdr(elf, &header) != nil,
            elf_getshdrnum(elf, &sectionCount) == 0, elf_getshdrstrndx(elf, &nameTable) == 0
        else {
            let error = Self.libraryError(contents, "the ELF header")
            elf_end(elf)
            throw error
        }
        self.elf = elf
        self.entry = header.e_entry
        self.sectionCount = sectionCount
        self.nameTable = nameTable
    }

    func close() { _ = elf_end(elf) }

    private static func libraryError(_ contents: FileContents, _ what: String) -> ImageError {
        let message = elf_errmsg(-1).map { String(cString: $0) } ?? "no reason"
        return ImageError(
            .malformed, file: contents.name, at: .file, found: "\(what) that libelf rejects (\(message))",
            expected: "a well-formed ELF file")
    }

    private func malformed(_ place: ImagePlace, _ found: String, _ expected: String) -> ImageError {
        ImageError(.malformed, file: contents.name, at: place, found: found, expected: expected)
    }

    // MARK: Sections

    func readSections() throws(ImageError) -> [ImageSection] {
        var headers: [GElf_Shdr] = []
        headers.reserveCapacity(sectionCount)
        for index in 0..<sectionCount {
            var header = GElf_Shdr()
            guard let section = elf_getscn(elf, index), gelf_getshdr(section, &header) != nil else {
                throw Self.libraryError(contents, "section header \(index)")
            }
            headers.append(header)
        }
        guard !headers.isEmpty else { return [] }
        guard nameTable > 0, nameTable < headers.count, headers[nameTable].sh_type == SectionType.stringTable,
            contents.holds(headers[nameTable].sh_offset, headers[nameTable].sh_size)
        else {
            throw malformed(.file, "section name table \(nameTable)", "the index of a string table inside the file")
        }
        let names = headers[nameTable]
        var sections: [ImageSection] = []
        sections.reserveCapacity(headers.count)
        for (index, header) in headers.enumerated() {
            guard let name = string(header.sh_name, in: names) else {
                throw malformed(.section("\(index)"), "a name at offset \(header.sh_name)", "a name in the name table")
            }
            let place = ImagePlace.section(name.isEmpty ? "\(index)" : name)
            let section = ImageSection(
                name: name, type: header.sh_type, flags: header.sh_flags, address: header.sh_addr,
                offset: header.sh_offset, size: header.sh_size, link: header.sh_link, info: header.sh_info,
                alignment: max(1, header.sh_addralign))
            if section.hasBytes && !contents.holds(section.offset, section.size) {
                throw ImageError(
                    .malformed, file: contents.name, at: place,
                    found: "\(section.size) bytes at \(hex(section.offset)) in a file of \(contents.count)",
                    expected: "a section inside the file", hint: "the file is truncated or damaged")
            }
            guard section.alignment & (section.alignment - 1) == 0 else {
                throw malformed(place, "alignment \(section.alignment)", "a power of two")
            }
            sections.append(section)
        }
        return sections
    }

    private func string(_ offset: some BinaryInteger, in table: GElf_Shdr) -> String? {
        guard UInt64(offset) < table.sh_size else { return nil }
        let start = Int(table.sh_offset)
        return contents.string(at: start + Int(offset), limit: start + Int(table.sh_size))
    }

    // MARK: Program headers

    func readLoadSegments() throws(ImageError) -> [ImageLoadSegment] {
        var count = 0
        guard elf_getphdrnum(elf, &count) == 0 else { throw Self.libraryError(contents, "the program headers") }
        var segments: [ImageLoadSegment] = []
        for index in 0..<count {
            var header = GElf_Phdr()
            guard gelf_getphdr(elf, Int32(index), &header) != nil else {
                throw Self.libraryError(contents, "program header \(index)")
            }
            guard header.p_type == UInt32(PT_LOAD) else { continue }
            guard contents.holds(header.p_offset, header.p_filesz), header.p_filesz <= header.p_memsz else {
                throw malformed(
                    .fileOffset(header.p_offset), "a segment of \(header.p_filesz) bytes, \(header.p_memsz) in memory",
                    "a segment inside the file, no larger than in memory")
            }
            segments.append(ImageLoadSegment(
                offset: header.p_offset, linearAddress: header.p_vaddr, physicalAddress: header.p_paddr,
                fileSize: header.p_filesz, memorySize: header.p_memsz))
        }
        return segments
    }

    // MARK: Symbols

    func readSymbols(_ sections: [ImageSection]) throws(ImageError) -> [ImageSymbol] {
        guard let tableIndex = sections.firstIndex(where: { $0.type == SectionType.symbolTable }) else { return [] }
        let table = sections[tableIndex]
        let place = ImagePlace.section(table.name)
        guard table.size % 24 == 0 else { throw malformed(place, "\(table.size) bytes", "a multiple of 24") }
        guard Int(table.link) < sections.count, sections[Int(table.link)].type == SectionType.stringTable else {
            throw malformed(place, "string table index \(table.link)", "the index of a string table")
        }
        let names = sections[Int(table.link)]
        let nameStart = Int(names.offset)
        let nameEnd = nameStart + Int(names.size)
        let data = try data(ofSection: tableIndex, table)
        var symbols: [ImageSymbol] = []
        let count = Int(table.size / 24)
        symbols.reserveCapacity(count)
        for index in 0..<count {
            var symbol = GElf_Sym()
            guard gelf_getsym(data, Int32(index), &symbol) != nil else {
                throw Self.libraryError(contents, "symbol \(index)")
            }
            guard let name = contents.string(at: nameStart + Int(symbol.st_name), limit: nameEnd)
                ?? (symbol.st_name == 0 && names.size == 0 ? "" : nil)
            else {
                throw malformed(
                    place, "symbol \(index) with its name at offset \(symbol.st_name)", "a name in \(names.name)")
            }
            symbols.append(ImageSymbol(
                name: name, value: symbol.st_value, size: symbol.st_size, binding: binding(symbol.st_info >> 4),
                kind: symbolKind(symbol.st_info & 15),
                place: try symbolPlace(symbol, name, index, sectionCount: sections.count)))
        }
        return symbols
    }

    private func symbolPlace(
        _ symbol: GElf_Sym, _ name: String, _ index: Int, sectionCount: Int
    ) throws(ImageError) -> ImageSymbol.Place {
        switch symbol.st_shndx {
        case 0: return .undefined
        case 0xfff1: return .absolute
        case 0xfff2: return .common
        case let section:
            guard Int(section) < sectionCount else {
                throw malformed(
                    .symbol(name.isEmpty ? "number \(index)" : name), "section index \(section)",
                    "one of the file's \(sectionCount) sections")
            }
            return .section(Int(section))
        }
    }

    private func binding(_ value: UInt8) -> ImageSymbol.Binding {
        switch value {
        case 0: .local
        case 1: .global
        case 2: .weak
        default: .other(value)
        }
    }

    private func symbolKind(_ value: UInt8) -> ImageSymbol.Kind {
        switch value {
        case 0: .none
        case 1: .object
        case 2: .function
        case 3: .section
        case 4: .file
        default: .other(value)
        }
    }

    // MARK: Relocations

    /// By the index of the section they apply to.
    func readRelocations(
        _ sections: [ImageSection], symbolCount: Int, kind: ObjectKind
    ) throws(ImageError) -> [[ImageRelocation]?] {
        var tables = [[ImageRelocation]?](repeating: nil, count: sections.count)
        guard kind == .relocatable else { return tables }
        for (index, section) in sections.enumerated() {
            let place = ImagePlace.section(section.name)
            if section.type == SectionType.relocations {
                throw ImageError(
                    .unsupported, file: contents.name, at: place, found: "relocations without addends (SHT_REL)",
                    expected: "SHT_RELA, as the x86-64 psABI has them")
            }
            guard section.type == SectionType.relocationsWithAddend else { continue }
            guard section.size % 24 == 0 else {
                throw malformed(place, "\(section.size) bytes", "a multiple of 24")
            }
            guard section.info > 0, Int(section.info) < sections.count else {
                throw malformed(place, "relocations for section \(section.info)", "the index of a section")
            }
            guard Int(section.link) < sections.count, sections[Int(section.link)].type == SectionType.symbolTable else {
                throw malformed(place, "symbol table index \(section.link)", "the index of the symbol table")
            }
            let data = try data(ofSection: index, section)
            var list = tables[Int(section.info)] ?? []
            let count = Int(section.size / 24)
            list.reserveCapacity(list.count + count)
            for entry in 0..<count {
                var relocation = GElf_Rela()
                guard gelf_getrela(data, Int32(entry), &relocation) != nil else {
                    throw Self.libraryError(contents, "relocation \(entry) of \(section.name)")
                }
                let symbol = Int(relocation.r_info >> 32)
                guard symbol < symbolCount else {
                    throw malformed(
                        .sectionOffset(section: section.name, offset: UInt64(entry) * 24), "symbol number \(symbol)",
                        "one of the file's \(symbolCount) symbols")
                }
                list.append(ImageRelocation(
                    offset: relocation.r_offset, type: UInt32(truncatingIfNeeded: relocation.r_info), symbol: symbol,
                    addend: relocation.r_addend))
            }
            tables[Int(section.info)] = list
        }
        return tables
    }

    private func data(
        ofSection index: Int, _ section: ImageSection
    ) throws(ImageError) -> UnsafeMutablePointer<Elf_Data> {
        guard section.flags & 0x800 == 0 else {
            throw ImageError(
                .unsupported, file: contents.name, at: .section(section.name), found: "a compressed section",
                expected: "an uncompressed table")
        }
        guard let data = elf_getdata(elf_getscn(elf, index), nil), data.pointee.d_size == Int(section.size) else {
            throw Self.libraryError(contents, "section \(section.name)")
        }
        return data
    }
}
