import Testing
import X86Architecture

@testable import X86Machine

/// Secondary controls of instructions that not every processor has:
/// SDM 3D A.3.3 "Secondary Processor-Based VM-Execution Controls".
@Suite("Controls that depend on the processor model") struct ModelControlTests {
    private typealias T = VMXTestMachine

    private func allowed(_ model: ProcessorModel) -> UInt32 {
        let m = VMXTestMachine(model: model)
        m.p.setGPR(GPR.rcx, UInt64(VMXMSR.secondaryControls))
        #expect(m.run(Code.rdmsr) == .completed)
        return UInt32(m.p.gpr(GPR.rdx))
    }

    @Test func `the capability MSR allows a control exactly where CPUID has its instruction`() {
        let dependent: [(SecondaryControls, CPUIDFeature)] = [
            (.rdrandExiting, .rdrand), (.rdseedExiting, .rdseed), (.enableXSAVES, .xsaves)
        ]
        for model in [ProcessorModel.haswellEP, .max] {
            for (control, feature) in dependent {
                #expect((allowed(model) & control.rawValue != 0) == model.has(feature), "\(model.name) \(feature.name)")
            }
        }
        #expect(ProcessorModel.haswellEP.has(.rdrand) && !ProcessorModel.haswellEP.has(.rdseed))
        #expect(ProcessorModel.max.has(.rdseed) && ProcessorModel.max.has(.xsaves))
    }

    @Test func `a control that the capability MSR leaves out fails the VM entry`() {
        for (model, enters) in [(ProcessorModel.haswellEP, false), (.max, true)] {
            let m = VMXTestMachine(model: model).prepared()
            m.set(SecondaryControls.rdseedExiting)
            #expect(m.launch() == enters)
            #expect((m.p.vmx.entryFailure.map { "\($0.id)" } == "secondaryReserved") == !enters)
        }
    }

    /// Table "Format of the VM-Exit Instruction-Information Field as Used for RDRAND, RDSEED, TPAUSE, and UMWAIT" of
    /// SDM 3C 30.2.5 "Information for VM Exits Due to Instruction Execution".
    @Test(
        arguments: [
            ([0x0F, 0xC7, 0xF1], 57, 1, 1), ([0x66, 0x0F, 0xC7, 0xF2], 57, 2, 0), ([0x49, 0x0F, 0xC7, 0xF7], 57, 15, 2),
            ([0x0F, 0xC7, 0xF9], 61, 1, 1), ([0x66, 0x41, 0x0F, 0xC7, 0xF8], 61, 8, 0),
            ([0x48, 0x0F, 0xC7, 0xFB], 61, 3, 2)
        ] as [([UInt8], UInt16, UInt64, UInt64)])
    func `RDRAND and RDSEED exit by their controls, with destination and operand size, and draw nothing`(
        _ code: [UInt8], _ reason: UInt16, _ register: UInt64, _ size: UInt64
    ) {
        let control: SecondaryControls = reason == 57 ? .rdrandExiting : .rdseedExiting
        let other: SecondaryControls = reason == 57 ? .rdseedExiting : .rdrandExiting
        let m = guest(model: .max) { $0.set(control) }
        #expect(m.run(code) == .exit(reason))
        #expect(m[.guestRIP] == T.guestCode && m[.exitInstructionLength] == UInt64(code.count))
        #expect(m[.exitInstructionInformation] & 0x1878 == register << 3 | size << 11 && m[.exitQualification] == 0)
        #expect(m.p.system.randomDraws == 0)
        #expect(guest(model: .max) { $0.set(other) }.run(code) == .completed)
    }
    @Test func `RDRAND and RDSEED exit at CPL 3, too`() {
        let m = guest(model: .max) {
            $0.set(.rdrandExiting | SecondaryControls.rdseedExiting)
            $0.fillUserGuest()
        }
        #expect(m.run(Code.rdrand) == .exit(57))
        #expect(m.launch() && m.run(Code.rdseed) == .exit(61))
    }

    @Test func `XSAVES and XRSTORS are #UD without their control, and execute with it`() {
        for code in [Code.xsaves, Code.xrstors] {
            for enabled in [false, true] {
                let m = guest(model: .max) {
                    if enabled { $0.set(SecondaryControls.enableXSAVES) }
                    $0[.guestCR4] |= CR4.osxsave
                    // IA32_XSS is 0: no bit of the bitmap counts.
                    $0[.xssExitingBitmap] = ~0
                    // XCOMP_BV of an image in which nothing is present.
                    $0.store(T.data + 512, UInt64(0))
                    $0.store(T.data + 520, UInt64(1) << 63)
                    for n in 2..<8 as Range<UInt64> { $0.store(T.data + 512 + 8 * n, UInt64(0)) }
                }
                m.p.setGPR(GPR.rax, ~0)
                m.p.setGPR(GPR.rdx, ~0)
                #expect(m.run(code) == (enabled ? .completed : .fault(6, nil)))
            }
        }
    }
    @Test func `the XSS-exiting bitmap is a field only where the control may be 1`() {
        for (model, exists) in [(ProcessorModel.haswellEP, false), (.max, true)] {
            let m = VMXTestMachine(model: model).prepared()
            m.p.setGPR(GPR.rbx, UInt64(VMCSField.xssExitingBitmap.rawValue))
            m.run(Code.vmreadRAX)
            #expect(m.succeeded == exists)
            #expect((m.failedValid == .unsupportedVMCSComponent) == !exists)
        }
    }
}
