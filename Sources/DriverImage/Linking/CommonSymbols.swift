/// Tentative definitions (SHN_COMMON): one allocation per name over all inputs, as large and as aligned as the largest
/// asks for. A real definition that is visible to the object wins (`SymbolResolution`).
struct CommonSymbols {
    private struct Allocation {
        var file: String
        var size: UInt64
        var alignment: UInt64
        var address: UInt64 = 0
    }
    /// In order of first appearance.
    private var names: [String] = []
    private var allocations: [String: Allocation] = [:]

    init(_ inputs: [LinkInput]) {
        for input in inputs {
            for symbol in input.object.symbols where symbol.place == .common {
                let alignment = max(1, symbol.value)
                if let seen = allocations[symbol.name] {
                    allocations[symbol.name]!.size = max(seen.size, symbol.size)
                    allocations[symbol.name]!.alignment = max(seen.alignment, alignment)
                } else {
                    names.append(symbol.name)
                    allocations[symbol.name] = Allocation(
                        file: input.object.file, size: symbol.size, alignment: alignment)
                }
            }
        }
    }

    func address(of name: String) -> UInt64? { allocations[name]?.address }

    /// Returns the first address behind them.
    mutating func place(from start: UInt64, limit: UInt64) throws(ImageError) -> UInt64 {
        var position = start
        for name in names {
            let wanted = allocations[name]!
            func error(_ found: String, _ expected: String) -> ImageError {
                ImageError(.unsupported, file: wanted.file, at: .symbol(name), found: found, expected: expected)
            }
            guard wanted.alignment <= 4096, wanted.alignment & (wanted.alignment - 1) == 0 else {
                throw error("a common symbol aligned to \(wanted.alignment)", "a power of two up to 4096")
            }
            position = roundUp(position, wanted.alignment)
            guard position <= limit, wanted.size <= limit - position else {
                throw error("a common symbol of \(wanted.size) bytes", "an image within its limit")
            }
            allocations[name]!.address = position
            position += wanted.size
        }
        return position
    }
}
