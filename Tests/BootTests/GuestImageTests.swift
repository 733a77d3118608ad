import Foundation
import Testing

/// What is committed under fixtures/images is what Sources/Guest says.
@Suite("Guest images") struct GuestImageTests {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    @Test("the images rebuild bit for bit with the toolchain that made them")
    func rebuild() throws {
        let table = try String(
            contentsOf: Self.root.appendingPathComponent("fixtures/images/README.md"), encoding: .utf8)
        let maker = try #require(
            table.split(separator: "\n").first { $0.hasPrefix("Toolchain: ") }?.dropFirst("Toolchain: ".count))
        let here = try run("swiftc", "--version").output
        guard here.contains(maker) else {
            print("guest images not compared: made with \(maker), this toolchain is \(here.prefix { $0 != "\n" })")
            return
        }
        let build = FileManager.default.temporaryDirectory.appendingPathComponent("guest-" + UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: build) }
        let outcome = try run("make", "-C", "Sources/Guest", "check", "BUILD=\(build.path)")
        #expect(outcome.status == 0, "\(outcome.output)")
        #expect(outcome.output.contains("images rebuild bit for bit"))
    }

    private func run(_ words: String...) throws -> (status: Int32, output: String) {
        let process = Process(), pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = words
        process.currentDirectoryURL = Self.root
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }
}
