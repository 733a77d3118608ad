/// One row of the instruction tables: one encoding as the SDM prints it.
public struct InstructionRow: Sendable {
    /// How the first operand, or the machine, is accessed; chooses the form of a handler.
    public enum Access: String, Sendable, CaseIterable {
        /// First operand: read and written, only read, only written, written per condition; none.
        case readWrite = "rw", read = "r", write = "w", condition = "cc", none = "-"
        /// Executed out of line by the function that the semantics column names.
        case system = "sys"
    }

    /// Words of the attributes column; anything in capitals is a CPUID feature flag.
    public enum Attribute: String, Sendable, CaseIterable {
        /// Invalid in 64-bit mode; valid only there.
        case i64, o64
        /// In 64-bit mode the operand size defaults to 64 bits (66 gives 16); is 64 bits whatever the prefixes say.
        case d64, f64
        /// A row for o32 that REX.W does not change.
        case ignoresRexW = "wig"
        /// LOCK is allowed with a memory destination.
        case lock
        /// The ModRM operand must be memory; must be a register. Implied where an operand's spelling says it.
        case memoryOnly = "mem", registerOnly = "reg"
        /// ModRM.mod is ignored, the operand is a register (MOV to and from control and debug registers).
        case ignoresMod = "anymod"
        /// The 8-bit immediate is sign-extended to the operand size.
        case signExtended = "sx"
        /// #GP unless CPL is 0.
        case privileged = "cpl0"
        /// #UD outside protected mode and in virtual-8086 mode.
        case protectedMode = "pm"
        /// F3 repeats; F3 and F2 repeat while equal and while not equal.
        case rep, repcc
        /// Only without REX.B (NOP against XCHG r8, rAX).
        case noRexB = "b0"
        /// REX.B is set: processors do not take F3 49 90 for an XCHG of R8.
        case rexB = "b1"
        /// The operands are ModRM.rm, VEX.vvvv and ModRM.reg, in this order (the SDM's Op/En "MVR").
        case rmFirst = "mvr"
    }

    /// Position in the whole table: the row number of a decoded instruction.
    public var number = 0
    /// Name of the table file and line in it, from 1.
    public var file: String
    public var line: Int
    /// In capitals, with a final "cc" in rows for every condition.
    public var mnemonic: String
    public var operands: [Operand]
    public var encoding: Encoding
    /// Name of the semantic function; nil when the instruction is known but not modelled.
    public var semantics: String?
    public var access: Access
    public var attributes: Set<Attribute>
    /// CPUID feature flag that enumerates the instruction, in the SDM's spelling.
    public var feature: String?

    public func has(_ attribute: Attribute) -> Bool { attributes.contains(attribute) }
    /// The instruction column, reassembled.
    public var text: String {
        operands.isEmpty ? mnemonic : mnemonic + " " + operands.map(\.spelling).joined(separator: ", ")
    }
    /// The operand that ModRM.rm names.
    public var rmOperand: Operand? { operands.first { $0.placement == .modRMRM } }
    public var requiresMemory: Bool { has(.memoryOnly) || rmOperand?.isMemoryOnly == true }
    public var requiresRegister: Bool {
        if has(.registerOnly) { return true }
        switch encoding.modRM {
        case .fixed, .fixedPlusRegister: return true
        case .none: return false
        default: return rmOperand.map { !$0.mayBeMemory } ?? false
        }
    }
    /// The operand size is a byte, by the opcode and not by prefixes.
    public var isByteSized: Bool {
        guard encoding.operandSize == .any, encoding.mandatory == .any else { return false }
        let sized = operands.filter { $0.placement != .immediate && $0.kind != .constant && $0.spelling != "DX" }
        return !sized.isEmpty && sized.allSatisfy { $0.memoryWidth == 8 }
    }
}

/// A row that cannot be read, in the form build systems understand.
public struct TableError: Error, CustomStringConvertible, Equatable {
    public var file: String
    public var line: Int
    public var message: String
    public init(file: String, line: Int, message: String) { self.file = file; self.line = line; self.message = message }
    public var description: String { "\(file):\(line): error: \(message)" }
}

/// All rows of all table files, in one numbering that every reader of the tables shares.
public struct InstructionTable: Sendable {
    /// The files, in the order that numbers the rows.
    public static let files = [
        "OneByte.table", "Map0F.table", "Map0F38.table", "Map0F3A.table", "X87.table", "MMXSSE.table", "VEX.table",
    ]

    public private(set) var rows: [InstructionRow] = []

    /// `contents` returns the text of a file, or nil when there is none.
    /// `path` is what errors name the file by.
    public init(path: (String) -> String = { $0 }, contents: (String) -> String?) throws(TableError) {
        for file in Self.files {
            guard let text = contents(file) else { continue }
            try append(text, file: path(file))
        }
    }

    mutating func append(_ text: String, file: String) throws(TableError) {
        var line = 0
        for content in text.split(separator: "\n", omittingEmptySubsequences: false) {
            line += 1
            if content.hasPrefix("#") || content.allSatisfy({ $0 == " " }) { continue }
            do throws(Malformed) {
                var row = try Self.row(content, file: file, line: line)
                row.number = rows.count
                rows.append(row)
            } catch {
                throw TableError(file: file, line: line, message: error.message)
            }
        }
    }

    static func row(_ text: Substring, file: String, line: Int) throws(Malformed) -> InstructionRow {
        let columns = text.split(separator: "|", omittingEmptySubsequences: false).map(trimmed)
        guard columns.count == 5 else { throw Malformed("five columns expected, found \(columns.count)") }
        let words = columns[0].split(separator: " ", maxSplits: 1)
        guard let mnemonic = words.first else { throw Malformed("no mnemonic") }
        var operands: [Operand] = []
        for spelling in (words.count == 2 ? words[1] : "").split(separator: ",").map(trimmed) {
            guard let operand = Operand(spelling) else { throw Malformed("'\(spelling)' is not an operand of the SDM") }
            operands.append(operand)
        }
        guard let access = InstructionRow.Access(rawValue: columns[3]) else {
            throw Malformed("'\(columns[3])' is not an access: rw, r, w, cc, sys or -")
        }
        let isName = !columns[2].isEmpty && columns[2].allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }
        guard columns[2] == "-" || isName else {
            throw Malformed("'\(columns[2])' is not the name of a semantic function")
        }
        var row = InstructionRow(
            file: file, line: line, mnemonic: String(mnemonic), operands: operands, encoding: try Encoding(columns[1]),
            semantics: columns[2] == "-" ? nil : columns[2], access: access, attributes: [], feature: nil)
        for word in columns[4].split(separator: " ").map(String.init) {
            if let attribute = InstructionRow.Attribute(rawValue: word) {
                row.attributes.insert(attribute)
            } else if word.first?.isUppercase == true, row.feature == nil {
                row.feature = word
            } else {
                throw Malformed("'\(word)' is not an attribute")
            }
        }
        try row.placeOperands()
        return row
    }

    static func trimmed(_ text: Substring) -> String {
        var text = text
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
