import Simulation

/// A recorded run after an edit, made whole again: the last line is the checksum of what precedes it.
enum Rewritten {
    static func checksum(_ text: String) -> String {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: true).map(String.init)
        lines.removeLast()
        let body = lines.joined(separator: "\n") + "\n"
        var sum = SHA256()
        sum.update(body.utf8)
        return body + "sha256 \(sum.hexadecimal())\n"
    }
}
