import Foundation

/// The real binary, run as a user runs it.
enum Tool {
    struct Outcome {
        var status: Int32
        var output: String
        var errors: String
        var outputBytes: Data
    }

    /// Next to the test bundle, in whichever configuration is being tested, unless LVDSIM_BINARY names another one.
    static let path: String = {
        if let named = ProcessInfo.processInfo.environment["LVDSIM_BINARY"] { return named }
        let bundle = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        return bundle.deletingLastPathComponent().appendingPathComponent("lvdsim").path
    }()
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// - Parameter interruptAfter: send SIGINT after so many seconds.
    static func run(
        _ arguments: String..., folder: URL = root, environment: [String: String] = [:], interruptAfter: Double? = nil
    ) throws -> Outcome {
        try run(list: arguments, folder: folder, environment: environment, interruptAfter: interruptAfter)
    }

    static func run(
        list arguments: [String], folder: URL = root, environment: [String: String] = [:], interruptAfter: Double? = nil
    ) throws -> Outcome {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        // Files, not pipes: nothing can fill up and wait.
        let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("lvdsim-" + UUID().uuidString)
        try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: scratch) }
        let files = ["out", "err"].map { scratch.appendingPathComponent($0) }
        for file in files { try Data().write(to: file) }
        process.standardOutput = try FileHandle(forWritingTo: files[0])
        process.standardError = try FileHandle(forWritingTo: files[1])
        process.standardInput = FileHandle.nullDevice
        try process.run()
        if let interruptAfter {
            Thread.sleep(forTimeInterval: interruptAfter)
            process.interrupt()
        }
        process.waitUntilExit()
        let output = try Data(contentsOf: files[0])
        return Outcome(
            status: process.terminationStatus, output: String(decoding: output, as: UTF8.self),
            errors: String(decoding: try Data(contentsOf: files[1]), as: UTF8.self), outputBytes: output)
    }

    /// A folder that is removed when the body returns.
    static func withFolder<T>(_ body: (URL) throws -> T) throws -> T {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lvdsim-" + UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try body(folder)
    }
}

extension Tool.Outcome {
    /// Standard output as one JSON object.
    func json() throws -> [String: Any] {
        try JSONSerialization.jsonObject(with: outputBytes) as? [String: Any] ?? [:]
    }
}
