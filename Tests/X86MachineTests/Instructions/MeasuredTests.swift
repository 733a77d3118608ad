import Testing
@testable import X86Architecture
@testable import X86Machine

/// What the manual leaves open or says otherwise, as measured on an Intel processor (family 6, model CFH) by the host
/// oracle: it holds on every host.
@Suite("Clauses that were measured") struct MeasuredTests {
    private let guest: TestGuest
    private var p: Processor { guest.p }
    private static let data: UInt64 = 0x5_0000, absent: UInt64 = 0x4000_0000_0000

    init() {
        guest = TestGuest(model: .max)
        guest.p.system.cr4 |= CR4.osfxsr | CR4.osxmmexcpt
        guest.p.setGPR(GPR.rcx, Self.data)
    }

    // SDM 2A "CMPXCHG—Compare and Exchange".
    @Test("a 32-bit CMPXCHG leaves a register that differs alone, bits 63:32 too, and loads EAX")
    func compareAndExchange() {
        p.setGPR(GPR.rax, 1)
        p.setGPR(GPR.rbx, 0xFFFF_0000_0000_0002)
        guest.execute([0x0F, 0xB1, 0xCB])
        #expect(p.gpr(GPR.rbx) == 0xFFFF_0000_0000_0002 && p.gpr(GPR.rax) == 2)
        guest.execute([0x0F, 0xB1, 0xCB])
        #expect(p.gpr(GPR.rbx) == Self.data && p.rflags & RFLAGS.zero != 0)
    }

    // SDM 2B "REP/REPE/REPZ/REPNE/REPNZ—Repeat String Operation Prefix".
    @Test("repeated no time with 32-bit addresses: RCX is 32 bits wide, RSI and RDI of MOVS, RDI of STOS")
    func emptyRepetitions() {
        let high: UInt64 = 0xFF00_0000_0000
        for (opcode, cleared) in [(0xA4, [1, 6, 7]), (0xAA, [1, 7]), (0xAC, [1]), (0xAE, [1]), (0xA6, [1])]
            as [(UInt8, [Int])] {
            for n in [1, 6, 7] { p.setGPR(n, high) }
            guest.execute([0x67, 0xF3, opcode])
            for n in [1, 6, 7] { #expect(p.gpr(n) == (cleared.contains(n) ? 0 : high), "\(opcode) register \(n)") }
        }
    }

    @Test("a fault in a repeated CMPS or SCAS restores the flags of before the instruction")
    func faultsInComparisons() {
        for opcode in [0xA6, 0xAE] as [UInt8] {
            let other = TestGuest(model: .max), q = other.p
            defer { withExtendedLifetime(other) {} }  // A processor does not keep its machine.
            // The last bytes of memory that is mapped: the element after them faults.
            q.setGPR(GPR.rsi, (64 << 20) - 2)
            q.setGPR(GPR.rdi, (64 << 20) - 2)
            q.setGPR(GPR.rcx, 9)
            q.setGPR(GPR.rax, 0)
            q.rflags |= RFLAGS.carry | RFLAGS.overflow | RFLAGS.sign
            let before = q.rflags & RFLAGS.arithmetic
            other.execute([0xF3, opcode])
            #expect(other.handledVector == 14 && q.rflags & RFLAGS.arithmetic == before && q.gpr(GPR.rcx) == 7)
        }
    }

    // SDM 2A "DPPS—Dot Product of Packed Single Precision Floating-Point Values", DPPD.
    @Test("of two NaNs a sum of DPPS or DPPD has the one that its element's order of addition puts first")
    func dotProducts() {
        func words(_ a: UInt32, _ b: UInt32, _ c: UInt32, _ d: UInt32) -> XMM {
            XMM(UInt64(b) << 32 | UInt64(a), UInt64(d) << 32 | UInt64(c))
        }
        p.setXMM(0, words(0x7FC0_0001, 0x7FC0_0002, 0x7FC0_0003, 0x7FC0_0004))
        guest.execute([0x66, 0x0F, 0x3A, 0x40, 0xC0, 0xFF])
        #expect(p.xmm(0) == words(0x7FC0_0002, 0x7FC0_0001, 0x7FC0_0004, 0x7FC0_0003))
        p.setXMM(0, XMM(0x7FF8_0000_0000_0001, 0x7FF8_0000_0000_0002))
        guest.execute([0x66, 0x0F, 0x3A, 0x41, 0xC0, 0x33])
        #expect(p.xmm(0) == XMM(0x7FF8_0000_0000_0001, 0x7FF8_0000_0000_0002))
    }

    // SDM 2B "MOVQ—Move Quadword", SDM 2A "CVTPS2PI—Convert Packed Single Precision Floating-Point Values to Packed
    // Dword Integers".
    @Test("MMX state: a store that faults has set TOP alone, a conversion everything, one whose load faults nothing")
    func enteringMMXState() {
        func after(_ code: [UInt8], rcx: UInt64, mxcsr: UInt32 = 0x1F80) -> (vector: UInt8?, top: Int, tags: UInt8) {
            let other = TestGuest(model: .max), q = other.p
            defer { withExtendedLifetime(other) {} }  // A processor does not keep its machine.
            q.system.cr4 |= CR4.osfxsr | CR4.osxmmexcpt
            q.cpu.pointee.mxcsr = mxcsr
            q.system.fpu.status = 3 << 11
            q.system.fpu.tag = 0xFFFF
            q.setGPR(GPR.rcx, rcx)
            q.setXMM(0, XMM(0x7FC0_0000_7FC0_0000, 0))
            other.execute(code)
            return (other.handledVector, q.system.fpu.top, q.system.fpu.abridgedTag)
        }
        #expect(after([0x0F, 0x7F, 0x01], rcx: Self.absent) == (14, 0, 0))
        #expect(after([0x0F, 0x7F, 0x01], rcx: Self.data) == (nil, 0, 0xFF))
        #expect(after([0x0F, 0x2D, 0xC0], rcx: 0, mxcsr: 0) == (19, 0, 0xFF))
        #expect(after([0x0F, 0x2D, 0x01], rcx: Self.absent) == (14, 3, 0))
        // CVTPI2PS from memory leaves x87 state alone.
        #expect(after([0x0F, 0x2A, 0x01], rcx: Self.data) == (nil, 3, 0))
    }

    // SDM 2A "FIST/FISTP—Store Integer", "FCOM/FCOMP/FCOMPP—Compare Floating-Point Values", "FLD—Load Floating-Point
    // Value".
    @Test("x87 with unmasked exceptions: nothing to store accesses nothing, comparisons report, FLD loads a denormal")
    func unmaskedX87() {
        // The stack is empty, #IS unmasked.
        p.system.fpu.initialize()
        p.system.fpu.control = 0x37E
        p.setGPR(GPR.rcx, Self.absent)
        guest.execute([0xDF, 0x11])
        #expect(guest.handledVector == nil && p.system.fpu.status & 0x80C1 == 0x80C1)
        p.system.fpu.initialize()
        p.system.fpu.control = 0x37E
        guest.execute([0xD8, 0xD1])
        #expect(p.system.fpu.status & 0x4500 == 0x4500 && p.system.fpu.top == 0)
        p.system.fpu.initialize()
        p.system.fpu.control = 0x37D
        p.setGPR(GPR.rcx, Self.data)
        guest.write(Self.data, 1 as UInt64)
        guest.execute([0xDD, 0x01])
        #expect(guest.handledVector == nil && p.system.fpu.top == 7 && p.system.fpu.status & 2 != 0)
    }

    // SDM 2A "FCOMI/FCOMIP/FUCOMI/FUCOMIP—Compare Floating-Point Values and Set EFLAGS".
    @Test("FCOMI leaves C1 as it was")
    func conditionOne() {
        p.system.fpu.initialize()
        guest.execute([0xD9, 0xE8])
        guest.execute([0xD9, 0xE8])
        for c1 in [0, 0x200] as [UInt16] {
            p.system.fpu.status = p.system.fpu.status & ~0x200 | c1
            guest.execute([0xDB, 0xF1])
            #expect(p.system.fpu.status & 0x200 == c1 && p.rflags & RFLAGS.arithmetic == RFLAGS.zero)
        }
    }

    // SDM 2A "FXRSTOR—Restore x87 FPU, MMX, XMM, and MXCSR State".
    @Test("FXRSTOR64 loads the x87 pointers as wide as linear addresses are")
    func pointers() {
        for n in 0..<64 as Range<UInt64> { guest.write(Self.data + 8 * n, 0 as UInt64) }
        guest.write(Self.data + 8, 0x1234_8000_0000_0001 as UInt64)
        guest.write(Self.data + 16, 0x1234_7000_0000_0002 as UInt64)
        guest.execute([0x48, 0x0F, 0xAE, 0x09])
        #expect(p.system.fpu.instructionPointer == 0xFFFF_8000_0000_0001)
        #expect(p.system.fpu.dataPointer == 0x7000_0000_0002)
    }

    // SDM 2A 2.4.1 "Exceptions Type 1 (Aligned Memory Reference)".
    @Test("an operand in the stack segment, neither aligned nor canonical, is #GP; an aligned one is #SS")
    func misalignedAndNotCanonical() {
        for (address, vector) in [(0x8000_0000_0001, 13), (0x8000_0000_0000, 12)] as [(UInt64, UInt8)] {
            let other = TestGuest(model: .max)
            other.p.system.cr4 |= CR4.osfxsr
            other.p.setGPR(GPR.rbp, address)
            other.execute([0x66, 0x0F, 0xEF, 0x45, 0x00])
            #expect(other.handledVector == vector)
        }
    }

    // SDM 2B "PAUSE—Spin Loop Hint".
    @Test("F3 49 90 is PAUSE, not an exchange with R8")
    func pause() {
        p.setGPR(GPR.rax, 1)
        p.setGPR(8, 2)
        guest.execute([0xF3, 0x49, 0x90])
        #expect(p.gpr(GPR.rax) == 1 && p.gpr(8) == 2)
        guest.execute([0x49, 0x90])
        #expect(p.gpr(GPR.rax) == 2 && p.gpr(8) == 1)
    }

    // SDM 2A "JMP—Jump", "CALL—Call Procedure".
    @Test("a far transfer with a 64-bit offset into compatibility mode drops bits 63:32 of it")
    func farOffsets() {
        for reg in [0x29, 0x19] as [UInt8] {
            let other = TestGuest(model: .max)
            other.p.setGPR(GPR.rcx, Self.data)
            other.write(Self.data, 0x1234_5678_0001_0040 as UInt64)
            other.write(Self.data + 8, UInt64(TestGuest.kernelCode32))
            other.execute([0x48, 0xFF, reg])
            #expect(other.handledVector == nil && other.p.cpu.pointee.rip == 0x1_0040)
            #expect(other.p.system.segments[SegmentIndex.cs].selector == TestGuest.kernelCode32)
        }
    }
}
