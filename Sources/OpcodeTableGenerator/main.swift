// OpcodeTableGenerator FOLDER OUTPUT: the tables of FOLDER as Swift source.
import Foundation
import InstructionTable

func fail(_ message: String) -> Never {
    FileHandle.standardError.write(Data("\(message)\n".utf8))
    exit(1)
}

guard CommandLine.arguments.count == 3 else { fail("usage: OpcodeTableGenerator FOLDER OUTPUT") }
let folder = CommandLine.arguments[1], output = CommandLine.arguments[2]
do {
    let table = try InstructionTable(path: { "\(folder)/\($0)" }) {
        try? String(contentsOfFile: "\(folder)/\($0)", encoding: .utf8)
    }
    try GeneratedTables(table).source.write(toFile: output, atomically: true, encoding: .utf8)
} catch {
    fail("\(error)")
}
