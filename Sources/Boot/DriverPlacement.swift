import DriverImage

/// Where one driver goes in the guest's linear addresses, and what its imports bind to
/// (Sources/Guest/include/lvd/layout.h).
struct DriverPlacement {
    static let firstBase: UInt64 = 0xffff_ffff_a000_0000
    static let stride: UInt64 = 0x0400_0000
    static let maximumBytes: UInt64 = 0x80_0000
    static let maximumCount = 4
    /// The domain's page-table pages in its window, its root first.
    static let pageTables: UInt64 = 0x300_0000
    static let kernelBase: UInt64 = 0xffff_ffff_8000_0000
    static let domainPhysical: UInt64 = 0x7f_8000_0000

    /// Position among the drivers: decides the base.
    let index: Int
    let input: DriverInput
    /// The in-domain runtime; nil: the driver is linked against the kernel and runs natively.
    let runtime: ELFObject?
    let tables: GuestTables
    let linux: LinuxKernel?

    var base: UInt64 { Self.firstBase + UInt64(index) * Self.stride }

    func link() throws(ImageError) -> (BootModule, DriverLayout) {
        var linker = Linker(base: base)
        linker.maximumBytes = Self.maximumBytes
        var inputs = [LinkInput(input.object, exports: .exportTable)]
        if let runtime { inputs.insert(LinkInput(runtime, exports: .allGlobals), at: 0) }
        let exports = runtime == nil ? tables.exports : tables.sharedExports
        var image = try linker.link(inputs) { exports[$0] }
        var dispatch: UInt64 = 0
        if let runtime {
            if let linux { try patchABI(&image, runtime, linux) }
            guard let symbol = image.symbols.first(where: { $0.object == 0 && $0.name == "domain_dispatch" }) else {
                throw ImageError(
                    .malformed, file: runtime.file, at: .symbol("domain_dispatch"), found: "no such symbol",
                    expected: "the entry of the domain runtime")
            }
            dispatch = symbol.address
        }
        let module = DriverModule(name: input.name, image: image, dispatch: dispatch, driver: inputs.count - 1)
        let kind = runtime == nil ? "driver" : "domain"
        var commandLine = "\(kind) name=\(input.name) base=0x\(String(base, radix: 16))"
        if let section = image.objects[inputs.count - 1].sections.first(where: { $0.name == "__param" }) {
            commandLine += " parameters=0x\(String(section.address, radix: 16)) parameter_bytes=\(section.size)"
        }
        return (BootModule(bytes: module.bytes(), commandLine: commandLine), layout(image, dispatch, inputs.count - 1))
    }

    /// The runtime's slots, after linking: each placed `.lvd_abi` section of it.
    private func patchABI(
        _ image: inout LinkedImage, _ runtime: ELFObject, _ linux: LinuxKernel
    ) throws(ImageError) {
        for section in image.objects[0].sections where section.name == ABITable.section {
            guard let segment = section.segment else { continue }
            let start = Int(section.address - image.segments[segment].address)
            try ABITable.patch(
                &image.segments[segment].bytes, start..<(start + Int(section.size)), file: runtime.file, from: linux)
        }
    }

    private func layout(_ image: LinkedImage, _ dispatch: UInt64, _ driver: Int) -> DriverLayout {
        DriverLayout(
            name: input.name, file: input.object.file, domain: runtime == nil ? nil : index, base: .init(image.base),
            entry: runtime == nil ? nil : .init(dispatch), initModule: .init(image.objects[driver].initAddress ?? 0),
            cleanupModule: image.objects[driver].cleanupAddress.map { .init($0) },
            segments: image.segments.map {
                DriverLayout.Segment(
                    name: $0.name, range: $0.address..<($0.address + UInt64($0.bytes.count)),
                    writable: $0.permissions.write, executable: $0.permissions.execute)
            },
            symbols: SymbolMap(image))
    }
}
