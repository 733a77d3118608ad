import Testing

/// A run is a function of its inputs: nothing that differs from one process to the next may reach a result.
@Suite("Determinism, read from the source")
struct DeterminismTests {
    /// Words that bring in time, chance, threads, or rounding, each with what to use instead.
    static let everywhere: [(word: String, instead: String)] = [
        ("SystemRandomNumberGenerator", "a generator seeded from the configuration"),
        ("Hasher", "the digest in X86Machine"),
        ("Dispatch", "the deterministic scheduler"),
        ("DispatchQueue", "the deterministic scheduler"),
        ("Thread", "the deterministic scheduler"),
        ("Date", "the machine's clock"),
        ("ContinuousClock", "the machine's clock"),
        ("SuspendingClock", "the machine's clock"),
        ("Task", "plain calls"),
        ("async", "plain calls"),
        ("await", "plain calls"),
        ("hashValue", "the digest in X86Machine"),
        ("shuffled", "an order of its own"),
        ("randomElement", "a seeded generator")
    ]
    static let engineOnly: [(word: String, instead: String)] = [
        ("Foundation", "the standard library"),
        ("Double", "integers"),
        ("Float", "integers"),
        ("Set", "a sorted array or a bit set: a Set has no order"),
        ("Dictionary", "an array or an open-addressing table: a Dictionary has no order")
    ]

    static func words(_ line: String) -> [Substring] {
        line.split { !($0.isLetter || $0.isNumber || $0 == "_") }
    }

    static let results: [String] = [
        "X86Architecture", "X86Decoder", "X86Machine", "DriverImage", "Boot", "LVD",
        "Isolation", "Simulation", "Reports"
    ]

    @Test("no clocks, chance, hash order or threads where results are made", arguments: results)
    func noOutsideInfluence(target: String) {
        for file in Repository.files(under: "Sources/\(target)/", "swift") {
            for (number, line) in codeLines(file.text).enumerated() {
                let words = Self.words(line)
                for rule in Self.everywhere where words.contains(Substring(rule.word)) {
                    Issue.record("\(file.path):\(number + 1): \(rule.word); use \(rule.instead)")
                }
            }
        }
    }

    @Test(
        "no Foundation, floating point or unordered collections in the engine",
        arguments: ["X86Architecture", "X86Decoder", "X86Machine"])
    func engineWords(target: String) {
        for file in Repository.files(under: "Sources/\(target)/", "swift") {
            for (number, line) in codeLines(file.text).enumerated() {
                let words = Self.words(line)
                for rule in Self.engineOnly where words.contains(Substring(rule.word)) {
                    Issue.record("\(file.path):\(number + 1): \(rule.word); use \(rule.instead)")
                }
            }
        }
    }

    @Test("a dictionary or set is never walked in its own order where results are made", arguments: results)
    func noUnorderedWalk(target: String) {
        for file in Repository.files(under: "Sources/\(target)/", "swift") {
            for (number, line) in codeLines(file.text).enumerated()
            where line.contains(" in ") && line.contains("for ")
                && (line.contains(".keys {") || line.contains(".values {"))
            {
                Issue.record("\(file.path):\(number + 1): sort the keys before walking them")
            }
        }
    }
}
