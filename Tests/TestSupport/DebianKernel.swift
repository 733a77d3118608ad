import Foundation

/// What scripts/fetch-debian.sh left in .cache/debian, if it ran.
public enum DebianKernel {
    public struct NotFetched: Error {}

    /// The release's folder; nil when nothing was fetched.
    public static let folder: String? = {
        var root = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { root.deleteLastPathComponent() }
        let cache = root.appendingPathComponent(".cache/debian")
        guard let text = try? String(contentsOf: cache.appendingPathComponent("current"), encoding: .utf8) else {
            print("Debian's kernel is not here, so tests with it do not run: scripts/fetch-debian.sh gets it")
            return nil
        }
        return cache.appendingPathComponent(text.trimmingCharacters(in: .whitespacesAndNewlines)).path
    }()

    public static var isFetched: Bool { folder != nil }

    /// What `uname -r` prints on that kernel.
    public static var release: String? { folder.map { ($0 as NSString).lastPathComponent } }

    /// `vmlinux`, `modules/dummy.ko` and so on.
    public static func path(_ name: String) throws -> String {
        guard let folder else { throw NotFetched() }
        return folder + "/" + name
    }

    public static func has(_ name: String) -> Bool {
        folder.map { FileManager.default.fileExists(atPath: $0 + "/" + name) } ?? false
    }
}
