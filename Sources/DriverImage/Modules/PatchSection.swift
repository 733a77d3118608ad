/// A section that tells a Linux kernel which call sites and instructions of a module it may rewrite at load time.
///
/// Every one of them describes an optimisation of code that already works as it was compiled, so the code keeps its
/// default form here: what runs is exactly what is in the file, on every machine. The sections are linked and kept
/// readable, never executable. (`.altinstr_aux` is not among them: default code jumps into it, so it is text.)
public struct PatchSection: Sendable, Equatable {
    public enum Purpose: Sendable, Equatable {
        /// `.altinstructions`, `.altinstr_replacement`: better instructions for processors with a feature bit. The
        /// default is the form for every x86-64 processor.
        case alternatives
        /// `__jump_table`: branches of static keys. Sites keep the state the key was compiled with.
        case staticKeys
        /// `.static_call_sites`, `.static_call.text`: calls through a trampoline, which is an import.
        case staticCalls
        /// `.retpoline_sites`: calls of `__x86_indirect_thunk_*`, which are imports.
        case indirectBranches
        /// `.return_sites`: jumps to `__x86_return_thunk`, which is an import.
        case returns
        /// `.parainstructions`: paravirtual calls. Sites keep the indirect call through `pv_ops`.
        case paravirtualCalls
        /// `.smp_locks`: LOCK prefixes a uniprocessor kernel would remove. They stay.
        case lockPrefixes
        /// `__mcount_loc`: calls of `__fentry__`, which is an import.
        case functionTracing
        /// `.orc_unwind`, `.orc_unwind_ip`: stack unwinding tables; nothing unwinds through a domain.
        case unwinding
        /// `.ibt_endbr_seal`, `.call_sites`, `.cfi_sites`: control-flow integrity rewriting.
        case controlFlowIntegrity
    }

    public var name: String
    public var purpose: Purpose
    public var size: UInt64

    init?(named name: String, bytes: UInt64) {
        guard let purpose = Self.purpose(ofSection: name), bytes > 0 else { return nil }
        self.name = name
        self.purpose = purpose
        size = bytes
    }

    static func purpose(ofSection name: String) -> Purpose? {
        switch name {
        case ".altinstructions", ".altinstr_replacement": .alternatives
        case "__jump_table": .staticKeys
        case ".static_call_sites", ".static_call_tramp_key": .staticCalls
        case ".retpoline_sites": .indirectBranches
        case ".return_sites": .returns
        case ".parainstructions": .paravirtualCalls
        case ".smp_locks": .lockPrefixes
        case "__mcount_loc": .functionTracing
        case ".orc_unwind", ".orc_unwind_ip", ".orc_header": .unwinding
        case ".ibt_endbr_seal", ".call_sites", ".cfi_sites": .controlFlowIntegrity
        default: nil
        }
    }
}
