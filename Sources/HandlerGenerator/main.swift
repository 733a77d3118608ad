// HandlerGenerator FOLDER HANDLERS GENERAL PLANS: the instruction tables of FOLDER as handlers, out-of-line functions,
// and what the translator has to know of each row.
import Foundation
import InstructionTable

func fail(_ message: String) -> Never {
    FileHandle.standardError.write(Data("\(message)\n".utf8))
    exit(1)
}

guard CommandLine.arguments.count == 5 else { fail("usage: HandlerGenerator FOLDER HANDLERS GENERAL PLANS") }
let folder = CommandLine.arguments[1]
do {
    let table = try InstructionTable(path: { "\(folder)/\($0)" }) {
        try? String(contentsOfFile: "\(folder)/\($0)", encoding: .utf8)
    }
    var output = Output()
    output.fixed()
    for row in table.rows { try output.add(row) }
    try output.handlers.write(toFile: CommandLine.arguments[2], atomically: true, encoding: .utf8)
    try output.generalFunctions.write(toFile: CommandLine.arguments[3], atomically: true, encoding: .utf8)
    try output.rowPlans.write(toFile: CommandLine.arguments[4], atomically: true, encoding: .utf8)
} catch {
    fail("\(error)")
}
