import Foundation

@testable import DriverImage

/// Builds the objects that the tests link, with the clang beside the running Swift toolchain or on PATH.
enum Toolchain {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    static let kernelFlags = ["-O2", "-ffreestanding", "-fno-pic", "-mcmodel=kernel", "-fno-asynchronous-unwind-tables"]

    /// An object file from C (`language: "c"`) or assembly (`"assembler"`).
    static func object(
        _ source: String, language: String = "c", target: String = "x86_64-none-elf", name: String = "test.o",
        flags: [String] = kernelFlags
    ) throws -> [UInt8] {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let input = folder.appendingPathComponent("source")
        let output = folder.appendingPathComponent(name)
        try Data(source.utf8).write(to: input)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["clang", "--target=\(target)", "-c", "-x", language] + flags
            + [input.path, "-o", output.path]
        let errors = Pipe()
        process.standardError = errors
        try process.run()
        let text = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(description: "clang: " + String(decoding: text, as: UTF8.self))
        }
        return [UInt8](try Data(contentsOf: output))
    }

    static func elf(_ source: String, language: String = "c", name: String = "test.o") throws -> ELFObject {
        try ELFObject(name: name, bytes: object(source, language: language, name: name))
    }

    static func assembly(_ source: String, name: String = "test.o") throws -> ELFObject {
        try elf(source, language: "assembler", name: name)
    }
}

extension LinkedImage {
    /// The little-endian 64-bit word at a linear address.
    func word(at address: UInt64) -> UInt64 {
        for segment in segments where address >= segment.address {
            let start = Int(address - segment.address)
            guard start + 8 <= segment.bytes.count else { continue }
            return segment.bytes[start..<(start + 8)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        return 0
    }

    func half(at address: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: word(at: address)) }

    func permissions(at address: UInt64) -> String? {
        segments.first { address >= $0.address && address < $0.address + UInt64($0.bytes.count) }?
            .permissions.description
    }
}

/// The error a body throws, nil when it throws none.
func imageError(_ body: () throws -> Void) -> ImageError? {
    do {
        try body()
        return nil
    } catch {
        return error as? ImageError
    }
}
