import Testing
@testable import X86Machine
import X86Architecture

/// A root and a guest as the engine executes them: the same clauses, through blocks, fast translations and the run
/// loop.
@Suite struct ExecutedGuestTests {
    private typealias T = VMXTestMachine

    /// Root: VMLAUNCH, and on failure debug exit 2. After a VM exit: debug exit 1.
    private func run(_ code: [UInt8], _ change: (VMXTestMachine) -> Void = { _ in }) -> (VMXTestMachine, StopReason) {
        let m = VMXTestMachine().prepared()
        m.write(code, at: T.guestCode)
        let start = T.hostEntry + 0x100
        m.write(Code.vmlaunch + [0xB8, 2, 0, 0, 0, 0xE7, 0xF4], at: start)
        m.write([0xB8, 1, 0, 0, 0, 0xE7, 0xF4], at: T.hostEntry)
        change(m)
        m.p.cpu.pointee.rip = start
        return (m, m.machine.run(.instructions(1_000_000)))
    }
    private func switcher(_ m: VMXTestMachine) -> UInt64 {
        let other = EPTPointer(root: PhysicalAddress(m.newEPT())).rawValue
        m.set(SecondaryControls.enableVMFunctions)
        m[.vmFunctionControls] = 1
        m.store(T.eptpList, m.eptp)
        m.store(T.eptpList + 8, other)
        return EPTPointer(other).root.rawValue
    }

    @Test func `a guest runs to its VMCALL and the host continues`() {
        let (m, stop) = run([0xB8, 7, 0, 0, 0] + Code.vmcall)
        #expect(stop == .debugExit(value: 1))
        #expect(m.exitReason == .vmcall && m[.guestRIP] == T.guestCode + 5 && m[.exitInstructionLength] == 3)
    }
    @Test func `a loop of VMFUNCs switches as often as it says`() {
        final class Counter: Observer {
            let events: EventMask = .eptpSwitch
            var count = 0
            func observe(_ event: Event, processor: Int, in machine: MachineView) { count += 1 }
        }
        let counter = Counter()
        // xor eax, eax; mov edx, 1000; loop: mov ecx, 1; vmfunc; mov ecx, 0; vmfunc; dec edx; jnz loop; vmcall
        let code: [UInt8] =
            [0x31, 0xC0, 0xBA, 0xE8, 0x03, 0, 0, 0xB9, 1, 0, 0, 0] + Code.vmfunc + [0xB9, 0, 0, 0, 0]
            + Code.vmfunc + [0xFF, 0xCA, 0x75, 0xEC] + Code.vmcall
        let (m, stop) = run(code) {
            _ = switcher($0)
            $0.machine.addObserver(counter)
        }
        #expect(stop == .debugExit(value: 1) && m.exitReason == .vmcall)
        #expect(counter.count == 2000 && m[.eptPointer] == m.eptp)
    }
    @Test func `after VMFUNC the next instruction is fetched through the new EPT`() {
        // xor eax, eax; mov ecx, 1; vmfunc; then vmcall in one view, cpuid in the other.
        let head: [UInt8] = [0x31, 0xC0, 0xB9, 1, 0, 0, 0] + Code.vmfunc
        let (m, stop) = run(head + Code.vmcall) {
            let root = switcher($0)
            $0.write(head + Code.cpuid, at: T.page)
            $0.mapEPT(T.guestCode, to: T.page, root: root)
        }
        #expect(stop == .debugExit(value: 1))
        #expect(m.exitReason == .cpuid && m[.guestRIP] == T.guestCode + UInt64(head.count))
    }
    @Test func `data accesses use the EPT of the moment, cached or not`() {
        // rax = 0; three rounds: rcx = 1; vmfunc; rbx = [page]; rcx = 0; vmfunc; rsi = [page]; vmcall
        let load: (UInt8) -> [UInt8] = { reg in [0x48, 0x8B, 0x04 | reg << 3, 0x25, 0, 0, 7, 0] }
        let round: [UInt8] = [0xB9, 1, 0, 0, 0] + Code.vmfunc + load(3) + [0xB9, 0, 0, 0, 0] + Code.vmfunc + load(6)
        let (m, stop) = run([0x31, 0xC0] + round + round + round + Code.vmcall) {
            let root = switcher($0)
            $0.mapEPT(T.page, to: T.otherPage, root: root)
            $0.store(T.page, UInt64(0x11))
            $0.store(T.otherPage, UInt64(0x22))
        }
        #expect(stop == .debugExit(value: 1))
        #expect(m.p.gpr(GPR.rbx) == 0x22 && m.p.gpr(GPR.rsi) == 0x11)
    }
    @Test func `an EPT violation of a store exits before anything is written`() {
        // mov [page], rax
        let (m, stop) = run([0x48, 0x89, 0x04, 0x25, 0, 0, 7, 0]) { $0.mapEPT(T.page, to: T.page, .read) }
        #expect(stop == .debugExit(value: 1))
        #expect(m.exitReason == .eptViolation && m[.exitQualification] == 2 | 1 << 3 | 0b1111 << 7)
        #expect(m[.guestRIP] == T.guestCode)
    }
    @Test func `the preemption timer stops an endless loop at its cycle`() {
        let (m, stop) = run([0xEB, 0xFE]) {
            $0.set(PinBasedControls.activatePreemptionTimer)
            $0[.preemptionTimerValue] = 1000
        }
        #expect(stop == .debugExit(value: 1))
        #expect(m.exitReason == .preemptionTimerExpired && m[.guestRIP] == T.guestCode)
    }
    @Test func `the preemption timer ends HLT`() {
        let (m, stop) = run(Code.hlt) {
            $0.set(PinBasedControls.activatePreemptionTimer)
            $0[.preemptionTimerValue] = 1000
        }
        #expect(stop == .debugExit(value: 1))
        #expect(m.exitReason == .preemptionTimerExpired && m[.guestActivityState] == 1)
        #expect(m[.guestRIP] == T.guestCode + 1)
    }
    @Test func `the monitor trap flag stops after each instruction`() {
        let (m, stop) = run([0x90, 0x90, 0x90]) { $0.set(ProcessorBasedControls.monitorTrapFlag) }
        #expect(stop == .debugExit(value: 1))
        #expect(m.exitReason == .monitorTrapFlag && m[.guestRIP] == T.guestCode + 1)
    }
    @Test func `an interrupt at a cycle of the guest goes to the guest, with external-interrupt exiting to the host`() {
        for exits in [false, true] {
            // sti; jmp $; the handler of vector 64: vmcall
            let (m, stop) = run(Code.sti + [0xEB, 0xFE]) {
                $0.write(Code.vmcall, at: T.handlers + 0x40)
                if exits { $0.set(PinBasedControls.externalInterruptExiting) }
                $0.p.apic.spurious = 0x1FF
                $0.machine.injectInterrupt(vector: 0x40, processor: 0, atCycle: 50_000)
            }
            #expect(stop == .debugExit(value: 1))
            #expect(m.exitReason == (exits ? .externalInterrupt : .vmcall))
            if exits { #expect(m[.guestRIP] == T.guestCode + 1) }
        }
    }
    @Test func `two runs end in the same state`() {
        func digest() -> MachineDigest {
            let code: [UInt8] = [0x31, 0xC0, 0xB9, 1, 0, 0, 0] + Code.vmfunc + Code.vmcall
            return run(code) { _ = switcher($0) }.0.machine.digest
        }
        #expect(digest() == digest())
    }
}
