import Testing
import X86Architecture
@testable import X86Machine

/// SDM 2A "AVX and Intel SSE Instruction Exception Classification" and the MMX counterparts in SDM 3B.
@Suite("Vector instructions: when they fault, and what they leave") struct VectorFaultTests {
    private static let paddb: [UInt8] = [0x66, 0x0F, 0xFC, 0xC1], paddbMMX: [UInt8] = [0x0F, 0xFC, 0xC1]

    private func guest(_ prepare: (Processor) -> Void = { _ in }) -> TestGuest {
        let guest = TestGuest()
        guest.p.system.cr4 |= CR4.osfxsr | CR4.osxmmexcpt
        prepare(guest.p)
        guest.p.modeChanged()
        return guest
    }

    @Test("with CR0.EM, or without CR4.OSFXSR, XMM registers are #UD; MMX registers need only EM clear")
    func undefined() {
        let emulated = guest { $0.system.cr0 |= CR0.emulation }
        emulated.execute(Self.paddb)
        #expect(emulated.handledVector == 6)
        let emulatedMMX = guest { $0.system.cr0 |= CR0.emulation }
        emulatedMMX.execute(Self.paddbMMX)
        #expect(emulatedMMX.handledVector == 6)
        let unsupported = guest { $0.system.cr4 &= ~CR4.osfxsr }
        unsupported.execute(Self.paddbMMX)
        #expect(unsupported.handledVector == nil)
        unsupported.execute(Self.paddb)
        #expect(unsupported.handledVector == 6)
    }

    @Test("CR0.TS is #NM, for a translated block as well, until CLTS")
    func deviceNotAvailable() {
        for code in [Self.paddb, Self.paddbMMX] {
            let guest = guest()
            guest.execute(code)
            #expect(guest.handledVector == nil)
            guest.p.cpu.pointee.rip = TestGuest.code
            guest.p.system.cr0 |= CR0.taskSwitched
            guest.p.modeChanged()
            guest.p.stepInstruction()
            #expect(guest.handledVector == 7)
            guest.p.cpu.pointee.rip = TestGuest.code + 0x100
            guest.execute([0x0F, 0x06])
            guest.p.cpu.pointee.rip = TestGuest.code
            guest.p.stepInstruction()
            #expect(guest.p.cpu.pointee.rip == TestGuest.code + UInt64(code.count))
        }
    }

    @Test("EM comes before TS, and both before the memory operand")
    func priority() {
        let guest = guest { $0.system.cr0 |= CR0.emulation | CR0.taskSwitched }
        guest.p.setGPR(GPR.rbx, 0x4000_0000)
        guest.execute([0x66, 0x0F, 0xFC, 0x03])
        #expect(guest.handledVector == 6)
        let switched = self.guest { $0.system.cr0 |= CR0.taskSwitched }
        switched.p.setGPR(GPR.rbx, 0x4000_0000)
        switched.execute([0x66, 0x0F, 0xFC, 0x03])
        #expect(switched.handledVector == 7)
    }

    @Test("16 bytes that have to be aligned and are not: #GP(0), before any page fault; MOVUPS takes them anywhere")
    func alignment() {
        // MOVAPS xmm0, [rbx]; MOVAPS [rbx], xmm0; PADDB xmm0, [rbx]; MOVNTPS [rbx], xmm0; and unaligned ones.
        let aligned: [[UInt8]] = [
            [0x0F, 0x28, 0x03], [0x0F, 0x29, 0x03], [0x66, 0x0F, 0xFC, 0x03], [0x0F, 0x2B, 0x03],
        ]
        let anywhere: [[UInt8]] = [
            [0x0F, 0x10, 0x03], [0x0F, 0x11, 0x03], [0xF3, 0x0F, 0x6F, 0x03], [0xF2, 0x0F, 0xF0, 0x03],
            [0xF2, 0x0F, 0x12, 0x03],
        ]
        for (code, faults) in aligned.map({ ($0, true) }) + anywhere.map({ ($0, false) }) {
            for address in [0x5_0008, 0x4000_0008] as [UInt64] where faults || address < 0x4000_0000 {
                let guest = guest()
                guest.p.setGPR(GPR.rbx, address)
                guest.execute(code)
                #expect(guest.handledVector == (faults ? 13 : nil), "\(code)")
                if faults { #expect(guest.frame(0) == 0) }
            }
        }
    }

    @Test("an unaligned store into an absent second page writes nothing")
    func storeAcrossPages() {
        let guest = guest { $0.setXMM(0, XMM(1, 2)) }
        guest.map(0x4000_0000, to: 0x20_0000, [.writable])
        guest.write(0x20_0FF8, ~0 as UInt64)
        guest.p.setGPR(GPR.rbx, 0x4000_0FF8)
        guest.execute([0x0F, 0x11, 0x03])
        #expect(guest.handledVector == 14 && guest.p.system.cr2 == 0x4000_1000)
        #expect(guest.read(0x20_0FF8) == ~0)
    }

    @Test("a pending x87 exception is #MF for instructions with MMX registers")
    func pendingException() {
        let guest = guest { $0.system.fpu.control = 0x37E; $0.system.fpu.status = 0x8081 }
        guest.execute(Self.paddb)
        #expect(guest.handledVector == nil)
        guest.execute(Self.paddbMMX)
        #expect(guest.handledVector == 16)
    }

    // SDM 3A 13.2 "The MMX State and MMX Register Aliasing".
    @Test("an MMX write sets TOP 0, tags valid, sign and exponent ones; EMMS empties the tags")
    func aliasing() {
        let guest = guest { $0.system.fpu.status = 5 << 11; $0.system.fpu.tag = 0xFFFF }
        let p = guest.p
        p.setGPR(GPR.rax, 0x1234)
        guest.execute([0x0F, 0x6E, 0xD0])
        #expect(p.system.fpu.significands[2] == 0x1234 && p.system.fpu.exponents[2] == 0xFFFF)
        #expect(p.system.fpu.top == 0 && p.system.fpu.tag == 0 && p.system.fpu.exponents[3] == 0)
        guest.execute([0x0F, 0x77])
        #expect(p.system.fpu.tag == 0xFFFF)
    }

    @Test("MASKMOVDQU writes selected bytes alone, and reaches no page without one")
    func maskedStore() {
        let guest = guest { $0.setXMM(0, XMM(0x8080, 0)); $0.setXMM(1, XMM(0x1122_3344, 0)) }
        guest.map(0x4000_0000, to: 0x20_0000, [.writable])
        guest.write(0x20_0FF8, 0 as UInt64)
        guest.p.setGPR(GPR.rdi, 0x4000_0FFE)
        // MASKMOVDQU xmm1, xmm0
        guest.execute([0x66, 0x0F, 0xF7, 0xC8])
        #expect(guest.handledVector == nil && guest.read(0x20_0FF8) == 0x3344_0000_0000_0000)
        guest.p.setXMM(0, XMM(0x80_0000, 0))
        guest.execute([0x66, 0x0F, 0xF7, 0xC8])
        #expect(guest.handledVector == 14 && guest.p.system.cr2 == 0x4000_1000)
    }
}
