/// The rows of one opcode as a decision tree over `Selection.Dimension`.
public indirect enum OpcodeTree: Sendable, Hashable {
    case undefined
    case row(Int)
    case choice(Selection.Dimension, [OpcodeTree])

    /// Throws where two rows claim the same instruction and neither is a special case of the other.
    public init(_ rows: [InstructionRow]) throws(TableError) {
        try self.init(rows.map { ($0, $0.selection) }, Selection.Dimension.allCases[...])
    }

    private init(
        _ candidates: [(InstructionRow, Selection)], _ dimensions: ArraySlice<Selection.Dimension>
    ) throws(TableError) {
        guard let dimension = dimensions.first else {
            self = try Self.mostSpecific(candidates)
            return
        }
        let rest = dimensions.dropFirst()
        if candidates.allSatisfy({ $0.1[dimension] == dimension.all }) {
            try self.init(candidates, rest)
            return
        }
        var children: [OpcodeTree] = []
        for value in 0..<dimension.count {
            children.append(try OpcodeTree(candidates.filter { $0.1[dimension] >> UInt8(value) & 1 == 1 }, rest))
        }
        self = children.allSatisfy { $0 == children[0] } ? children[0] : .choice(dimension, children)
    }

    /// TZCNT is BSF with F3, NOP (90) is one of the opcodes of XCHG r32, EAX (90+rd): the row that accepts less is
    /// meant.
    private static func mostSpecific(_ candidates: [(InstructionRow, Selection)]) throws(TableError) -> OpcodeTree {
        guard var best = candidates.first else { return .undefined }
        for candidate in candidates.dropFirst() {
            switch (Self.isSpecial(candidate, of: best), Self.isSpecial(best, of: candidate)) {
            case (true, false): best = candidate
            case (false, true): break
            default:
                throw TableError(
                    file: candidate.0.file, line: candidate.0.line,
                    message: "'\(candidate.0.text)' overlaps '\(best.0.text)' of \(best.0.file):\(best.0.line)")
            }
        }
        return .row(best.0.number)
    }

    private static func isSpecial(_ a: (InstructionRow, Selection), of b: (InstructionRow, Selection)) -> Bool {
        let (own, other) = (a.0.encoding.opcodes.count, b.0.encoding.opcodes.count)
        if own != other { return own < other }
        // Rows that come in one variant per operand size (NOP r/m16, r16) against one for all (PREFETCHW m8).
        let (unsizedA, unsizedB) = (a.1.ignoringSize, b.1.ignoringSize)
        return unsizedA == unsizedB ? a.1.isSubset(of: b.1) : unsizedA.isSubset(of: unsizedB)
    }
}

extension InstructionTable {
    /// One opcode of one map.
    public struct Cell: Sendable {
        public var map: Encoding.Map
        public var opcode: UInt8
        public var rows: [InstructionRow]
        public var tree: OpcodeTree
    }

    /// Rows by map and opcode, each with its tree; empty cells are absent.
    public func cells() throws(TableError) -> [Cell] {
        var result: [Cell] = []
        for map in Encoding.Map.allCases {
            let ofMap = rows.filter { $0.encoding.map == map }
            for opcode in UInt8.min...UInt8.max {
                let cell = ofMap.filter { $0.encoding.opcodes.contains(opcode) }
                guard let first = cell.first else { continue }
                if let other = cell.first(where: {
                    $0.encoding.hasModRM != first.encoding.hasModRM || $0.has(.ignoresMod) != first.has(.ignoresMod)
                }) {
                    throw TableError(file: other.file, line: other.line,
                                     message: "'\(other.text)' and '\(first.text)' disagree about ModRM")
                }
                result.append(Cell(map: map, opcode: opcode, rows: cell, tree: try OpcodeTree(cell)))
            }
        }
        return result
    }
}
