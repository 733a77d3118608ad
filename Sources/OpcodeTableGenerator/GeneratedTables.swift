import InstructionTable

/// The layout of the generated data; X86Decoder's StaticTable.swift and RowFormat.swift read it.
struct GeneratedTables {
    /// Flags and entry of each map and opcode.
    private var cells: [Int] = []
    private var tree: [Int] = []
    private var rows: [Int] = []
    private var operands: [Int] = []
    private var names: [String] = [""]
    private var nameNumbers: [String: Int] = ["": 0]
    private var operandNumbers: [Operand: Int] = [:]
    private var nodes: [OpcodeTree: Int] = [:]
    private let rowCount: Int

    init(_ table: InstructionTable) throws(TableError) {
        rowCount = table.rows.count
        for row in table.rows { append(row) }
        cells = Array(repeating: 0, count: Encoding.Map.allCases.count * 256 * 2)
        for cell in try table.cells() {
            let position = (Int(cell.map.rawValue) << 8 | Int(cell.opcode)) * 2
            cells[position] = (cell.rows[0].encoding.hasModRM ? 1 : 0) | (cell.rows[0].has(.ignoresMod) ? 2 : 0)
            cells[position + 1] = entry(cell.tree)
        }
        guard rowCount + tree.count < StaticNumbers.limit else {
            throw TableError(file: "OpcodeTables.swift", line: 1, message: "more rows and choices than 14 bits number")
        }
    }

    /// 0 undefined, then the rows from 1, then positions in the tree.
    private mutating func entry(_ subtree: OpcodeTree) -> Int {
        switch subtree {
        case .undefined: return 0
        case .row(let number): return number + 1
        case .choice(let dimension, let children):
            if let known = nodes[subtree] { return known }
            let words = [dimension.rawValue] + children.map { entry($0) }
            let number = rowCount + 1 + tree.count
            tree += words
            nodes[subtree] = number
            return number
        }
    }

    private mutating func name(_ text: String) -> Int {
        if let known = nameNumbers[text] { return known }
        names.append(text)
        nameNumbers[text] = names.count - 1
        return names.count - 1
    }

    /// From 1.
    private mutating func number(_ operand: Operand) -> Int {
        if let known = operandNumbers[operand] { return known }
        operands += [
            Int(operand.kind.rawValue), operand.width, operand.memoryWidth, Int(operand.placement.rawValue),
            name(operand.spelling),
        ]
        operandNumbers[operand] = operandNumbers.count + 1
        return operandNumbers.count
    }

    private mutating func append(_ row: InstructionRow) {
        let sizes = row.operandSizes.enumerated().reduce(0) { $0 | $1.element.trailingZeroBitCount << ($1.offset * 2) }
        rows.append(immediates(row) | sizes << 5 | (row.has(.lock) ? 1 << 11 : 0))
        let regular = row.operands.first { $0.placement == .modRMReg }
        let rmIsThreeBits = row.rmOperand.map { [.mmx, .mmxOrMemory, .x87Register].contains($0.kind) } ?? false
        rows.append(
            register(row, regular) | (rmIsThreeBits ? 8 : 0) | (row.encoding.opcodeHasRegister ? 16 : 0)
                | (row.operands.contains { $0.placement == .vexV } ? 32 : 0)
                | (row.operands.contains { $0.kind == .vectorIndexedMemory } ? 64 : 0))
        rows.append(name(row.mnemonic))
        rows.append(name(row.semantics ?? ""))
        for position in 0..<4 { rows.append(position < row.operands.count ? number(row.operands[position]) : 0) }
        let access = InstructionRow.Access.allCases.firstIndex(of: row.access) ?? 0
        rows.append(access)
        // The last two attributes matter to the tree and to operands alone.
        rows.append(InstructionRow.Attribute.allCases.prefix(14).enumerated().reduce(0) {
            $0 | (row.has($1.element) ? 1 << $1.offset : 0)
        })
        rows.append(name(row.feature ?? ""))
    }

    /// Bits 2:0 the first immediate, bit 3 whether it is sign-extended, bit 4 a second one of a byte.
    private func immediates(_ row: InstructionRow) -> Int {
        if row.operands.contains(where: { $0.kind == .memoryOffset }) { return 7 }
        guard let first = row.encoding.immediates.first else { return 0 }
        let isFar = row.operands.contains { $0.kind == .farPointer }
        let isRelative = row.operands.contains { $0.kind == .relative }
        let kind =
            switch first {
            case .ib, .cb, .is4: 1
            case .iw, .cw: 2
            case .id: 3
            case .cd: isFar ? 5 : 3
            case .io: 4
            case .cp: 6
            }
        // A 32-bit immediate of a 64-bit operation is sign-extended (SDM 2A 2.2.1.5 "Immediates").
        let widened = first == .id && (row.operandSizes[2] == 8 && row.selection[.size] & 0b011 == 0 || row.has(.d64))
        let signed = isRelative || row.has(.signExtended) || widened
        return kind | (signed ? 8 : 0) | (row.encoding.immediates.count > 1 ? 16 : 0)
    }

    /// What ModRM.reg means and which of its values exist.
    private func register(_ row: InstructionRow, _ operand: Operand?) -> Int {
        guard let operand else { return row.encoding.digit != nil ? 1 : 0 }
        switch operand.kind {
        case .mmx: return 1
        case .segmentRegister: return row.operands[0] == operand ? 3 : 2
        case .controlRegister: return 4
        case .debugRegister: return 5
        default: return 0
        }
    }

    var source: String {
        """
        // Generated from OpcodeMaps.
        enum OpcodeTables {
            static var rowCount: Int { \(rowCount) }
            static var cells: StaticTable { StaticTable(\(StaticNumbers(cells).literal)) }
            static var tree: StaticTable { StaticTable(\(StaticNumbers(tree).literal)) }
            static var rows: StaticTable { StaticTable(\(StaticNumbers(rows).literal)) }
            static var operands: StaticTable { StaticTable(\(StaticNumbers(operands).literal)) }
            static let names: [StaticString] = [
        \(names.map { "        \"\($0)\"," }.joined(separator: "\n"))
            ]
        }

        """
    }
}

/// Numbers of 14 bits as a string literal of two ASCII characters each, seven bits a character: the compiler puts it
/// into the image as it is, where an array literal of this size costs seconds of compile time and a start-up check.
struct StaticNumbers {
    static let limit = 1 << 14
    var literal: String

    init(_ numbers: [Int]) {
        literal = "\""
        for number in numbers {
            precondition(number >= 0 && number < Self.limit, "a number of 14 bits")
            append(UInt8(number & 127))
            append(UInt8(number >> 7))
        }
        literal += "\""
    }
    private mutating func append(_ character: UInt8) {
        switch character {
        case 0x20..<0x7f where character != 0x22 && character != 0x5c:
            literal.unicodeScalars.append(Unicode.Scalar(character))
        default: literal += "\\u{\(String(character, radix: 16))}"
        }
    }
}
