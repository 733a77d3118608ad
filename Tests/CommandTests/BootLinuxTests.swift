import Foundation
import Testing

/// Debian's kernels, unmodified, from reset to a shell and back, through the real binary: what `make boot-linux`
/// does. The script's own checks are the prompt, each typed command's output, the modules, and the same digest twice.
@Suite("Linux in lvdsim boot")
struct BootLinuxTests {
    static func isFetched(_ kernel: String) -> Bool {
        let name = kernel == "cloud" ? "current-cloud" : "current"
        guard let release = try? String(contentsOf: cache.appendingPathComponent(name), encoding: .utf8) else {
            return missing(kernel)
        }
        let folder = cache.appendingPathComponent(release.trimmingCharacters(in: .whitespacesAndNewlines))
        let isThere = FileManager.default.fileExists(atPath: folder.appendingPathComponent("modules/null_blk.ko").path)
        return isThere || missing(kernel)
    }
    private static let cache = Tool.root.appendingPathComponent(".cache/debian")
    private static func missing(_ kernel: String) -> Bool {
        let option = kernel == "cloud" ? "--cloud " : ""
        print("Debian's \(kernel) kernel is not here, so it is not booted: "
            + "scripts/fetch-debian.sh \(option)dummy null_blk")
        return false
    }
    static let kernels = ["cloud", "generic"].filter(isFetched)

    @Test(
        "to a shell, commands, modules, reboot, twice alike; two processors power off; the bzImage unpacks itself",
        arguments: kernels)
    func boots(_ kernel: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = [Tool.root.appendingPathComponent("scripts/boot-linux.sh").path, Tool.path, kernel]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(output)")
        let lines = output.split(separator: "\n").filter { $0.contains("shell, commands and modules") }
        try #require(lines.count == 4, "\(output)")
        let cost = try #require(lines[0].firstMatch(of: #/([0-9,]+) instructions, ([0-9.]+) s/#))
        let instructions = try #require(Int(cost.1.filter { $0 != "," })), seconds = try #require(Double(cost.2))
        #expect(instructions <= 700_000_000 && seconds <= 20, "on one minimal processor: \(lines[0])")
    }

    @Test("a damaged kernel is 65, a processor model that does not exist or cannot have company is 64")
    func errors() throws {
        try Tool.withFolder { folder in
            let file = folder.appendingPathComponent("kernel")
            try Data([0x7F, 0x45, 0x4C, 0x46, 2, 1, 1]).write(to: file)
            let damaged = try Tool.run("boot", file.path)
            #expect(damaged.status == 65 && damaged.errors.contains(file.path), "\(damaged.errors)")
        }
        let model = try Tool.run("boot", BootTests.payload, "--cpu", "i386")
        #expect(model.status == 64 && model.errors.contains("haswell-ep, max, minimal"))
        #expect(try Tool.run("boot", BootTests.payload, "--cpu", "minimal", "--cpus", "2").status == 64)
        #expect(try Tool.run("boot", BootTests.payload, "--protocol", "bios").status == 64)
    }
}
