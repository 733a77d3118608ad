import ArgumentParser
import DriverImage
import Reports
import Simulation

/// `lvdsim inspect`: what an image is, before anybody runs it.
struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Summarise an ELF image or kernel module: sections, relocations, imports, module information.")

    @Argument(help: "An ELF image; a bare name is looked for as lvdsim run does.")
    var image: String

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        let path = try ImageSearch.locate(image, folder: nil)
        let object = try ELFObject(path: path)
        let report = try ImageReport(object)
        try Console.output(json ? report.json.text() + "\n" : report.text)
    }
}
