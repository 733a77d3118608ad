import ArgumentParser
import Foundation
import IDL
import Simulation

/// `lvdsim idl generate`: C for both sides of an interface.
struct IDLGenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Make the C glue of interface files: stubs, projections, dispatch, trampolines.",
        discussion: """
            Writes MODULE.h, MODULE_kernel.c and MODULE_domain.c for every module, DRIVER.h for a driver's file. They \
            compile against Sources/Guest/include/lvd/glue.h. Errors are as those of `check`, exit 65; then nothing is \
            written. docs/reference/idl.md has what the glue does.
            """)

    @OptionGroup var interfaces: InterfaceOptions

    @Flag(help: "Reach structures through the slots of lvd/abi.h, so that one build serves drivers of any kernel.")
    var slots = false

    @Option(help: ArgumentHelp("Number of the first function.", valueName: "number"))
    var firstNumber = 0

    @Option(help: ArgumentHelp("Folder for the files; made when it is not there.", valueName: "folder"))
    var out = "."

    func validate() throws {
        if !(0...0xFFFF).contains(firstNumber) { throw ValidationError("--first-number is 0 to 65535") }
    }

    func run() throws {
        let kernel = try interfaces.kernelTypes()
        let results = try InterfaceFiles.check(interfaces.files, kernel)
        for result in results { InterfaceFiles.show(result.diagnostics, result) }
        try InterfaceFiles.refuse(results.filter(\.hasErrors), "not a valid interface")
        let made = Interface.generate(results, kernel: kernel, usesSlots: slots, firstNumber: firstNumber)
        for (result, problems) in zip(results, made.problems) { InterfaceFiles.show(problems, result) }
        try InterfaceFiles.refuse(
            zip(results, made.problems).filter { !$0.1.isEmpty }.map(\.0), "no glue can be made of this interface")
        try write(made.files)
        for file in made.files { try Console.output("\(out)/\(file.name)\n") }
    }

    /// All of them or none: first beside their places, then into them.
    private func write(_ list: [GeneratedFile]) throws {
        let manager = FileManager.default
        do {
            try manager.createDirectory(atPath: out, withIntermediateDirectories: true)
        } catch {
            throw UserError(.inputOutput, "\(out): cannot be made a folder: \(error.localizedDescription)")
        }
        func beside(_ file: GeneratedFile) -> String { "\(out)/.\(file.name).new" }
        func forget() { for file in list { try? manager.removeItem(atPath: beside(file)) } }
        for file in list {
            guard manager.createFile(atPath: beside(file), contents: Data(file.text.utf8)) else {
                forget()
                throw UserError(
                    .inputOutput, "\(out)/\(file.name): cannot be written: \(String(cString: strerror(errno)))")
            }
        }
        for file in list where rename(beside(file), "\(out)/\(file.name)") != 0 {
            let reason = String(cString: strerror(errno))
            forget()
            throw UserError(.inputOutput, "\(out)/\(file.name): cannot be written: \(reason)")
        }
    }
}
