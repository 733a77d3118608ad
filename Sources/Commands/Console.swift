import Foundation
import Simulation

/// Where words go: data to standard output, everything else to standard error.
enum Console {
    /// - Throws: exit 74 when the other end does not take it.
    static func output(_ text: String) throws(UserError) { try write(Array(text.utf8), to: STDOUT_FILENO) }
    static func output(bytes: [UInt8]) throws(UserError) { try write(bytes, to: STDOUT_FILENO) }

    /// A line about the run, for the person at the terminal.
    static func message(_ text: String) {
        try? write(Array((text + "\n").utf8), to: STDERR_FILENO)
    }

    static let errorIsTerminal = isatty(STDERR_FILENO) == 1
    static let outputIsTerminal = isatty(STDOUT_FILENO) == 1
    /// Colour only for a person, and only if wanted (no-color.org).
    static let colour = outputIsTerminal && (ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty

    private static func write(_ bytes: [UInt8], to descriptor: Int32) throws(UserError) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                Foundation.write(descriptor, $0.baseAddress! + done, bytes.count - done)
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw UserError(.inputOutput, "cannot write: \(String(cString: strerror(errno)))")
            }
            done += count
        }
    }
}

/// One line on standard error that rewrites itself; nothing unless a person looks.
struct Progress {
    private var shown = false

    mutating func show(_ text: @autoclosure () -> String) {
        guard Console.errorIsTerminal else { return }
        FileHandle.standardError.write(Data(("\r\u{1b}[K" + text()).utf8))
        shown = true
    }
    mutating func clear() {
        if shown { FileHandle.standardError.write(Data("\r\u{1b}[K".utf8)) }
        shown = false
    }
}
