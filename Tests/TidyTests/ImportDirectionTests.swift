import Testing

/// Names go from silicon to verdict: a target imports only targets above it (docs/architecture.md).
@Suite("Import direction")
struct ImportDirectionTests {
    /// Our library targets in the order in which Package.swift lists them: the order is the rule.
    static let order: [String] = {
        guard let manifest = Repository.files.first(where: { $0.path == "Package.swift" }) else { return [] }
        return manifest.lines.compactMap { line in
            let line = line.drop { $0 == " " }
            guard
                line.hasPrefix(".target(name: \"") || line.hasPrefix(".systemLibrary(name: \"")
                    || line.hasPrefix(".executableTarget(name: \"")
            else { return nil }
            return line.split(separator: "\"").dropFirst().first.map(String.init)
        }
    }()

    /// What comes with the toolchain or from a package, and the targets that may use it.
    static let outside: [String: @Sendable (String) -> Bool] = [
        "Foundation": { !engineTargets.contains($0) },
        "Glibc": { !engineTargets.contains($0) || $0 == "X86Machine" },
        "Musl": { !engineTargets.contains($0) || $0 == "X86Machine" },
        "Darwin": { !engineTargets.contains($0) || $0 == "X86Machine" },
        "Synchronization": { $0 == "Commands" || $0 == "lvdsim" },
        "ArgumentParser": { $0 == "Commands" || $0 == "lvdsim" }
    ]
    /// Generators run while building, on the host: they may read files.
    static let engineTargets: Set<String> = ["CEngineState", "X86Architecture", "X86Decoder", "X86Machine"]

    @Test("Package.swift lists every folder of Sources as a target, in import order")
    func everyFolderIsATarget() {
        let folders = Set(
            Repository.files(under: "Sources/", "swift", "h", "modulemap", "S", "c").compactMap {
                $0.path.split(separator: "/").dropFirst().first.map(String.init)
            }
        ).subtracting(["Guest"])
        let manifest = Repository.files.first { $0.path == "Package.swift" }?.text ?? ""
        for folder in folders.sorted() {
            #expect(manifest.contains("name: \"\(folder)\""), "Sources/\(folder) is not named in Package.swift")
        }
    }

    @Test("a target imports only targets above it in Package.swift")
    func importsPointUp() {
        #expect(Self.order.count > 10)
        let rank = Dictionary(uniqueKeysWithValues: Self.order.enumerated().map { ($1, $0) })
        for file in Repository.files(under: "Sources/", "swift") where !file.path.hasPrefix("Sources/Guest/") {
            let target = String(file.path.split(separator: "/")[1])
            guard let own = rank[target] else { continue }
            for line in codeLines(file.text) {
                let words = line.split(separator: " ").drop { $0.hasPrefix("@") || $0 == "public" || $0 == "internal" }
                guard words.first == "import", words.count == 2, let module = words.last.map(String.init) else {
                    continue
                }
                if let other = rank[module] {
                    #expect(other < own, "\(file.path) imports \(module), which is not above \(target)")
                } else {
                    #expect(Self.outside[module]?(target) == true, "\(file.path) must not import \(module)")
                }
            }
        }
    }
}
