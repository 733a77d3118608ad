import Testing

/// The shape of the files: small, one purpose each, nothing left lying about.
@Suite("Shape of the files")
struct ShapeTests {
    static let linesMax = 700
    static let columnsMax = 120
    /// Tables may be as long as what they list.
    static let tables: Set<String> = []
    static let sources = ["swift", "c", "h", "S"]

    static var code: [Repository.File] {
        Repository.files.filter { file in
            (file.path.hasPrefix("Sources/") || file.path.hasPrefix("Tests/") || file.path.hasPrefix("Plugins/"))
                && sources.contains { file.path.hasSuffix("." + $0) }
        }
    }

    @Test("no file of code is longer than 700 lines, tables by name and generated C excepted")
    func fileLength() {
        for file in Self.code where !Self.tables.contains(file.path) && !file.path.contains("/generated/") {
            #expect(file.lines.count <= Self.linesMax, "\(file.path) has \(file.lines.count) lines")
        }
    }

    @Test("no line of Swift is wider than 120 columns")
    func lineWidth() {
        for file in Self.code where file.path.hasSuffix(".swift") {
            for (number, line) in file.lines.enumerated() where line.count > Self.columnsMax {
                Issue.record("\(file.path):\(number + 1): \(line.count) columns")
            }
        }
    }

    @Test("no leftover markers and no folder of leftovers")
    func leftovers() {
        let markers = ["TO" + "DO", "FIX" + "ME", "XX" + "X:", "Place" + "holder"]
        for file in Self.code {
            for (number, line) in file.lines.enumerated() {
                for marker in markers where line.contains(marker) {
                    Issue.record("\(file.path):\(number + 1): \(marker)")
                }
            }
            for word in ["Manager", "Helper", "Utils", "Util.", "Common."] where file.name.contains(word) {
                Issue.record("\(file.path): a name that says nothing (\(word))")
            }
        }
    }

    @Test("tabs and trailing blanks are not in Swift files")
    func blanks() {
        for file in Self.code where file.path.hasSuffix(".swift") {
            for (number, line) in file.lines.enumerated() {
                #expect(!line.contains("\t"), "\(file.path):\(number + 1): tab")
                #expect(!line.hasSuffix(" "), "\(file.path):\(number + 1): trailing blank")
            }
        }
    }

    @Test("no path of the machine that built it appears in any file")
    func machinePaths() {
        let folders = ["/" + "root/", "/" + "home/", "/" + "work/", "/" + "Users/"]
        for file in Repository.files {
            for (number, line) in file.lines.enumerated() {
                for folder in folders where line.contains(folder) {
                    Issue.record("\(file.path):\(number + 1): \(folder)")
                }
            }
        }
    }
}
