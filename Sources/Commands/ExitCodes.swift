import ArgumentParser
import Simulation

/// `lvdsim help exit-codes`, `lvdsim exit-codes`: argument parsers do not document these.
struct ExitCodes: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exit-codes", abstract: "What each exit code means.", discussion: table)

    static var table: String {
        var text = ""
        for status in ExitStatus.allCases {
            let number = String(status.rawValue)
            let indented = wrapped(status.meaning, width: 72).joined(separator: "\n     ")
            text += String(repeating: " ", count: max(0, 3 - number.count)) + number + "  " + indented + "\n"
        }
        return text + """

            lvdsim boot passes the guest's own status through when the guest wrote a
            value V to the debug-exit port: (V << 1) | 1, as under QEMU.
            """
    }

    func run() throws { try Console.output(Self.table + "\n") }
}

/// Words in lines of at most `width` columns.
private func wrapped(_ text: String, width: Int) -> [String] {
    var lines = [""]
    for word in text.split(separator: " ") {
        if lines[lines.count - 1].count + word.count + 1 > width { lines.append("") }
        lines[lines.count - 1] += (lines[lines.count - 1].isEmpty ? "" : " ") + word
    }
    return lines
}
