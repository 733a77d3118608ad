import Testing
@testable import X86Machine
import X86Architecture

/// The time-stamp counter in VMX root and non-root operation: SDM 3C 27.6.5 "Time-Stamp Counter Offset and Multiplier",
/// 28.1 "Instructions That Cause VM Exits", 28.3 "Changes to Instruction Behavior in VMX Non-Root Operation".
@Suite struct GuestTSCTests {
    private typealias T = VMXTestMachine
    private static let offset: UInt64 = 0 &- 0x1234_5678_9ABC
    private static let multiplier: UInt64 = 5 << 46

    /// The ways to read it; each leaves it in EDX:EAX.
    enum Reader: CaseIterable { case rdtsc, rdtscp, rdmsr }
    private func read(_ m: VMXTestMachine, _ reader: Reader) -> UInt64 {
        m.p.setGPR(GPR.rcx, UInt64(MSR.timeStampCounter))
        let code = switch reader { case .rdtsc: Code.rdtsc; case .rdtscp: Code.rdtscp; case .rdmsr: Code.rdmsr }
        #expect(m.run(code) == .completed)
        return m.p.gpr(GPR.rdx) << 32 | m.p.gpr(GPR.rax)
    }
    private func writeMSR(_ m: VMXTestMachine, _ msr: UInt32, _ value: UInt64) -> VMXTestMachine.Outcome {
        m.p.setGPR(GPR.rcx, UInt64(msr))
        m.p.setGPR(GPR.rax, value & 0xFFFF_FFFF)
        m.p.setGPR(GPR.rdx, value >> 32)
        return m.run(Code.wrmsr)
    }
    private func readMSR(_ m: VMXTestMachine, _ msr: UInt32) -> UInt64 {
        m.p.setGPR(GPR.rcx, UInt64(msr))
        #expect(m.run(Code.rdmsr) == .completed)
        return m.p.gpr(GPR.rdx) << 32 | m.p.gpr(GPR.rax)
    }
    /// A guest that reads every MSR without an exit, late enough that 64-bit products overflow.
    private func timed(_ change: (VMXTestMachine) -> Void = { _ in }) -> VMXTestMachine {
        let m = guest {
            $0.set(ProcessorBasedControls.useMSRBitmaps)
            $0[.tscOffset] = Self.offset
            $0[.tscMultiplier] = Self.multiplier
            change($0)
        }
        m.p.system.tscAdjust = 0x4321_0000_0000_0000
        return m
    }

    @Test(arguments: Reader.allCases)
    func `in root operation it is the cycles and IA32_TSC_ADJUST, whatever the VMCS says`(_ reader: Reader) {
        let m = VMXTestMachine().prepared()
        m.set(ProcessorBasedControls.useTSCOffsetting)
        m.set(SecondaryControls.useTSCScaling)
        m[.tscOffset] = Self.offset
        m[.tscMultiplier] = Self.multiplier
        m.p.system.tscAdjust = 77
        #expect(read(m, reader) == m.p.cpu.pointee.cycles + 77)
    }
    @Test(arguments: Reader.allCases)
    func `without "use TSC offsetting" neither offset nor multiplier counts`(_ reader: Reader) {
        let m = timed { $0.set(SecondaryControls.useTSCScaling) }
        #expect(read(m, reader) == m.p.timestampCounter)
    }
    @Test(arguments: Reader.allCases)
    func `the offset is added, modulo 2 to the 64`(_ reader: Reader) {
        let m = timed { $0.set(ProcessorBasedControls.useTSCOffsetting) }
        #expect(read(m, reader) == m.p.timestampCounter &+ Self.offset)
    }
    @Test(arguments: Reader.allCases)
    func `with "use TSC scaling" bits 111 to 48 of the 128-bit product come first, then the offset`(_ reader: Reader) {
        let m = timed {
            $0.set(ProcessorBasedControls.useTSCOffsetting)
            $0.set(SecondaryControls.useTSCScaling)
        }
        let value = read(m, reader)
        let product = (UInt128(m.p.timestampCounter) * UInt128(Self.multiplier)) >> 48
        #expect(value == UInt64(truncatingIfNeeded: product) &+ Self.offset)
    }
    @Test func `RDTSCP in a guest gives IA32_TSC_AUX in ECX`() {
        let m = timed()
        m.p.system.tscAux = 0x8765_4321
        _ = read(m, .rdtscp)
        #expect(m.p.gpr(GPR.rcx) == 0x8765_4321)
    }

    // MARK: Exceptions and VM exits, and which comes first

    @Test func `with CR4.TSD at CPL 3 the fault comes before the VM exit`() {
        for code in [Code.rdtsc, Code.rdtscp] {
            for exits in [false, true] {
                let m = guest {
                    $0.fillUserGuest()
                    $0[.guestCR4] |= CR4.timeStampDisable
                    if exits { $0.set(ProcessorBasedControls.rdtscExiting) }
                }
                #expect(m.run(code) == .fault(13, 0))
            }
        }
    }
    @Test func `without CR4.TSD both work at CPL 3, with the offset, and exit by "RDTSC exiting"`() {
        for (code, reason) in [(Code.rdtsc, ExitReason.rdtsc), (Code.rdtscp, .rdtscp)] {
            let m = guest {
                $0.fillUserGuest()
                $0.set(ProcessorBasedControls.useTSCOffsetting)
                $0[.tscOffset] = 1 << 62
            }
            #expect(m.run(code) == .completed && m.p.gpr(GPR.rdx) >> 30 == 1)
            let exiting = guest {
                $0.fillUserGuest()
                $0.set(ProcessorBasedControls.rdtscExiting)
            }
            #expect(exiting.run(code) == .exit(reason.rawValue))
        }
    }
    @Test func `without "enable RDTSCP" it is #UD before CR4.TSD and "RDTSC exiting" are looked at`() {
        let m = guest {
            $0.fillUserGuest()
            $0[.guestCR4] |= CR4.timeStampDisable
            $0.set(ProcessorBasedControls.rdtscExiting)
            $0.clear(.enableRDTSCP)
        }
        #expect(m.run(Code.rdtscp) == .fault(6, nil))
    }
    @Test func `RDMSR of it exits by the MSR bitmap, not by "RDTSC exiting"`() {
        let m = timed { $0.set(ProcessorBasedControls.rdtscExiting) }
        _ = read(m, .rdmsr)
        let other = timed { $0.store(T.msrBitmaps + 2, UInt8(1)) }
        other.p.setGPR(GPR.rcx, UInt64(MSR.timeStampCounter))
        #expect(other.run(Code.rdmsr) == .exit(ExitReason.rdmsr.rawValue))
    }
    @Test func `WRMSR of it exits by the write bitmap`() {
        let m = timed { $0.store(T.msrBitmaps + 2048 + 2, UInt8(1)) }
        #expect(writeMSR(m, MSR.timeStampCounter, 5) == .exit(ExitReason.wrmsr.rawValue))
        #expect(m.p.timestampCounter > 0x4321_0000_0000_0000)
    }

    // MARK: What offset and multiplier do not touch

    @Test func `WRMSR of it in a guest writes the processor's own, and IA32_TSC_ADJUST moves by the difference`() {
        let m = timed { $0.set(ProcessorBasedControls.useTSCOffsetting) }
        #expect(writeMSR(m, MSR.timeStampCounter, 1 << 50) == .completed)
        #expect(m.p.timestampCounter == 1 << 50)
        #expect(m.p.system.tscAdjust == 1 << 50 &- m.p.cpu.pointee.cycles)
        #expect(read(m, .rdtsc) == m.p.timestampCounter &+ Self.offset)
    }
    @Test func `IA32_TSC_ADJUST in a guest is read and written as it is`() {
        let m = timed { $0.set(ProcessorBasedControls.useTSCOffsetting) }
        #expect(readMSR(m, MSR.tscAdjust) == 0x4321_0000_0000_0000)
        #expect(writeMSR(m, MSR.tscAdjust, 9) == .completed)
        #expect(m.p.timestampCounter == m.p.cpu.pointee.cycles + 9)
    }
    /// SDM 3A 11.5.4.1 "TSC-Deadline Mode".
    @Test func `a TSC deadline of a guest is compared with the processor's own TSC`() throws {
        let m = guest {
            $0.set(ProcessorBasedControls.useMSRBitmaps)
            $0.set(ProcessorBasedControls.useTSCOffsetting)
            $0[.tscOffset] = 1 << 40
        }
        m.p.apic.spurious = 0x1FF
        try m.p.apicStore(offset: 0x320, size: 4, 0x40 | 2 << 17)
        let due = m.p.timestampCounter + 100_000
        #expect(writeMSR(m, MSR.tscDeadline, due) == .completed)
        #expect(readMSR(m, MSR.tscDeadline) == due)
        #expect(m.machine.platform.events.nextCycle == due)
    }
    /// SDM 3C 30.4 "Saving MSRs".
    @Test func `the VM-exit MSR-store area receives it without the offset`() {
        let m = timed {
            $0.set(ProcessorBasedControls.useTSCOffsetting)
            $0.store(T.msrArea, UInt64(MSR.timeStampCounter))
            $0[.exitMSRStoreAddress] = T.msrArea
            $0[.exitMSRStoreCount] = 1
        }
        let before = m.p.timestampCounter
        m.run(Code.cpuid)
        let stored: UInt64 = m.load(T.msrArea + 8)
        #expect(stored >= before && stored <= m.p.timestampCounter)
    }
    /// SDM 3C 29.4 "Loading MSRs", 30.6 "Loading MSRs".
    @Test func `MSR-load areas of entries and exits write it`() {
        let m = VMXTestMachine().prepared()
        for (area, value) in [(T.msrArea, 1 << 50), (T.msrArea + 16, 1 << 60)] as [(UInt64, UInt64)] {
            m.store(area, UInt64(MSR.timeStampCounter))
            m.store(area + 8, value)
        }
        m[.entryMSRLoadAddress] = T.msrArea
        m[.entryMSRLoadCount] = 1
        m[.exitMSRLoadAddress] = T.msrArea + 16
        m[.exitMSRLoadCount] = 1
        #expect(m.launch() && m.p.timestampCounter >> 50 == 1)
        m.run(Code.cpuid)
        #expect(m.p.timestampCounter >> 60 == 1)
    }

    // MARK: One clock

    @Test func `it counts on through VM exits and entries and never goes back`() {
        let m = timed()
        var last: UInt64 = 0
        for n in 0..<20 {
            let reader = Reader.allCases[n % 3]
            let inGuest = read(m, reader)
            m.run(Code.cpuid)
            let inRoot = read(m, reader)
            #expect(last < inGuest && inGuest < inRoot)
            #expect(m.launch())
            last = inRoot
        }
    }
    @Test func `the same instructions give the same values`() {
        func values() -> [UInt64] {
            let m = timed { $0.set(ProcessorBasedControls.useTSCOffsetting) }
            return Reader.allCases.map { read(m, $0) }
        }
        #expect(values() == values())
    }

    // MARK: VMX-preemption timer. SDM 3C 28.5.1 "VMX-Preemption Timer"

    private func counting(from value: UInt64, adjust: UInt64) -> VMXTestMachine {
        let m = VMXTestMachine().prepared()
        m.p.system.tscAdjust = adjust
        m.set(PinBasedControls.activatePreemptionTimer)
        m.set(ProcessorBasedControls.useMSRBitmaps)
        m.set(ExitControls.savePreemptionTimer)
        m[.preemptionTimerValue] = value
        #expect(m.launch())
        return m
    }
    @Test(arguments: [0, 1, 13, 31] as [UInt64])
    func `the preemption timer counts changes of bit 5 of the TSC, not of anything else`(_ adjust: UInt64) throws {
        let m = counting(from: 3, adjust: adjust)
        let deadline = try #require(m.p.vmx.preemptionDeadline)
        #expect((deadline + adjust) % 32 == 0)
        #expect((deadline + adjust) >> 5 == m.p.timestampCounter >> 5 + 3)
        // The first count comes when the bit changes, not 32 cycles after the entry.
        m.p.cpu.pointee.cycles = deadline - 64 - 1
        #expect(m.p.preemptionTimerRemaining == 3)
        m.p.cpu.pointee.cycles += 1
        #expect(m.p.preemptionTimerRemaining == 2)
    }
    @Test func `a write to the TSC is no count of the preemption timer`() throws {
        let m = counting(from: 1000, adjust: 0)
        let remaining = m.p.preemptionTimerRemaining, start = m.p.cpu.pointee.cycles
        #expect(writeMSR(m, MSR.timeStampCounter, 1 << 50 | 7) == .completed)
        let deadline = try #require(m.p.vmx.preemptionDeadline)
        #expect(remaining - m.p.preemptionTimerRemaining <= (m.p.cpu.pointee.cycles - start) >> 5 + 1)
        #expect((deadline &+ m.p.system.tscAdjust) % 32 == 0)
        #expect(m.machine.platform.events.nextCycle == deadline)
    }
    @Test func `without saving its value the field stays as it was`() {
        let m = VMXTestMachine().prepared()
        m.set(PinBasedControls.activatePreemptionTimer)
        m[.preemptionTimerValue] = 1000
        #expect(m.launch())
        m.p.cpu.pointee.cycles += 320
        m.run(Code.cpuid)
        #expect(m[.preemptionTimerValue] == 1000)
    }
}
