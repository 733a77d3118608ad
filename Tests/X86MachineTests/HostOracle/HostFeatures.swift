import Foundation

/// What /proc/cpuinfo says of the host.
enum HostFeatures {
    static let all: Set<String> = Set(line("flags").split(separator: " ").map(String.init))
    static let vendor = line("vendor_id")

    private static func line(_ key: String) -> String {
        let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix(key) } ?? ""
        return line.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? ""
    }
}
