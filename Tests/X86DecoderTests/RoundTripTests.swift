import InstructionTable
import Testing
import X86Decoder

/// Every row, encoded and decoded again.
@Suite struct RoundTripTests {
    @Test func everyRowDecodesToItself() throws {
        for row in try sourceTable().rows {
            let size = codeSize(row), bytes = encode(row, size)
            do {
                let i = try Decoder.decode(bytes + [0], size)
                #expect(Int(i.row) == row.number, "\(row.text): \(bytes) reads as row \(i.row)")
                #expect(Int(i.length) == bytes.count, "\(row.text): length")
            } catch { Issue.record("\(row.text): \(bytes): \(error)") }
        }
    }

    @Test func everyShorterReadIsTruncated() throws {
        for row in try sourceTable().rows {
            let size = codeSize(row), bytes = encode(row, size)
            for count in 0..<bytes.count {
                #expect(throws: DecodingError.truncated, "\(row.text)") {
                    try Decoder.decode(Array(bytes.prefix(count)), size)
                }
            }
        }
    }

    @Test func whatTheTableSaysOfARowIsKnownToTheDecoder() throws {
        let rows = try sourceTable().rows
        #expect(rows.count == InstructionInfo.rowCount)
        for row in rows {
            let info = InstructionInfo(UInt16(row.number))
            #expect("\(info.mnemonic)" == row.mnemonic && "\(info.semantics)" == row.semantics ?? "")
            #expect("\(info.feature)" == row.feature ?? "" && info.operandCount == row.operands.count)
            #expect(Int(info.access.rawValue) == InstructionRow.Access.allCases.firstIndex(of: row.access))
            for (n, operand) in row.operands.enumerated() {
                let known = try #require(info.operand(n))
                #expect("\(known.kind)" == "\(operand.kind)" && "\(known.placement)" == "\(operand.placement)")
                #expect(known.width == operand.width && known.memoryWidth == operand.memoryWidth)
                #expect("\(known.spelling)" == operand.spelling)
            }
            let words: [(InstructionInfo.Attributes, InstructionRow.Attribute)] = [
                (.invalidIn64BitMode, .i64), (.only64BitMode, .o64), (.default64, .d64), (.force64, .f64),
                (.ignoresRexW, .ignoresRexW), (.lock, .lock), (.memoryOnly, .memoryOnly), (.rep, .rep),
                (.registerOnly, .registerOnly), (.ignoresMod, .ignoresMod), (.signExtended, .signExtended),
                (.privileged, .privileged), (.protectedMode, .protectedMode), (.repWhile, .repcc),
            ]
            for (known, word) in words {
                #expect(info.attributes.contains(known) == row.has(word), "\(row.text) \(word)")
            }
        }
    }

    /// 64-bit mode if the row is valid there; no 16-bit address is.
    private func codeSize(_ row: InstructionRow) -> CodeSize {
        row.selection[.mode] & 2 != 0 && row.selection[.address] != 0b001 ? .bits64 : .bits32
    }

    /// Bytes that the row accepts, of its values those that no more special row claims.
    private func encode(_ row: InstructionRow, _ size: CodeSize) -> [UInt8] {
        let selection = row.selection, encoding = row.encoding
        let isWide = selection[.size] & 0b011 == 0
        let prefix = selection[.prefix].trailingZeroBitCount
        let defaultAddress: UInt8 = size == .bits64 ? 0b100 : 0b010
        var bytes: [UInt8] = selection[.address] & defaultAddress == 0 ? [0x67] : []
        let opcode = encoding.opcode + (encoding.opcodeHasRegister ? 1 : 0)
        if encoding.map.isVEX {
            let length = selection[.vectorLength].trailingZeroBitCount << 2
            let vexV: UInt8 = row.operands.contains { $0.placement == .vexV } ? 0x50 : 0x78
            let third = (isWide ? 0x80 : 0) | vexV | UInt8(length | prefix)
            bytes += [0xc4, 0xe0 | encoding.map.rawValue - 3, third, opcode]
        } else {
            if selection[.size] & 0b010 == 0 && !isWide { bytes.append(0x66) }
            bytes += [[], [0x66], [0xf3], [0xf2]][prefix]
            if isWide { bytes.append(0x48) }
            if selection[.rexB] == 0b10 { bytes.append(0x41) }
            bytes += [[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]][Int(encoding.map.rawValue)] + [opcode]
        }
        if encoding.hasModRM { bytes += modRM(row, selection) }
        let isOffset = row.operands.contains { $0.kind == .memoryOffset }
        let immediateBytes = isOffset ? Int(size == .bits64 ? 8 : 4) : encoding.immediates.reduce(0) { $0 + $1.bytes }
        return bytes + Array(repeating: 0, count: immediateBytes)
    }

    private func modRM(_ row: InstructionRow, _ selection: Selection) -> [UInt8] {
        let kinds = row.operands.map(\.kind)
        // Segment and control register 3 exist; otherwise the last value, which no row of a group claims.
        let named = kinds.contains(.segmentRegister) || kinds.contains(.controlRegister)
        let reg: UInt8 = named ? 3 : UInt8(7 - selection[.reg].leadingZeroBitCount)
        if selection[.mod] & 1 != 0 && !row.has(.ignoresMod) {
            return kinds.contains(.vectorIndexedMemory) ? [0x04 | reg << 3, 0x08] : [reg << 3]
        }
        return [0xc0 | reg << 3 | (selection[.rm] == 0xff ? 1 : UInt8(selection[.rm].trailingZeroBitCount))]
    }
}
