import Testing
@testable import X86Machine
import X86Architecture

/// SDM 3C 29.3.2 "Loading Guest State", 29.4 "Loading MSRs", 29.6 "Event Injection", 29.7 "Special Features of VM
/// Entry".
@Suite struct VMEntryTests {
    private typealias T = VMXTestMachine

    @Test func `the guest begins with the state of its area`() {
        let m = guest {
            $0[.guestSysenterCS] = 0x77
            $0[.guestFSBase] = 0x1234
            $0[.guestRFLAGS] = 0x8D7
        }
        #expect(m.p.cpu.pointee.rip == T.guestCode && m.p.gpr(GPR.rsp) == T.guestStack && m.p.rflags == 0x8D7)
        #expect(m.p.system.cr3 == m.guestPageTable && m.p.system.sysenterCS == 0x77)
        #expect(m.p.cpu.pointee.segmentBase.4 == 0x1234 && m.p.is64BitMode && m.p.system.cpl == 0)
        #expect(m.p.vmcs.isLaunched)
    }
    @Test func `general-purpose registers and CR2 pass through entry and exit`() {
        let m = VMXTestMachine().prepared()
        m.p.setGPR(GPR.r15, 0xABCD)
        m.p.system.cr2 = 0x1111
        m.launch()
        #expect(m.p.gpr(GPR.r15) == 0xABCD && m.p.system.cr2 == 0x1111)
        m.run(Code.cpuid)
        #expect(m.p.gpr(GPR.r15) == 0xABCD && m.p.system.cr2 == 0x1111)
    }
    @Test func `CPL is SS.DPL`() {
        let m = guest { $0.fillUserGuest() }
        #expect(m.p.system.cpl == 3)
    }
    @Test func `without "load IA32_EFER" LMA and LME follow "IA-32e mode guest"`() {
        let m = guest {
            $0[.entryControls] &= ~UInt64(EntryControls.loadEFER.rawValue)
            $0[.guestEFER] = 0
        }
        let long = EFER.longModeActive | EFER.longModeEnable
        #expect(m.p.system.efer & long == long)
    }
    @Test func `PAT and debug registers are loaded by their controls`() {
        let with = guest {
            $0.set(EntryControls.loadPAT)
            $0[.guestPAT] = 0x0606_0606_0606_0606
            $0[.guestDR7] = 0x401
        }
        #expect(with.p.system.pat == 0x0606_0606_0606_0606 && with.p.system.dr7 == 0x401)
        let without = guest {
            $0[.entryControls] &= ~UInt64(EntryControls.loadDebugControls.rawValue)
            $0[.guestPAT] = 0x0606_0606_0606_0606
            $0[.guestDR7] = 0x401
        }
        #expect(without.p.system.pat == 0x0007_0406_0007_0406 && without.p.system.dr7 == 0x400)
    }
    @Test func `entry to a protected-mode guest with PAE paging and EPT takes the PDPTEs of the VMCS`() {
        let m = guest {
            $0.fill32BitGuest()
            $0.store(T.page, T.otherPage | 7)
            $0.store(T.otherPage, UInt64(0x83))
            $0[.guestPDPTE0] = T.page & ~0xFFF | 1
            // One 2-MiB page at 0 through a directory in `page`.
            $0.store(T.page, UInt64(0x83))
        }
        #expect(!m.p.isLongMode && m.p.codeSize == .bits32)
        #expect(m.run(Code.cpuid) == .exit(10))
        #expect(m[.guestPDPTE0] == T.page | 1 && m[.entryControls] & 1 << 9 == 0)
        #expect(m.p.isLongMode)
    }
    @Test func `entry to an unrestricted guest in real-address mode`() {
        let m = guest {
            $0.fill32BitGuest()
            $0.set(SecondaryControls.unrestrictedGuest)
            $0[.guestCR0] = CR0.numericError | CR0.extensionType
            $0[.guestCSSelector] = 0x5000
            $0[.guestCSBase] = 0x5_0000
            $0[.guestCSLimit] = 0xFFFF
            $0[.guestCSAccessRights] = 0x93
            $0[.guestRIP] = 0
        }
        #expect(!m.p.isProtectedMode && m.p.codeSize == .bits16)
        m.write(Code.cpuid, at: 0x5_0000)
        #expect(m.step() == .exit(10))
        #expect(m[.guestCR0] & 1 == 0)
    }

    // MARK: MSR loading

    private func area(_ m: VMXTestMachine, _ entries: [(UInt32, UInt64)]) {
        for (n, e) in entries.enumerated() {
            m.store(T.msrArea + UInt64(n) * 16, UInt64(e.0))
            m.store(T.msrArea + UInt64(n) * 16 + 8, e.1)
        }
        m[.entryMSRLoadAddress] = T.msrArea
        m[.entryMSRLoadCount] = UInt64(entries.count)
    }
    @Test func `MSRs of the VM-entry MSR-load area are loaded`() {
        let m = guest { area($0, [(MSR.star, 0x1234), (MSR.kernelGSBase, 0x5678)]) }
        #expect(m.p.system.star == 0x1234 && m.p.system.kernelGSBase == 0x5678)
    }
    @Test(arguments: [(MSR.fsBase, 0), (MSR.gsBase, 0), (0x808, 0), (0x12345, 0),
                      (MSR.kernelGSBase, 1 << 47)] as [(UInt32, UInt64)])
    func `an entry that cannot be loaded fails the VM entry with reason 34 and its number`(_ msr: UInt32,
        _ value: UInt64) {
        let m = VMXTestMachine().prepared()
        area(m, [(MSR.star, 1), (msr, value)])
        #expect(!m.launch())
        #expect(m[.exitReason] == 0x8000_0022 && m[.exitQualification] == 2)
        #expect(!m.p.vmcs.isLaunched && m.p.cpu.pointee.rip == T.hostEntry)
    }
    @Test func `the entry after the recommended maximum of IA32_VMX_MISC fails`() throws {
        let misc = VMXMiscellaneous(try #require(VMXModel.capability(VMXMSR.miscellaneous, cr4Fixed1: 0)))
        let m = VMXTestMachine().prepared()
        area(m, Array(repeating: (MSR.star, 1), count: Int(misc.msrListLimit)))
        #expect(m.launch())
        let other = VMXTestMachine().prepared()
        area(other, Array(repeating: (MSR.star, 1), count: Int(misc.msrListLimit) + 1))
        #expect(!other.launch())
        #expect(other[.exitReason] == 0x8000_0022 && other[.exitQualification] == misc.msrListLimit + 1)
    }
    @Test func `reserved bits in an entry fail it`() {
        let m = VMXTestMachine().prepared()
        area(m, [(MSR.star, 1)])
        m.store(T.msrArea + 4, UInt32(1))
        #expect(!m.launch() && m[.exitQualification] == 1)
    }

    // MARK: Event injection

    private func frame(_ m: VMXTestMachine, hasErrorCode: Bool = false) -> [UInt64] {
        let rsp = m.p.gpr(GPR.rsp)
        return (0..<(hasErrorCode ? 6 : 5)).map { m.load(rsp + UInt64($0) * 8) }
    }
    @Test func `an injected external interrupt is delivered through the guest's IDT`() {
        let m = guest {
            $0[.guestRFLAGS] = 0x202
            $0.injects(vector: 0x40, .externalInterrupt)
        }
        #expect(m.p.cpu.pointee.rip == T.handlers + 0x40)
        #expect(frame(m) == [T.guestCode, 8, 0x202, T.guestStack, 0x10])
        #expect(m.p.rflags & RFLAGS.interrupt == 0)
    }
    @Test func `an injected hardware exception pushes its error code and leaves CR2 and RF alone`() {
        let m = VMXTestMachine().prepared()
        m.p.system.cr2 = 0x9999
        m.injects(vector: 14, .hardwareException, errorCode: true)
        m[.entryExceptionErrorCode] = 0x7
        m.launch()
        #expect(m.p.cpu.pointee.rip == T.handlers + 14)
        #expect(frame(m, hasErrorCode: true) == [7, T.guestCode, 8, 2, T.guestStack, 0x10])
        #expect(m.p.system.cr2 == 0x9999)
    }
    @Test func `an injected software interrupt returns after its instruction`() {
        let m = guest { $0.injects(vector: 0x80, .softwareInterrupt) }
        #expect(m.p.cpu.pointee.rip == T.handlers + 0x80 && frame(m)[0] == T.guestCode + 2)
    }
    @Test func `an injected NMI blocks NMIs`() {
        let m = guest { $0.injects(vector: 2, .nmi) }
        #expect(m.p.cpu.pointee.rip == T.handlers + 2 && m.p.system.blockingByNMI)
    }
    @Test func `injection into HLT makes the guest active`() {
        let m = guest {
            $0[.guestRFLAGS] = 0x202
            $0[.guestActivityState] = 1
            $0.injects(vector: 0x40, .externalInterrupt)
        }
        #expect(m.p.system.activity == .active && m.p.cpu.pointee.rip == T.handlers + 0x40)
    }
    @Test func `the exception bitmap does not stop an injected exception`() {
        let m = guest {
            $0[.exceptionBitmap] = 1 << 6
            $0.injects(vector: 6, .hardwareException)
        }
        #expect(m.p.cpu.pointee.rip == T.handlers + 6)
    }
    @Test func `an EPT violation during injection reports the event as IDT-vectoring information`() {
        let m = VMXTestMachine().prepared()
        m[.guestRFLAGS] = 0x202
        m.injects(vector: 0x40, .externalInterrupt)
        m.mapEPT(T.guestStack & ~0xFFF - 0x1000, to: 0, .none)
        m.launch()
        #expect(m.exitReason == .eptViolation)
        #expect(m[.idtVectoringInformation] == 0x8000_0040)
        #expect(m[.exitReason] == 48, "the entry itself did not fail")
        #expect(m[.guestRIP] == T.guestCode && m.p.cpu.pointee.rip == T.hostEntry)
        #expect(m.p.vmcs.isLaunched)
    }
    @Test func `the valid bit of the injection field is cleared by the next VM exit`() {
        let m = guest {
            $0[.guestRFLAGS] = 0x202
            $0.injects(vector: 0x40, .externalInterrupt)
        }
        m.run(Code.cpuid)
        #expect(m[.entryInterruptionInformation] == 0x40)
    }
    @Test func `a fault in the delivery of an injected event is delivered in its turn`() {
        let m = guest {
            // The gate of vector 64 is not present: #NP with its selector error code.
            $0.store(T.idt + 0x40 * 16 + 5, UInt8(0x0E))
            $0[.guestRFLAGS] = 0x202
            $0.injects(vector: 0x40, .externalInterrupt)
        }
        #expect(m.p.cpu.pointee.rip == T.handlers + 11)
        #expect(frame(m, hasErrorCode: true)[0] == 0x40 << 3 | 2 | 1)
    }

    // MARK: Special features

    @Test func `a pending single-step trap is delivered before the first instruction`() {
        let m = guest { $0[.guestPendingDebugExceptions] = 1 << 14 }
        m.boundary()
        #expect(m.p.cpu.pointee.rip == T.handlers + 1 && m.p.system.dr6 & DR6.singleStep != 0)
    }
    @Test func `a halted guest waits`() {
        let m = guest { $0[.guestActivityState] = 1 }
        #expect(m.p.system.activity == .halted)
    }
    @Test func `a guest entered in shutdown is woken by the preemption timer and NMIs, not by external interrupts`() {
        func shutDown(_ change: (VMXTestMachine) -> Void) -> VMXTestMachine {
            guest {
                $0[.guestActivityState] = 2
                $0[.guestRFLAGS] = 0x202
                change($0)
            }
        }
        let timed = shutDown { $0.set(PinBasedControls.activatePreemptionTimer); $0[.preemptionTimerValue] = 1000 }
        #expect(timed.p.system.activity == .shutdown)
        _ = timed.machine.run(.cycle(timed.p.cpu.pointee.cycles + 40_000))
        #expect(timed.exitReason == .preemptionTimerExpired && timed[.guestActivityState] == 2)
        let interrupted = shutDown { $0.set(PinBasedControls.nmiExiting) }
        interrupted.p.system.pendingNMI = true
        interrupted.boundary()
        #expect(interrupted.exitReason == .exceptionOrNMI && interrupted[.guestActivityState] == 2)
        let blocked = shutDown { $0.set(PinBasedControls.externalInterruptExiting) }
        blocked.p.apic.accept(vector: 0x40, levelTriggered: false)
        #expect(!blocked.boundary() && blocked.p.vmx.inNonRoot)
    }
    @Test func `blocking by STI holds back an interrupt for one instruction`() {
        let m = guest {
            $0[.guestRFLAGS] = 0x202
            $0[.guestInterruptibilityState] = 1
        }
        #expect(m.p.system.blockingBySTI && !m.p.acceptsInterrupts)
    }
    private final class Recorder: Observer {
        let events: EventMask = .vmTransition
        var seen: [String] = []
        func observe(_ event: Event, processor: Int, in machine: MachineView) {
            switch event {
            case .vmEntry(let rip, let eptp): seen.append("entry \(hex(rip.rawValue)) \(hex(eptp))")
            case .vmExit(let reason, _, let rip): seen.append("exit \(reason) \(hex(rip.rawValue))")
            case .vmEntryFailure(let failure, let rip): seen.append("\(failure) at \(hex(rip.rawValue))")
            default: break
            }
        }
    }
    @Test func `entry and exit are events`() {
        let m = VMXTestMachine().prepared()
        let recorder = Recorder()
        m.machine.addObserver(recorder)
        m.launch()
        m.run(Code.cpuid)
        #expect(recorder.seen == ["entry 0x50000 \(hex(m.eptp))", "exit 10 0x50000"])
    }
    @Test func `a violated check is an event that names the check, the field, its value and what was wanted`() {
        let m = VMXTestMachine().prepared()
        let recorder = Recorder()
        m.machine.addObserver(recorder)
        m[.virtualProcessorIdentifier] = 0
        let rip = m.p.cpu.pointee.rip
        m.launch()
        #expect(recorder.seen == [
            "controls check vpidIsNotZero: virtualProcessorIdentifier = 0x0, wanted not 0000H with \"enable VPID\""
                + " (SDM 3C 29.2.1.1 \"VM-Execution Control Fields\") at \(hex(rip))",
        ])
        m[.virtualProcessorIdentifier] = 1
        m[.guestRFLAGS] = 0
        m.launch()
        #expect(recorder.seen.count == 3 && recorder.seen[1].contains("guestRFLAGS = 0x0")
                && recorder.seen[2].hasPrefix("exit 33"))
    }
}
