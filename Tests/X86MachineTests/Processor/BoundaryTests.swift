import Testing
import X86Architecture
@testable import X86Machine

/// SDM 3A 6.9 "Prioritization of Concurrent Events", 6.8 "Enabling and Disabling Interrupts".
@Suite struct BoundaryTests {
    private func interrupt(_ guest: TestGuest, _ vector: UInt8 = 0x40) {
        guest.p.apic.spurious |= 0x100
        guest.p.receive(vector: vector, at: 0)
    }

    @Test func aMaskedInterruptWaitsForIF() {
        let guest = TestGuest()
        interrupt(guest)
        #expect(!guest.p.serviceBoundary())
        guest.p.system.flags |= RFLAGS.interrupt
        #expect(guest.p.serviceBoundary())
        #expect(guest.handledVector == 0x40)
    }

    @Test func stiBlocksInterruptsForOneInstruction() {
        let guest = TestGuest()
        interrupt(guest)
        guest.execute([0xFB])
        #expect(!guest.p.serviceBoundary())
        #expect(guest.p.boundaryWork, "the next boundary has to be looked at")
        guest.execute([0x90])
        #expect(guest.p.serviceBoundary())
        #expect(guest.handledVector == 0x40)
        #expect(guest.frame(0) == TestGuest.code + 2)
    }

    // SDM 3C 27.4.2 "Guest Non-Register State": NMIs may be inhibited on the boundary after STI, too.
    @Test func stiBlocksNMIsForOneInstruction() {
        let guest = TestGuest()
        guest.p.system.pendingNMI = true
        guest.execute([0xFB])
        #expect(!guest.p.serviceBoundary())
        #expect(guest.p.boundaryWork, "the next boundary has to be looked at")
        guest.execute([0x90])
        #expect(guest.p.serviceBoundary())
        #expect(guest.handledVector == 2)
        #expect(guest.frame(0) == TestGuest.code + 2)
    }

    @Test func stiWithIFAlreadySetDoesNotBlock() {
        let guest = TestGuest()
        interrupt(guest)
        guest.p.system.flags |= RFLAGS.interrupt
        guest.execute([0xFB])
        #expect(guest.p.serviceBoundary())
    }

    @Test func lookingTwiceAtTheSameBoundaryDoesNotEndTheBlocking() {
        let guest = TestGuest()
        interrupt(guest)
        guest.execute([0xFB])
        for _ in 0..<3 { #expect(!guest.p.serviceBoundary()) }
    }

    @Test func cliAfterSTIKeepsInterruptsOut() {
        let guest = TestGuest()
        interrupt(guest)
        guest.execute([0xFB])
        _ = guest.p.serviceBoundary()
        guest.execute([0xFA])
        #expect(!guest.p.serviceBoundary())
    }

    // SDM 3A 6.8.3 "Masking Exceptions and Interrupts When Switching Stacks".
    @Test func movToSSBlocksNMIsAndDebugTrapsForOneInstruction() {
        let guest = TestGuest()
        guest.p.setGPR(GPR.rax, UInt64(TestGuest.kernelData))
        guest.execute([0x8E, 0xD0])
        guest.p.system.pendingNMI = true
        guest.p.system.pendingDebug = DR6.singleStep
        #expect(!guest.p.serviceBoundary())
        guest.execute([0x90])
        #expect(guest.p.serviceBoundary())
        // Traps of the instruction before come before NMIs.
        #expect(guest.handledVector == 1)
        #expect(guest.p.serviceBoundary())
        #expect(guest.handledVector == 2)
    }

    @Test func nmisComeBeforeInterrupts() {
        let guest = TestGuest()
        interrupt(guest)
        guest.p.system.flags |= RFLAGS.interrupt
        guest.p.system.pendingNMI = true
        #expect(guest.p.serviceBoundary())
        #expect(guest.handledVector == 2)
    }

    @Test func hltWaitsAndAnInterruptResumesAfterIt() {
        let guest = TestGuest()
        guest.p.system.flags |= RFLAGS.interrupt
        guest.execute([0xF4])
        #expect(guest.p.system.activity == .halted)
        #expect(!guest.p.serviceBoundary())
        interrupt(guest)
        #expect(guest.p.serviceBoundary())
        #expect(guest.p.system.activity == .active)
        #expect(guest.frame(0) == TestGuest.code + 1)
    }

    @Test func aMaskedInterruptDoesNotEndHLT() {
        let guest = TestGuest()
        guest.execute([0xF4])
        interrupt(guest)
        #expect(!guest.p.serviceBoundary())
        #expect(guest.p.system.activity == .halted)
        #expect(!guest.p.boundaryWork)
    }

    // SDM 3B 17.3.1.4 "Single-Step Exception Condition".
    @Test func tfTrapsAfterTheNextInstruction() {
        let guest = TestGuest()
        guest.p.system.flags |= RFLAGS.trap
        guest.execute([0x90])
        #expect(guest.p.serviceBoundary())
        #expect(guest.handledVector == 1)
        #expect(guest.frame(0) == TestGuest.code + 1)
        #expect(guest.frame(2) & RFLAGS.resume == 0)
        #expect(guest.p.system.dr6 == DR6.alwaysOne | DR6.singleStep)
        #expect(!guest.p.serviceBoundary())
    }

    // SDM 3B 17.3.1.1 "Instruction-Breakpoint Exception Condition".
    @Test func anInstructionBreakpointFaultsBeforeTheInstructionUnlessRF() {
        let guest = TestGuest()
        guest.p.system.dr.2 = TestGuest.code
        guest.p.system.dr7 = DR7.alwaysOne | 1 << 4
        #expect(guest.p.serviceBoundary())
        #expect(guest.handledVector == 1)
        #expect(guest.frame(0) == TestGuest.code)
        #expect(guest.p.system.dr6 & DR6.breakpoints == 4)
        // The handler returns with RF set: the breakpoint does not repeat, and RF ends with the instruction.
        guest.write(guest.p.gpr(GPR.rsp) + 16, RFLAGS.resume | 2)
        guest.execute([0x48, 0xCF])
        #expect(!guest.p.serviceBoundary())
        guest.execute([0x90])
        #expect(!guest.p.serviceBoundary())
        #expect(guest.p.system.flags & RFLAGS.resume == 0)
    }

    @Test func initLeadsAnApplicationProcessorToWaitForSIPIWhichStartsIt() {
        let guest = TestGuest()
        guest.p.system.apicBase &= ~APICBase.bsp
        guest.p.receiveINIT(at: 0)
        #expect(guest.p.serviceBoundary())
        #expect(guest.p.system.activity == .waitForSIPI)
        guest.p.receiveSIPI(vector: 0x12, at: 0)
        #expect(guest.p.serviceBoundary())
        #expect(guest.p.system.activity == .active)
        #expect(guest.p.cpu.pointee.rip == 0)
        #expect(guest.p.system.segments[SegmentIndex.cs].base == 0x1_2000)
        #expect(guest.p.system.cr0 & (CR0.protectionEnable | CR0.paging) == 0)
    }

    @Test func aSIPIThatArrivesBeforeTheINITIsServicedCounts() {
        let guest = TestGuest()
        guest.p.system.apicBase &= ~APICBase.bsp
        guest.p.receiveINIT(at: 0)
        guest.p.receiveSIPI(vector: 0x12, at: 0)
        #expect(guest.p.serviceBoundary())
        #expect(guest.p.serviceBoundary())
        #expect(guest.p.system.activity == .active && guest.p.system.segments[SegmentIndex.cs].base == 0x1_2000)
    }

    // SDM 3B 17.3.1.2 "Data Memory and I/O Breakpoint Exception Conditions".
    @Test func aDataBreakpointTrapsAfterTheAccessThatOverlapsIt() {
        // R/W, LEN, address of the access, write, hit. The breakpoint is at 0x50004 (aligned to its length).
        let cases: [(UInt64, UInt64, UInt64, Bool, Bool)] = [
            (1, 3, 0x5_0004, true, true), (1, 3, 0x5_0004, false, false), (3, 3, 0x5_0004, false, true),
            (1, 0, 0x5_0000, true, true), (1, 0, 0x4_FFFC, true, false), (1, 0, 0x5_0005, true, false),
            (1, 2, 0x4_FFFA, true, true), (3, 1, 0x5_0005, false, true), (3, 1, 0x5_0006, false, false),
        ]
        for (condition, length, address, write, hit) in cases {
            let guest = TestGuest(), p = guest.p
            p.setGPR(GPR.rax, 0x5_0004)
            guest.execute([0x0F, 0x23, 0xD8])
            p.setGPR(GPR.rax, 1 << 6 | condition << 28 | length << 30)
            guest.execute([0x0F, 0x23, 0xF8])
            p.setGPR(GPR.rbx, address)
            // MOV [RBX], RCX and MOV RCX, [RBX].
            guest.execute([0x48, write ? 0x89 : 0x8B, 0x0B])
            #expect(p.serviceBoundary() == hit, "\(condition) \(length) \(address)")
            guard hit else { continue }
            #expect(guest.handledVector == 1)
            #expect(guest.frame(0) == TestGuest.code + 9 && guest.frame(2) & RFLAGS.resume == 0)
            #expect(p.system.dr6 == DR6.alwaysOne | 8)
        }
    }

    @Test func anIOBreakpointNeedsCR4DE() {
        for enabled in [false, true] {
            let guest = TestGuest(), p = guest.p
            if enabled { p.system.cr4 |= CR4.debuggingExtensions }
            p.system.dr.0 = 0x80
            p.system.dr7 = DR7.alwaysOne | 2 | 2 << 16
            guest.execute([0xE6, 0x80])
            #expect(p.serviceBoundary() == enabled)
        }
    }

    @Test func aFaultingInstructionReportsNoDataBreakpoint() {
        let guest = TestGuest(), p = guest.p
        guest.map(0x4000_0000, to: 0x20_0000, [])
        p.system.dr.0 = 0x5_0000
        p.system.dr7 = DR7.alwaysOne | 2 | 3 << 16
        p.setGPR(GPR.rsi, 0x5_0000)
        p.setGPR(GPR.rdi, 0x4000_0000)
        // MOVSB: the load meets the breakpoint, the store faults.
        guest.execute([0xA4])
        #expect(guest.handledVector == 14)
        #expect(!p.serviceBoundary())
    }

    @Test func aSingleStepTrapHeldBackByMOVSSIsLostInADelivery() {
        let guest = TestGuest(), p = guest.p
        p.setGPR(GPR.rax, UInt64(TestGuest.kernelData))
        p.system.flags |= RFLAGS.trap
        guest.execute([0x8E, 0xD0])
        guest.execute([0xF1])
        #expect(guest.handledVector == 1 && guest.frame(0) == TestGuest.code + 3)
        #expect(!p.serviceBoundary())
        #expect(p.system.dr6 & DR6.singleStep == 0)
    }

    @Test func aBreakpointHeldBackByMOVSSComesAfterINTNAndNotAfterINT1() {
        for (bytes, follows) in [([0xF1], false), ([0xCD, 0x01], true), ([0xCC], true)] as [([UInt8], Bool)] {
            let guest = TestGuest(), p = guest.p
            guest.write(0x5_0000, UInt64(TestGuest.kernelData))
            p.system.dr.0 = 0x5_0000
            p.system.dr7 = DR7.alwaysOne | 2 | 3 << 16
            p.modeChanged()
            p.setGPR(GPR.rbx, 0x5_0000)
            // MOV SS, [RBX]
            guest.execute([0x8E, 0x13])
            #expect(!p.serviceBoundary())
            guest.execute(bytes)
            let first = p.cpu.pointee.rip
            #expect(p.serviceBoundary() == follows)
            if follows { #expect(guest.frame(0) == first && p.system.dr6 & 1 == 1) }
        }
    }

    @Test func anInstructionBreakpointAfterMOVSSIsNotTaken() {
        let guest = TestGuest(), p = guest.p
        p.setGPR(GPR.rax, UInt64(TestGuest.kernelData))
        p.system.dr.0 = TestGuest.code + 2
        p.system.dr7 = DR7.alwaysOne | 2
        p.modeChanged()
        // MOV SS, EAX; then NOP with the breakpoint: inhibited. Without MOV SS it is taken.
        guest.execute([0x8E, 0xD0])
        #expect(!p.serviceBoundary())
        guest.execute([0x90])
        #expect(guest.handledVector == nil && p.cpu.pointee.rip == TestGuest.code + 3)
        p.cpu.pointee.rip = TestGuest.code + 2
        #expect(p.serviceBoundary() && guest.handledVector == 1)
    }
}
