/// SDM 2A 2.1.5 "Addressing-Mode Encoding of ModR/M and SIB Bytes": the memory operand of a ModRM byte.
enum MemoryOperand {
    private static let rSP: UInt8 = 4, rBP: UInt8 = 5
    private static let stackSegment: UInt8 = 2

    @inline(__always) static func read(
        _ cursor: inout Cursor, _ i: inout Instruction, _ size: CodeSize
    ) throws(DecodingError) {
        if i.addressSize == 2 { try read16(&cursor, &i) } else { try read32(&cursor, &i, size) }
    }

    private static func read32(
        _ cursor: inout Cursor, _ i: inout Instruction, _ size: CodeSize
    ) throws(DecodingError) {
        let mod = i.modRM &>> 6, rex = i.prefixes.rex
        var base = i.modRM & 7
        if base == 4 {
            let sib = try cursor.next()
            base = sib & 7
            let index = sib &>> 3 & 7 | rex &<< 2 & 8
            // A vector index may be register 4: `Instruction.index` keeps it for the rows that have one.
            if index != 4 || RowFormat(row: Int(i.row)).fields.hasVectorIndex { i.index = index }
            i.scale = sib &>> 6
        } else if base == 5 && mod == 0 {
            // SDM 2A 2.2.1.6 "RIP-Relative Addressing", in 64-bit mode only; a 32-bit address is EIP-relative there.
            i.displacement = try displacement32(&cursor)
            if size == .bits64 { i.base = Instruction.ripBase }
            return
        }
        if base == 5 && mod == 0 {
            i.displacement = try displacement32(&cursor)
            return
        }
        i.base = base | rex &<< 3 & 8
        let isStack = i.base == rSP || i.base == rBP
        if isStack && i.prefixes.segmentOverride == Instruction.none { i.segment = stackSegment }
        if mod == 1 {
            i.displacement = Int32(Int8(bitPattern: try cursor.next()))
        } else if mod == 2 {
            i.displacement = try displacement32(&cursor)
        }
    }

    private static func displacement32(_ cursor: inout Cursor) throws(DecodingError) -> Int32 {
        Int32(truncatingIfNeeded: try cursor.next(bytes: 4))
    }

    /// SDM 2A table 2-1 "16-Bit Addressing Forms with the ModR/M Byte".
    private static func read16(_ cursor: inout Cursor, _ i: inout Instruction) throws(DecodingError) {
        let mod = i.modRM &>> 6, bx: UInt8 = 3, bp: UInt8 = 5, si: UInt8 = 6, di: UInt8 = 7
        switch i.modRM & 7 {
        case 0: (i.base, i.index) = (bx, si)
        case 1: (i.base, i.index) = (bx, di)
        case 2: (i.base, i.index) = (bp, si)
        case 3: (i.base, i.index) = (bp, di)
        case 4: i.base = si
        case 5: i.base = di
        case 6: if mod != 0 { i.base = bp }
        default: i.base = bx
        }
        if i.base == bp && i.prefixes.segmentOverride == Instruction.none { i.segment = stackSegment }
        if mod == 1 {
            i.displacement = Int32(Int8(bitPattern: try cursor.next()))
        } else if mod == 2 || i.modRM & 7 == 6 && mod == 0 {
            i.displacement = Int32(Int16(truncatingIfNeeded: try cursor.next(bytes: 2)))
        }
    }
}
