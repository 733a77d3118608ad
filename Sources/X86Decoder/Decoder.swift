/// Bytes to `Instruction`. Knows no machine: what depends on CPUID, CPL or control registers is the caller's.
///
/// Throws `truncated` before `undefined` where more bytes could still decide: a processor faults on fetching them
/// first.
public enum Decoder {
    /// SDM 2A 2.3.11 "AVX Instruction Length": a longer instruction raises #GP.
    public static let maximumLength = 15

    public static func decode(_ bytes: [UInt8], _ size: CodeSize) throws(DecodingError) -> Instruction {
        var result: Result<Instruction, DecodingError> = .failure(.truncated)
        bytes.withUnsafeBufferPointer { buffer in
            do throws(DecodingError) { result = .success(try decode(buffer, size)) } catch { result = .failure(error) }
        }
        return try result.get()
    }

    /// Decodes the instruction at the start of `bytes`; at most 15 are looked at. Allocates nothing.
    public static func decode(
        _ bytes: UnsafeBufferPointer<UInt8>, _ size: CodeSize
    ) throws(DecodingError) -> Instruction {
        var cursor = Cursor(bytes)
        var i = Instruction()
        i.opcode = try readPrefixes(&cursor, &i, size)
        var map = 0
        // Mandatory prefix: 0 none, 1 66, 2 F3, 3 F2 (VEX.pp has the same values).
        var mandatory = i.prefixes.repne ? 3 : i.prefixes.rep ? 2 : i.prefixes.operandSize ? 1 : 0
        if i.opcode == 0x0f {
            (map, i.opcode) = try readEscape(&cursor)
        } else if i.opcode & 0xfe == 0xc4, size == .bits64 ? true : try cursor.peek() >= 0xc0 {
            // Outside 64-bit mode C4 and C5 with a memory operand are LES and LDS.
            (map, mandatory) = try readVEX(&cursor, &i, size)
        }
        let cell = (map &<< 8 | Int(i.opcode)) &* 2
        let flags = OpcodeTables.cells[cell]
        var entry = OpcodeTables.cells[cell &+ 1]
        guard entry != 0 else { throw .undefined }
        if flags & 1 != 0 {
            i.modRM = try cursor.next()
            i.hasModRM = true
            i.hasMemory = i.modRM < 0xc0 && flags & 2 == 0
        }
        let sizeClass = i.prefixes.rexW ? 2 : (size == .bits16) != (i.prefixes.operandSize && !i.isVEX) ? 0 : 1
        while entry > OpcodeTables.rowCount {
            let node = entry &- OpcodeTables.rowCount &- 1
            let value =
                switch OpcodeTables.tree[node] {
                case 0: size == .bits64 ? 1 : 0
                case 1: Int(i.modRM &>> 3 & 7)
                case 2: i.hasMemory ? 0 : 1
                case 3: Int(i.modRM & 7)
                case 4: mandatory
                case 5: sizeClass
                case 6: Int(i.addressSize.trailingZeroBitCount) &- 1
                case 7: Int(i.prefixes.rex & 1)
                default: Int(i.vectorLength)
                }
            entry = OpcodeTables.tree[node &+ 1 &+ value]
        }
        guard entry != 0 else { throw .undefined }
        i.row = UInt16(truncatingIfNeeded: entry &- 1)
        try readOperands(&cursor, &i, RowFormat(row: entry &- 1), sizeClass, size)
        i.length = UInt8(truncatingIfNeeded: cursor.position)
        return i
    }

    /// SDM 2A 2.1.1 "Instruction Prefixes", 2.2.1 "REX Prefixes". Returns the first byte that is no prefix.
    /// Within a group the last prefix counts; a REX prefix counts only right before the opcode.
    private static func readPrefixes(
        _ cursor: inout Cursor, _ i: inout Instruction, _ size: CodeSize
    ) throws(DecodingError) -> UInt8 {
        while true {
            let byte = try cursor.next()
            var rex: UInt8 = 0
            switch byte {
            case 0x26, 0x2e, 0x36, 0x3e:
                // Ignored in 64-bit mode (SDM 1 3.4.2.1 "Segment Registers in 64-Bit Mode").
                if size != .bits64 { i.prefixes.segmentOverride = byte &>> 3 & 3 }
            case 0x64, 0x65: i.prefixes.segmentOverride = byte & 7
            case 0x66: i.prefixes.operandSize = true
            case 0x67: i.prefixes.addressSize = true
            case 0xf0: i.prefixes.lock = true
            case 0xf2: (i.prefixes.rep, i.prefixes.repne) = (false, true)
            case 0xf3: (i.prefixes.rep, i.prefixes.repne) = (true, false)
            case 0x40...0x4f where size == .bits64: rex = byte
            default:
                i.addressSize =
                    switch size {
                    case .bits64: i.prefixes.addressSize ? 4 : 8
                    case .bits32: i.prefixes.addressSize ? 2 : 4
                    case .bits16: i.prefixes.addressSize ? 4 : 2
                    }
                return byte
            }
            i.prefixes.rex = rex
        }
    }

    /// The bytes after 0F: map and opcode.
    private static func readEscape(_ cursor: inout Cursor) throws(DecodingError) -> (map: Int, opcode: UInt8) {
        let byte = try cursor.next()
        switch byte {
        case 0x38: return (2, try cursor.next())
        case 0x3a: return (3, try cursor.next())
        default: return (1, byte)
        }
    }

    /// SDM 2A 2.3 "Intel Advanced Vector Extensions (Intel AVX)". Reads up to the opcode.
    private static func readVEX(
        _ cursor: inout Cursor, _ i: inout Instruction, _ size: CodeSize
    ) throws(DecodingError) -> (map: Int, mandatory: Int) {
        let prefixes = i.prefixes
        var second: UInt8 = 0xe1, third = try cursor.next()
        if i.opcode == 0xc4 {
            second = third
            third = try cursor.next()
        } else {
            second = third & 0x80 | 0x61
            third &= 0x7f
        }
        i.opcode = try cursor.next()
        // SDM 2A 2.3.2 "VEX and the LOCK Prefix", 2.3.3, 2.3.4: these prefixes before VEX raise #UD.
        guard !prefixes.lock, !prefixes.rep, !prefixes.repne, !prefixes.operandSize, prefixes.rex == 0 else {
            throw .undefined
        }
        // R, X, B and vvvv are inverted; outside 64-bit mode there are eight registers.
        let inverted = size == .bits64 ? ~second &>> 5 : 0
        i.prefixes.rex = 0x40 | third &>> 4 & 8 | inverted & 7
        i.vexV = ~third &>> 3 & (size == .bits64 ? 15 : 7)
        i.vectorLength = third &>> 2 & 1
        i.isVEX = true
        guard case 1...3 = second & 31 else { throw .undefined }
        return (3 &+ Int(second & 31), Int(third & 3))
    }

    /// Everything after ModRM, and the checks that need the row.
    private static func readOperands(
        _ cursor: inout Cursor, _ i: inout Instruction, _ row: RowFormat, _ sizeClass: Int, _ size: CodeSize
    ) throws(DecodingError) {
        let layout = row.layout, fields = row.fields, rex = i.prefixes.rex
        i.operandSize = layout.operandSize(sizeClass)
        if i.prefixes.segmentOverride != Instruction.none { i.segment = i.prefixes.segmentOverride }
        if i.hasModRM {
            i.reg = i.modRM &>> 3 & 7 | (fields.register.isExtended ? rex &<< 1 & 8 : 0)
            if i.hasMemory {
                try MemoryOperand.read(&cursor, &i, size)
            } else {
                i.rm = i.modRM & 7 | (fields.rmIsThreeBits ? 0 : rex &<< 3 & 8)
            }
        } else if fields.opcodeHasRegister {
            i.rm = i.opcode & 7 | rex &<< 3 & 8
        }
        try readImmediate(&cursor, &i, layout)
        // Every byte has been fetched: now what the processor finds invalid in them.
        if i.prefixes.lock && !(layout.allowsLock && i.hasMemory) { throw .undefined }
        switch fields.register {
        case .extended, .threeBits: break
        case .segment: if i.reg > 5 { throw .undefined }
        case .segmentDestination: if i.reg > 5 || i.reg == 1 { throw .undefined }
        case .control: if 1 &<< UInt16(i.reg) & 0b1_0001_1101 == 0 { throw .undefined }
        case .debug: if i.reg > 7 { throw .undefined }
        }
        if i.isVEX {
            // SDM 2A 2.3.5.6 "Instruction Operand Encoding and VEX.vvvv": 1111b when it encodes nothing.
            if !fields.usesVexV && i.vexV != 0 { throw .undefined }
            // SDM 2A 2.3.12 "Vector SIB (VSIB) Memory Addressing" needs a SIB byte.
            if fields.hasVectorIndex {
                guard i.modRM & 7 == 4, i.addressSize != 2 else { throw .undefined }
                // Gathers need three different registers (SDM 2C "VGATHERDPS/VGATHERQPS").
                guard i.reg != i.index, i.reg != i.vexV, i.index != i.vexV else { throw .undefined }
            }
        }
    }

    private static func readImmediate(
        _ cursor: inout Cursor, _ i: inout Instruction, _ layout: RowFormat.Layout
    ) throws(DecodingError) {
        switch layout.immediate {
        case .none: return
        case .byte: i.immediate = UInt64(try cursor.next())
        case .word: i.immediate = try cursor.next(bytes: 2)
        case .dword: i.immediate = try cursor.next(bytes: 4)
        case .qword: i.immediate = try cursor.next(bytes: 8)
        case .far16:
            i.immediate = try cursor.next(bytes: 2)
            i.immediate2 = UInt16(truncatingIfNeeded: try cursor.next(bytes: 2))
        case .far32:
            i.immediate = try cursor.next(bytes: 4)
            i.immediate2 = UInt16(truncatingIfNeeded: try cursor.next(bytes: 2))
        case .memoryOffset: i.immediate = try cursor.next(bytes: Int(i.addressSize))
        }
        if layout.isSigned {
            let unused: Int64 = layout.immediate == .byte ? 56 : layout.immediate == .word ? 48 : 32
            i.immediate = UInt64(bitPattern: (Int64(bitPattern: i.immediate) &<< unused) &>> unused)
        }
        if layout.hasSecondByte { i.immediate2 = UInt16(try cursor.next()) }
    }
}

/// Reads forward through at most 15 bytes.
struct Cursor {
    let bytes: UnsafeBufferPointer<UInt8>
    var position = 0
    @inline(__always) init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    @inline(__always) func peek() throws(DecodingError) -> UInt8 {
        if position >= Decoder.maximumLength { throw .tooLong }
        if position >= bytes.count { throw .truncated }
        return bytes[position]
    }
    @inline(__always) mutating func next() throws(DecodingError) -> UInt8 {
        let byte = try peek()
        position &+= 1
        return byte
    }
    /// Little-endian.
    @inline(__always) mutating func next(bytes count: Int) throws(DecodingError) -> UInt64 {
        var value: UInt64 = 0
        for n in 0..<count { value |= UInt64(try next()) &<< UInt64(n &* 8) }
        return value
    }
}
