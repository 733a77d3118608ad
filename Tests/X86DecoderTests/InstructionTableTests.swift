import InstructionTable
import Testing

@Suite struct InstructionTableTests {
    @Test func everyRowOfTheTablesIsWellFormed() throws {
        let table = try sourceTable()
        #expect(table.rows.count > 500)
        #expect(table.rows.enumerated().allSatisfy { $0 == $1.number })
    }

    @Test func everyInstructionBelongsToOneRow() throws {
        let cells = try sourceTable().cells()
        #expect(cells.count > 300)
    }

    private func cells(_ rows: String...) throws -> [InstructionTable.Cell] {
        try InstructionTable { $0 == "OneByte.table" ? rows.joined(separator: "\n") : nil }.cells()
    }

    @Test func twoRowsCannotClaimTheSameInstruction() {
        let error = #expect(throws: TableError.self) {
            // Without prefixes outside 64-bit mode both match, and neither is a special case of the other.
            try cells("ADD r/m16, r16 | NP o16 01 /r | add | rw |", "SUB r/m16, r16 | o16 01 /r | sub | rw | i64")
        }
        #expect(error?.message == "'SUB r/m16, r16' overlaps 'ADD r/m16, r16' of OneByte.table:1" && error?.line == 2)
    }

    @Test func aSpecialCaseTakesItsInstructionsFromTheGeneralRow() throws {
        let cell = try #require(try cells(
            "BSF r32, r/m32 | o32 BC /r | bsf | rw |", "TZCNT r32, r/m32 | o32 F3 BC /r | tzcnt | w |").first)
        guard case .choice(.prefix, let children) = cell.tree else {
            Issue.record("\(cell.tree)")
            return
        }
        let size: (Int) -> OpcodeTree = { .choice(.size, [.undefined, .row($0), .undefined]) }
        #expect(children == [size(0), size(0), size(1), size(0)])
    }

    @Test func rowsOfOneOpcodeAgreeAboutModRM() {
        #expect(throws: TableError.self) { try cells("CBW | o16 98 | cbw | - |", "NOT r/m32 | o32 98 /2 | not | rw |") }
    }

    @Test func aRowIsReadAsTheSDMPrintsIt() throws {
        let text = "# Heading\nADD r/m64, imm8 | REX.W + 83 /0 ib | add | rw | sx lock\n"
        let table = try InstructionTable { $0 == "OneByte.table" ? text : nil }
        let row = try #require(table.rows.first)
        #expect(row.mnemonic == "ADD" && row.semantics == "add" && row.access == .readWrite && row.line == 2)
        #expect(row.operands.map(\.kind) == [.registerOrMemory, .immediate])
        #expect(row.operands.map(\.placement) == [.modRMRM, .immediate])
        #expect(row.encoding.opcode == 0x83 && row.encoding.modRM == .digit(0) && row.encoding.operandSize == .rexW)
        #expect(row.attributes == [.signExtended, .lock])
    }

    @Test(arguments: [
        ("ADD r/m8, r8 | 00 /r | add | rw", "five columns expected, found 4"),
        ("ADD r/m9, r8 | 00 /r | add | rw |", "'r/m9' is not an operand of the SDM"),
        ("ADD r/m8, r8 | 0Z /r | add | rw |", "'0Z' is not opcode notation"),
        ("ADD r/m8, r8 | 00 /9 | add | rw |", "'/9' is not /0 to /7"),
        ("ADD r/m8, imm8 | 80 /0 | add | rw |", "'imm8' has no bytes in the opcode column"),
        ("ADD r/m8, imm16 | 80 /0 ib | add | rw |", "'imm16' is not the size of ib"),
        ("ADD r/m8 | 80 /0 ib | add | rw |", "ib holds no operand"),
        ("ADD r/m8, r8 | 00 | add | rw |", "2 operands for the 0 fields of the opcode column"),
        ("ADD r/m8, r8 | 00 /r | add | rx |", "'rx' is not an access: rw, r, w, cc, sys or -"),
        ("ADD r/m8, r8 | 00 /r | add | rw | locked", "'locked' is not an attribute"),
        ("BSWAP r32 | 0F C9+rd | bswap | rw |", "'C9+rd' leaves no bits for +rd"),
    ])
    func aMalformedRowIsReportedAtItsLine(_ row: String, _ message: String) {
        let error = #expect(throws: TableError.self) {
            try InstructionTable(path: { "OpcodeMaps/\($0)" }) { $0 == "OneByte.table" ? "\n" + row : nil }
        }
        #expect(error.map(String.init(describing:)) == "OpcodeMaps/OneByte.table:2: error: \(message)")
    }
}
