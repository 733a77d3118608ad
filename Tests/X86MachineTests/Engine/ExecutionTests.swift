import Testing
import X86Architecture
@testable import X86Machine

@Suite("Execution of blocks") struct ExecutionTests {
    private let guest = TestGuest()
    private var p: Processor { guest.p }
    private static let hlt: UInt8 = 0xf4

    init() {
        for v in 0..<256 as Range<UInt64> { guest.write(TestGuest.handlers + 16 * v, Self.hlt) }
    }
    private func run(_ bytes: [UInt8], at a: UInt64 = TestGuest.code) {
        guest.load(bytes, at: a)
        p.cpu.pointee.rip = a
        p.system.activity = .active
        _ = p.execute(until: .max)
    }

    // MARK: Self-modifying code (SDM 3A 8.1.3 "Handling Self- and Cross-Modifying Code")

    @Test("A store to the next instruction of the same block is seen by it")
    func nextInstruction() {
        // mov byte [rip+1], 7 changes the immediate of mov al, 1
        run([0xc6, 0x05, 0x01, 0, 0, 0, 0x07, 0xb0, 0x01, Self.hlt])
        #expect(p.gpr(0, size: 1) == 7)
    }
    @Test("A loop that rewrites its own body runs what it wrote, every time round")
    func rewrittenLoop() {
        // mov ecx,3; L: inc byte [rip+x] (imm of add); add eax, imm8; dec ecx; jnz L; hlt
        run([0x31, 0xc0, 0xb9, 3, 0, 0, 0, 0xfe, 0x05, 2, 0, 0, 0, 0x83, 0xc0, 0x00, 0xff, 0xc9, 0x75, 0xf3, Self.hlt])
        #expect(p.gpr(0) == 1 + 2 + 3)
    }
    @Test("A write through another linear address of the page is seen, too")
    func alias() {
        guest.map(0x4000_0000, to: TestGuest.code, [.writable, .user])
        // mov al,1; mov byte [0x40000000+imm of the second mov al], 9; mov al, 2
        run([0xb0, 1, 0xc6, 0x04, 0x25, 0x0b, 0, 0, 0x40, 9, 0xb0, 2, Self.hlt])
        #expect(p.gpr(0, size: 1) == 9)
    }
    @Test("REP STOS over code that has run is seen when it runs again")
    func stringStore() {
        run([0xb0, 5, 0x90, Self.hlt])
        // mov edi, code; mov eax, 0xf407b0 (mov al,7; hlt); stosd; jmp code
        let writer: [UInt8] = [0xbf, 0, 0, 1, 0, 0xb8, 0xb0, 7, 0xf4, 0, 0xab, 0xe9]
        let from = 0x1_8000 + writer.count + 4
        let displacement = UInt32(truncatingIfNeeded: Int(TestGuest.code) - from)
        run(writer + (0..<4).map { UInt8(truncatingIfNeeded: displacement >> UInt32(8 * $0)) }, at: 0x1_8000)
        #expect(p.gpr(0, size: 1) == 7)
    }
    @Test("A repeated instruction that writes over itself goes on as what it wrote")
    func repeatedOverItself() {
        // mov ecx, 4; mov edi, L; mov al, 90H; L: rep stosb; hlt: becomes nop; stosb; hlt
        run([0xb9, 4, 0, 0, 0, 0xbf, 12, 0, 1, 0, 0xb0, 0x90, 0xf3, 0xaa, Self.hlt])
        #expect(p.gpr(GPR.rcx) == 3 && p.gpr(GPR.rdi) == TestGuest.code + 14)
    }
    @Test("An instruction in two pages runs, and follows a write to either")
    func straddling() {
        let a = TestGuest.code + 0xffe
        run([0xb8, 1, 2, 3, 4, Self.hlt], at: a)
        #expect(p.gpr(0) == 0x0403_0201)
        guest.load([9], at: a + 4)
        p.cpu.pointee.rip = a
        p.system.activity = .active
        _ = p.execute(until: .max)
        #expect(p.gpr(0) == 0x0903_0201)
    }
    @Test("An instruction in two pages faults on the second one when that is not present, at its own RIP")
    func straddlingFault() {
        guest.map(0x5000_0000, to: TestGuest.code, [.writable, .user])
        guest.load([0x90, 0xb8, 1], at: TestGuest.code + 0xffd)
        p.cpu.pointee.rip = 0x5000_0ffd
        _ = p.execute(until: .max)
        #expect(p.system.cr2 == 0x5000_1000)
        #expect(guest.frame(1) == 0x5000_0ffe)
    }

    // MARK: Faults change nothing

    @Test("A read-modify-write of a read-only page changes no flag, register or memory, and reports a write")
    func atomicity() {
        guest.map(0x6000_0000, to: 0x30_0000, [.user])
        p.rflags = 2 | RFLAGS.carry
        p.setGPR(GPR.rbx, 5)
        // add [0x60000000], rbx
        run([0x48, 0x01, 0x1c, 0x25, 0, 0, 0, 0x60, Self.hlt])
        #expect(guest.frame(1) == TestGuest.code && guest.frame(0) == 3)
        #expect(guest.frame(3) & RFLAGS.arithmetic == RFLAGS.carry && guest.read(0x30_0000) == 0)
    }
    @Test("A non-canonical operand raises #GP, in the stack segment #SS")
    func nonCanonical() {
        p.setGPR(GPR.rbx, 1 << 62)
        p.setGPR(GPR.rbp, 1 << 62)
        run([0x8b, 0x03, Self.hlt])
        #expect(p.cpu.pointee.rip == TestGuest.handlers + 16 * 13 + 1)
        run([0x8b, 0x45, 0, Self.hlt])
        #expect(p.cpu.pointee.rip == TestGuest.handlers + 16 * 12 + 1)
    }
    @Test("RET to a non-canonical address raises #GP at the RET, with RSP unchanged")
    func returnTarget() {
        guest.write(TestGuest.stackTop, 1 << 62 as UInt64)
        run([0xc3])
        #expect(p.cpu.pointee.rip == TestGuest.handlers + 16 * 13 + 1)
        #expect(guest.frame(1) == TestGuest.code && guest.frame(4) == TestGuest.stackTop)
    }
    @Test("Division by zero, and a quotient that does not fit, raise #DE", arguments: [
        [0xf6, 0xf3], [0xf7, 0xf3], [0x48, 0xf7, 0xf3], [0x66, 0xf7, 0xfb], [0xf7, 0xfb], [0x48, 0xf7, 0xfb],
    ] as [[UInt8]])
    func division(code: [UInt8]) {
        for divisor in [0, 1] as [UInt64] {
            p.setGPR(GPR.rax, ~0)
            p.setGPR(GPR.rdx, 1 << 40 | 1 << 20 | 1 << 10 | 5)
            p.setGPR(GPR.rbx, divisor)
            run(code + [Self.hlt])
            #expect(p.cpu.pointee.rip == TestGuest.handlers + 1)
        }
    }

    // MARK: Events

    @Test("An event between iterations of REP STOS leaves RIP at it and the registers telling what is left")
    func interruptedRepeat() {
        p.setGPR(GPR.rcx, 1000)
        p.setGPR(GPR.rdi, 0x30_0000)
        guest.load([0xf3, 0xaa, Self.hlt], at: TestGuest.code)
        // Once the walks are paid, 32 bytes are stored per cycle.
        while p.gpr(GPR.rcx) == 1000 { _ = p.execute(until: p.cpu.pointee.cycles + 1) }
        let now = p.cpu.pointee.cycles
        _ = p.execute(until: now + 5)
        #expect(p.cpu.pointee.cycles == now + 5 && p.cpu.pointee.rip == TestGuest.code
            && p.cpu.pointee.instructions == 0)
        #expect(p.gpr(GPR.rcx) + p.gpr(GPR.rdi) == 0x30_0000 + 1000)
        _ = p.execute(until: .max)
        #expect(p.gpr(GPR.rcx) == 0 && p.cpu.pointee.instructions == 2)
    }
    @Test("`execute` stops at exactly the given number of instructions", arguments: 1...40 as ClosedRange<UInt64>)
    func instructionLimit(n: UInt64) {
        // L: inc eax; inc ebx; add [0x300000], eax; jmp L
        guest.load([0xff, 0xc0, 0xff, 0xc3, 0x01, 0x04, 0x25, 0, 0, 0x30, 0, 0xeb, 0xf3], at: TestGuest.code)
        _ = p.execute(until: .max, instructions: n)
        #expect(p.cpu.pointee.instructions == n)
        #expect(p.gpr(GPR.rax) == (n + 3) / 4 && p.gpr(GPR.rbx) == (n + 2) / 4)
    }
    @Test("With TF set every instruction is followed by #DB")
    func trapFlag() {
        p.rflags = 2 | RFLAGS.trap
        run([0xff, 0xc0, 0xff, 0xc0, Self.hlt])
        #expect(p.gpr(GPR.rax) == 1 && p.cpu.pointee.rip == TestGuest.handlers + 16 + 1)
        #expect(guest.frame(0) == TestGuest.code + 2)
    }

    @Test("With TF and IA32_DEBUGCTL.BTF set only a taken branch is followed by #DB, which clears BTF")
    func branchStep() {
        p.rflags = 2 | RFLAGS.trap
        p.system.debugCtl = DebugControl.branchStep
        // INC EAX; JZ (not taken); JMP over one byte.
        run([0xff, 0xc0, 0x74, 0x10, 0xeb, 0x01, Self.hlt, Self.hlt])
        #expect(p.gpr(GPR.rax) == 1 && p.cpu.pointee.rip == TestGuest.handlers + 16 + 1)
        #expect(guest.frame(0) == TestGuest.code + 7)
        #expect(p.system.debugCtl == 0 && p.system.dr6 & DR6.singleStep != 0)
    }

    // MARK: Stack and flags

    @Test("PUSH of the stack pointer stores its old value; POP into it loads the stored one")
    func stackPointer() {
        run([0x54, Self.hlt])
        #expect(guest.read(TestGuest.stackTop - 8) == TestGuest.stackTop)
        run([0x5c, Self.hlt])
        #expect(p.gpr(GPR.rsp) == TestGuest.stackTop)
    }
    @Test("POP to memory addressed by the stack pointer uses its value after the pop")
    func popMemory() {
        guest.write(TestGuest.stackTop, 0x1234 as UInt64)
        run([0x8f, 0x04, 0x24, Self.hlt])
        #expect(guest.read(TestGuest.stackTop + 8) == 0x1234)
    }
    @Test("POPF at CPL 3 changes neither IOPL nor, above IOPL, IF; PUSHF stores VM and RF as 0")
    func popFlags() {
        guest.setLevel(3)
        guest.write(TestGuest.stackTop, RFLAGS.ioPrivilege | RFLAGS.interrupt | RFLAGS.direction
            | RFLAGS.identification | RFLAGS.carry)
        guest.load([0x9d, 0x9c], at: TestGuest.code)
        p.stepInstruction()
        #expect(p.rflags == 2 | RFLAGS.direction | RFLAGS.identification | RFLAGS.carry)
        p.rflags |= RFLAGS.resume
        p.stepInstruction()
        #expect(guest.read(TestGuest.stackTop) == 2 | RFLAGS.direction | RFLAGS.identification | RFLAGS.carry)
    }
    @Test("GS-relative operands, also with base, index and RIP, add the GS base")
    func segmentBase() {
        p.system.segments[SegmentIndex.gs].base = 0x30_0000
        p.modeChanged()
        for n in 0..<64 as Range<UInt64> { guest.write(0x30_0000 + 8 * n, n) }
        p.setGPR(GPR.rbx, 0x10)
        p.setGPR(GPR.rcx, 4)
        // mov rax,gs:[0x28]; mov rdx,gs:[rbx+rcx*8+8]; mov rsi,gs:[rbx]; mov rdi, gs:[rip - ...]
        let next: Int32 = Int32(TestGuest.code) + 9 + 6 + 4 + 8
        let displacement = UInt32(bitPattern: 0x38 - next)
        run([0x65, 0x48, 0x8b, 0x04, 0x25, 0x28, 0, 0, 0, 0x65, 0x48, 0x8b, 0x54, 0xcb, 8, 0x65, 0x48, 0x8b, 0x33,
             0x65, 0x48, 0x8b, 0x3d] + (0..<4).map { UInt8(truncatingIfNeeded: displacement >> UInt32(8 * $0)) }
                 + [Self.hlt])
        #expect(p.gpr(GPR.rax) == 5 && p.gpr(GPR.rdx) == 7 && p.gpr(GPR.rsi) == 2 && p.gpr(GPR.rdi) == 7)
    }
    @Test("A 32-bit address size wraps at 4 GiB before the segment base is added")
    func narrowAddress() {
        p.setGPR(GPR.rbx, 0xffff_ffff_ffff_fff8)
        guest.write(0x30_0000, 0x77 as UInt64)
        // mov eax, [ebx + 0x300008]; lea rdx, [ebx+8]
        run([0x67, 0x8b, 0x83, 8, 0, 0x30, 0, 0x67, 0x48, 0x8d, 0x53, 8, Self.hlt])
        #expect(p.gpr(GPR.rax) == 0x77 && p.gpr(GPR.rdx) == 0)
    }
}
