/// One object of a link, and which of its definitions the other objects see.
public struct LinkInput: Sendable {
    public enum Exports: Sendable {
        /// Every global or weak definition: the domain runtime.
        case allGlobals
        /// What EXPORT_SYMBOL listed (`__ksymtab_NAME`): a module, whose other globals stay its own.
        case exportTable
        case none
    }
    public var object: any ObjectFileReader
    public var exports: Exports
    public init(_ object: any ObjectFileReader, exports: Exports) {
        self.object = object
        self.exports = exports
    }
}

/// Links relocatable objects at a fixed linear address, the way a kernel loads modules: every object has a namespace of
/// its own and imports what others export.
///
/// A symbol is looked up in its own object, then among the exports of the others, then through the caller's resolver.
/// An undefined weak symbol that nothing supplies is 0; any other is an error.
public struct Linker {
    /// Linear address of the first segment; a multiple of 4096.
    public var base: UInt64
    /// Most bytes of memory the image may take.
    public var maximumBytes: UInt64 = 32 << 20
    /// Where per-CPU variables start as an offset from GS; nil: an object that has some is an error.
    public var perCPUBase: UInt64?

    public init(base: UInt64) { self.base = base }

    /// - Throws: `ImageError` naming the file and the section, symbol or offset.
    public func link(
        _ inputs: [LinkInput], resolver: (_ name: String) -> UInt64? = { _ in nil }
    ) throws(ImageError) -> LinkedImage {
        precondition(base & 4095 == 0)
        for input in inputs where input.object.kind != .relocatable {
            throw input.object.error(
                .unsupported, at: .file, found: "an ELF \(input.object.kind) file",
                expected: "a relocatable object (ET_REL), as kernel modules are")
        }
        var commons = CommonSymbols(inputs)
        var layout = SectionLayout(base: base, maximumBytes: maximumBytes, perCPUBase: perCPUBase)
        try layout.place(inputs, &commons)
        var symbols = SymbolResolution(inputs: inputs, layout: layout, commons: commons)
        try symbols.define()
        try symbols.resolveImports(resolver)
        var segments = layout.makeSegments(inputs)
        var counts: [Int] = []
        for index in inputs.indices {
            let pass = RelocationPass(object: inputs[index].object, index: index, layout: layout, symbols: symbols)
            counts.append(try pass.apply(to: &segments))
        }
        var objects: [LinkedObject] = []
        for index in inputs.indices {
            objects.append(try makeObject(index, inputs[index].object, layout, symbols, segments, counts[index]))
        }
        let perCPU = layout.perCPUSegment.map { segments[$0] }
        if layout.perCPUSegment != nil { segments.removeLast() }
        return LinkedImage(
            base: base, segments: segments, perCPU: perCPU, symbols: symbols.linkedSymbols(), objects: objects)
    }

    private func makeObject(
        _ index: Int, _ object: any ObjectFileReader, _ layout: SectionLayout, _ symbols: SymbolResolution,
        _ segments: [LinkedSegment], _ relocationCount: Int
    ) throws(ImageError) -> LinkedObject {
        var linked = LinkedObject(
            file: object.file, sections: layout.placedSections(ofObject: index, object),
            imports: symbols.imports[index], relocationCount: relocationCount)
        let metadata = try ModuleMetadata(object)
        guard let module = metadata.thisModule, let place = layout.places[index][module.section] else { return linked }
        linked.thisModule = (place.address, module.size)
        func pointer(_ offset: UInt64?, _ name: String) throws(ImageError) -> UInt64? {
            guard let offset else { return nil }
            let segment = segments[place.segment]
            let start = Int(place.address - segment.address + offset)
            let address = segment.bytes[start..<(start + 8)].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            let inText = segments.contains {
                $0.permissions.execute && address >= $0.address && address - $0.address < UInt64($0.bytes.count)
            }
            guard inText else {
                throw object.error(
                    .malformed, at: .symbol(name), found: "address \(hex(address))", expected: "executable code")
            }
            return address
        }
        linked.initAddress = try pointer(module.initOffset, "init_module")
        linked.cleanupAddress = try pointer(module.cleanupOffset, "cleanup_module")
        return linked
    }
}
