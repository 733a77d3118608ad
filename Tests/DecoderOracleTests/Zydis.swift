import Foundation
import X86Decoder

/// Zydis of the host's package, as a process of its own: a small C program that the test compiles.
struct Zydis {
    struct Operand {
        enum Kind: UInt8 { case absent, register, memory, farPointer, immediate, relative }
        var kind: Kind
        var a, b, c, segment: UInt8
        var size: Int
        var value: Int64
    }
    struct Answer {
        /// 0 when Zydis finds no instruction.
        var length: Int
        var operandWidth, addressWidth: Int
        var mnemonic: String
        var operands: [Operand]
    }
    struct Query: Hashable {
        var size: CodeSize
        /// 15 bytes.
        var bytes: [UInt8]
    }
    struct Unavailable: Error { var reason: String }

    private let program: URL
    private let folder: URL
    private let names: [String]
    private static let answerBytes = 88

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "decoder-oracle-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        program = folder.appending(path: "zydis-reader")
        let source = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "zydis-reader.c")
        let compile = ["clang", "-O2", source.path(), "-o", program.path(), "-lZydis"]
        guard try Self.run("/usr/bin/env", compile).status == 0 else {
            throw Unavailable(reason: "zydis-reader.c does not compile: clang or the package libzydis-dev is missing")
        }
        names = try Self.run(program.path(), ["names"]).output.split(separator: "\n").map(String.init)
    }

    func remove() { try? FileManager.default.removeItem(at: folder) }

    func answers(_ queries: [Query]) throws -> [Answer] {
        var input: [UInt8] = []
        input.reserveCapacity(queries.count * 16)
        for query in queries {
            input.append(query.size == .bits16 ? 16 : query.size == .bits32 ? 32 : 64)
            input += query.bytes
        }
        let file = (folder.appending(path: "queries"), folder.appending(path: "answers"))
        try Data(input).write(to: file.0)
        let result = try Self.run(program.path(), [file.0.path(), file.1.path()])
        let output = [UInt8](try Data(contentsOf: file.1))
        guard result.status == 0, output.count == queries.count * Self.answerBytes else {
            throw Unavailable(reason: "zydis-reader ended with status \(result.status)")
        }
        return output.withUnsafeBytes { bytes in
            queries.indices.map { answer(UnsafeRawBufferPointer(rebasing: bytes[($0 * Self.answerBytes)...])) }
        }
    }

    private func answer(_ bytes: UnsafeRawBufferPointer) -> Answer {
        let operands = (0..<Int(bytes[3])).map { n in
            let base = 8 + n * 16
            return Operand(
                kind: .init(rawValue: bytes[base]) ?? .absent, a: bytes[base + 1], b: bytes[base + 2],
                c: bytes[base + 3], segment: bytes[base + 4],
                size: Int(bytes.loadUnaligned(fromByteOffset: base + 6, as: UInt16.self)),
                value: bytes.loadUnaligned(fromByteOffset: base + 8, as: Int64.self))
        }
        return Answer(
            length: Int(bytes[0]), operandWidth: Int(bytes[1]), addressWidth: Int(bytes[2]),
            mnemonic: names[Int(bytes.loadUnaligned(fromByteOffset: 4, as: UInt16.self))], operands: operands)
    }

    private static func run(_ path: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
        let process = Process(), output = Pipe()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }
}
