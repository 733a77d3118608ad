import Foundation

/// Builds the objects and images that tests feed to the tool, with the clang and ld.lld of the Swift toolchain on PATH.
public enum Toolchain {
    public struct Failure: Error, CustomStringConvertible {
        public var description: String
    }

    public static let kernelFlags = [
        "-O2", "-ffreestanding", "-fno-pic", "-mcmodel=kernel", "-mno-red-zone", "-fno-asynchronous-unwind-tables",
    ]

    /// An object file from C (`language: "c"`) or assembly (`"assembler"`, `"assembler-with-cpp"`).
    public static func object(
        _ source: String, language: String = "c", target: String = "x86_64-none-elf", flags: [String] = kernelFlags
    ) throws -> [UInt8] {
        try inTemporaryFolder { folder in
            let input = folder.appendingPathComponent("source")
            let output = folder.appendingPathComponent("output")
            try Data(source.utf8).write(to: input)
            try run("clang", ["--target=\(target)", "-c", "-x", language] + flags
                + [input.path, "-o", output.path])
            return [UInt8](try Data(contentsOf: output))
        }
    }

    /// An executable linked from one object with the given ld.lld options.
    public static func executable(_ object: [UInt8], options: [String]) throws -> [UInt8] {
        try inTemporaryFolder { folder in
            let input = folder.appendingPathComponent("input.o")
            let output = folder.appendingPathComponent("output")
            try Data(object).write(to: input)
            try run("ld.lld", options + [input.path, "-o", output.path])
            return [UInt8](try Data(contentsOf: output))
        }
    }

    /// Runs a body with a folder of its own, which is removed afterwards.
    public static func inTemporaryFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lvdsim-" + UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try body(folder)
    }

    private static func run(_ tool: String, _ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [tool] + arguments
        let errors = Pipe()
        process.standardError = errors
        try process.run()
        let text = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(description: tool + ": " + String(decoding: text, as: UTF8.self))
        }
    }
}
