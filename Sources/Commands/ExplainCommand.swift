import ArgumentParser
import Isolation
import Simulation
import X86Architecture
import X86Machine

/// `lvdsim explain`: what a number or a name in a trace means, with the section of the manual that defines it.
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Explain an exit reason, a VM-instruction error, a VM-entry check or a rule.",
        discussion: """
            WHAT is a number (an exit reason, as in the VMCS field, or a VM-instruction error: both are told), the \
            name of a VM-entry check (vpidIsNotZero) or of an invariant (I1), or words of a title (ept violation).
            """)

    @Argument(help: ArgumentHelp("Number, name or words.", valueName: "what"))
    var words: [String]

    func run() throws {
        let asked = words.joined(separator: " ")
        let found = Explanation.find(asked)
        guard !found.isEmpty else {
            throw UserError(
                .usage, "\(asked): no exit reason, VM-instruction error, VM-entry check or rule is called that\n"
                    + "  hint: lvdsim explain 48, lvdsim explain vpidIsNotZero, lvdsim explain I1")
        }
        try Console.output(found.map(\.text).joined(separator: "\n") + "\n")
    }
}

/// One thing that can be asked about.
struct Explanation {
    let text: String
    /// What it answers to, lower case.
    private let names: [String]

    /// Equal names first; if there are none, titles that contain the words.
    static func find(_ asked: String) -> [Explanation] {
        if let number = Number.parse(asked) { return byNumber(number) }
        let wanted = asked.lowercased()
        let equal = all.filter { $0.names.contains(wanted) }
        return equal.isEmpty ? all.filter { e in e.names.contains { $0.contains(wanted) } } : equal
    }

    private static func byNumber(_ number: UInt64) -> [Explanation] {
        var found: [Explanation] = []
        if number >> 32 == 0, let reason = ExitReason(rawValue: UInt16(truncatingIfNeeded: number)) {
            found.append(explanation(of: reason, field: UInt32(truncatingIfNeeded: number)))
        }
        if let n = UInt32(exactly: number), let error = VMInstructionError(rawValue: n) {
            found.append(explanation(of: error))
        }
        return found
    }

    static let all: [Explanation] = {
        let reasons = (0...127 as ClosedRange<UInt16>).compactMap { ExitReason(rawValue: $0) }
        let errors = (0...63 as ClosedRange<UInt32>).compactMap { VMInstructionError(rawValue: $0) }
        return reasons.map { explanation(of: $0, field: UInt32($0.rawValue)) } + errors.map { explanation(of: $0) }
            + VMEntryCheckCatalogue.entries.map { explanation(of: $0) }
            + Registry.invariants.map {
                Explanation(text: "rule \($0.id): \($0.statement)", names: [$0.id.lowercased()])
            }
    }()

    private static func explanation(of reason: ExitReason, field: UInt32) -> Explanation {
        var text = "exit reason \(reason.rawValue): \(reason.title)"
        if field & ExitReasonField.entryFailure.rawValue != 0 { text += "; bit 31: the VM entry failed" }
        if field & ExitReasonField.fromRootOperation.rawValue != 0 { text += "; bit 29: from VMX root operation" }
        text += " (SDM 3D appendix C \"VMX Basic Exit Reasons\")"
        if let cause = reason.cause { text += "\n  " + cause }
        return Explanation(text: text, names: ["\(reason)".lowercased(), "\(reason.title)".lowercased()])
    }
    private static func explanation(of error: VMInstructionError) -> Explanation {
        Explanation(
            text: "VM-instruction error \(error.rawValue): \(error.title)"
                + " (SDM 3C 33.4 \"VM Instruction Error Numbers\")",
            names: ["\(error)".lowercased(), "\(error.title)".lowercased()])
    }
    private static func explanation(of check: VMEntryCheckCatalogue.Entry) -> Explanation {
        // camelCase to words.
        let words = check.id.reduce(into: "") { text, c in
            if c.isUppercase, let last = text.last, last.isLowercase || last.isNumber { text += " " }
            text.append(c)
        }
        return Explanation(
            text: "VM-entry check \(check.id): \(words) (\(check.title))", names: [check.id.lowercased()])
    }
}

extension ExitReason {
    /// What brings the exit about, in a sentence; nil for features that this machine leaves out.
    var cause: String? {
        switch self {
        case .exceptionOrNMI: "An exception whose bit in the exception bitmap is 1 (page faults: see the error-code"
            + " mask and match), or an NMI with \"NMI exiting\"."
        case .externalInterrupt: "An external interrupt with \"external-interrupt exiting\"."
        case .tripleFault: "An exception in the delivery of a double fault, whose own bit did not make it exit."
        case .initSignal: "An INIT signal in VMX non-root operation."
        case .startupIPI: "A SIPI in the wait-for-SIPI activity state; the qualification is its vector."
        case .interruptWindow: "RFLAGS.IF is 1 and nothing blocks interrupts, with \"interrupt-window exiting\"."
        case .nmiWindow: "Nothing blocks virtual NMIs, with \"NMI-window exiting\"."
        case .taskSwitch: "A task switch was tried."
        case .hlt: "HLT with \"HLT exiting\"."
        case .invlpg: "INVLPG with \"INVLPG exiting\"; the qualification is the address."
        case .rdpmc: "RDPMC with \"RDPMC exiting\"."
        case .rdtsc: "RDTSC with \"RDTSC exiting\"."
        case .cpuid, .invd, .vmcall, .vmclear, .vmlaunch, .vmptrld, .vmptrst, .vmresume, .vmxoff, .vmxon, .invept,
            .invvpid, .xsetbv:
            "The guest executed \(title); it always exits."
        case .vmread, .vmwrite: "The guest executed \(title) and VMCS shadowing did not take it over."
        case .controlRegisterAccess: "MOV CR, CLTS or LMSW, as masks, shadows, CR3 targets and controls say."
        case .movDR: "MOV DR with \"MOV-DR exiting\"."
        case .ioInstruction: "IN, OUT, INS or OUTS, as the I/O bitmaps or \"unconditional I/O exiting\" say."
        case .rdmsr, .wrmsr: "\(title) of an MSR whose bit in the MSR bitmap is 1, or without MSR bitmaps."
        case .entryFailureInvalidGuestState: "A check on the guest-state area failed: nothing of the guest ran."
        case .entryFailureMSRLoading: "An entry of the VM-entry MSR-load list could not be loaded; the qualification is"
            + " its number, from 1."
        case .mwait: "MWAIT with \"MWAIT exiting\"."
        case .monitorTrapFlag: "An instruction completed, or an event was delivered, with \"monitor trap flag\"; or the"
            + " exit was injected."
        case .monitor: "MONITOR with \"MONITOR exiting\"."
        case .pause: "PAUSE with \"PAUSE exiting\", or a loop of them with \"PAUSE-loop exiting\"."
        case .tprBelowThreshold: "The virtual task priority fell below the TPR threshold."
        case .apicAccess: "An access to the APIC-access page; the qualification is the offset and the kind."
        case .virtualizedEOI: "A virtual EOI of a vector whose bit in the EOI-exit bitmap is 1."
        case .gdtrOrIDTRAccess: "LGDT, LIDT, SGDT or SIDT with \"descriptor-table exiting\"."
        case .ldtrOrTRAccess: "LLDT, LTR, SLDT or STR with \"descriptor-table exiting\"."
        case .eptViolation: "The EPT does not map the guest-physical address or does not allow the access; the"
            + " qualification says what was tried and what is allowed."
        case .eptMisconfiguration: "An EPT entry has a setting that is reserved."
        case .rdtscp: "RDTSCP with \"enable RDTSCP\" and \"RDTSC exiting\"."
        case .preemptionTimerExpired: "The VMX-preemption timer counted down to zero."
        case .wbinvd: "WBINVD with \"WBINVD exiting\"."
        case .apicWrite: "A virtualised write to the virtual-APIC page that software is to look at."
        case .invpcid: "INVPCID with \"enable INVPCID\" and \"INVLPG exiting\"."
        case .vmfunc: "VMFUNC of a function that is not enabled, or EPTP switching with ECX above 511 or to a value"
            + " that VM entry would refuse."
        case .pageModificationLogFull: "A dirty flag was to be set and the page-modification log has no room."
        default: nil
        }
    }
}
