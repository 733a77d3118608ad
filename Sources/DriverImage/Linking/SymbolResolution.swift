/// Gives every symbol of every input its linear address.
struct SymbolResolution {
    private let inputs: [LinkInput]
    private let layout: SectionLayout
    private let commons: CommonSymbols
    /// By input, then by symbol index; nil: defined in a section that is not in memory.
    private(set) var addresses: [[UInt64?]]
    /// By input, in symbol order.
    private(set) var imports: [[ResolvedImport]]
    /// What inputs offer to each other.
    private var exports: [String: (address: UInt64, object: Int, weak: Bool)] = [:]

    init(inputs: [LinkInput], layout: SectionLayout, commons: CommonSymbols) {
        self.inputs = inputs
        self.layout = layout
        self.commons = commons
        addresses = inputs.map { [UInt64?](repeating: nil, count: $0.object.symbols.count) }
        imports = inputs.map { _ in [] }
    }

    // MARK: Definitions

    mutating func define() throws(ImageError) {
        for index in inputs.indices {
            let object = inputs[index].object
            var own: [String: Int] = [:]
            let exported = Self.exportedNames(inputs[index])
            for (number, symbol) in object.symbols.enumerated() {
                guard symbol.place != .undefined else { continue }
                if symbol.kind == .other(6) || symbol.kind == .other(10) {
                    throw object.error(
                        .unsupported, at: .symbol(symbol.name),
                        found: symbol.kind == .other(6) ? "a thread-local symbol" : "an indirect function",
                        expected: "a symbol with a fixed address")
                }
                let address = try definedAddress(symbol, index, object)
                addresses[index][number] = address
                guard symbol.binding == .global || symbol.binding == .weak, let address else { continue }
                if own.updateValue(number, forKey: symbol.name) != nil {
                    throw object.error(
                        .malformed, at: .symbol(symbol.name), found: "two global definitions", expected: "one")
                }
                if symbol.place != .common, exported.contains(symbol.name) {
                    try export(symbol, address, index, object)
                }
            }
        }
    }

    private func definedAddress(
        _ symbol: ImageSymbol, _ index: Int, _ object: any ObjectFileReader
    ) throws(ImageError) -> UInt64? {
        switch symbol.place {
        case .undefined: return nil
        case .absolute: return symbol.value
        case .common: return commons.address(of: symbol.name)
        case .section(let section):
            guard let place = layout.places[index][section] else { return nil }
            guard symbol.value <= place.size else {
                throw object.error(
                    .malformed, at: .symbol(symbol.name), found: "offset \(hex(symbol.value))",
                    expected: "at most the \(place.size) bytes of \(object.sections[section].name)")
            }
            return place.address + symbol.value
        }
    }

    private static func exportedNames(_ input: LinkInput) -> Set<String> {
        var names: Set<String> = []
        for symbol in input.object.symbols {
            switch input.exports {
            case .none: break
            case .allGlobals:
                if symbol.binding == .global || symbol.binding == .weak { names.insert(symbol.name) }
            case .exportTable:
                if symbol.name.hasPrefix("__ksymtab_") { names.insert(String(symbol.name.dropFirst(10))) }
            }
        }
        return names
    }

    private mutating func export(
        _ symbol: ImageSymbol, _ address: UInt64, _ index: Int, _ object: any ObjectFileReader
    ) throws(ImageError) {
        let weak = symbol.binding == .weak
        if let other = exports[symbol.name] {
            if !other.weak && !weak {
                throw object.error(
                    .mismatch, at: .symbol(symbol.name), found: "a second definition",
                    expected: "one: \(inputs[other.object].object.file) exports it too")
            }
            // A strong definition replaces a weak one; of two weak ones the first stays.
            if weak || !other.weak { return }
        }
        exports[symbol.name] = (address, index, weak)
    }

    // MARK: Imports

    mutating func resolveImports(_ resolver: (String) -> UInt64?) throws(ImageError) {
        for index in inputs.indices {
            let object = inputs[index].object
            var missing: [Int] = []
            for (number, symbol) in object.symbols.enumerated() where number > 0 {
                if symbol.place == .common, let found = exports[symbol.name], found.object != index {
                    addresses[index][number] = found.address
                }
                guard symbol.place == .undefined else { continue }
                if let found = exports[symbol.name] {
                    bind(number, of: index, ResolvedImport(
                        name: symbol.name, address: found.address, suppliedBy: found.object))
                } else if let address = resolver(symbol.name) {
                    bind(number, of: index, ResolvedImport(name: symbol.name, address: address, suppliedBy: nil))
                } else if symbol.binding == .weak {
                    addresses[index][number] = 0
                } else {
                    missing.append(number)
                }
            }
            if !missing.isEmpty { throw unresolved(missing, object) }
        }
        for index in inputs.indices where !inputs[index].object.symbols.isEmpty { addresses[index][0] = 0 }
    }

    private mutating func bind(_ number: Int, of index: Int, _ found: ResolvedImport) {
        addresses[index][number] = found.address
        imports[index].append(found)
    }

    private static let namesInHint = 12

    /// Names the first missing symbol at its first use, and lists others.
    private func unresolved(_ missing: [Int], _ object: any ObjectFileReader) -> ImageError {
        let name = object.symbols[missing[0]].name
        var place = ImagePlace.symbol(name)
        search: for (number, section) in object.sections.enumerated() {
            for relocation in object.relocations(ofSection: number) where relocation.symbol == missing[0] {
                place = .reference(symbol: name, section: section.name, offset: relocation.offset)
                break search
            }
        }
        var hint: String?
        if missing.count > 1 {
            let shown = missing.prefix(Self.namesInHint).map { object.symbols[$0].name }.joined(separator: ", ")
            let others = missing.count - Self.namesInHint
            hint = "\(missing.count) imports are missing: \(shown)" + (others > 0 ? " and \(others) others" : "")
        }
        return object.error(
            .unresolved, at: place, found: "an import that nothing supplies",
            expected: "a definition in the domain runtime, the glue or the kernel's exports", hint: hint)
    }

    // MARK: Result

    func linkedSymbols() -> [LinkedSymbol] {
        var list: [LinkedSymbol] = []
        for (index, input) in inputs.enumerated() {
            for (number, symbol) in input.object.symbols.enumerated() {
                guard symbol.place != .undefined, symbol.place != .absolute, !symbol.name.isEmpty,
                    symbol.kind != .section, symbol.kind != .file, let address = addresses[index][number]
                else { continue }
                list.append(LinkedSymbol(
                    name: symbol.name, address: address, size: symbol.size, isGlobal: symbol.binding != .local,
                    isFunction: symbol.kind == .function, object: index))
            }
        }
        return list.sorted { ($0.address, $0.name, $0.object) < ($1.address, $1.name, $1.object) }
    }
}
