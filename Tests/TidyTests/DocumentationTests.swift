import Foundation
import Testing

/// What the documents say exists, exists.
@Suite("Documents")
struct DocumentationTests {
    /// `[text](target)` outside of code fences, relative targets only.
    static func links(_ text: String) -> [String] {
        var found: [String] = []
        var fenced = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("```") { fenced.toggle() }
            if fenced { continue }
            for match in line.matches(of: #/\]\(([^)\s]+)\)/#) { found.append(String(match.1)) }
        }
        return found.filter { !$0.hasPrefix("http") && !$0.hasPrefix("#") && !$0.hasPrefix("mailto:") }
    }

    @Test("every relative link in a document leads to a file")
    func linksLead() {
        for file in Repository.files where file.path.hasSuffix(".md") {
            let folder = file.path.split(separator: "/").dropLast().map(String.init)
            for link in Self.links(file.text) {
                var parts = folder
                for part in link.split(separator: "#")[0].split(separator: "/") {
                    if part == ".." { _ = parts.popLast() } else if part != "." { parts.append(String(part)) }
                }
                #expect(Repository.exists(parts.joined(separator: "/")), "\(file.path) links to \(link)")
            }
        }
    }

    @Test("every document under docs/ is reachable from docs/README.md")
    func everyDocumentIsOnTheMap() {
        guard let map = Repository.files.first(where: { $0.path == "docs/README.md" }) else {
            Issue.record("docs/README.md is missing"); return
        }
        for file in Repository.files where file.path.hasPrefix("docs/") && file.path.hasSuffix(".md") {
            if file.path == map.path { continue }
            #expect(
                map.text.contains("(" + file.path.dropFirst("docs/".count) + ")"),
                "docs/README.md does not list \(file.path)")
        }
    }

    /// Titles that the manual itself gives to two sections: a field of the VMCS, and what entries or exits do with it.
    static let twice: Set<String> = [
        "Basic VM-Exit Information", "VM-Execution Control Fields", "Numeric Overflow Exception (#O)"
    ]

    /// A citation is `SDM 3C 28.5.7 "VM Functions"`: the title is the key, so one title has one number.
    @Test("a title of the manual is cited with one number")
    func oneTitleOneNumber() {
        var numbers: [String: [String: String]] = [:]
        for file in Repository.files where file.path.hasSuffix(".swift") && file.path.hasPrefix("Sources/") {
            for match in file.text.matches(of: #/SDM (\w+) ([0-9]+(?:\.[0-9]+)*) "([^"\n]+)"/#) {
                numbers[String(match.3), default: [:]]["\(match.1) \(match.2)"] = file.path
            }
        }
        for (title, places) in numbers.sorted(by: { $0.key < $1.key })
        where places.count > (Self.twice.contains(title) ? 2 : 1) {
            let list = places.sorted { $0.key < $1.key }.map { "\($0.key) in \($0.value)" }.joined(separator: ", ")
            Issue.record("\"\(title)\" is cited as \(list)")
        }
    }
}
