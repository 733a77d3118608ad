import Testing
import X86Decoder

private func mnemonic(_ bytes: [UInt8], _ size: CodeSize) throws -> String {
    Formatter.mnemonic(try Decoder.decode(bytes, size))
}

/// SDM 2A 2.1.1 "Instruction Prefixes" and 2.2.1 "REX Prefixes".
@Suite struct PrefixTests {
    @Test func repeatedPrefixesCountOnce() throws {
        let i = try Decoder.decode([0x66, 0x66, 0x66, 0x01, 0xc8], .bits64)
        #expect(i.operandSize == 2 && i.length == 5)
    }

    @Test func theLastSegmentOverrideCounts() throws {
        #expect(try Decoder.decode([0x64, 0x26, 0x8b, 0x00], .bits32).segment == 0)
        #expect(try Decoder.decode([0x64, 0x65, 0x8b, 0x00], .bits64).segment == 5)
    }

    @Test func onlyFSAndGSOverrideIn64BitMode() throws {
        #expect(try Decoder.decode([0x64, 0x2e, 0x8b, 0x00], .bits64).segment == 4)
        #expect(try Decoder.decode([0x26, 0x8b, 0x00], .bits64).segment == 3)
    }

    @Test func stackBasesUseTheStackSegment() throws {
        #expect(try Decoder.decode([0x8b, 0x45, 0x00], .bits64).segment == 2)
        #expect(try Decoder.decode([0x41, 0x8b, 0x45, 0x00], .bits64).segment == 3)
        #expect(try Decoder.decode([0x8b, 0x04, 0x24], .bits32).segment == 2)
        #expect(try Decoder.decode([0x8b, 0x02], .bits16).segment == 2)
        #expect(try Decoder.decode([0x8b, 0x06, 0, 0], .bits16).segment == 3)
    }

    @Test func theLastOfF2AndF3IsTheMandatoryPrefix() throws {
        #expect(try mnemonic([0xf2, 0xf3, 0x0f, 0x58, 0xc1], .bits64) == "addss")
        #expect(try mnemonic([0xf3, 0xf2, 0x0f, 0x58, 0xc1], .bits64) == "addsd")
    }

    @Test func f2AndF3HavePriorityOver66() throws {
        #expect(try mnemonic([0xf3, 0x66, 0x0f, 0x58, 0xc1], .bits64) == "addss")
        #expect(try mnemonic([0x66, 0x0f, 0x58, 0xc1], .bits64) == "addpd")
    }

    @Test func rexCountsOnlyRightBeforeTheOpcode() throws {
        #expect(try Decoder.decode([0x48, 0x66, 0x01, 0xc8], .bits64).operandSize == 2)
        #expect(try Decoder.decode([0x4f, 0x41, 0x01, 0xc8], .bits64).reg == 1)
        #expect(try Decoder.decode([0x66, 0x48, 0x01, 0xc8], .bits64).operandSize == 8)
    }

    @Test func rexBytesAreIncAndDecOutside64BitMode() throws {
        #expect(try mnemonic([0x40], .bits32) == "inc")
        #expect(try mnemonic([0x4f], .bits16) == "dec")
    }

    @Test func byteRegistersDependOnREX() throws {
        #expect(try Decoder.decode([0x88, 0xe0], .bits64).prefixes.rex == 0)
        #expect(try Decoder.decode([0x40, 0x88, 0xe0], .bits64).prefixes.rex == 0x40)
    }

    @Test func lockNeedsAnInstructionAndAMemoryDestinationThatAllowIt() throws {
        #expect(try Decoder.decode([0xf0, 0x01, 0x00], .bits64).prefixes.lock)
        let invalid: [[UInt8]] = [
            [0xf0, 0x01, 0xc0], [0xf0, 0x03, 0x00], [0xf0, 0x90], [0xf0, 0x0f, 0xba, 0x20, 0], [0xf0, 0x38, 0],
        ]
        for bytes in invalid {
            #expect(throws: DecodingError.undefined, "\(bytes)") { try Decoder.decode(bytes, .bits64) }
        }
        #expect(try mnemonic([0xf0, 0x0f, 0xba, 0x28, 0], .bits64) == "bts")
    }

    @Test func nearBranchesIgnoreTheOperandSizePrefixIn64BitMode() throws {
        let call = try Decoder.decode([0x66, 0xe8, 1, 0, 0, 0x80], .bits64)
        #expect(call.length == 6 && call.operandSize == 8 && call.immediate == 0xffff_ffff_8000_0001)
        #expect(try Decoder.decode([0x66, 0xe8, 1, 0], .bits32).operandSize == 2)
        #expect(try Decoder.decode([0x66, 0xc3], .bits64).operandSize == 8)
    }

    @Test func pushDefaultsTo64BitsIn64BitMode() throws {
        #expect(try Decoder.decode([0x50], .bits64).operandSize == 8)
        #expect(try Decoder.decode([0x66, 0x50], .bits64).operandSize == 2)
        #expect(try Decoder.decode([0x66, 0x48, 0x50], .bits64).operandSize == 8)
    }

    @Test(arguments: [(CodeSize.bits16, 2, 4), (.bits32, 4, 2)])
    func prefixesToggleTheDefaultSizes(_ size: CodeSize, _ plain: Int, _ toggled: Int) throws {
        #expect(try Decoder.decode([0x89, 0xc8], size).operandSize == plain)
        #expect(try Decoder.decode([0x66, 0x89, 0xc8], size).operandSize == toggled)
        #expect(try Decoder.decode([0xa4], size).addressSize == plain)
        #expect(try Decoder.decode([0x67, 0xa4], size).addressSize == toggled)
    }
}

@Suite struct DecoderTests {
    @Test func anInstructionOf15BytesIsTheLongest() throws {
        let prefixes: [UInt8] = Array(repeating: 0x2e, count: 14)
        #expect(try Decoder.decode(prefixes + [0x90], .bits64).length == 15)
        #expect(throws: DecodingError.tooLong) { try Decoder.decode(prefixes + [0x2e, 0x90], .bits64) }
        #expect(throws: DecodingError.tooLong) { try Decoder.decode(prefixes + [0xb0, 0x01], .bits64) }
        #expect(throws: DecodingError.truncated) { try Decoder.decode(prefixes, .bits64) }
    }

    @Test func missingBytesAreNoticedBeforeAnInvalidLock() {
        #expect(throws: DecodingError.truncated) { try Decoder.decode([0xf0, 0x81, 0xc0, 1, 2], .bits64) }
        #expect(throws: DecodingError.undefined) { try Decoder.decode([0xf0, 0x81, 0xc0, 1, 2, 3, 4], .bits64) }
    }

    @Test func instructionsOfTheOtherModeAreUndefined() {
        let legacyOnly: [[UInt8]] = [
            [0x06], [0x27], [0x60], [0x9a, 0, 0, 0, 0, 0, 0], [0xce], [0xd4, 10], [0x82, 0xc0, 1], [0x62, 0],
        ]
        for bytes in legacyOnly {
            #expect(throws: DecodingError.undefined, "\(bytes)") { try Decoder.decode(bytes, .bits64) }
        }
        for bytes: [UInt8] in [[0x0f, 0x05], [0x0f, 0x07], [0x0f, 0x01, 0xf8]] {
            #expect(throws: DecodingError.undefined, "\(bytes)") { try Decoder.decode(bytes, .bits32) }
        }
    }

    @Test func registersThatDoNotExistAreUndefined() throws {
        let invalid: [[UInt8]] = [
            [0x0f, 0x20, 0xc8], [0x0f, 0x22, 0xe8], [0x44, 0x0f, 0x20, 0xc8], [0x44, 0x0f, 0x21, 0xc0],
            [0x8e, 0xc8], [0x8c, 0xf0],
        ]
        for bytes in invalid {
            #expect(throws: DecodingError.undefined, "\(bytes)") { try Decoder.decode(bytes, .bits64) }
        }
        #expect(try Decoder.decode([0x44, 0x0f, 0x20, 0xc0], .bits64).reg == 8)
    }

    @Test func controlRegisterMovesIgnoreMod() throws {
        let i = try Decoder.decode([0x0f, 0x20, 0x18], .bits64)
        #expect(!i.hasMemory && i.length == 3 && i.reg == 3 && i.rm == 0)
    }

    @Test func ripRelativeIs64BitModeOnly() throws {
        #expect(try Decoder.decode([0x8b, 0x05, 1, 0, 0, 0], .bits64).base == Instruction.ripBase)
        #expect(try Decoder.decode([0x8b, 0x05, 1, 0, 0, 0], .bits32).base == Instruction.none)
    }

    @Test func sibWithoutBaseOrIndex() throws {
        let i = try Decoder.decode([0x41, 0x8b, 0x04, 0x25, 4, 3, 2, 1], .bits64)
        #expect(i.base == Instruction.none && i.index == Instruction.none && i.displacement == 0x0102_0304)
        #expect(try Decoder.decode([0x42, 0x8b, 0x04, 0x20], .bits64).index == 12)
    }

    @Test func vmfuncTakesNoPrefix() throws {
        #expect(try mnemonic([0x0f, 0x01, 0xd4], .bits64) == "vmfunc")
        for prefix: UInt8 in [0x66, 0xf2, 0xf3, 0xf0] {
            #expect(throws: DecodingError.undefined) { try Decoder.decode([prefix, 0x0f, 0x01, 0xd4], .bits64) }
        }
    }

    @Test func vexForbidsLegacyPrefixesAndIsLESOutside64BitMode() throws {
        #expect(try mnemonic([0xc4, 0x01, 0, 0, 0, 0], .bits32) == "les")
        for prefix: UInt8 in [0x66, 0xf2, 0xf3, 0xf0, 0x48] {
            #expect(throws: DecodingError.undefined) { try Decoder.decode([prefix, 0xc5, 0xf8, 0x77], .bits64) }
        }
    }

    /// A generator of its own, so that a failure repeats.
    struct Bytes {
        var state: UInt64
        mutating func next() -> UInt8 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 33)
        }
    }

    @Test(arguments: [CodeSize.bits16, .bits32, .bits64])
    func anyBytesDecodeOrThrow(_ size: CodeSize) {
        var source = Bytes(state: UInt64(size.rawValue) + 1)
        var decoded = 0
        for _ in 0..<100_000 {
            let bytes = (0..<16).map { _ in source.next() }
            if let i = try? Decoder.decode(bytes, size) {
                decoded += 1
                #expect(i.length >= 1 && i.length <= 15 && Int(i.row) < InstructionInfo.rowCount)
                // Nothing behind the instruction matters.
                let again = try? Decoder.decode(Array(bytes.prefix(Int(i.length))), size)
                #expect(again?.row == i.row && again?.length == i.length)
                #expect(!Formatter.format(i, at: 0).isEmpty)
            }
        }
        #expect(decoded > 50_000)
    }
}
