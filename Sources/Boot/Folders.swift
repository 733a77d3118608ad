import DriverImage

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// Where files that a user need not name are found.
enum Folders {
    static func exists(_ path: String) -> Bool { access(path, R_OK) == 0 }

    static func environment(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }

    /// The folder the running program is in, then the working directory.
    private static var starts: [String] {
        var list: [String] = []
        if let program = resolved("/proc/self/exe") ?? resolved(CommandLine.arguments.first ?? "") {
            list.append(parent(program))
        }
        if let working = resolved(".") { list.append(working) }
        return list
    }

    private static func resolved(_ path: String) -> String? {
        guard let text = realpath(path, nil) else { return nil }
        defer { free(text) }
        return String(cString: text)
    }

    static func parent(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// `relative` in the nearest folder at or above one of the starts that has it.
    static func upward(_ relative: String) -> String? {
        for start in starts {
            var folder = start
            while true {
                let candidate = folder == "/" ? "/" + relative : folder + "/" + relative
                if exists(candidate) { return candidate }
                if folder == "/" { break }
                folder = parent(folder)
            }
        }
        return nil
    }
}

/// The folder of the guest system's images.
public enum ImageFolder {
    /// The option if given, else the environment's LVDSIM_IMAGES, else `fixtures/images` at or above the program or the
    /// working directory.
    /// - Throws: `.missing` when there is no such folder.
    public static func locate(_ option: String?) throws(ImageError) -> String {
        if let named = option ?? Folders.environment("LVDSIM_IMAGES") {
            guard Folders.exists(named) else {
                throw ImageError(
                    .missing, file: named, at: .file, found: "no such folder",
                    expected: "the folder of kernel.elf, monitor.elf and domain.ko")
            }
            return named
        }
        if let found = Folders.upward("fixtures/images/kernel.elf") { return Folders.parent(found) }
        throw ImageError(
            .missing, file: "fixtures/images", at: .file, found: "no guest images",
            expected: "the folder of kernel.elf, monitor.elf and domain.ko",
            hint: "name it with --images or LVDSIM_IMAGES, or build it with make guest")
    }
}
