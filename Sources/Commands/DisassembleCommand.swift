import ArgumentParser
import DriverImage
import Reports
import X86Decoder

/// `lvdsim disassemble`: the code of an image, by the decoder that the machine runs on.
struct DisassembleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "disassemble",
        abstract: "Print the code of an ELF image or kernel module as assembly text, Intel syntax.")

    enum Bits: String, ExpressibleByArgument, CaseIterable {
        case bits16 = "16", bits32 = "32", bits64 = "64"
        var size: CodeSize {
            switch self {
            case .bits16: .bits16
            case .bits32: .bits32
            case .bits64: .bits64
            }
        }
    }

    @Argument(help: "An ELF image; a bare name is looked for as lvdsim run does.")
    var image: String

    @Option(help: "Only this section.")
    var section: String?

    @Option(help: "Only this function, or from this label to the next.")
    var symbol: String?

    @Option(help: "The code's size: boot code of a 64-bit image may be 32-bit code.")
    var bits = Bits.bits64

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        let object = try ELFObject(path: try ImageSearch.locate(image, folder: nil))
        let report = try DisassemblyReport(object, size: bits.size, section: section, symbol: symbol)
        try Console.output(json ? report.json.text() + "\n" : report.text)
    }
}
