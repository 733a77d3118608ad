import Testing
@testable import X86Machine

@Suite("Cost model")
struct TimingTests {
    @Test("VMFUNC is 169 cycles in all, nothing static (LVD Table 1)")
    func vmfunc() {
        #expect(Timing.haswell.vmfunc == 169)
        #expect(InstructionCost.cycles(mnemonic: "VMFUNC", memory: .none, operandSize: 4) == 0)
    }

    @Test("An exit and an entry leave room for the monitor's instructions in the measured differences (LVD Table 2)")
    func exits() {
        let round = Timing.haswell.vmExit + Timing.haswell.vmEntry
        #expect(round < 1171 && round > 1000)
        #expect(InstructionCost.cycles(mnemonic: "WRMSR", memory: .none, operandSize: 4) == 127)
        let mov = UInt64(InstructionCost.cycles(mnemonic: "MOV", memory: .none, operandSize: 8))
        #expect(mov + Timing.haswell.controlRegisterWrite == 130)
    }

    @Test("INT, a minimal handler and IRET stay within the measured 607; an IST adds 59 (LVD Table 3)")
    func interrupts() {
        let t = Timing.haswell
        #expect(t.interruptDelivery + t.interruptReturn < 607 && t.interruptDelivery + t.interruptReturn > 500)
        #expect(t.istSwitch == 59)
    }

    @Test(
        "No instruction is free unless its cost is charged where it happens: time passes in every loop",
        arguments: ["NOP", "MOV", "CMP", "JMP", "LEA", "XCHG", "ADD", "TEST", "BSWAP", "CMOVcc", "Jcc", "PUSH", "POP"])
    func neverFree(mnemonic: String) {
        for memory in [MemoryUse.none, .load, .store, .loadAndStore] {
            #expect(InstructionCost.cycles(mnemonic: mnemonic, memory: memory, operandSize: 8) >= 1)
        }
    }

    @Test("A locked access costs more than a plain one")
    func locked() {
        let plain = InstructionCost.cycles(mnemonic: "ADD", memory: .loadAndStore, operandSize: 8)
        #expect(InstructionCost.cycles(mnemonic: "ADD", memory: .loadAndStore, operandSize: 8, locked: true) > plain)
        #expect(InstructionCost.cycles(mnemonic: "XCHG", memory: .loadAndStore, operandSize: 8) > 10)
    }
}
