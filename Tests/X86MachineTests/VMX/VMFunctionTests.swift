import Testing
@testable import X86Machine
import X86Architecture

/// SDM 3C 28.5.7 "VM Functions".
@Suite struct VMFunctionTests {
    private typealias T = VMXTestMachine

    /// A guest with EPTP switching; entry 0 of its list is its own EPTP, entry 1 another one.
    private func switcher(_ change: (VMXTestMachine) -> Void = { _ in }) -> (VMXTestMachine, other: UInt64) {
        var other: UInt64 = 0
        let m = guest {
            $0.set(SecondaryControls.enableVMFunctions)
            $0[.vmFunctionControls] = 1
            other = EPTPointer(root: PhysicalAddress($0.newEPT())).rawValue
            $0.store(T.eptpList, $0.eptp)
            $0.store(T.eptpList + 8, other)
            change($0)
        }
        return (m, other)
    }
    private func vmfunc(_ m: VMXTestMachine, eax: UInt64 = 0, ecx: UInt64 = 1) -> VMXTestMachine.Outcome {
        m.p.setGPR(GPR.rax, eax)
        m.p.setGPR(GPR.rcx, ecx)
        return m.run(Code.vmfunc)
    }

    @Test func `VMFUNC is #UD in VMX root operation`() {
        #expect(vmfunc(VMXTestMachine().prepared()) == .fault(6, nil))
    }
    @Test func `VMFUNC is #UD without "enable VM functions"`() {
        #expect(vmfunc(guest()) == .fault(6, nil))
    }
    @Test func `"enable VM functions" counts only with "activate secondary controls"`() {
        let m = guest {
            $0.set(SecondaryControls.enableVMFunctions)
            $0[.vmFunctionControls] = 1
            $0[.processorBasedControls] &= ~UInt64(ProcessorBasedControls.activateSecondaryControls.rawValue)
            $0[.guestCR3] = T.hostPageTable
        }
        #expect(vmfunc(m) == .fault(6, nil))
    }
    @Test(arguments: [1, 63] as [UInt64])
    func `a function that is not enabled exits with reason 59`(_ eax: UInt64) {
        let (m, _) = switcher()
        #expect(vmfunc(m, eax: eax) == .exit(59))
        #expect(m[.guestRIP] == T.guestCode && m[.exitInstructionLength] == 3 && m[.exitQualification] == 0)
        #expect(m[.eptPointer] == m.eptp)
    }
    @Test(arguments: [64, 65, 0xFFFF_FFFF] as [UInt64])
    func `EAX of 64 or more is #UD`(_ eax: UInt64) {
        let (m, _) = switcher()
        #expect(vmfunc(m, eax: eax) == .fault(6, nil))
    }
    @Test func `without "EPTP switching" function 0 exits`() {
        let (m, _) = switcher { $0[.vmFunctionControls] = 0 }
        #expect(vmfunc(m) == .exit(59))
    }
    @Test(arguments: [512, 513, 0x8000_0000, 0xFFFF_FFFF] as [UInt64])
    func `ECX of 512 or more exits`(_ ecx: UInt64) {
        let (m, other) = switcher()
        // Beyond the list there may be valid EPTPs: they are not looked at.
        m.store(T.eptpList + 4096, other)
        #expect(vmfunc(m, ecx: ecx) == .exit(59))
    }
    @Test func `the last entry, 511, can be used`() {
        let (m, other) = switcher()
        m.store(T.eptpList + 511 * 8, other)
        #expect(vmfunc(m, ecx: 511) == .completed && m[.eptPointer] == other)
    }
    @Test func `the upper halves of RAX and RCX are ignored`() {
        let (m, other) = switcher()
        #expect(vmfunc(m, eax: 1 << 32, ecx: 1 << 40 | 1) == .completed && m[.eptPointer] == other)
    }
    @Test func `EPTP switching writes the EPTP field and continues at the next instruction`() {
        let (m, other) = switcher()
        #expect(vmfunc(m) == .completed)
        #expect(m[.eptPointer] == other && m.p.vmx.eptp.rawValue == other && m.p.vmx.inNonRoot)
        #expect(m.p.cpu.pointee.rip == T.guestCode + 3)
        #expect(vmfunc(m, ecx: 0) == .completed && m[.eptPointer] == m.eptp)
    }
    @Test func `the new EPT translates from the next access on`() throws {
        let (m, other) = switcher()
        m.mapEPT(T.page, to: T.otherPage, root: EPTPointer(other).root.rawValue)
        m.store(T.page, UInt64(1))
        m.store(T.otherPage, UInt64(2))
        #expect(try m.p.load(LinearAddress(T.page), as: UInt64.self) == 1)
        #expect(vmfunc(m) == .completed)
        #expect(try m.p.load(LinearAddress(T.page), as: UInt64.self) == 2)
    }
    @Test func `an entry that a VM entry would refuse exits and changes nothing`() {
        // Zero; memory type 1; walk length 3; bit 7; beyond the address width.
        let (probe, other) = switcher()
        for bad in [0, other & ~7 | 1, other & ~0x38 | 2 << 3, other | 1 << 7, other | 1 << 46] {
            let (m, _) = switcher()
            m.store(T.eptpList + 8, bad)
            #expect(vmfunc(m) == .exit(59))
            #expect(m[.eptPointer] == probe.eptp)
        }
    }
    @Test func `a new EPTP may use accessed and dirty flags`() {
        let (m, other) = switcher()
        m.store(T.eptpList + 8, other | 1 << 6)
        #expect(vmfunc(m) == .completed && m.p.vmx.eptKeepsDirtyFlags)
    }
    @Test func `the list is read from memory each time`() {
        let (m, other) = switcher()
        #expect(vmfunc(m) == .completed)
        let third = EPTPointer(root: PhysicalAddress(m.newEPT())).rawValue
        m.store(T.eptpList + 8, third)
        #expect(vmfunc(m) == .completed && m[.eptPointer] == third && third != other)
    }
    @Test func `the list is physical memory: no EPT need map it`() {
        let (m, other) = switcher { $0.mapEPT(T.eptpList, to: 0, .none) }
        #expect(vmfunc(m) == .completed && m[.eptPointer] == other)
    }
    @Test func `VMFUNC works at CPL 3`() {
        let (m, other) = switcher { $0.fillUserGuest() }
        #expect(m.p.system.cpl == 3)
        #expect(vmfunc(m) == .completed && m[.eptPointer] == other)
    }
    @Test func `EPTP switching drops no cached translation of the EPT left or entered`() throws {
        let (m, other) = switcher()
        _ = try m.p.load(LinearAddress(T.page), as: UInt64.self)
        // The entry changes behind the cache's back: the stale translation is still there after two switches.
        m.mapEPT(T.page, to: T.otherPage)
        m.store(T.page, UInt64(1))
        m.store(T.otherPage, UInt64(2))
        #expect(vmfunc(m) == .completed && m[.eptPointer] == other)
        #expect(vmfunc(m, ecx: 0) == .completed)
        #expect(try m.p.load(LinearAddress(T.page), as: UInt64.self) == 1)
    }
    @Test func `translations are shared by EPTPs that differ only below bit 12`() throws {
        let (m, _) = switcher()
        _ = try m.p.load(LinearAddress(T.page), as: UInt64.self)
        m.mapEPT(T.page, to: T.otherPage)
        m.store(T.eptpList + 8, m.eptp | 1 << 6)
        m.store(T.otherPage, UInt64(2))
        #expect(vmfunc(m) == .completed)
        #expect(try m.p.load(LinearAddress(T.page), as: UInt64.self) == 0)
    }
    @Test func `registers, flags and CR3 are as before, and it costs what was measured`() {
        let (m, _) = switcher()
        m.p.rflags = 0x8D7
        let before = (m.p.system.cr3, m.p.rflags, m.p.gpr(GPR.rsp))
        let cycles = m.p.cpu.pointee.cycles
        _ = vmfunc(m)
        #expect((m.p.system.cr3, m.p.rflags, m.p.gpr(GPR.rsp)) == before)
        #expect(m.p.cpu.pointee.cycles - cycles >= Timing.haswell.vmfunc)
    }
    @Test func `after a VM exit the EPTP that VMFUNC chose is in the VMCS, and the next entry uses it`() {
        let (m, other) = switcher()
        _ = vmfunc(m)
        #expect(m.run(Code.cpuid) == .exit(10))
        #expect(m[.eptPointer] == other)
        #expect(m.launch() && m.p.vmx.eptp.rawValue == other)
    }
    @Test func `the switch is an event with both EPTPs`() {
        final class Recorder: Observer {
            let events: EventMask = .eptpSwitch
            var seen: [(UInt64, UInt32, UInt64, UInt64)] = []
            func observe(_ event: Event, processor: Int, in machine: MachineView) {
                guard case .eptpSwitch(let rip, let index, let from, let to) = event else { return }
                seen.append((rip.rawValue, index, from, to))
            }
        }
        let (m, other) = switcher()
        let recorder = Recorder()
        m.machine.addObserver(recorder)
        _ = vmfunc(m)
        _ = vmfunc(m, ecx: 600)
        #expect(recorder.seen.count == 1)
        #expect(recorder.seen[0] == (T.guestCode, 1, m.eptp, other))
    }
}
