import Foundation
import TestSupport
import Testing

@testable import Boot

/// Another machine as oracle: what we link and lay out must run there as it is.
@Suite("Exported systems under QEMU", .enabled(if: QEMU.isInstalled, "scripts/bootstrap.sh test installs it"))
struct QEMUTests {
    private func run(driver: String) throws -> (status: Int32, console: String) {
        var configuration = LVDConfiguration(drivers: [driver])
        configuration.images = GuestSystem.root.path + "/fixtures/images"
        configuration.isolation = .native
        configuration.workload = "tx:100"
        configuration.memoryBytes = 128 << 20
        let (files, options) = try LVDSystem(configuration).export()
        return try Toolchain.inTemporaryFolder { folder in
            for file in files { try Data(file.bytes).write(to: folder.appendingPathComponent(file.name)) }
            return try QEMU.run(options, in: folder)
        }
    }

    @Test("nullnet.ko, linked natively, transmits every packet")
    func own() throws {
        let (status, console) = try run(driver: GuestSystem.root.path + "/fixtures/images/nullnet.ko")
        #expect(status == 1, "\(console)")
        #expect(console.contains("100 packets, 100 counted,"), "\(console)")
    }

    @Test("Debian's dummy.ko, with the layout from its kernel's BTF, transmits every packet",
          .enabled(if: DebianKernel.isFetched, "run scripts/fetch-debian.sh first"))
    func debian() throws {
        let (status, console) = try run(driver: DebianKernel.path("modules/dummy.ko"))
        #expect(status == 1, "\(console)")
        #expect(console.contains("100 packets, 100 counted,"), "\(console)")
    }
}

enum QEMU {
    static let program = "/usr/bin/qemu-system-x86_64"
    static var isInstalled: Bool {
        let found = FileManager.default.isExecutableFile(atPath: program)
        if !found { print("qemu-system-x86 is not installed, so tests that compare with it do not run") }
        return found
    }

    /// Exit status and what the guest wrote to its serial port; a guest that does not end is ended after a minute.
    static func run(_ options: [String], in folder: URL) throws -> (status: Int32, console: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/timeout")
        process.arguments = ["60", program, "-accel", "tcg"] + options
        process.currentDirectoryURL = folder
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: text, as: UTF8.self))
    }
}
