import Testing
import X86Architecture
@testable import X86Machine

/// Clauses that user code on the host cannot show: faults, pending exceptions, pointers, the environment in every mode.
@Suite("x87 instructions") struct X87Tests {
    private static let one = ExtendedReal(significand: 1 << 63, signExponent: 0x3FFF)
    private static let address: UInt64 = 0x5_0000

    private func guest() -> TestGuest {
        let guest = TestGuest()
        guest.p.system.cr0 &= ~(CR0.emulation | CR0.taskSwitched)
        guest.p.system.cr0 |= CR0.numericError
        guest.p.system.fpu.initialize()
        guest.p.setGPR(GPR.rbx, Self.address)
        return guest
    }
    /// Unmasks all exceptions, divides 1 by 0.
    private func pending() -> TestGuest {
        let guest = guest()
        guest.execute([0xD9, 0xE8])
        guest.p.system.fpu.control = 0x340
        guest.write(Self.address, 0 as UInt32)
        guest.execute([0xD8, 0x33])
        return guest
    }

    @Test("CR0.EM or CR0.TS makes every x87 instruction raise #NM", arguments: [CR0.emulation, CR0.taskSwitched])
    func deviceNotAvailable(bit: UInt64) {
        for code in [[0xD9, 0xE8], [0xD9, 0x03], [0xDD, 0x33], [0xD9, 0x33], [0xDB, 0xE3]] as [[UInt8]] {
            let guest = guest()
            guest.p.system.cr0 |= bit
            guest.execute(code)
            #expect(guest.handledVector == 7, "\(code)")
        }
    }

    @Test("WAIT raises #NM only with both CR0.MP and CR0.TS")
    func wait() {
        let guest = guest()
        guest.p.system.cr0 |= CR0.taskSwitched
        guest.p.system.cr0 &= ~CR0.monitorCoprocessor
        guest.execute([0x9B])
        #expect(guest.handledVector == nil)
        guest.p.system.cr0 |= CR0.monitorCoprocessor
        guest.execute([0x9B])
        #expect(guest.handledVector == 7)
    }

    @Test("An unmasked division by zero leaves the operand, sets ES and records opcode and pointers")
    func unmaskedDivision() {
        let guest = pending(), fpu = guest.p.system.fpu
        #expect(guest.handledVector == nil)
        #expect(fpu[0] == Self.one && fpu.status & 0x80FF == 0x8084)
        #expect(fpu.opcode == 0x033 && fpu.dataPointer == Self.address)
        #expect(fpu.instructionPointer == TestGuest.code + 2 && fpu.instructionSelector == TestGuest.kernelCode)
    }

    @Test("A pending exception is raised by the next waiting instruction, not by FNSTSW, FNSTENV or FNCLEX")
    func pendingException() {
        let waiting = pending()
        let rip = waiting.p.cpu.pointee.rip
        waiting.execute([0xD9, 0xE8])
        #expect(waiting.handledVector == 16 && waiting.frame(0) == rip)
        let control = pending()
        control.execute([0xDF, 0xE0])
        #expect(control.handledVector == nil && control.p.gpr(GPR.rax) & 0x80 != 0)
        control.execute([0xDB, 0xE2])
        control.execute([0xD9, 0xE8])
        #expect(control.handledVector == nil)
        let saved = pending()
        saved.execute([0xD9, 0x33])
        saved.execute([0xD9, 0xE8])
        #expect(saved.handledVector == nil, "FNSTENV masks all exceptions")
    }

    @Test("With CR0.NE = 0 a pending exception stops the run: FERR# is not modelled")
    func ferr() {
        let guest = pending()
        guest.p.system.cr0 &= ~CR0.numericError
        guest.execute([0xD9, 0xE8])
        guard case .notModelled(let text) = guest.machine.pendingStop else { Issue.record("no stop"); return }
        #expect(text.contains("FERR#"))
    }

    @Test("A transcendental instruction stops the run and is named")
    func transcendental() {
        let guest = guest()
        guest.execute([0xD9, 0xFE])
        guard case .notModelled(let text) = guest.machine.pendingStop else { Issue.record("no stop"); return }
        #expect(text.contains("FSIN"))
    }

    @Test("A store that faults changes nothing")
    func faultingStore() {
        let guest = guest()
        guest.execute([0xD9, 0xE8])
        let before = guest.p.system.fpu
        guest.p.setGPR(GPR.rbx, 0x7FFF_0000_0000)
        guest.execute([0xD9, 0x1B])
        #expect(guest.handledVector == 14 && guest.p.system.fpu == before)
    }

    @Test("An unmasked overflow of FSTP m32fp stores nothing and pops nothing")
    func unmaskedStore() {
        let guest = guest()
        guest.p.system.fpu.push { _ in ExtendedReal(significand: 1 << 63, signExponent: 0x3FFF + 200) }
        guest.p.system.fpu.control = 0x340
        guest.write(Self.address, 0x1234 as UInt32)
        guest.execute([0xD9, 0x1B])
        #expect(guest.read32(Self.address) == 0x1234 && guest.p.system.fpu.top == 7)
        #expect(guest.p.system.fpu.status & 0x80FF == 0x8088)
    }

    @Test("FSAVE stores 108 bytes and initializes; FRSTOR brings everything back; the 14-byte form keeps 16 bits")
    func saveAndRestore() {
        let guest = guest(), p = guest.p
        guest.execute([0xD9, 0xEB])
        guest.execute([0xD9, 0xEE])
        guest.execute([0xD9, 0x03])
        let before = p.system.fpu
        p.setGPR(GPR.rbx, Self.address + 0x100)
        guest.execute([0xDD, 0x33])
        let at = Self.address + 0x100
        #expect(guest.read32(at) == 0xFFFF_037F && guest.read32(at + 4) == 0xFFFF_0000 | UInt32(before.status))
        // ST0 zero (from memory), ST1 zero, ST2 valid.
        #expect(guest.read32(at + 8) == 0xFFFF_0000 | 0b0001_0111_1111_1111 & ~0x800 | UInt32(before.tag & 0x800))
        #expect(guest.read32(at + 12) == UInt32(before.instructionPointer))
        #expect(guest.read32(at + 16) == UInt32(TestGuest.kernelCode) | UInt32(before.opcode) << 16)
        #expect(guest.read32(at + 20) == UInt32(Self.address))
        #expect(p.system.fpu.control == 0x37F && p.system.fpu.tag == 0xFFFF && p.system.fpu.top == 0)
        guest.execute([0xDD, 0x23])
        var restored = p.system.fpu
        restored.setTags(abridged: restored.abridgedTag)
        var wanted = before
        wanted.setTags(abridged: wanted.abridgedTag)
        #expect(restored == wanted)
        guest.execute([0x66, 0xD9, 0x33])
        #expect(guest.read(at) & 0xFFFF_FFFF == UInt64(before.control) | UInt64(before.status) << 16)
        #expect(guest.read(at) >> 48 == before.instructionPointer & 0xFFFF)
        #expect(guest.read(at + 8) & 0xFFFF == UInt64(TestGuest.kernelCode))
    }

    @Test("In real-address mode the environment has linear addresses in two pieces, and the opcode")
    func realModeEnvironment() {
        var fpu = FPUState()
        (fpu.instructionSelector, fpu.instructionPointer, fpu.opcode) = (0xF000, 0xFFF0, 0x5A5)
        (fpu.dataSelector, fpu.dataPointer) = (0x1234, 0x5678)
        let fields = X87Environment.fields(of: fpu, isProtected: false)
        // F000:FFF0 is FFFF0h, 1234:5678 is 179B8h.
        #expect(fields[3] & 0xFFFF == 0xFFF0 && fields[4] == 0xF5A5)
        #expect(fields[5] & 0xFFFF == 0x79B8 && fields[6] == 0x1000)
        var restored = FPUState()
        X87Environment.restore(&restored, fields, isProtected: false, is32Bit: true)
        #expect(restored.instructionPointer == 0xF_FFF0 && restored.dataPointer == 0x1_79B8 && restored.opcode == 0x5A5)
    }

    @Test("Precision control rounds to 24 bits without limiting the exponent")
    func precisionControl() {
        let guest = guest()
        guest.p.system.fpu.control = 0x07F
        guest.p.system.fpu.push { _ in ExtendedReal(significand: 1 << 63 | 1 << 39, signExponent: 0x7000) }
        guest.p.system.fpu.push { _ in ExtendedReal(significand: 1 << 63, signExponent: 0x3FFF) }
        guest.execute([0xDC, 0xC9])
        // 25 significant bits, a tie: to even.
        #expect(guest.p.system.fpu[1] == ExtendedReal(significand: 1 << 63, signExponent: 0x7000))
        #expect(guest.p.system.fpu.status & 0x3F == 0x20)
    }

    @Test("A push onto a full stack is a stack overflow (C1 = 1), a read of an empty register an underflow (C1 = 0)")
    func stackFaults() {
        let guest = guest()
        for _ in 0..<8 { guest.execute([0xD9, 0xE8]) }
        #expect(guest.p.system.fpu.status & 0x41 == 0)
        guest.execute([0xD9, 0xE8])
        #expect(guest.p.system.fpu.status & 0x241 == 0x241 && guest.p.system.fpu[0] == .indefinite)
        guest.execute([0xDB, 0xE3])
        guest.execute([0xD9, 0xFA])
        #expect(guest.p.system.fpu.status & 0x241 == 0x41 && guest.p.system.fpu[0] == .indefinite)
    }
}
