import Foundation
import Simulation

/// Reading and writing whole files, with the exit codes and words that a user can act on.
enum Files {
    static func read(_ path: String) throws(UserError) -> [UInt8] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw UserError(.noInput, "\(path): there is no such file")
        }
        if isFolder.boolValue { throw UserError(.noInput, "\(path): found a folder, expected a file") }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw UserError(.inputOutput, "\(path): the file cannot be read; are its permissions right?")
        }
        return Array(data)
    }

    static func text(_ path: String) throws(UserError) -> String {
        guard let text = String(validating: try read(path), as: UTF8.self) else {
            throw UserError(.badData, "\(path): found bytes that are not UTF-8, expected a text file")
        }
        return text
    }
}

/// A file that grows line by line.
final class TextFile {
    private let handle: UnsafeMutablePointer<FILE>
    private let path: String

    init(_ path: String) throws(UserError) {
        guard let handle = fopen(path, "w") else {
            throw UserError(.inputOutput, "\(path): cannot be written: \(String(cString: strerror(errno)))")
        }
        self.handle = handle
        self.path = path
    }
    deinit { fclose(handle) }

    func write(_ text: String) {
        var text = text
        text.withUTF8 { _ = fwrite($0.baseAddress, 1, $0.count, handle) }
    }
    /// - Throws: exit 74 when anything did not reach the file.
    func finish() throws(UserError) {
        if fflush(handle) != 0 || ferror(handle) != 0 {
            throw UserError(.inputOutput, "\(path): cannot be written: \(String(cString: strerror(errno)))")
        }
    }
}
