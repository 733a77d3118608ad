import InstructionTable

/// What the oracle does not run, and why.
enum OracleScope {
    /// By mnemonic: the result is not a function of the case, or belongs to the kernel.
    static let excluded: [String: String] = [
        "SYSCALL": "enters the host's kernel", "SYSENTER": "enters the host's kernel",
        "CPUID": "names the host", "RDTSC": "reads the host's clock", "RDTSCP": "reads the host's clock",
        "RDRAND": "random by definition", "RDSEED": "random by definition", "RDPID": "names the host's processor",
        "XGETBV": "XCR0 is the host kernel's", "RDPMC": "CR4.PCE is the host kernel's",
        "SGDT": "UMIP: emulated by the host's kernel", "SIDT": "UMIP: emulated by the host's kernel",
        "SLDT": "UMIP: emulated by the host's kernel", "STR": "UMIP: emulated by the host's kernel",
        "SMSW": "UMIP: emulated by the host's kernel",
        "VMCALL": "enters the host's hypervisor", "VMFUNC": "enters the host's hypervisor",
        "MONITOR": "of the supervisor; #UD or #GP by part", "MWAIT": "of the supervisor; #UD or #GP by part",
    ]

    /// /proc/cpuinfo's names of the features that it spells otherwise than the SDM.
    private static let names = [
        "SSE4_1": "sse4_1", "SSE4_2": "sse4_2", "SSE3": "pni", "LZCNT": "abm", "CMPXCHG16B": "cx16",
        "PREFETCHW": "3dnowprefetch", "CLFSH": "clflush", "CX8": "cx8", "SHA": "sha_ni", "XSAVE": "xsave",
        "FPU": "fpu", "VMX": "vmx", "RTM": "rtm", "AES": "aes", "PCLMULQDQ": "pclmulqdq", "CET_SS": "shstk",
    ]

    /// Rows of AVX that are there with AVX state alone.
    private static let needsAVXState: Set<String> = ["vmova", "vmovu", "vzeroupper", "vzeroall"]

    /// Nil: the row's instruction can be run and compared.
    static func reasonToSkip(_ row: InstructionRow, hostFeatures: Set<String>) -> String? {
        if row.semantics == nil { return "not modelled" }
        if let reason = excluded[row.mnemonic] { return reason }
        if let semantics = row.semantics, needsAVXState.contains(semantics), !hostFeatures.contains("avx") {
            return "the host has no AVX"
        }
        if let feature = row.feature, !hostFeatures.contains(names[feature] ?? feature.lowercased()) {
            return "the host has no \(feature)"
        }
        return nil
    }
}
