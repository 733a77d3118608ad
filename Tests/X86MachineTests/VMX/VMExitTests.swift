import Testing
@testable import X86Machine
import X86Architecture

/// SDM 3C chapter 30 "VM Exits": what is saved, what is loaded, what is recorded.
@Suite struct VMExitTests {
    private typealias T = VMXTestMachine

    @Test func `the host continues with the state of its area`() {
        let m = guest {
            $0[.hostFSBase] = 0x1111
            $0[.hostGSBase] = 0x2222
            $0[.hostSysenterEIP] = 0x3333
        }
        m.p.rflags = 0x8D7
        m.run(Code.cpuid)
        #expect(!m.p.vmx.inNonRoot && m.p.vmx.inOperation)
        #expect(m.p.cpu.pointee.rip == T.hostEntry && m.p.gpr(GPR.rsp) == T.hostStack && m.p.rflags == 2)
        #expect(m.p.system.cr3 == T.hostPageTable && m.p.system.cpl == 0 && m.p.is64BitMode)
        #expect(m.p.cpu.pointee.segmentBase.4 == 0x1111 && m.p.cpu.pointee.segmentBase.5 == 0x2222)
        #expect(m.p.system.sysenterEIP == 0x3333 && m.p.system.dr7 == 0x400)
        let cs = m.p.system.segments[SegmentIndex.cs], tr = m.p.system.segments[SegmentIndex.tr]
        #expect(cs == Segment(selector: 8, base: 0, limit: 0xFFFF_FFFF, access: 0xA09B))
        #expect(tr == Segment(selector: 0x18, base: T.tss, limit: 0x67, access: 0x8B))
        #expect(m.p.system.segments[SegmentIndex.ldtr].isUnusable)
        #expect(m.p.system.gdtr == DescriptorTable(base: T.gdt, limit: 0xFFFF))
        #expect(m.p.system.idtr == DescriptorTable(base: T.idt, limit: 0xFFFF))
    }
    @Test func `host segments with null selectors are unusable, FS and GS keep their bases`() {
        let m = guest {
            $0[.hostDSSelector] = 0
            $0[.hostFSSelector] = 0
            $0[.hostFSBase] = 0x5555
        }
        m.run(Code.cpuid)
        #expect(m.p.system.segments[SegmentIndex.ds].isUnusable && m.p.system.segments[SegmentIndex.fs].isUnusable)
        #expect(m.p.cpu.pointee.segmentBase.4 == 0x5555)
    }
    @Test func `the guest's state is saved`() {
        let m = guest()
        m.p.setGPR(GPR.rsp, 0x6_0800)
        m.p.rflags = 0x203
        m.p.system.segments[SegmentIndex.gs].base = 0x7777
        m.p.system.sysenterESP = 0x8888
        m.p.system.dr7 = 0x402
        m.run(Code.cpuid)
        #expect(m[.guestRIP] == T.guestCode && m[.guestRSP] == 0x6_0800 && m[.guestRFLAGS] == 0x203)
        #expect(m[.guestGSBase] == 0x7777 && m[.guestSysenterESP] == 0x8888 && m[.guestDR7] == 0x402)
        #expect(m[.guestCSAccessRights] == 0xA09B && m[.guestCR3] == m.guestPageTable)
        #expect(m[.exitInstructionLength] == 2)
    }
    @Test func `EFER and PAT are saved only by their controls`() {
        let m = guest { $0[.exitControls] &= ~UInt64(ExitControls.saveEFER.rawValue) }
        m.p.system.efer |= EFER.systemCallEnable
        m.p.system.pat = 0x0606_0606_0606_0606
        let before = (m[.guestEFER], m[.guestPAT])
        m.run(Code.cpuid)
        #expect((m[.guestEFER], m[.guestPAT]) == before)
        let other = guest { $0.set(.savePAT | ExitControls.loadPAT) }
        other.p.system.efer |= EFER.systemCallEnable
        other.p.system.pat = 0x0606_0606_0606_0606
        other.run(Code.cpuid)
        #expect(other[.guestEFER] & 1 == 1 && other[.guestPAT] == 0x0606_0606_0606_0606)
        #expect(other.p.system.pat == other[.hostPAT])
    }
    @Test func `SS.DPL in the saved state is the CPL, also with a null SS`() {
        let m = guest { $0.fillUserGuest() }
        m.p.system.segments[SegmentIndex.ss] = .null(3)
        m.run(Code.cpuid)
        #expect(SegmentAccessRights(m.p.vmcs.u32(.guestSSAccessRights)).dpl == 3)
    }
    @Test func `CR0.CD and NW are not changed by a VM exit`() {
        let m = guest { $0[.hostCR0] |= CR0.cacheDisable }
        m.run(Code.cpuid)
        #expect(m.p.system.cr0 & CR0.cacheDisable == 0)
    }

    // MARK: MSR areas

    private func area(_ m: VMXTestMachine, _ address: UInt64, _ entries: [(UInt32, UInt64)]) {
        for (n, e) in entries.enumerated() {
            m.store(address + UInt64(n) * 16, UInt64(e.0))
            m.store(address + UInt64(n) * 16 + 8, e.1)
        }
    }
    @Test func `the exit stores and loads MSRs`() {
        let m = guest {
            area($0, T.msrArea, [(MSR.star, 0), (MSR.lstar, 0)])
            area($0, T.msrArea + 0x800, [(MSR.star, 0x42)])
            $0[.exitMSRStoreAddress] = T.msrArea
            $0[.exitMSRStoreCount] = 2
            $0[.exitMSRLoadAddress] = T.msrArea + 0x800
            $0[.exitMSRLoadCount] = 1
        }
        m.p.system.star = 0x10
        m.p.system.lstar = 0x20
        m.run(Code.cpuid)
        #expect(m.load(T.msrArea + 8) == UInt64(0x10) && m.load(T.msrArea + 24) == UInt64(0x20))
        #expect(m.p.system.star == 0x42)
    }
    @Test(arguments: [(true, VMXAbort.savingGuestMSRs), (false, .loadingHostMSRs)] as [(Bool, VMXAbort)])
    func `an MSR that cannot be stored or loaded is a VMX abort, named in the region and in the stop`(
        _ stores: Bool, _ abort: VMXAbort
    ) {
        let m = guest {
            area($0, T.msrArea, [(0x12345, 0)])
            $0[stores ? .exitMSRStoreAddress : .exitMSRLoadAddress] = T.msrArea
            $0[stores ? .exitMSRStoreCount : .exitMSRLoadCount] = 1
        }
        m.run(Code.cpuid)
        #expect(m.p.vmx.abort == abort && m.p.system.activity == .shutdown)
        #expect(m.load(T.vmcs + 4, as: UInt32.self) == abort.rawValue)
        guard case .guestDied(let text) = m.machine.pendingStop else { Issue.record("no stop"); return }
        #expect(text.contains("VMX abort \(abort.rawValue)"))
    }
    @Test func `a 32-bit host after an IA-32e guest is a VMX abort`() {
        let m = guest()
        m[.exitControls] &= ~UInt64(ExitControls.hostAddressSpaceSize.rawValue)
        m.run(Code.cpuid)
        #expect(m.p.vmx.abort == .hostAddressSpaceSize)
    }

    // MARK: Exceptions

    @Test func `an exception whose bit is set exits at the instruction, with RF set in the saved flags`() {
        let m = guest { $0[.exceptionBitmap] = 1 << 6 }
        m.run(Code.ud2)
        #expect(m.exitReason == .exceptionOrNMI && m[.exitInterruptionInformation] == 0x8000_0306)
        #expect(m[.guestRIP] == T.guestCode && m[.guestRFLAGS] == 2 | RFLAGS.resume)
    }
    @Test func `an exception whose bit is clear goes to the guest`() {
        let m = guest { $0[.exceptionBitmap] = ~(1 << 6) & 0xFFFF_FFFF }
        m.run(Code.ud2)
        #expect(m.p.vmx.inNonRoot && m.p.cpu.pointee.rip == T.handlers + 6)
    }
    @Test func `an exception with an error code reports it`() {
        let m = guest { $0[.exceptionBitmap] = 1 << 13 }
        m.p.setGPR(GPR.rax, 1 << 40)
        m.run(Code.movToCR(0))
        #expect(m[.exitInterruptionInformation] == 0x8000_0B0D && m[.exitInterruptionErrorCode] == 0)
    }
    /// Error code 2 (write, supervisor, not present) against mask and match, with both settings of bit 14.
    @Test(arguments: [(0, 0, true, true), (0, 0, false, false), (2, 2, true, true), (2, 2, false, false),
                      (2, 0, true, false), (2, 0, false, true), (1, 1, true, false), (0, 1, false, true)]
          as [(UInt64, UInt64, Bool, Bool)])
    func `page faults exit by the bitmap and by their error code`(_ mask: UInt64, _ match: UInt64, _ bit: Bool,
        _ exits: Bool) {
        let m = guest {
            $0[.exceptionBitmap] = bit ? 1 << 14 : 0
            $0[.pageFaultErrorCodeMask] = mask
            $0[.pageFaultErrorCodeMatch] = match
        }
        m.p.system.cr2 = 0x1
        m.p.raise(.pageFault(2, LinearAddress(0xABC000)))
        #expect(!m.p.vmx.inNonRoot == exits)
        if exits {
            #expect(m[.exitQualification] == 0xABC000 && m[.exitInterruptionErrorCode] == 2)
            #expect(m.p.system.cr2 == 1, "CR2 is not written by a page fault that exits")
        } else {
            #expect(m.p.system.cr2 == 0xABC000)
        }
    }
    @Test func `INT3 exits as a software exception with its length`() {
        let m = guest { $0[.exceptionBitmap] = 1 << 3 }
        m.run(Code.int3)
        #expect(m[.exitInterruptionInformation] == 0x8000_0603 && m[.exitInstructionLength] == 1)
        #expect(m[.guestRIP] == T.guestCode)
    }
    @Test func `a debug exception that exits reports its conditions and leaves DR6`() {
        let m = guest { $0[.exceptionBitmap] = 1 << 1 }
        let dr6 = m.p.system.dr6
        m.p.system.pendingDebug = DR6.singleStep
        m.boundary()
        #expect(m[.exitInterruptionInformation] == 0x8000_0301 && m[.exitQualification] == DR6.singleStep)
        #expect(m.p.system.dr6 == dr6)
    }
    @Test func `an exception in the delivery of another event exits before it becomes a double fault`() {
        let m = guest { $0[.exceptionBitmap] = 1 << 11 }
        // Both gates absent: #GP, then #NP in its delivery.
        m.store(T.idt + 13 * 16 + 5, UInt8(0x0E))
        m.p.raise(.generalProtection(0))
        #expect(m[.exitInterruptionInformation] & 0xFF == 11)
        #expect(m[.idtVectoringInformation] == 0x8000_0B0D && m[.idtVectoringErrorCode] == 0)
    }
    @Test func `a double fault that exits has no IDT-vectoring information`() {
        let m = guest { $0[.exceptionBitmap] = 1 << 8 }
        m.store(T.idt + 13 * 16 + 5, UInt8(0x0E))
        m.p.raise(.generalProtection(0))
        #expect(m[.exitInterruptionInformation] == 0x8000_0B08 && m[.idtVectoringInformation] == 0)
    }
    @Test func `a triple fault exits with reason 2`() {
        let m = guest { $0[.guestIDTRLimit] = 0 }
        m.run(Code.ud2)
        #expect(m.exitReason == .tripleFault && m[.idtVectoringInformation] == 0)
        #expect(m[.guestActivityState] == 0)
    }
    @Test func `INT n that hits an EPT violation reports itself with its length`() {
        let m = guest { $0.mapEPT(T.idt, to: T.idt, .none) }
        #expect(m.run([0xCD, 0x80]) == .completed, "the instruction's delivery ended in the VM exit")
        #expect(m.exitReason == .eptViolation && m[.idtVectoringInformation] == 0x8000_0480)
        #expect(m[.exitInstructionLength] == 2 && m[.guestRIP] == T.guestCode)
        #expect(m.p.cpu.pointee.rip == T.hostEntry)
    }

    // MARK: NMIs, external interrupts, windows

    @Test func `an NMI exits with "NMI exiting", and NMIs are blocked after the exit`() {
        let m = guest { $0.set(PinBasedControls.nmiExiting) }
        m.p.receiveNMI(at: 0)
        m.boundary()
        #expect(m.exitReason == .exceptionOrNMI && m[.exitInterruptionInformation] == 0x8000_0202)
        #expect(m.p.system.blockingByNMI)
        #expect(m[.guestInterruptibilityState] & 8 == 0)
    }
    @Test func `without "NMI exiting" it is the guest's`() {
        let m = guest()
        m.p.receiveNMI(at: 0)
        m.boundary()
        #expect(m.p.vmx.inNonRoot && m.p.cpu.pointee.rip == T.handlers + 2)
    }
    @Test func `virtual-NMI blocking does not hold back an NMI that exits`() {
        let m = guest {
            $0.set(.nmiExiting | PinBasedControls.virtualNMIs)
            $0[.guestInterruptibilityState] = 8
        }
        m.p.receiveNMI(at: 0)
        m.boundary()
        #expect(m.exitReason == .exceptionOrNMI && m[.guestInterruptibilityState] & 8 != 0)
    }
    @Test func `an NMI window opens when virtual-NMI blocking ends`() {
        let m = guest {
            $0.set(.nmiExiting | PinBasedControls.virtualNMIs)
            $0.set(ProcessorBasedControls.nmiWindowExiting)
            $0[.guestInterruptibilityState] = 8
        }
        m.boundary()
        #expect(m.p.vmx.inNonRoot)
        // IRETQ to the same place.
        m.store(T.guestStack - 0x28, T.guestCode)
        m.store(T.guestStack - 0x20, UInt64(8))
        m.store(T.guestStack - 0x18, UInt64(2))
        m.store(T.guestStack - 0x10, T.guestStack)
        m.store(T.guestStack - 8, UInt64(0x10))
        m.p.setGPR(GPR.rsp, T.guestStack - 0x28)
        #expect(m.run(Code.iretq) == .completed)
        m.boundary()
        #expect(m.exitReason == .nmiWindow && m[.guestInterruptibilityState] & 8 == 0)
    }
    @Test func `an NMI window opens at once when nothing blocks, also in HLT`() {
        for state: UInt64 in [0, 1] {
            let m = guest {
                $0.set(.nmiExiting | PinBasedControls.virtualNMIs)
                $0.set(ProcessorBasedControls.nmiWindowExiting)
                $0[.guestActivityState] = state
            }
            m.boundary()
            #expect(m.exitReason == .nmiWindow && m[.guestActivityState] == state)
        }
    }
    private func requestInterrupt(_ m: VMXTestMachine, _ vector: UInt8) {
        m.p.apic.spurious = 0x1FF
        m.p.receive(vector: vector, at: 0)
    }
    @Test func `an external interrupt exits whatever IF is; without acknowledgement it stays pending`() {
        let m = guest { $0.set(PinBasedControls.externalInterruptExiting) }
        requestInterrupt(m, 0x50)
        m.boundary()
        #expect(m.exitReason == .externalInterrupt && m[.exitInterruptionInformation] == 0)
        #expect(m.p.hasPendingInterrupt)
    }
    @Test func `with "acknowledge interrupt on exit" its vector is recorded and taken`() {
        let m = guest {
            $0.set(PinBasedControls.externalInterruptExiting)
            $0.set(ExitControls.acknowledgeInterruptOnExit)
        }
        requestInterrupt(m, 0x50)
        m.boundary()
        #expect(m[.exitInterruptionInformation] == 0x8000_0050 && !m.p.hasPendingInterrupt)
    }
    @Test func `without "external-interrupt exiting" the guest's IDT gets it when IF is set`() {
        let m = guest()
        requestInterrupt(m, 0x50)
        m.boundary()
        #expect(m.p.cpu.pointee.rip == T.guestCode)
        m.p.rflags |= RFLAGS.interrupt
        m.boundary()
        #expect(m.p.vmx.inNonRoot && m.p.cpu.pointee.rip == T.handlers + 0x50)
    }
    @Test func `an interrupt window opens with IF set and nothing blocking`() {
        let m = guest { $0.set(ProcessorBasedControls.interruptWindowExiting) }
        m.boundary()
        #expect(m.p.vmx.inNonRoot)
        m.run(Code.sti)
        m.boundary()
        #expect(m.p.vmx.inNonRoot, "blocking by STI")
        m.run(Code.pause)
        m.boundary()
        #expect(m.exitReason == .interruptWindow && m[.guestRIP] == T.guestCode + 3)
    }

    // MARK: VMX-preemption timer, monitor trap flag

    @Test func `the preemption timer with value 0 exits before the first instruction`() {
        let m = guest { $0.set(PinBasedControls.activatePreemptionTimer) }
        m.boundary()
        #expect(m.exitReason == .preemptionTimerExpired && m[.guestRIP] == T.guestCode)
    }
    @Test func `the preemption timer counts cycles in units of its rate and its rest is saved`() {
        let m = guest {
            $0.set(PinBasedControls.activatePreemptionTimer)
            $0.set(ExitControls.savePreemptionTimer)
            $0[.preemptionTimerValue] = 100
        }
        m.boundary()
        #expect(m.p.vmx.inNonRoot)
        m.p.cpu.pointee.cycles = (m.p.cpu.pointee.cycles &>> 5 + 40) &<< 5
        m.p.vmExit(VMExitCause(.cpuid))
        #expect(m[.preemptionTimerValue] == 60)
        #expect(m.launch())
        m.p.cpu.pointee.cycles += 60 << 5
        m.boundary()
        #expect(m.exitReason == .preemptionTimerExpired && m[.preemptionTimerValue] == 0)
    }
    @Test func `the preemption timer's end is a timed event, cancelled by a VM exit`() {
        let m = guest {
            $0.set(PinBasedControls.activatePreemptionTimer)
            $0[.preemptionTimerValue] = 100
        }
        #expect(m.machine.platform.events.nextCycle == m.p.vmx.preemptionDeadline)
        m.run(Code.cpuid)
        #expect(m.machine.platform.events.isEmpty)
    }
    @Test func `the monitor trap flag exits after one instruction`() {
        let m = guest { $0.set(ProcessorBasedControls.monitorTrapFlag) }
        m.boundary()
        #expect(m.p.vmx.inNonRoot && m.p.boundaryWork)
        m.run(Code.pause)
        m.boundary()
        #expect(m.exitReason == .monitorTrapFlag && m[.guestRIP] == T.guestCode + 2)
    }
    @Test func `the monitor trap flag exits after the delivery of an injected event`() {
        let m = guest {
            $0.set(ProcessorBasedControls.monitorTrapFlag)
            $0[.guestRFLAGS] = 0x202
            $0.injects(vector: 0x40, .externalInterrupt)
        }
        m.boundary()
        #expect(m.exitReason == .monitorTrapFlag && m[.guestRIP] == T.handlers + 0x40)
    }
    @Test func `injecting the other event 0 makes an MTF exit pending whatever the control`() {
        let m = guest { $0.injects(vector: 0, .otherEvent) }
        m.boundary()
        #expect(m.exitReason == .monitorTrapFlag && m[.guestRIP] == T.guestCode)
    }

    // MARK: INIT

    @Test func `INIT exits in non-root and is blocked in root operation`() {
        let m = guest()
        m.p.system.pendingINIT = true
        m.boundary()
        #expect(m.exitReason == .initSignal)
        m.p.system.pendingINIT = true
        m.boundary()
        #expect(m.p.system.pendingINIT && m.p.vmx.inOperation)
    }
    @Test func `a SIPI in the wait-for-SIPI state exits with its vector`() {
        let m = guest { $0[.guestActivityState] = 3 }
        m.p.system.pendingSIPI = 0x9A
        m.boundary()
        #expect(m.exitReason == .startupIPI && m[.exitQualification] == 0x9A)
    }
}
