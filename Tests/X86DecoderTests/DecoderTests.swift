import Testing
import X86Decoder

@Suite struct DecoderTests {
    @Test func smoke() throws {
        let i = try Decoder.decode([0x48, 0x83, 0xc4, 0x08], .bits64)
        #expect("\(InstructionInfo(i.row).mnemonic)" == "ADD")
        #expect(i.length == 4 && i.operandSize == 8 && i.immediate == 8 && i.rm == 4)
    }
}
