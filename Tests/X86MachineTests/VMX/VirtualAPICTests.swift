import Testing
@testable import X86Machine
import X86Architecture

extension VMXTestMachine {
    /// "Process posted interrupts" and all that it needs, with notification vector F2H.
    func posts() {
        set(ProcessorBasedControls.useTPRShadow)
        set(SecondaryControls.virtualInterruptDelivery)
        set(.externalInterruptExiting | PinBasedControls.processPostedInterrupts)
        set(ExitControls.acknowledgeInterruptOnExit)
        self[.postedInterruptNotificationVector] = 0xF2
    }
    func virtual(_ offset: UInt64) -> UInt32 { load(Self.virtualAPIC + offset, as: UInt32.self) }
    func setVirtual(_ offset: UInt64, _ value: UInt32) { store(Self.virtualAPIC + offset, value) }
    /// What a load or store of the guest throws.
    func guestCause(_ body: () throws(Interruption) -> Void) -> VMExitCause? {
        do throws(Interruption) {
            try body()
            return nil
        } catch {
            guard case .vmExit(let cause) = error else { return nil }
            return cause
        }
    }
    func guestLoad(_ offset: UInt64) -> VMExitCause? {
        guestCause { () throws(Interruption) in _ = try p.load(LinearAddress(Self.page + offset), as: UInt32.self) }
    }
    func guestStore(_ offset: UInt64, _ value: UInt32) -> VMExitCause? {
        guestCause { () throws(Interruption) in try p.store(LinearAddress(Self.page + offset), value) }
    }
}

/// SDM 3C chapter 32 "APIC Virtualization and Virtual Interrupts".
@Suite struct VirtualAPICTests {
    private typealias T = VMXTestMachine

    private func guestWith(_ secondary: SecondaryControls, _ change: (VMXTestMachine) -> Void = { _ in })
        -> VMXTestMachine {
        guest {
            $0.set(ProcessorBasedControls.useTPRShadow)
            $0.set(secondary)
            if secondary.contains(.virtualInterruptDelivery) { $0.set(PinBasedControls.externalInterruptExiting) }
            change($0)
        }
    }

    // MARK: CR8

    @Test func `MOV CR8 reaches VTPR, not the processor's TPR`() {
        let m = guestWith(SecondaryControls(0)) { $0.setVirtual(0x80, 0xFFFF_FFFF) }
        m.p.setGPR(GPR.rax, 0)
        #expect(m.run(Code.movFromCR(8)) == .completed && m.p.gpr(GPR.rax) == 15)
        m.p.setGPR(GPR.rax, 5)
        #expect(m.run(Code.movToCR(8)) == .completed)
        #expect(m.virtual(0x80) == 0x50 && m.p.apic.cr8 == 0)
        m.p.setGPR(GPR.rax, 16)
        #expect(m.run(Code.movToCR(8)) == .fault(13, 0))
    }
    @Test func `VTPR below the TPR threshold exits after the instruction`() {
        let m = guestWith(SecondaryControls(0)) {
            $0.setVirtual(0x80, 0x60)
            $0[.tprThreshold] = 6
        }
        m.p.setGPR(GPR.rax, 6)
        m.run(Code.movToCR(8))
        #expect(!m.boundary())
        m.p.setGPR(GPR.rax, 5)
        let next = m.p.cpu.pointee.rip + UInt64(Code.movToCR(8).count)
        m.run(Code.movToCR(8))
        m.boundary()
        #expect(m.exitReason == .tprBelowThreshold && m[.guestRIP] == next && m[.exitQualification] == 0)
    }
    @Test func `a VM entry with VTPR below the threshold exits at once, also from HLT and with IF clear`() {
        for activity: UInt64 in [0, 1] {
            let m = guestWith(.virtualizeAPICAccesses) {
                $0[.tprThreshold] = 1
                $0[.guestActivityState] = activity
            }
            m.boundary()
            #expect(m.exitReason == .tprBelowThreshold && m[.guestRIP] == T.guestCode)
        }
    }

    // MARK: Memory

    @Test func `without "use TPR shadow" every access to the APIC-access page exits, with offset and type`() {
        let m = guest { $0.set(SecondaryControls.virtualizeAPICAccesses) }
        #expect(m.guestLoad(0x80)?.qualification == 0x80 && m.guestLoad(0x80)?.reason == 44)
        #expect(m.guestStore(0x3F0, 1)?.qualification == 0x13F0)
        let rip = m.p.cpu.pointee.rip
        m.p.cpu.pointee.rip = T.page + 0x123
        #expect(m.step() == .exit(44) && m[.exitQualification] == 0x2123)
        #expect(m[.guestRIP] == T.page + 0x123 && rip == T.guestCode)
    }
    @Test func `outside VMX non-root operation and without the control the page is memory`() {
        let m = guestWith(.virtualizeAPICAccesses)
        m.run(Code.vmcall)
        m.store(T.page + 0x80, UInt32(7))
        #expect(m.guestLoad(0x80) == nil && m.guestStore(0x90, 1) == nil)
        let other = guestWith(SecondaryControls(0))
        #expect(other.guestStore(0x80, 3) == nil && other.load(T.page + 0x80, as: UInt32.self) == 3)
    }
    @Test func `an access to the page that EPT maps to it counts, not the guest-physical address`() {
        let m = guestWith(.virtualizeAPICAccesses) { $0.mapEPT(T.otherPage, to: T.page); $0.mapEPT(T.page, to: 0x9000) }
        #expect(m.guestLoad(0x30) == nil)
        let cause = m.guestCause { () throws(Interruption) in
            _ = try m.p.load(LinearAddress(T.otherPage + 0x30), as: UInt32.self)
        }
        #expect(cause?.reason == 44 && cause?.qualification == 0x30)
    }
    @Test func `TPR is virtualized with "use TPR shadow" alone, within its four bytes`() throws {
        let m = guestWith(.virtualizeAPICAccesses) { $0.setVirtual(0x80, 0x1234_5678) }
        #expect(try m.p.load(LinearAddress(T.page + 0x80), as: UInt32.self) == 0x1234_5678)
        #expect(try m.p.load(LinearAddress(T.page + 0x82), as: UInt16.self) == 0x1234)
        for offset: UInt64 in [0x81, 0x84, 0x20, 0xB0, 0x300] { #expect(m.guestLoad(offset)?.qualification == offset) }
        let wide = m.guestCause { () throws(Interruption) in
            _ = try m.p.load(LinearAddress(T.page + 0x80), as: UInt64.self)
        }
        #expect(wide?.reason == 44)
        #expect(m.guestStore(0x80, 0xFFFF_FF31) == nil)
        m.boundary()
        #expect(m.virtual(0x80) == 0x31 && m.p.vmx.inNonRoot && m.p.apic.tpr == 0)
    }
    @Test func `the registers that "APIC-register virtualization" lets a guest read, and no others`() {
        let m = guestWith(.virtualizeAPICAccesses | .apicRegisterVirtualization)
        let readable: [UInt64] = [0x20, 0x30, 0x80, 0xB0, 0xD0, 0xE0, 0xF0, 0x280, 0x300, 0x310, 0x320, 0x330, 0x340,
                                  0x350, 0x360, 0x370, 0x380, 0x3E0] + stride(from: 0x100, to: 0x280, by: 0x10)
        for offset in stride(from: UInt64(0), to: 0x1000, by: 0x10) {
            m.setVirtual(offset, UInt32(offset) + 1)
            #expect((m.guestLoad(offset) == nil) == readable.contains(offset), "\(offset)")
        }
    }
    @Test func `the registers that it lets a guest write exit after the write, except TPR and ICR high`() {
        let writable: [UInt64] = [0x20, 0x80, 0xB0, 0xD0, 0xE0, 0xF0, 0x280, 0x300, 0x310, 0x320, 0x330, 0x340, 0x350,
                                  0x360, 0x370, 0x380, 0x3E0]
        let m = guestWith(.virtualizeAPICAccesses | .apicRegisterVirtualization)
        for offset in stride(from: UInt64(0), to: 0x400, by: 0x10) {
            let cause = m.guestStore(offset, 0xABCD_EF12)
            #expect((cause == nil) == writable.contains(offset), "\(offset)")
            if cause != nil { #expect(cause?.qualification == offset | 1 << 12); continue }
            m.boundary()
            switch offset {
            case 0x80: #expect(m.virtual(offset) == 0x12 && m.p.vmx.inNonRoot)
            case 0x310: #expect(m.virtual(offset) == 0xAB00_0000 && m.p.vmx.inNonRoot)
            default:
                #expect(m.exitReason == .apicWrite && m[.exitQualification] == offset)
                #expect(m.virtual(offset) == 0xABCD_EF12 && m[.exitInstructionLength] == 0)
                #expect(m.launch())
            }
        }
    }

    // MARK: Virtual interrupts

    @Test func `a VM entry with RVI above VPPR delivers it: VISR, VIRR, SVI, RVI and VPPR follow`() {
        for activity: UInt64 in [0, 1] {
            let m = guestWith(.virtualInterruptDelivery) {
                $0[.guestInterruptStatus] = 0x61
                $0[.guestRFLAGS] = 0x202
                $0[.guestActivityState] = activity
                $0.setVirtual(0x230, 2)
                $0.setVirtual(0x220, 1 << 17)
            }
            #expect(m.boundary() && m.p.cpu.pointee.rip == T.handlers + 0x61 && m.p.system.activity == .active)
            #expect(m.virtual(0x130) == 2 && m.virtual(0x230) == 0 && m.virtual(0xA0) == 0x60)
            m.run(Code.vmcall)
            #expect(m[.guestInterruptStatus] == 0x6151)
        }
    }
    @Test func `IF, blocking and priority hold virtual interrupts back; interrupt-window exiting too`() {
        let cases: [(VMXTestMachine) -> Void] = [
            { $0[.guestRFLAGS] = 2 },
            { $0[.guestInterruptibilityState] = 2 },
            { $0.setVirtual(0x80, 0x60) },
            { $0[.guestInterruptStatus] = 0x6061 },
        ]
        for hold in cases {
            let m = guestWith(.virtualInterruptDelivery) {
                $0[.guestInterruptStatus] = 0x61
                $0[.guestRFLAGS] = 0x202
                hold($0)
            }
            m.boundary()
            #expect(m.p.vmx.inNonRoot && m.p.cpu.pointee.rip == T.guestCode)
        }
        let window = guestWith(.virtualInterruptDelivery) {
            $0[.guestInterruptStatus] = 0x61
            $0[.guestRFLAGS] = 0x202
            $0.set(ProcessorBasedControls.interruptWindowExiting)
        }
        window.boundary()
        #expect(window.exitReason == .interruptWindow && window[.guestInterruptStatus] == 0x61)
    }
    @Test func `lowering VTPR lets a waiting virtual interrupt through`() {
        let m = guestWith(.virtualInterruptDelivery) {
            $0[.guestInterruptStatus] = 0x61
            $0[.guestRFLAGS] = 0x202
            $0.setVirtual(0x80, 0x70)
        }
        m.boundary()
        #expect(m.p.cpu.pointee.rip == T.guestCode && m.virtual(0xA0) == 0x70)
        m.p.setGPR(GPR.rax, 5)
        m.run(Code.movToCR(8))
        m.boundary()
        #expect(m.p.cpu.pointee.rip == T.handlers + 0x61)
    }
    @Test func `EOI ends the highest in service and exits where the EOI-exit bitmap says so`() {
        for exits in [false, true] {
            let m = guestWith(.virtualInterruptDelivery | .virtualizeAPICAccesses) {
                $0[.guestInterruptStatus] = 0x6100
                $0.setVirtual(0x130, 2)
                $0.setVirtual(0x110, 1 << 3)
                if exits { $0[.eoiExitBitmap1] = 1 << 33 }
            }
            #expect(m.virtual(0xA0) == 0x60)
            #expect(m.guestStore(0xB0, 77) == nil)
            m.boundary()
            #expect(m.virtual(0x130) == 0 && m.virtual(0xB0) == 0 && m.virtual(0xA0) == 0x20)
            #expect(m.p.vmx.inNonRoot == !exits)
            if exits { #expect(m.exitReason == .virtualizedEOI && m[.exitQualification] == 0x61) }
            if !exits { m.run(Code.vmcall) }
            #expect(m[.guestInterruptStatus] == 0x2300)
        }
    }
    @Test func `a fixed edge-triggered self-IPI by ICR is virtualized, every other command exits`() {
        for (command, isSelfIPI) in [(0x4_0044, true), (0x4_4044, true), (0x4_000F, false), (0x4_8044, false),
                                     (0x4_0444, false), (0x8_0044, false), (0x44, false), (0x4_1044, false)]
            as [(UInt32, Bool)] {
            let m = guestWith(.virtualInterruptDelivery | .virtualizeAPICAccesses) { $0[.guestRFLAGS] = 0x202 }
            #expect(m.guestStore(0x300, command) == nil)
            m.boundary()
            if isSelfIPI {
                #expect(m.p.vmx.inNonRoot && m.p.cpu.pointee.rip == T.handlers + 0x44)
            } else {
                #expect(m.exitReason == .apicWrite && m[.exitQualification] == 0x300)
            }
        }
    }

    // MARK: x2APIC MSRs

    private func msr(_ m: VMXTestMachine, _ n: UInt64, _ value: UInt64) {
        m.p.setGPR(GPR.rcx, n)
        m.p.setGPR(GPR.rax, value & 0xFFFF_FFFF)
        m.p.setGPR(GPR.rdx, value >> 32)
    }
    private static let rdmsr: [UInt8] = [0x0F, 0x32], wrmsr: [UInt8] = [0x0F, 0x30]

    private func x2APIC(_ secondary: SecondaryControls) -> VMXTestMachine {
        guestWith(secondary | .virtualizeX2APICMode) {
            $0.set(ProcessorBasedControls.useMSRBitmaps)
            $0[.guestRFLAGS] = 0x202
        }
    }
    @Test func `in virtual x2APIC mode RDMSR reads TPR, with register virtualization every register, 64 bits wide`() {
        for all in [false, true] {
            let m = x2APIC(all ? .apicRegisterVirtualization : SecondaryControls(0))
            for n: UInt64 in [0x808, 0x80A, 0x8FF] {
                m.store(T.virtualAPIC + (n & 0xFF) << 4, n << 32 | 0x77)
                msr(m, n, 0)
                let outcome = m.run(Self.rdmsr)
                guard n == 0x808 || all else {
                    #expect(outcome == .fault(13, 0))
                    m.p.cpu.pointee.rip = T.guestCode
                    continue
                }
                #expect(outcome == .completed && m.p.gpr(GPR.rax) == 0x77 && m.p.gpr(GPR.rdx) == n)
            }
        }
    }
    @Test func `in virtual x2APIC mode WRMSR of TPR, EOI and self-IPI is virtualized, reserved bits are #GP(0)`() {
        let m = x2APIC(.virtualInterruptDelivery)
        msr(m, 0x808, 0x33)
        #expect(m.run(Self.wrmsr) == .completed && m.virtual(0x80) == 0x33 && m.virtual(0xA0) == 0x33)
        for (n, value) in [(0x808, 0x100), (0x80B, 1), (0x83F, 0x100), (0x83F, 1 << 32)] as [(UInt64, UInt64)] {
            let other = x2APIC(.virtualInterruptDelivery)
            msr(other, n, value)
            #expect(other.run(Self.wrmsr) == .fault(13, 0))
        }
        msr(m, 0x83F, 0x45)
        #expect(m.run(Self.wrmsr) == .completed && m.boundary() && m.p.cpu.pointee.rip == T.handlers + 0x45)
        msr(m, 0x80B, 0)
        #expect(m.run(Self.wrmsr) == .completed && m.virtual(0x120) == 0 && m.virtual(0xA0) == 0x33)
        msr(m, 0x83F, 5)
        m.run(Self.wrmsr)
        m.boundary()
        #expect(m.exitReason == .apicWrite && m[.exitQualification] == 0x3F0)
    }
    @Test func `without virtual-interrupt delivery EOI and self-IPI go to the processor's APIC`() {
        for n: UInt64 in [0x80B, 0x83F] {
            let m = x2APIC(SecondaryControls(0))
            msr(m, n, 0)
            #expect(m.run(Self.wrmsr) == .fault(13, 0))
        }
    }

    // MARK: Posted interrupts

    private func poster(_ change: (VMXTestMachine) -> Void = { _ in }) -> VMXTestMachine {
        guest {
            $0.posts()
            $0.p.apic.spurious = 0x1FF
            $0[.guestRFLAGS] = 0x202
            $0.store(T.postedInterrupts + 4, UInt32(1 << 8))
            $0.store(T.postedInterrupts + 12, UInt32(1 << 1))
            $0.store(T.postedInterrupts + 32, UInt64(0xF3))
            change($0)
        }
    }
    @Test func `the notification vector moves PIR to VIRR without an exit and clears ON, the physical EOI is given`() {
        let m = poster()
        m.p.receive(vector: 0xF2, at: 0)
        m.boundary()
        m.boundary()
        #expect(m.p.vmx.inNonRoot && m.p.cpu.pointee.rip == T.handlers + 0x61)
        #expect(m.virtual(0x130) == 2 && m.virtual(0x210) == 1 << 8 && m.p.vmx.rvi == 0x28)
        #expect(m.load(T.postedInterrupts) == UInt64(0) && m.load(T.postedInterrupts + 8) == UInt64(0))
        #expect(m.load(T.postedInterrupts + 32) == UInt64(0xF2))
        #expect(m.p.apic.isr.highest == nil && m.p.apic.irr.highest == nil)
    }
    @Test func `posted interrupts end HLT; with IF clear they wait and HLT goes on`() {
        for flags: UInt64 in [0x202, 2] {
            let m = poster {
                $0[.guestActivityState] = 1
                $0[.guestRFLAGS] = flags
            }
            m.p.receive(vector: 0xF2, at: 0)
            m.boundary()
            m.boundary()
            #expect(m.p.vmx.inNonRoot && m.p.vmx.rvi == (flags == 2 ? 0x61 : 0x28))
            #expect(m.p.system.activity == (flags == 2 ? .halted : .active))
        }
    }
    @Test func `another vector exits, acknowledged; outside the guest the notification is an ordinary interrupt`() {
        let m = poster()
        m.p.receive(vector: 0x51, at: 0)
        m.boundary()
        #expect(m.exitReason == .externalInterrupt && m[.exitInterruptionInformation] == 0x8000_0051)
        m.p.receive(vector: 0xF2, at: 0)
        m.boundary()
        #expect(m.p.apic.irr.highest == 0xF2 && m.load(T.postedInterrupts + 32) == UInt64(0xF3))
    }
}
