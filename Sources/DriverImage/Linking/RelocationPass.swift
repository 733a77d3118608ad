/// Applies the relocations of one input.
struct RelocationPass {
    let object: any ObjectFileReader
    let index: Int
    let layout: SectionLayout
    let symbols: SymbolResolution

    /// Returns how many were applied.
    func apply(to segments: inout [LinkedSegment]) throws(ImageError) -> Int {
        var count = 0
        for number in object.sections.indices {
            guard let place = layout.places[index][number] else { continue }
            let relocations = object.relocations(ofSection: number)
            guard !relocations.isEmpty else { continue }
            let section = object.sections[number]
            guard section.hasBytes else {
                throw object.error(
                    .malformed, at: .section(section.name), found: "relocations", expected: "none: it has no contents")
            }
            for relocation in relocations {
                try apply(relocation, section, place, &segments[place.segment])
            }
            count += relocations.count
        }
        return count
    }

    private func apply(
        _ relocation: ImageRelocation, _ section: ImageSection, _ place: SectionLayout.Place,
        _ segment: inout LinkedSegment
    ) throws(ImageError) {
        let symbol = object.symbols[relocation.symbol]
        guard let type = Relocation(rawValue: relocation.type) else {
            throw object.error(
                .unsupported, at: .sectionOffset(section: section.name, offset: relocation.offset),
                found: Relocation.name(relocation.type), expected: "R_X86_64_NONE, 64, PC32, PLT32, 32, 32S or PC64",
                hint: Relocation.hint(relocation.type))
        }
        guard type != .none else { return }
        guard place.size >= UInt64(type.width), relocation.offset <= place.size - UInt64(type.width) else {
            throw object.error(
                .malformed, at: .sectionOffset(section: section.name, offset: relocation.offset),
                found: "a relocation of \(type.width) bytes", expected: "one inside the section's \(place.size) bytes")
        }
        let reference = ImagePlace.reference(
            symbol: name(symbol), section: section.name, offset: relocation.offset)
        guard let target = symbols.addresses[index][relocation.symbol] else {
            throw object.error(
                .malformed, at: reference, found: "a symbol in a section that is not in memory",
                expected: "a symbol with an address")
        }
        let address = place.address + relocation.offset
        guard let value = type.value(symbol: target, addend: relocation.addend, place: address) else {
            throw object.error(
                .unsupported, at: reference,
                found: "\(Relocation.name(relocation.type)) of \(hex(target &+ UInt64(bitPattern: relocation.addend))) "
                    + "at \(hex(address)), which does not fit",
                expected: "a value within its \(type.width) bytes",
                hint: "compile for the kernel's address range: -mcmodel=kernel -fno-pic")
        }
        let start = Int(address - segment.address)
        for byte in 0..<type.width {
            segment.bytes[start + byte] = UInt8(truncatingIfNeeded: value >> UInt64(8 * byte))
        }
    }

    private func name(_ symbol: ImageSymbol) -> String {
        if !symbol.name.isEmpty { return symbol.name }
        if case .section(let number) = symbol.place { return object.sections[number].name }
        return "(unnamed)"
    }
}
