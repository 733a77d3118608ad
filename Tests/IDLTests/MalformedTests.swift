import Foundation
import Testing

@testable import IDL

@Suite("Malformed interfaces")
struct MalformedTests {
    struct Case: CustomTestStringConvertible {
        var expected: String
        var text: String
        var testDescription: String { expected }
    }

    /// fixtures/idl/malformed.txt says how it is written.
    static let cases: [Case] = {
        guard let text = try? String(contentsOf: Fixtures.folder.appending(path: "malformed.txt"), encoding: .utf8)
        else {
            return []
        }
        return text.components(separatedBy: "\n=== ").dropFirst().map { part in
            let (head, body) = part.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false).pair
            return Case(expected: String(head), text: unescaped(String(body) + "\n"))
        }
    }()

    static func unescaped(_ text: String) -> String {
        var parts = text.components(separatedBy: "\\x")
        for index in parts.indices.dropFirst() {
            let code = UInt8(parts[index].prefix(2), radix: 16)!
            parts[index] = String(Character(Unicode.Scalar(code))) + parts[index].dropFirst(2)
        }
        return parts.joined()
    }

    @Test("there are a hundred of them or more, one for every code that needs no kernel")
    func coverage() {
        #expect(Self.cases.count >= 100)
        let codes = Set(Self.cases.map { $0.expected.split(separator: " ")[0] })
        for code in DiagnosticCode.allCases where !code.concernsKernel && code != .unknownModule && code != .noGlue {
            let isFirst = code != .tooManyErrors
            #expect(!isFirst || codes.contains(Substring(code.rawValue)), "\(code.rawValue)")
        }
    }

    @Test("each gives its diagnostic first, at its place", arguments: cases)
    func first(malformed: Case) throws {
        let result = Interface.check(IDLSource(name: "malformed.idl", text: malformed.text))
        let diagnostic = try #require(result.diagnostics.first { $0.severity == .error })
        let (line, column) = result.source.position(of: diagnostic.span.start)
        #expect(
            "\(diagnostic.code.rawValue) \(line):\(column)" == malformed.expected,
            "\(diagnostic.rendered(in: result.source))")
    }
}

enum Fixtures {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "fixtures/idl")
}

extension Array where Element == Substring {
    fileprivate var pair: (Substring, Substring) { (self[0], count > 1 ? self[1] : "") }
}
