import Foundation
import InstructionTable

/// The tables as they are in the source tree.
func sourceTable() throws -> InstructionTable {
    let folder = URL(filePath: #filePath).appending(path: "../../../Sources/X86Decoder/OpcodeMaps").standardized
    return try InstructionTable { try? String(contentsOf: folder.appending(path: $0), encoding: .utf8) }
}
