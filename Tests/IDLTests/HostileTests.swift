import Foundation
import Testing

@testable import IDL

@Suite("Interfaces from a hostile hand")
struct HostileTests {
    /// SplitMix64: a sequence that a seed repeats.
    struct Generator {
        var state: UInt64
        mutating func next(_ below: Int) -> Int {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
            return Int(truncatingIfNeeded: (z ^ z >> 31) >> 1) % below
        }
    }

    private func survives(_ bytes: [UInt8]) {
        let result = Interface.check(IDLSource(name: "fuzz", bytes: bytes))
        for diagnostic in result.diagnostics { #expect(!diagnostic.rendered(in: result.source).isEmpty) }
    }

    @Test("bytes without meaning are reported, never a crash", arguments: 0..<40)
    func bytes(seed: UInt64) {
        var random = Generator(state: seed)
        for _ in 0..<50 { survives((0..<random.next(200)).map { _ in UInt8(random.next(256)) }) }
    }

    @Test("words of the language in any order are reported, never a crash", arguments: 0..<40)
    func words(seed: UInt64) {
        let words = [
            "module", "m", "{", "}", "projection", "<", "struct", ">", "rpc", "rpc_ptr", "void", "int", "(", ")", ";",
            ",",
            "*", "[", "]", "alloc", "callee", "caller", "array", "null", "{{", "}}", "ptr->x", "const", "casted",
            "string",
            "bind_memberof", "global", "spinlock", "driver", "import", "include", "<a.h>", ":", "7", "union", "out",
            "0x", "."
        ]
        var random = Generator(state: seed &+ 1000)
        for _ in 0..<50 {
            survives(
                Array((0..<random.next(120)).map { _ in words[random.next(words.count)] }.joined(separator: " ").utf8))
        }
    }

    /// Where the words of a good interface are.
    static func spans(_ text: [UInt8]) -> [Range<Int>] {
        var lexer = Lexer(IDLSource(name: "good", bytes: text))
        var sink = DiagnosticSink()
        var spans: [Range<Int>] = []
        while true {
            let token = lexer.next(&sink)
            if token.token == .end { return spans }
            spans.append(token.span.start..<token.span.end)
        }
    }

    @Test(
        "good interfaces with words removed, doubled, swapped or cut off are read or reported, never a crash",
        arguments: AcceptedTests.files)
    func mutations(file: URL) throws {
        let good = Array(try Data(contentsOf: file))
        let spans = Self.spans(good)
        var random = Generator(state: 7)
        for _ in 0..<150 {
            var text = good
            let first = spans[random.next(spans.count)], second = spans[random.next(spans.count)]
            switch random.next(5) {
            case 0: text.removeSubrange(first)
            case 1: text.insert(contentsOf: good[second] + [32], at: first.lowerBound)
            case 2: text.replaceSubrange(first, with: good[second])
            case 3: text.removeSubrange(first.lowerBound...)
            default: text[random.next(text.count)] = UInt8(random.next(256))
            }
            survives(text)
        }
    }

    @Test(
        "levels without an end are refused, not followed",
        arguments: ["{", "projection <struct a> a {", "array<", "(", "casted<"])
    func depth(word: String) {
        survives(Array(("module m { projection <struct a> a { " + String(repeating: word, count: 100_000)).utf8))
    }
}
