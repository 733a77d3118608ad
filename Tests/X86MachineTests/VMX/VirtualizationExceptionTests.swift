import Testing
@testable import X86Machine
import X86Architecture

/// SDM 3C 28.5.8 "Virtualization Exceptions".
@Suite struct VirtualizationExceptionTests {
    private typealias T = VMXTestMachine
    private typealias Offset = VirtualizationExceptionInformation
    private static let area: UInt64 = 0x2_C000

    /// A guest with "EPT-violation #VE" whose EPT maps everything but `VMXTestMachine.data`.
    private func guest(_ change: (VMXTestMachine) -> Void = { _ in }) -> VMXTestMachine {
        X86MachineTests.guest {
            $0.set(SecondaryControls.eptViolationException)
            $0[.virtualizationExceptionInformationAddress] = Self.area
            $0.mapEPT(T.data, to: T.data, .none)
            change($0)
        }
    }
    /// SGDT writes to `VMXTestMachine.data`.
    private func access(_ m: VMXTestMachine) -> VMXTestMachine.Outcome { m.run(Code.sgdt) }
    private func busy(_ m: VMXTestMachine) -> UInt32 { m.load(Self.area + Offset.busy, as: UInt32.self) }
    /// In the handler of a vector; `words` pushed.
    private func isInHandler(_ m: VMXTestMachine, _ vector: UInt64, words: UInt64) -> Bool {
        m.p.vmx.inNonRoot && m.p.cpu.pointee.rip == T.handlers + vector
            && m.p.gpr(GPR.rsp) == (T.guestStack & ~15) - words * 8
    }

    @Test func `a convertible EPT violation is #VE, vector 20 without error code, at the instruction`() {
        let m = guest()
        _ = access(m)
        #expect(isInHandler(m, 20, words: 5))
        #expect(m.load(m.p.gpr(GPR.rsp)) == T.guestCode)
        #expect(m.load(m.p.gpr(GPR.rsp) + 16) & RFLAGS.resume != 0)
    }
    @Test func `the information area holds reason, busy word, qualification, both addresses and the EPTP index`() {
        let m = guest { $0[.eptpIndex] = 0xABCD }
        _ = access(m)
        #expect(m.load(Self.area, as: UInt32.self) == 48)
        #expect(busy(m) == 0xFFFF_FFFF)
        // A data write to an address without any permission; the linear address is valid and translated, and its
        // page is user-mode, writable and executable.
        #expect(m.load(Self.area + Offset.qualification) == 2 | 0b1111 << 7)
        #expect(m.load(Self.area + Offset.guestLinearAddress) == T.data)
        #expect(m.load(Self.area + Offset.guestPhysicalAddress) == T.data)
        #expect(m.load(Self.area + Offset.eptpIndex, as: UInt16.self) == 0xABCD)
    }
    @Test func `the exit fields of the VMCS stay as they were`() {
        let m = guest { _ in }
        let before = (m[.exitReason], m[.exitQualification], m[.guestPhysicalAddress])
        _ = access(m)
        #expect((m[.exitReason], m[.exitQualification], m[.guestPhysicalAddress]) == before)
    }
    @Test func `without the control an EPT violation is a VM exit`() {
        let m = guest { $0.clear(.eptViolationException) }
        #expect(access(m) == .exit(48))
        #expect(!m.p.vmx.inNonRoot && busy(m) == 0)
    }
    @Test func `"suppress #VE" in the entry that is not present keeps the VM exit`() {
        let m = guest { $0.store($0.eptEntry(T.data), UInt64(1) << 63) }
        #expect(access(m) == .exit(48))
        #expect(!m.p.vmx.inNonRoot && busy(m) == 0)
    }
    @Test func `"suppress #VE" in the entry that maps the page keeps the VM exit`() {
        let m = guest {
            $0.mapEPT(T.data, to: T.data, .read)
            $0.store($0.eptEntry(T.data), $0.load($0.eptEntry(T.data)) | 1 << 63)
        }
        #expect(access(m) == .exit(48))
        #expect(!m.p.vmx.inNonRoot)
    }
    @Test func `a violated permission of a page is convertible, too`() {
        let m = guest { $0.mapEPT(T.data, to: T.data, .read) }
        _ = access(m)
        #expect(isInHandler(m, 20, words: 5))
    }
    @Test func `bit 63 of an entry that references a table does not matter`() {
        let m = guest {
            for level in [EPTLevel.pml4e, .pdpte, .pde] {
                let entry = $0.eptEntry(T.data, level: level)
                $0.store(entry, $0.load(entry) | 1 << 63)
            }
        }
        _ = access(m)
        #expect(isInHandler(m, 20, words: 5))
    }
    @Test func `while the busy word is not 0 EPT violations exit and leave the area alone`() {
        let m = guest()
        m.store(Self.area + Offset.busy, UInt32(1))
        #expect(access(m) == .exit(48))
        #expect(!m.p.vmx.inNonRoot && busy(m) == 1 && m.load(Self.area + Offset.guestPhysicalAddress) == 0)
    }
    @Test func `a second #VE needs the guest to clear the busy word`() {
        for clears in [true, false] {
            let m = guest()
            _ = access(m)
            if clears { m.store(Self.area + Offset.busy, UInt32(0)) }
            m.p.cpu.pointee.rip = T.guestCode
            _ = access(m)
            #expect(m.p.vmx.inNonRoot == clears)
        }
    }
    @Test func `with CR0.PE 0 EPT violations exit`() {
        let m = guest()
        let cause = EPTTests.exit(m, .write, T.data)!
        m.p.system.cr0 &= ~CR0.protectionEnable
        #expect(!m.p.convertsToException(cause) && busy(m) == 0)
        m.p.system.cr0 |= CR0.protectionEnable
        #expect(m.p.convertsToException(cause))
    }
    @Test func `an EPT violation in the delivery of an event exits`() {
        let m = guest { $0.mapEPT(T.idt, to: T.idt, .none) }
        _ = m.run(Code.int3)
        #expect(!m.p.vmx.inNonRoot && m.exitReason == .eptViolation && busy(m) == 0)
        #expect(m[.idtVectoringInformation] == 0x8000_0603)
    }
    @Test func `an EPT misconfiguration is never converted`() {
        let m = guest { $0.mapEPT(T.data, to: T.data, .write) }
        #expect(access(m) == .exit(49))
        #expect(!m.p.vmx.inNonRoot && busy(m) == 0)
    }
    @Test func `bit 20 of the exception bitmap makes #VE exit, after its information is saved`() {
        let m = guest { $0[.exceptionBitmap] = 1 << 20 }
        _ = access(m)
        #expect(!m.p.vmx.inNonRoot && m.exitReason == .exceptionOrNMI && busy(m) == 0xFFFF_FFFF)
        // Valid, hardware exception, no error code.
        #expect(m[.exitInterruptionInformation] == 0x8000_0314 && m[.idtVectoringInformation] == 0)
    }
    @Test func `an EPT violation in the delivery of #VE exits, with the #VE as IDT-vectoring information`() {
        let m = guest { $0.mapEPT(T.idt, to: T.idt, .none) }
        _ = access(m)
        #expect(!m.p.vmx.inNonRoot && m.exitReason == .eptViolation)
        #expect(m[.idtVectoringInformation] == 0x8000_0314 && busy(m) == 0xFFFF_FFFF)
        #expect(m[.guestPhysicalAddress] == T.idt + 20 * 16)
    }
    @Test func `a page fault in the delivery of #VE is a double fault`() {
        // The gate of vector 20 lies at linear 1 TiB + 320, where nothing is mapped; that of vector 8 does as well: the
        // double fault in turn is a triple fault, which is a VM exit.
        let m = guest { $0[.guestIDTRBase] = 1 << 40; $0[.exceptionBitmap] = 1 << 8 }
        _ = access(m)
        #expect(!m.p.vmx.inNonRoot && m.exitReason == .exceptionOrNMI)
        #expect(m[.exitInterruptionInformation] & 0xFF == 8)
    }
    @Test func `the area is physical memory: no EPT need map it`() {
        let m = guest { $0.mapEPT(Self.area, to: 0, .none) }
        _ = access(m)
        #expect(isInHandler(m, 20, words: 5) && busy(m) == 0xFFFF_FFFF)
    }
    @Test func `EPTP switching sets the index that the next #VE reports`() {
        let m = guest {
            $0.set(SecondaryControls.enableVMFunctions)
            $0[.vmFunctionControls] = 1
            let other = $0.newEPT()
            $0.mapEPT(T.data, to: T.data, .none, root: other)
            $0.store(T.eptpList + 8 * 0x123, EPTPointer(root: PhysicalAddress(other)).rawValue)
        }
        m.p.setGPR(GPR.rax, 0)
        m.p.setGPR(GPR.rcx, 0x123)
        #expect(m.run(Code.vmfunc) == .completed && m[.eptpIndex] == 0x123)
        _ = access(m)
        #expect(m.load(Self.area + Offset.eptpIndex, as: UInt16.self) == 0x123)
    }
    @Test func `a VMFUNC that exits leaves the EPTP index as it was`() {
        let m = guest {
            $0.set(SecondaryControls.enableVMFunctions)
            $0[.vmFunctionControls] = 1
            $0[.eptpIndex] = 7
        }
        m.p.setGPR(GPR.rax, 0)
        m.p.setGPR(GPR.rcx, 3)
        #expect(m.run(Code.vmfunc) == .exit(59) && m[.eptpIndex] == 7)
    }
}
