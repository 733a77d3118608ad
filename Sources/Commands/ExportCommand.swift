import ArgumentParser
import Boot
import Foundation
import Simulation

/// `lvdsim export`: the guest system of a run as files, to boot it elsewhere and compare.
struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write the images that a run would boot, for another machine or emulator.",
        discussion: """
            Writes the kernel (also as 32-bit ELF), the monitor and the linked drivers into a folder, and \
            prints QEMU's \
            options for booting them there, one per line. Everything that isolates is guest code, so it must \
            behave alike.
            """)

    @OptionGroup var options: RunOptions

    @Option(help: ArgumentHelp("Folder to write into; made if it is not there.", valueName: "folder"))
    var out: String

    func run() throws {
        let system = try LVDSystem(try options.scenario().system)
        let (files, qemu) = try system.export()
        do {
            try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
            for file in files {
                try Data(file.bytes).write(to: URL(fileURLWithPath: out).appendingPathComponent(file.name))
            }
        } catch {
            throw UserError(.inputOutput, "\(out): cannot be written: \(error.localizedDescription)")
        }
        print(qemu.joined(separator: "\n"))
    }
}
