import ArgumentParser
import DriverImage
import Foundation
import Simulation

/// The command line. One file per subcommand; every failure becomes one of the exit codes of `ExitStatus`.
public struct LVDSim: ParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "lvdsim",
        abstract:
            "Runs driver images in isolated domains on a simulated Intel machine with VT-x, and checks the isolation.",
        discussion: """
            Data goes to standard output, everything else to standard error. `lvdsim help exit-codes` lists the exit \
            codes, `lvdsim help COMMAND` the options of a command.
            """,
        version: "0.1.0",
        subcommands: [
            RunCommand.self, CheckCommand.self, ExploreCommand.self, ReplayCommand.self, BootCommand.self,
            WalkCommand.self, ExplainCommand.self, ExportCommand.self, IDLCommand.self, InspectCommand.self,
            DisassembleCommand.self, ExitCodes.self,
        ])

    public init() {}

    /// Parses, runs and ends the process.
    public static func enter() -> Never {
        Signals.reportTraps()
        do {
            var command = try parseAsRoot()
            try command.run()
            Foundation.exit(ExitStatus.clean.rawValue)
        } catch let error as UserError {
            Console.message("lvdsim: " + error.description)
            Foundation.exit(error.status.rawValue)
        } catch let error as ImageError {
            Console.message("lvdsim: " + error.description)
            Foundation.exit(error.exitCode)
        } catch {
            exit(withError: error)
        }
    }
}
