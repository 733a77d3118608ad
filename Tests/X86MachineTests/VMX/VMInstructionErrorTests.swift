import Testing
import X86Architecture

@testable import X86Machine

/// One way into every error that a VMX instruction can report, and why the others cannot occur:
/// SDM 3C 33.4 "VM Instruction Error Numbers".
@Suite("Every VM-instruction error number")
struct VMInstructionErrorTests {
    private typealias T = VMXTestMachine
    struct Case: Sendable, CustomTestStringConvertible {
        let error: VMInstructionError
        /// Ends in the instruction that fails.
        let run: @Sendable (VMXTestMachine) -> Void
        var testDescription: String { "\(error.rawValue): \(error.title)" }
        init(_ error: VMInstructionError, _ run: @escaping @Sendable (VMXTestMachine) -> Void) {
            self.error = error
            self.run = run
        }
    }

    @Test(arguments: cases)
    func `the instruction fails with it, and the field holds its number`(_ c: Case) {
        let m = VMXTestMachine().prepared()
        c.run(m)
        #expect(m.failedValid == c.error && m[.instructionError] == UInt64(c.error.rawValue))
        #expect(!m.p.vmx.inNonRoot)
    }
    @Test func `each number that the manual lists has one case or one reason`() {
        let all = (0..<UInt32(64)).compactMap(VMInstructionError.init)
        #expect(all.count == 25)
        let known = Self.cases.map(\.error) + Self.impossible.flatMap(\.errors)
        #expect(known.map(\.rawValue).sorted() == all.map(\.rawValue))
    }
    @Test func `what cannot occur is left out by the capability MSRs that say so`() throws {
        for reason in Self.impossible { #expect(try reason.holds(), "\(reason.why)") }
    }

    /// SDM 3C 33.4: "VMXOFF and VMXON between VMLAUNCH and VMRESUME".
    @Test func `VMCLEAR after VMXON makes a VMCS that was launched before it one that can be launched again`() {
        let m = VMXTestMachine().prepared()
        Self.restart(m)
        m.run(Code.vmlaunch)
        #expect(m.failedValid == .vmlaunchNonClearVMCS)
        m.run(Code.vmresume)
        #expect(m.failedValid == .vmresumeAfterVMXOFF)
        m.makeCurrent()
        #expect(m.launch())
        m.run(Code.cpuid)
        #expect(m.launch() && m.p.vmx.operation == 2)
    }

    /// A guest runs, then VMX operation is left and entered again, and the same VMCS made current without VMCLEAR.
    private static func restart(_ m: VMXTestMachine) {
        m.launch()
        m.run(Code.cpuid)
        m.run(Code.vmxoff)
        m.enterOperation()
        m.store(T.data, T.vmcs)
        m.run(Code.vmptrld)
    }
    private static func operand(_ m: VMXTestMachine, _ value: UInt64, _ code: [UInt8]) {
        m.store(T.data, value)
        m.run(code)
    }

    static let cases: [Case] = [
        Case(.vmcallInRootOperation) { $0.run(Code.vmcall) },
        Case(.vmclearInvalidAddress) { operand($0, T.otherVMCS + 1, Code.vmclear) },
        Case(.vmclearWithVMXONPointer) { operand($0, T.vmxon, Code.vmclear) },
        Case(.vmlaunchNonClearVMCS) {
            $0.launch()
            $0.run(Code.cpuid)
            $0.run(Code.vmlaunch)
        },
        Case(.vmresumeNonLaunchedVMCS) { $0.run(Code.vmresume) },
        Case(.vmresumeAfterVMXOFF) {
            restart($0)
            $0.run(Code.vmresume)
        },
        Case(.entryInvalidControlFields) {
            $0[.pinBasedControls] = 0
            $0.run(Code.vmlaunch)
        },
        Case(.entryInvalidHostState) {
            $0[.hostCSSelector] = 0
            $0.run(Code.vmlaunch)
        },
        Case(.vmptrldInvalidAddress) { operand($0, 1 << 46, Code.vmptrld) },
        Case(.vmptrldWithVMXONPointer) { operand($0, T.vmxon, Code.vmptrld) },
        Case(.vmptrldIncorrectRevision) {
            $0.store(T.otherVMCS, VMXModel.revision + 1)
            operand($0, T.otherVMCS, Code.vmptrld)
        },
        Case(.unsupportedVMCSComponent) {
            $0.p.setGPR(GPR.rbx, 0x7FFE)
            $0.run(Code.vmreadRAX)
        },
        Case(.vmxonInRootOperation) { operand($0, T.vmxon, Code.vmxon) },
        Case(.entryEventsBlockedByMOVSS) {
            $0.p.system.blockingByMOVSS = true
            $0.run(Code.vmlaunch)
        },
        Case(.invalidOperandToINVEPTOrINVVPID) {
            $0.p.setGPR(GPR.rax, 0)
            $0.run(Code.invept)
        },
    ]

    struct Impossible: Sendable {
        let errors: [VMInstructionError]
        let why: String
        let holds: @Sendable () throws -> Bool
    }
    static let impossible: [Impossible] = [
        Impossible(errors: [.vmwriteReadOnlyComponent],
                   why: "IA32_VMX_MISC[29]: VMWRITE writes any supported field, VM-exit information too") {
            let misc = VMXMiscellaneous(try #require(VMXModel.capability(VMXMSR.miscellaneous, cr4Fixed1: 0)))
            let m = VMXTestMachine().prepared()
            m.p.setGPR(GPR.rbx, UInt64(VMCSField.exitReason.rawValue))
            m.run(Code.vmwriteRAX)
            return misc.vmwriteAnyField && m.succeeded
        },
        Impossible(errors: [.entryInvalidExecutiveVMCS, .entryNonLaunchedExecutiveVMCS,
                            .entryExecutiveVMCSNotVMXONPointer, .vmcallNonClearVMCS, .vmcallInvalidExitControls,
                            .vmcallIncorrectMSEGRevision, .vmxoffUnderDualMonitor, .vmcallInvalidSMMMonitorFeatures,
                            .entryInvalidExecutionControlsInExecutiveVMCS],
                   why: "IA32_VMX_BASIC[49]: no dual-monitor treatment of SMIs and SMM") {
            let basic = try #require(VMXModel.capability(VMXMSR.basic, cr4Fixed1: 0))
            return basic & 1 << 49 == 0
        },
    ]
}
