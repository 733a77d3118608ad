import Testing
import X86Architecture
@testable import X86Machine

/// SDM 4 "Model-Specific Registers"; SDM 2B "RDMSR", 2C "WRMSR".
@Suite struct MSRTests {
    private func write(_ guest: TestGuest, _ msr: UInt32, _ value: UInt64) -> UInt8? {
        guest.p.setGPR(GPR.rcx, UInt64(msr))
        guest.p.setGPR(GPR.rax, value & 0xFFFF_FFFF)
        guest.p.setGPR(GPR.rdx, value >> 32)
        guest.execute([0x0F, 0x30])
        return guest.handledVector
    }
    private func read(_ guest: TestGuest, _ msr: UInt32) -> UInt64? {
        guest.p.setGPR(GPR.rcx, UInt64(msr))
        guest.execute([0x0F, 0x32])
        return guest.handledVector == nil ? guest.p.gpr(GPR.rdx) << 32 | guest.p.gpr(GPR.rax) : nil
    }

    @Test func anMSRThatDoesNotExistRaisesGP() {
        for msr in [0xC001_0000, 0x12345, 0x4FF, 0x48] as [UInt32] {
            #expect(read(TestGuest(), msr) == nil)
            #expect(write(TestGuest(), msr, 0) == 13)
        }
    }

    @Test func whatIsWrittenIsReadBack() {
        let cases: [(UInt32, UInt64)] = [
            (MSR.star, 0x001B_0008_1234_5678), (MSR.lstar, 0xFFFF_8000_0000_1000), (MSR.fmask, 0x4_7700),
            (MSR.kernelGSBase, 0xFFFF_FFFF_8000_0000), (MSR.fsBase, 0x7FFF_0000_0000), (MSR.gsBase, 0x1234),
            (MSR.sysenterCS, 8), (MSR.sysenterESP, 0x1000), (MSR.sysenterEIP, 0x2000), (MSR.tscAux, 7),
            (MSR.pageAttributeTable, 0x0007_0406_0007_0501), (MSR.mtrrDefaultType, 0xC06),
            (0x200, 0x3F_C000_0006), (0x201, 0x3FFF_C000_0800), (MSR.mtrrFixed4KC0000, 0x0505_0505_0505_0505),
        ]
        for (msr, value) in cases {
            let guest = TestGuest()
            #expect(write(guest, msr, value) == nil)
            #expect(read(guest, msr) == value)
        }
    }

    @Test func invalidValuesRaiseGP() {
        let cases: [(UInt32, UInt64, String)] = [
            (MSR.lstar, 0x8000_0000_0000, "non-canonical"), (MSR.fsBase, 0x8000_0000_0000, "non-canonical"),
            (MSR.kernelGSBase, 1 << 63, "non-canonical"), (MSR.sysenterEIP, 1 << 63, "non-canonical"),
            (MSR.fmask, 1 << 32, "reserved"), (MSR.tscAux, 1 << 32, "reserved"),
            (MSR.pageAttributeTable, 2, "memory type 2"), (MSR.pageAttributeTable, 8 << 56, "memory type 8"),
            (MSR.efer, 1 << 1, "reserved"), (MSR.efer, 1 << 15, "reserved"),
            (MSR.efer, EFER.longModeActive | EFER.executeDisableEnable, "LME changed while paging"),
            (MSR.mtrrDefaultType, 2, "memory type 2"), (0x200, 1 << 46, "beyond MAXPHYADDR"),
            (MSR.mtrrCapabilities, 0, "read only"), (VMXMSR.basic, 0, "read only"),
            (MSR.apicBase, 1 << 46 | 0xFEE0_0900, "beyond MAXPHYADDR"),
        ]
        for (msr, value, what) in cases {
            let guest = TestGuest()
            #expect(write(guest, msr, value) == 13, "\(what) in \(msr)")
        }
    }

    @Test func lmaIsReadOnly() {
        let guest = TestGuest()
        #expect(write(guest, MSR.efer, EFER.longModeEnable | EFER.systemCallEnable) == nil)
        #expect(guest.p.system.efer == EFER.longModeEnable | EFER.longModeActive | EFER.systemCallEnable)
    }

    @Test func featureControlIsWritableUntilLocked() {
        let guest = TestGuest()
        #expect(write(guest, VMXMSR.featureControl, 5) == nil)
        #expect(write(guest, VMXMSR.featureControl, 5) == 13)
    }

    // SDM 3B 17.17.3 "Time-Stamp Counter Adjustment".
    @Test func writingTheTSCMovesTSCAdjustByTheDifference() {
        let guest = TestGuest(), p = guest.p
        p.cpu.pointee.cycles = 5000
        #expect(write(guest, MSR.timeStampCounter, 1_000_000) == nil)
        // Between the write and now only the instruction's own time passes.
        #expect(p.timestampCounter - 1_000_000 < 1000)
        #expect(p.system.tscAdjust == p.timestampCounter - p.cpu.pointee.cycles)
        #expect(read(guest, MSR.tscAdjust) == p.system.tscAdjust)
        #expect(write(guest, MSR.tscAdjust, 0) == nil)
        #expect(p.timestampCounter == p.cpu.pointee.cycles)
    }

    @Test func `IA32_DEBUGCTL keeps LBR and BTF, and its reserved bits are #GP`() {
        let guest = TestGuest()
        #expect(write(guest, MSR.debugControl, 3) == nil)
        #expect(read(guest, MSR.debugControl) == 3)
        for bit in [2, 5, 13, 16, 63] as [UInt64] { #expect(write(TestGuest(), MSR.debugControl, 1 << bit) == 13) }
    }
    @Test(arguments: [0x40, 0x80, 0x800] as [UInt64])
    func `branch trace messages and freezing stop the run by name`(_ value: UInt64) {
        let guest = TestGuest()
        _ = write(guest, MSR.debugControl, value)
        guard case .notModelled(let text) = guest.machine.pendingStop else { Issue.record("no stop"); return }
        #expect(text.contains("IA32_DEBUGCTL"))
    }
    @Test(arguments: [0x1C9, 0x680, 0x6CF] as [UInt32])
    func `reading a last-branch record stops the run by name`(_ msr: UInt32) {
        let guest = TestGuest()
        _ = read(guest, msr)
        guard case .notModelled(let text) = guest.machine.pendingStop else { Issue.record("no stop"); return }
        #expect(text.contains("last-branch"))
    }

    @Test func x2apicRegistersExistInX2APICModeOnly() {
        let guest = TestGuest()
        #expect(read(guest, 0x802) == nil)
        let enabled = TestGuest()
        #expect(write(enabled, MSR.apicBase, enabled.p.system.apicBase | APICBase.x2apic) == nil)
        #expect(read(enabled, 0x802) == 0)
    }

    @Test func miscEnableLimitsCPUIDAndExecuteDisable() {
        let guest = TestGuest()
        #expect(write(guest, MSR.miscEnable, MiscEnable.limitCPUID | MiscEnable.executeDisableOff) == nil)
        #expect(read(guest, MSR.miscEnable) == MiscEnable.limitCPUID | MiscEnable.executeDisableOff
            | MiscEnable.noBTS | MiscEnable.noPEBS)
        #expect(guest.p.identification(0, 0).eax == 2)
        #expect(guest.p.identification(7, 0).leaf == 2)
        #expect(guest.p.identification(0x8000_0001, 0).edx & 1 << 20 == 0)
        #expect(write(guest, MSR.efer, guest.p.system.efer) == 13)
        #expect(write(TestGuest(), MSR.miscEnable, 2) == 13)
    }
}
