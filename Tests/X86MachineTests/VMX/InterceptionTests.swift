import Testing
@testable import X86Machine
import X86Architecture
import X86Decoder

/// SDM 3C 28.1 "Instructions That Cause VM Exits", 28.3 "Changes to Instruction Behavior in VMX Non-Root Operation".
@Suite struct InterceptionTests {
    private typealias T = VMXTestMachine

    @Test(arguments: [(Code.cpuid, 10), (Code.invd, 13), (Code.vmcall, 18), (Code.vmclear, 19), (Code.vmlaunch, 20),
                      (Code.vmptrld, 21), (Code.vmptrst, 22), (Code.vmreadRAX, 23), (Code.vmresume, 24),
                      (Code.vmwriteRAX, 25), (Code.vmxoff, 26), (Code.vmxon, 27), (Code.invept, 50), (Code.invvpid, 53)]
          as [([UInt8], UInt16)])
    func `instructions that exit unconditionally`(_ code: [UInt8], _ reason: UInt16) {
        let m = guest()
        #expect(m.run(code) == .exit(reason))
        #expect(m[.guestRIP] == T.guestCode && m[.exitInstructionLength] == UInt64(code.count))
    }
    @Test(arguments: [(Code.vmcall, 18), (Code.vmreadRAX, 23), (Code.vmxoff, 26), (Code.invept, 50), (Code.cpuid, 10)]
          as [([UInt8], UInt16)])
    func `VMX instructions and CPUID exit at CPL 3, too`(_ code: [UInt8], _ reason: UInt16) {
        let m = guest { $0.fillUserGuest() }
        #expect(m.run(code) == .exit(reason))
    }
    @Test func `privilege faults come before conditional exits`() {
        let m = guest {
            $0.fillUserGuest()
            $0.set(ProcessorBasedControls.hltExiting)
        }
        #expect(m.run(Code.hlt) == .fault(13, 0))
    }

    /// Control, instruction, basic exit reason.
    @Test(arguments: [(ProcessorBasedControls.hltExiting, Code.hlt, 12), (.invlpgExiting, Code.invlpg(0x9000), 14),
                      (.rdpmcExiting, Code.rdpmc, 15), (.rdtscExiting, Code.rdtsc, 16),
                      (.rdtscExiting, Code.rdtscp, 51),
                      (.cr3LoadExiting, Code.movToCR(3), 28), (.cr3StoreExiting, Code.movFromCR(3), 28),
                      (.cr8LoadExiting, Code.movToCR(8), 28), (.cr8StoreExiting, Code.movFromCR(8), 28),
                      (.movDRExiting, Code.movToDR(7), 29), (.unconditionalIOExiting, Code.outDXAL, 30),
                      (.pauseExiting, Code.pause, 40),
                      (.invlpgExiting, Code.invpcid, 58)]
          as [(ProcessorBasedControls, [UInt8], UInt16)])
    func `instructions that exit by a control, and only with it`(_ control: ProcessorBasedControls, _ code: [UInt8],
        _ reason: UInt16) {
        let m = guest { $0.set(control) }
        #expect(m.run(code) == .exit(reason))
        let other = guest {
            $0[.guestCR4] |= CR4.performanceCounterEnable
            $0.store(T.data, UInt64(0))
        }
        other.p.setGPR(GPR.rax, other.p.system.cr3)
        if code == Code.movToCR(8) || code == Code.invpcid { other.p.setGPR(GPR.rax, 0) }
        if code == Code.movToDR(7) { other.p.setGPR(GPR.rax, 0x400) }
        if case .exit = other.run(code) { Issue.record("exited without the control") }
    }
    /// The modelled processor has neither instruction (they are #UD), the controls exist.
    @Test func `MONITOR and MWAIT exit by their controls, MWAIT with the monitor's state`() throws {
        let i = try Decoder.decode(Code.mwait, .bits64)
        let m = guest { $0.set(.mwaitExiting | ProcessorBasedControls.monitorExiting) }
        func cause(_ body: () throws(Interruption) -> Void) -> VMExitCause? {
            do throws(Interruption) { try body() } catch { if case .vmExit(let cause) = error { return cause } }
            return nil
        }
        #expect(cause { () throws(Interruption) in try m.p.vmxCheckMONITOR(i) }?.reason == 39)
        let mwait = cause { () throws(Interruption) in try m.p.vmxCheckMWAIT(i, armed: true) }
        #expect(mwait?.reason == 36 && mwait?.qualification == 1 && mwait?.instructionLength == 3)
    }
    @Test(arguments: [(SecondaryControls.wbinvdExiting, Code.wbinvd, 54), (.descriptorTableExiting, Code.lgdt, 46),
                      (.descriptorTableExiting, Code.sgdt, 46), (.descriptorTableExiting, Code.lidt, 46),
                      (.descriptorTableExiting, Code.sidt, 46), (.descriptorTableExiting, Code.strRAX, 47),
                      (.descriptorTableExiting, Code.sldtRAX, 47), (.descriptorTableExiting, Code.ltrRAX, 47),
                      (.descriptorTableExiting, Code.lldtRAX, 47)]
          as [(SecondaryControls, [UInt8], UInt16)])
    func `instructions that exit by a secondary control`(_ control: SecondaryControls, _ code: [UInt8],
                                                         _ reason: UInt16) {
        let m = guest { $0.set(control) }
        #expect(m.run(code) == .exit(reason))
        if case .exit = guest().run(code) { Issue.record("exited without the control") }
    }
    @Test func `RDTSCP and INVPCID are #UD without their enabling controls`() {
        let m = guest { $0.clear(.enableRDTSCP | .enableINVPCID) }
        #expect(m.run(Code.rdtscp) == .fault(6, nil))
        m.p.cpu.pointee.rip = T.guestCode
        #expect(m.run(Code.invpcid) == .fault(6, nil))
    }
    @Test func `the TSC offset is added to what the guest reads`() {
        let m = guest {
            $0.set(ProcessorBasedControls.useTSCOffsetting)
            $0[.tscOffset] = 1 << 40
        }
        m.run(Code.rdtsc)
        #expect(m.p.gpr(GPR.rdx) >= 1 << 8)
    }

    @Test func `the TSC is multiplied by the TSC multiplier, 48 bits of it after the binary point, then offset`() {
        let m = guest {
            $0.set(ProcessorBasedControls.useTSCOffsetting)
            $0.set(SecondaryControls.useTSCScaling)
            $0[.tscMultiplier] = 3 << 47
            $0[.tscOffset] = 1 << 40
        }
        m.p.system.tscAdjust = 0x10_0000_0000
        let before = m.p.timestampCounter
        m.run(Code.rdtsc)
        let value = m.p.gpr(GPR.rdx) << 32 | m.p.gpr(GPR.rax)
        #expect(value >= before + before / 2 + 1 << 40 && value < before * 2 + 1 << 40)
    }
    /// SDM 3C 28.1.3 "Instructions That Cause VM Exits Conditionally", PAUSE.
    @Test func `PAUSEs at most a gap apart exit when their loop is older than the window`() {
        func looping(_ change: (VMXTestMachine) -> Void = { _ in }) -> VMXTestMachine {
            guest {
                $0.set(SecondaryControls.pauseLoopExiting)
                $0[.pleGap] = 100
                $0[.pleWindow] = 1000
                change($0)
            }
        }
        func pauses(_ m: VMXTestMachine, every cycles: UInt64) -> Int? {
            for n in 0..<50 {
                m.p.cpu.pointee.rip = T.guestCode
                if m.run(Code.pause) == .exit(ExitReason.pause.rawValue) { return n }
                m.p.cpu.pointee.cycles += cycles
            }
            return nil
        }
        // The first one is at 0; 90 * 12 is the first age above 1000.
        #expect(pauses(looping(), every: 90) == 12)
        #expect(pauses(looping(), every: 150) == nil)
        #expect(pauses(looping { $0.fillUserGuest() }, every: 90) == nil)
        #expect(pauses(guest(), every: 90) == nil)
    }

    // MARK: Qualifications and instruction information

    @Test func `INVLPG reports its linear address`() {
        let m = guest { $0.set(ProcessorBasedControls.invlpgExiting) }
        m.run(Code.invlpg(0x1234_5000))
        #expect(m[.exitQualification] == 0x1234_5000)
    }
    @Test func `the displacement is the qualification of an instruction with a memory operand`() {
        let m = guest()
        m.run(Code.vmptrld)
        #expect(m[.exitQualification] == T.data)
        // No base, no index, DS, 64-bit addresses.
        #expect(m[.exitInstructionInformation] == 2 << 7 | 3 << 15 | 1 << 22 | 1 << 27)
    }
    @Test func `base, index, scale and segment are reported`() {
        let m = guest()
        // VMPTRST FS:[RBX + RSI*4 + 8]
        m.run([0x64, 0x0F, 0xC7, 0x7C, 0xB3, 0x08])
        #expect(m[.exitQualification] == 8)
        #expect(m[.exitInstructionInformation] == 2 | 2 << 7 | 4 << 15 | 6 << 18 | 3 << 23)
    }
    @Test func `RIP-relative: the qualification has the next instruction's address added, and no base is reported`() {
        let m = guest()
        m.run([0x0F, 0xC7, 0x3D, 0x10, 0, 0, 0])
        #expect(m[.exitQualification] == T.guestCode + 7 + 0x10)
        #expect(m[.exitInstructionInformation] >> 27 & 1 == 1)
    }
    @Test func `VMREAD reports both registers`() {
        let m = guest()
        m.run(Code.vmreadRAX)
        #expect(m[.exitInstructionInformation] == 1 << 10 | 0 << 3 | 3 << 28)
    }
    @Test func `LIDT reports identity and operand size, STR its register`() {
        let m = guest { $0.set(SecondaryControls.descriptorTableExiting) }
        m.run(Code.lidt)
        #expect(m[.exitInstructionInformation] >> 28 & 3 == 3 && m[.exitInstructionInformation] >> 11 & 1 == 1)
        let other = guest { $0.set(SecondaryControls.descriptorTableExiting) }
        other.run(Code.strRAX)
        #expect(other[.exitInstructionInformation] == 1 << 10 | 1 << 28)
    }

    // MARK: Control registers

    @Test func `MOV to CR0 exits when a host-owned bit differs from the read shadow`() {
        let m = guest {
            $0[.cr0GuestHostMask] = CR0.taskSwitched | CR0.cacheDisable
            $0[.cr0ReadShadow] = CR0.taskSwitched
        }
        m.p.setGPR(GPR.rcx, m.p.system.cr0)
        #expect(m.run(Code.movToCR(0, from: 1)) == .exit(28))
        #expect(m[.exitQualification] == ControlRegisterQualification(register: 0, access: .moveTo, gpr: 1).rawValue)
    }
    @Test func `MOV to CR0 keeps host-owned bits and loads the others`() {
        let m = guest {
            $0[.cr0GuestHostMask] = CR0.taskSwitched
            $0[.cr0ReadShadow] = CR0.taskSwitched
        }
        m.p.setGPR(GPR.rax, m.p.system.cr0 | CR0.taskSwitched | CR0.monitorCoprocessor)
        #expect(m.run(Code.movToCR(0)) == .completed)
        #expect(m.p.system.cr0 & CR0.taskSwitched == 0 && m.p.system.cr0 & CR0.monitorCoprocessor != 0)
    }
    @Test func `reads of CR0 and CR4 take host-owned bits from the read shadow`() {
        let m = guest {
            $0[.cr0GuestHostMask] = CR0.taskSwitched | CR0.numericError
            $0[.cr0ReadShadow] = CR0.taskSwitched
            $0[.cr4GuestHostMask] = CR4.vmxEnable
            $0[.cr4ReadShadow] = 0
        }
        m.run(Code.movFromCR(0))
        #expect(m.p.gpr(GPR.rax) == m.p.system.cr0 & ~CR0.numericError | CR0.taskSwitched)
        m.run(Code.movFromCR(4))
        #expect(m.p.gpr(GPR.rax) == m.p.system.cr4 & ~CR4.vmxEnable)
    }
    @Test func `MOV to CR4 with a shadowed VMXE: writing 0 keeps the real bit`() {
        let m = guest {
            $0[.cr4GuestHostMask] = CR4.vmxEnable
            $0[.cr4ReadShadow] = 0
        }
        m.p.setGPR(GPR.rax, CR4.physicalAddressExtension)
        #expect(m.run(Code.movToCR(4)) == .completed)
        #expect(m.p.system.cr4 == CR4.physicalAddressExtension | CR4.vmxEnable)
        m.p.setGPR(GPR.rax, CR4.physicalAddressExtension | CR4.vmxEnable)
        #expect(m.run(Code.movToCR(4)) == .exit(28))
    }
    @Test func `MOV to CR3 of a CR3-target value does not exit`() {
        let m = guest {
            $0.set(ProcessorBasedControls.cr3LoadExiting)
            $0[.cr3TargetCount] = 2
            $0[.cr3TargetValue0] = 0x1234_5000
            $0[.cr3TargetValue1] = $0.guestPageTable
            $0[.cr3TargetValue2] = 0x7777_7000
        }
        m.p.setGPR(GPR.rax, m.guestPageTable)
        #expect(m.run(Code.movToCR(3)) == .completed)
        // The third value is not counted.
        m.p.setGPR(GPR.rax, 0x7777_7000)
        #expect(m.run(Code.movToCR(3)) == .exit(28))
        #expect(m[.exitQualification] == 3)
    }
    @Test func `CLTS exits if TS is host-owned and shadowed as 1, and changes nothing if it is shadowed as 0`() {
        let exits = guest {
            $0[.cr0GuestHostMask] = CR0.taskSwitched
            $0[.cr0ReadShadow] = CR0.taskSwitched
        }
        #expect(exits.run(Code.clts) == .exit(28) && exits[.exitQualification] == 2 << 4)
        let keeps = guest {
            $0[.cr0GuestHostMask] = CR0.taskSwitched
            $0[.guestCR0] |= CR0.taskSwitched
        }
        #expect(keeps.run(Code.clts) == .completed && keeps.p.system.cr0 & CR0.taskSwitched != 0)
    }
    @Test func `LMSW exits with its source when it would change a host-owned bit`() {
        let m = guest { $0[.cr0GuestHostMask] = CR0.emulation }
        m.p.setGPR(GPR.rax, 0x5)
        #expect(m.run(Code.lmswRAX()) == .exit(28))
        #expect(m[.exitQualification]
                == ControlRegisterQualification(register: 0, access: .lmsw, lmswSource: 5).rawValue)
    }
    @Test func `a guest cannot load a CR0 that VMX does not allow; an unrestricted one may clear PG`() {
        let m = guest()
        m.p.setGPR(GPR.rax, m.p.system.cr0 & ~CR0.numericError)
        #expect(m.run(Code.movToCR(0)) == .fault(13, 0))
    }
    @Test func `MOV DR reports register, direction and GPR`() {
        let m = guest { $0.set(ProcessorBasedControls.movDRExiting) }
        m.run(Code.movFromDR(6, to: 3))
        #expect(m[.exitQualification] == MovDRQualification(register: 6, fromDR: true, gpr: 3).rawValue)
    }

    // MARK: I/O

    private func bitmapGuest(_ ports: [Int]) -> VMXTestMachine {
        guest {
            $0.set(ProcessorBasedControls.useIOBitmaps)
            for port in ports {
                let base = port < 0x8000 ? T.ioBitmapA : T.ioBitmapB
                let byte = base + UInt64(port & 0x7FFF) / 8
                $0.store(byte, $0.load(byte, as: UInt8.self) | 1 << UInt8(port & 7))
            }
        }
    }
    @Test(arguments: [0x80, 0x7FFF, 0x8000, 0xFFFF] as [UInt64])
    func `a port exits exactly if its bit is set`(_ port: UInt64) {
        let m = bitmapGuest([Int(port)])
        m.p.setGPR(GPR.rdx, port)
        #expect(m.run(Code.outDXAL) == .exit(30))
        #expect(m[.exitQualification] == port << 16)
        let other = bitmapGuest([Int(port) ^ 1])
        other.p.setGPR(GPR.rdx, port)
        #expect(other.run(Code.outDXAL) == .completed)
    }
    @Test func `any byte of an access decides, and one that wraps around exits`() {
        let m = bitmapGuest([0x83])
        m.p.setGPR(GPR.rdx, 0x80)
        #expect(m.run(Code.outDXEAX) == .exit(30) && m[.exitQualification] == 0x80 << 16 | 3)
        let wraps = bitmapGuest([])
        wraps.p.setGPR(GPR.rdx, 0xFFFE)
        #expect(wraps.run(Code.outDXEAX) == .exit(30))
    }
    @Test func `I/O bitmaps override unconditional exiting`() {
        let m = bitmapGuest([])
        #expect(m.run(Code.cpuid) == .exit(10))
        m.set(ProcessorBasedControls.unconditionalIOExiting)
        m.launch()
        m.p.setGPR(GPR.rdx, 0x80)
        #expect(m.run(Code.outDXAL) == .completed)
    }
    @Test func `IN and an immediate port are reported`() {
        let m = guest { $0.set(ProcessorBasedControls.unconditionalIOExiting) }
        m.p.setGPR(GPR.rdx, 0x3F8)
        m.run(Code.inALDX)
        #expect(m[.exitQualification] == 1 << 3 | 0x3F8 << 16)
        m.launch()
        m.p.cpu.pointee.rip = T.guestCode
        m.run(Code.outImm(0x80))
        #expect(m[.exitQualification] == 1 << 6 | 0x80 << 16)
    }

    // MARK: MSRs

    @Test func `without MSR bitmaps every access exits`() {
        for (code, reason) in [(Code.rdmsr, 31), (Code.wrmsr, 32)] as [([UInt8], UInt16)] {
            let m = guest()
            m.p.setGPR(GPR.rcx, UInt64(MSR.star))
            #expect(m.run(code) == .exit(reason))
        }
    }
    @Test(arguments: [0, 0x1FFF, 0xC000_0000, 0xC000_1FFF] as [UInt32], [false, true])
    func `an MSR exits exactly if its bit is set, reads and writes apart`(_ msr: UInt32, _ isWrite: Bool) {
        func run(_ m: VMXTestMachine, _ code: [UInt8]) -> VMXTestMachine.Outcome {
            m.p.setGPR(GPR.rcx, UInt64(msr))
            return m.run(code)
        }
        let m = guest {
            $0.set(ProcessorBasedControls.useMSRBitmaps)
            let offset = UInt64(msr & 0x1FFF) / 8 + (msr >= 0xC000_0000 ? 1024 : 0) + (isWrite ? 2048 : 0)
            $0.store(T.msrBitmaps + offset, UInt8(1) << UInt8(msr & 7))
        }
        #expect(run(m, isWrite ? Code.wrmsr : Code.rdmsr) == .exit(isWrite ? 32 : 31))
        m.launch()
        m.p.cpu.pointee.rip = T.guestCode
        if case .exit = run(m, isWrite ? Code.rdmsr : Code.wrmsr) { Issue.record("the other direction exited") }
    }
    @Test(arguments: [0x2000, 0xBFFF_FFFF, 0xC000_2000, 0xFFFF_FFFF] as [UInt64])
    func `an MSR outside the ranges of the bitmaps always exits`(_ msr: UInt64) {
        let m = guest { $0.set(ProcessorBasedControls.useMSRBitmaps) }
        m.p.setGPR(GPR.rcx, msr)
        #expect(m.run(Code.rdmsr) == .exit(31))
    }
    @Test func `an MSR that does not exist is the guest's #GP when it does not exit`() {
        let m = guest { $0.set(ProcessorBasedControls.useMSRBitmaps) }
        m.p.setGPR(GPR.rcx, 0x1FFE)
        #expect(m.run(Code.rdmsr) == .fault(13, 0))
    }
}
