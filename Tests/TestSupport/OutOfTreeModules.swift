import Foundation

/// Our own modules, built with Debian's headers (scripts/build-module.sh), if those are installed.
public enum OutOfTreeModules {
    /// The folder that has them; nil, with the reason printed, when they cannot be built here.
    public static let folder: String? = {
        var root = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { root.deleteLastPathComponent() }
        let process = Process()
        process.executableURL = root.appendingPathComponent("scripts/build-module.sh")
        let output = Pipe()
        process.standardOutput = output
        guard (try? process.run()) != nil else { return nil }
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            print("modules out of tree are not built here (scripts/build-module.sh, \(process.terminationStatus))")
            return nil
        }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }()
}
