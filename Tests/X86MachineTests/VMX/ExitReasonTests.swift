import Testing
import X86Architecture
import X86Decoder

@testable import X86Machine

/// One way into every VM exit that the machine has: SDM 3D appendix C "VMX Basic Exit Reasons". What each reports is
/// tested where its clause is.
@Suite("Every exit reason")
struct ExitReasonTests {
    private typealias T = VMXTestMachine
    struct Case: Sendable, CustomTestStringConvertible {
        let reason: ExitReason
        /// Makes a guest exit; its controls allow it.
        let run: @Sendable () -> VMXTestMachine
        var testDescription: String { "\(reason.title)" }
        init(_ reason: ExitReason, _ run: @escaping @Sendable () -> VMXTestMachine) {
            self.reason = reason
            self.run = run
        }
        /// An instruction of a guest whose controls are changed first.
        init(_ reason: ExitReason, _ code: [UInt8], _ change: @escaping @Sendable (VMXTestMachine) -> Void = { _ in }) {
            self.init(reason) {
                let m = guest(change)
                m.run(code)
                return m
            }
        }
        /// What is due at the guest's first instruction boundary, after `event`.
        init(
            _ reason: ExitReason, atBoundary change: @escaping @Sendable (VMXTestMachine) -> Void,
            after event: @escaping @Sendable (VMXTestMachine) -> Void = { _ in }
        ) {
            self.init(reason) {
                let m = guest(change)
                event(m)
                m.boundary()
                return m
            }
        }
        /// What an access throws.
        init(
            _ reason: ExitReason, _ change: @escaping @Sendable (VMXTestMachine) -> Void,
            cause: @escaping @Sendable (VMXTestMachine) -> VMExitCause?
        ) {
            self.init(reason) {
                let m = guest(change)
                if let cause = cause(m) { m.p.vmExit(cause) }
                return m
            }
        }
    }

    @Test(arguments: cases)
    func `a guest exits for it, and the field names it`(_ c: Case) {
        let m = c.run()
        #expect(m.exitReason == c.reason && !m.p.vmx.inNonRoot)
        #expect(m.p.cpu.pointee.rip == T.hostEntry)
    }

    @Test func `each reason that the machine can give has one case, and no other has`() {
        let tested = Self.cases.map(\.reason.rawValue)
        #expect(Set(tested).count == tested.count)
        let modelled = (0..<UInt16(128)).filter { VMXModel.exitReasons.contains($0) }
        #expect(tested.sorted() == modelled)
    }

    static let cases: [Case] = [
        Case(.exceptionOrNMI, Code.ud2) { $0[.exceptionBitmap] = 1 << 6 },
        Case(.externalInterrupt, atBoundary: { $0.set(PinBasedControls.externalInterruptExiting) }) {
            $0.p.apic.spurious = 0x1FF
            $0.p.receive(vector: 0x50, at: 0)
        },
        Case(.tripleFault) {
            let m = guest { $0[.guestIDTRLimit] = 0 }
            m.run(Code.ud2)
            return m
        },
        Case(.initSignal, atBoundary: { _ in }) { $0.p.system.pendingINIT = true },
        Case(.startupIPI, atBoundary: { $0[.guestActivityState] = 3 }) { $0.p.system.pendingSIPI = 0x9A },
        Case(.interruptWindow, atBoundary: {
            $0.set(ProcessorBasedControls.interruptWindowExiting)
            $0[.guestRFLAGS] = 0x202
        }),
        Case(.nmiWindow, atBoundary: {
            $0.set(.nmiExiting | PinBasedControls.virtualNMIs)
            $0.set(ProcessorBasedControls.nmiWindowExiting)
        }),
        Case(.cpuid, Code.cpuid),
        Case(.hlt, Code.hlt) { $0.set(ProcessorBasedControls.hltExiting) },
        Case(.invd, Code.invd),
        Case(.invlpg, Code.invlpg(0x9000)) { $0.set(ProcessorBasedControls.invlpgExiting) },
        Case(.rdpmc, Code.rdpmc) { $0.set(ProcessorBasedControls.rdpmcExiting) },
        Case(.rdtsc, Code.rdtsc) { $0.set(ProcessorBasedControls.rdtscExiting) },
        Case(.vmcall, Code.vmcall),
        Case(.vmclear, Code.vmclear),
        Case(.vmlaunch, Code.vmlaunch),
        Case(.vmptrld, Code.vmptrld),
        Case(.vmptrst, Code.vmptrst),
        Case(.vmread, Code.vmreadRAX),
        Case(.vmresume, Code.vmresume),
        Case(.vmwrite, Code.vmwriteRAX),
        Case(.vmxoff, Code.vmxoff),
        Case(.vmxon, Code.vmxon),
        Case(.controlRegisterAccess, Code.movToCR(3)) { $0.set(ProcessorBasedControls.cr3LoadExiting) },
        Case(.movDR, Code.movToDR(7)) { $0.set(ProcessorBasedControls.movDRExiting) },
        Case(.ioInstruction, Code.outDXAL) { $0.set(ProcessorBasedControls.unconditionalIOExiting) },
        Case(.rdmsr, Code.rdmsr),
        Case(.wrmsr, Code.wrmsr),
        Case(.entryFailureInvalidGuestState) {
            let m = VMXTestMachine().prepared()
            m[.guestCR3] |= 1 << 46
            m.launch()
            return m
        },
        Case(.entryFailureMSRLoading) {
            let m = VMXTestMachine().prepared()
            m[.entryMSRLoadCount] = 1
            m[.entryMSRLoadAddress] = T.data
            m.store(T.data, UInt64(MSR.fsBase))  // not by a list
            m.store(T.data + 8, UInt64(0))
            m.launch()
            return m
        },
        Case(.mwait, { $0.set(ProcessorBasedControls.mwaitExiting) }) { m in
            m.guestCause { () throws(Interruption) in
                try m.p.vmxCheckMWAIT(try! Decoder.decode(Code.mwait, .bits64), armed: true)
            }
        },
        Case(.monitorTrapFlag, atBoundary: { $0.injects(vector: 0, .otherEvent) }),
        Case(.monitor, { $0.set(ProcessorBasedControls.monitorExiting) }) { m in
            m.guestCause { () throws(Interruption) in
                try m.p.vmxCheckMONITOR(try! Decoder.decode(Code.monitor, .bits64))
            }
        },
        Case(.pause, Code.pause) { $0.set(ProcessorBasedControls.pauseExiting) },
        Case(.tprBelowThreshold, atBoundary: {
            $0.set(ProcessorBasedControls.useTPRShadow)
            $0.set(SecondaryControls.virtualizeAPICAccesses)
            $0[.tprThreshold] = 1
        }),
        Case(.apicAccess, {
            $0.set(ProcessorBasedControls.useTPRShadow)
            $0.set(SecondaryControls.virtualizeAPICAccesses)
        }) { $0.guestLoad(0x300) },
        Case(.virtualizedEOI) {
            let m = guest {
                $0.set(ProcessorBasedControls.useTPRShadow)
                $0.set(PinBasedControls.externalInterruptExiting)
                $0.set(.virtualInterruptDelivery | SecondaryControls.virtualizeAPICAccesses)
                $0[.guestInterruptStatus] = 0x6100
                $0.setVirtual(0x130, 2)
                $0[.eoiExitBitmap1] = 1 << 33
            }
            _ = m.guestStore(0xB0, 0)
            m.boundary()
            return m
        },
        Case(.gdtrOrIDTRAccess, Code.lgdt) { $0.set(SecondaryControls.descriptorTableExiting) },
        Case(.ldtrOrTRAccess, Code.strRAX) { $0.set(SecondaryControls.descriptorTableExiting) },
        Case(.eptViolation, { $0.mapEPT(T.page, to: T.otherPage, EPTPermissions(1)) }) { EPTTests.exit($0, .write) },
        Case(.eptMisconfiguration, { $0.mapEPT(T.page, to: T.otherPage, EPTPermissions(2)) }) {
            EPTTests.exit($0, .read)
        },
        Case(.invept, Code.invept),
        Case(.rdtscp, Code.rdtscp) { $0.set(ProcessorBasedControls.rdtscExiting) },
        Case(.preemptionTimerExpired, atBoundary: { $0.set(PinBasedControls.activatePreemptionTimer) }),
        Case(.invvpid, Code.invvpid),
        Case(.wbinvd, Code.wbinvd) { $0.set(SecondaryControls.wbinvdExiting) },
        Case(.xsetbv, [0x0F, 0x01, 0xD1]) { $0[.guestCR4] |= CR4.osxsave },
        Case(.apicWrite) {
            let m = guest {
                $0.set(ProcessorBasedControls.useTPRShadow)
                $0.set(.virtualizeAPICAccesses | SecondaryControls.apicRegisterVirtualization)
            }
            _ = m.guestStore(0xD0, 1)
            m.boundary()
            return m
        },
        Case(.rdrand, Code.rdrand) { $0.set(SecondaryControls.rdrandExiting) },
        Case(.rdseed) {
            let m = guest(model: .max) { $0.set(SecondaryControls.rdseedExiting) }
            m.run(Code.rdseed)
            return m
        },
        Case(.invpcid, Code.invpcid) { $0.set(ProcessorBasedControls.invlpgExiting) },
        Case(.vmfunc) {
            let m = guest {
                $0.set(SecondaryControls.enableVMFunctions)
                $0[.vmFunctionControls] = 0
            }
            m.p.setGPR(GPR.rax, 1)
            m.run(Code.vmfunc)
            return m
        },
        Case(.pageModificationLogFull, {
            $0[.eptPointer] |= 1 << 6
            $0.set(SecondaryControls.enablePML)
            $0[.pmlAddress] = T.modificationLog
            $0[.pmlIndex] = 0xFFFF
        }) { EPTTests.exit($0, .write) },
    ]
}
