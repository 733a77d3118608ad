import Foundation

/// The repository as text: what the tidy rules read.
enum Repository {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().standardizedFileURL

    struct File {
        /// Path from the root, with slashes.
        let path: String
        let text: String
        var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
        var name: String { String(path.split(separator: "/").last ?? "") }
    }

    /// Folders that hold nothing of ours: build products, fetched packages, version control.
    private static let skipped: Set<String> = [".git", ".build", ".build-tests", ".cache", ".swiftpm"]

    /// Every text file of ours, sorted by path.
    static let files: [File] = {
        var found: [File] = []
        var folders = [""]
        while let folder = folders.popLast() {
            let url = folder.isEmpty ? root : root.appending(path: folder)
            for name in (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? [] {
                if skipped.contains(name) || name.hasPrefix(".build") { continue }
                let path = folder.isEmpty ? name : folder + "/" + name
                var isFolder: ObjCBool = false
                guard FileManager.default.fileExists(atPath: root.appending(path: path).path, isDirectory: &isFolder)
                else { continue }
                if isFolder.boolValue { folders.append(path); continue }
                guard let data = FileManager.default.contents(atPath: root.appending(path: path).path),
                    let text = String(data: data, encoding: .utf8), !text.contains("\0")
                else { continue }
                found.append(File(path: path, text: text))
            }
        }
        return found.sorted { $0.path < $1.path }
    }()

    static func files(under folder: String, _ extensions: String...) -> [File] {
        files.filter { file in
            file.path.hasPrefix(folder) && extensions.contains { file.path.hasSuffix("." + $0) }
        }
    }

    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appending(path: path).path)
    }
}

/// Swift source without its comments and the contents of its string literals, line by line,
/// so that a word in prose is not taken for code.
func codeLines(_ text: String) -> [String] {
    var lines: [String] = []
    var depth = 0  // of nested block comments
    var inText = false  // inside a multi-line string
    for raw in text.split(separator: "\n", omittingEmptySubsequences: false) {
        var code = ""
        var rest = raw[...]
        var inString = false
        while let c = rest.first {
            if inText {
                if rest.hasPrefix("\"\"\"") {
                    inText = false; rest = rest.dropFirst(3)
                } else {
                    rest = rest.dropFirst()
                }
            } else if depth > 0 {
                if rest.hasPrefix("*/") {
                    depth -= 1; rest = rest.dropFirst(2)
                } else if rest.hasPrefix("/*") {
                    depth += 1; rest = rest.dropFirst(2)
                } else {
                    rest = rest.dropFirst()
                }
            } else if inString {
                if c == "\\" { rest = rest.dropFirst(2); continue }
                if c == "\"" { inString = false }
                rest = rest.dropFirst()
            } else if rest.hasPrefix("//") {
                break
            } else if rest.hasPrefix("/*") {
                depth += 1; rest = rest.dropFirst(2)
            } else if rest.hasPrefix("\"\"\"") {
                inText = true; rest = rest.dropFirst(3)
            } else {
                if c == "\"" { inString = true }
                code.append(c); rest = rest.dropFirst()
            }
        }
        lines.append(code)
    }
    return lines
}
