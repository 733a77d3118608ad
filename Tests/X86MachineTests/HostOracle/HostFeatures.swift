import Foundation

/// What /proc/cpuinfo says of the host.
enum HostFeatures {
    static let all: Set<String> = Set(line("flags").split(separator: " ").map(String.init))
    /// The kernel stops for milliseconds at each locked access that crosses a cache line.
    static let trapsBusLocks = !all.isDisjoint(with: ["bus_lock_detect", "split_lock_detect"])
    static let vendor = line("vendor_id")

    private static func line(_ key: String) -> String {
        let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix(key) } ?? ""
        return line.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? ""
    }
}
