import Foundation
import Testing

/// Debian's cloud kernel, unmodified, from reset to a shell and back, through the real binary: what `make boot-linux`
/// does. The script's own checks are the prompt, each typed command's output, the modules, and the same digest twice.
@Suite("Linux in lvdsim boot")
struct BootLinuxTests {
    static let isFetched: Bool = {
        let current = Tool.root.appendingPathComponent(".cache/debian/current-cloud")
        if FileManager.default.fileExists(atPath: current.path) { return true }
        print("Debian's cloud kernel is not here, so it is not booted: scripts/fetch-debian.sh --cloud dummy null_blk")
        return false
    }()

    @Test(
        "the cloud kernel boots to a shell, takes commands and modules, reboots, twice alike; two processors power off",
        .enabled(if: isFetched))
    func cloud() throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = [Tool.root.appendingPathComponent("scripts/boot-linux.sh").path, Tool.path, "cloud"]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(output)")
        #expect(output.split(separator: "\n").filter { $0.contains("shell, commands and modules") }.count == 3)
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
