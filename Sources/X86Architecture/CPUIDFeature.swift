/// A feature flag of CPUID: its name in the SDM and where it is reported (SDM 2A "CPUID—CPU Identification").
public struct CPUIDFeature: Sendable, Equatable {
    public static func == (a: Self, b: Self) -> Bool {
        a.leaf == b.leaf && a.subleaf == b.subleaf && a.register == b.register && a.bit == b.bit
    }
    public enum Register: Sendable { case eax, ebx, ecx, edx }
    public let name: StaticString
    public let leaf: UInt32, subleaf: UInt32
    public let register: Register
    public let bit: UInt32
    init(_ name: StaticString, _ leaf: UInt32, _ register: Register, _ bit: UInt32, subleaf: UInt32 = 0) {
        self.name = name; self.leaf = leaf; self.subleaf = subleaf; self.register = register; self.bit = bit
    }
}

// One line per feature. A feature that becomes modelled gets its line here and its place in `modelled`.
extension CPUIDFeature {
    // Leaf 01H, EDX.
    public static let fpu = CPUIDFeature("FPU", 1, .edx, 0)
    public static let de = CPUIDFeature("DE", 1, .edx, 2)
    public static let pse = CPUIDFeature("PSE", 1, .edx, 3)
    public static let tsc = CPUIDFeature("TSC", 1, .edx, 4)
    public static let msr = CPUIDFeature("MSR", 1, .edx, 5)
    public static let pae = CPUIDFeature("PAE", 1, .edx, 6)
    public static let mce = CPUIDFeature("MCE", 1, .edx, 7)
    public static let cx8 = CPUIDFeature("CX8", 1, .edx, 8)
    public static let apic = CPUIDFeature("APIC", 1, .edx, 9)
    public static let sep = CPUIDFeature("SEP", 1, .edx, 11)
    public static let mtrr = CPUIDFeature("MTRR", 1, .edx, 12)
    public static let pge = CPUIDFeature("PGE", 1, .edx, 13)
    public static let mca = CPUIDFeature("MCA", 1, .edx, 14)
    public static let cmov = CPUIDFeature("CMOV", 1, .edx, 15)
    public static let pat = CPUIDFeature("PAT", 1, .edx, 16)
    public static let pse36 = CPUIDFeature("PSE-36", 1, .edx, 17)
    public static let mmx = CPUIDFeature("MMX", 1, .edx, 23)
    public static let clfsh = CPUIDFeature("CLFSH", 1, .edx, 19)
    public static let fxsr = CPUIDFeature("FXSR", 1, .edx, 24)
    public static let sse = CPUIDFeature("SSE", 1, .edx, 25)
    public static let sse2 = CPUIDFeature("SSE2", 1, .edx, 26)
    // Leaf 01H, ECX.
    public static let sse3 = CPUIDFeature("SSE3", 1, .ecx, 0)
    public static let pclmulqdq = CPUIDFeature("PCLMULQDQ", 1, .ecx, 1)
    public static let ssse3 = CPUIDFeature("SSSE3", 1, .ecx, 9)
    public static let sse4_1 = CPUIDFeature("SSE4.1", 1, .ecx, 19)
    public static let sse4_2 = CPUIDFeature("SSE4.2", 1, .ecx, 20)
    public static let aes = CPUIDFeature("AESNI", 1, .ecx, 25)
    public static let monitor = CPUIDFeature("MONITOR", 1, .ecx, 3)
    public static let vmx = CPUIDFeature("VMX", 1, .ecx, 5)
    public static let cmpxchg16b = CPUIDFeature("CMPXCHG16B", 1, .ecx, 13)
    public static let pcid = CPUIDFeature("PCID", 1, .ecx, 17)
    public static let x2apic = CPUIDFeature("x2APIC", 1, .ecx, 21)
    public static let movbe = CPUIDFeature("MOVBE", 1, .ecx, 22)
    public static let popcnt = CPUIDFeature("POPCNT", 1, .ecx, 23)
    public static let tscDeadline = CPUIDFeature("TSC-Deadline", 1, .ecx, 24)
    public static let xsave = CPUIDFeature("XSAVE", 1, .ecx, 26)
    public static let rdrand = CPUIDFeature("RDRAND", 1, .ecx, 30)
    // Leaf 07H, EBX.
    public static let fsgsbase = CPUIDFeature("FSGSBASE", 7, .ebx, 0)
    public static let tscAdjust = CPUIDFeature("TSC_ADJUST", 7, .ebx, 1)
    public static let smep = CPUIDFeature("SMEP", 7, .ebx, 7)
    public static let erms = CPUIDFeature("ERMS", 7, .ebx, 9)
    public static let bmi1 = CPUIDFeature("BMI1", 7, .ebx, 3)
    public static let bmi2 = CPUIDFeature("BMI2", 7, .ebx, 8)
    public static let rdseed = CPUIDFeature("RDSEED", 7, .ebx, 18)
    public static let adx = CPUIDFeature("ADX", 7, .ebx, 19)
    public static let clflushopt = CPUIDFeature("CLFLUSHOPT", 7, .ebx, 23)
    public static let clwb = CPUIDFeature("CLWB", 7, .ebx, 24)
    public static let sha = CPUIDFeature("SHA", 7, .ebx, 29)
    public static let invpcid = CPUIDFeature("INVPCID", 7, .ebx, 10)
    public static let smap = CPUIDFeature("SMAP", 7, .ebx, 20)
    // Leaf 07H, ECX.
    public static let umip = CPUIDFeature("UMIP", 7, .ecx, 2)
    public static let rdpid = CPUIDFeature("RDPID", 7, .ecx, 22)
    // Leaf 0DH, sub-leaf 1.
    public static let xsaveopt = CPUIDFeature("XSAVEOPT", 0xD, .eax, 0, subleaf: 1)
    public static let xsavec = CPUIDFeature("XSAVEC", 0xD, .eax, 1, subleaf: 1)
    public static let xgetbv1 = CPUIDFeature("XGETBV_ECX1", 0xD, .eax, 2, subleaf: 1)
    public static let xsaves = CPUIDFeature("XSAVES", 0xD, .eax, 3, subleaf: 1)
    // Leaf 80000001H.
    public static let lzcnt = CPUIDFeature("LZCNT", 0x8000_0001, .ecx, 5)
    public static let prefetchw = CPUIDFeature("PREFETCHW", 0x8000_0001, .ecx, 8)
    public static let lahf = CPUIDFeature("LAHF-SAHF", 0x8000_0001, .ecx, 0)
    public static let syscall = CPUIDFeature("SYSCALL", 0x8000_0001, .edx, 11)
    public static let nx = CPUIDFeature("NX", 0x8000_0001, .edx, 20)
    public static let pages1G = CPUIDFeature("Page1GB", 0x8000_0001, .edx, 26)
    public static let rdtscp = CPUIDFeature("RDTSCP", 0x8000_0001, .edx, 27)
    public static let intel64 = CPUIDFeature("Intel64", 0x8000_0001, .edx, 29)

    /// Everything that the machine executes.
    public static let modelled: [CPUIDFeature] = [
        .fpu, .mmx, .sse, .sse2, .sse3, .pclmulqdq, .ssse3, .sse4_1, .sse4_2, .aes,
        .de, .pse, .tsc, .msr, .pae, .mce, .cx8, .apic, .sep, .mtrr, .pge, .mca, .cmov, .pat, .pse36, .clfsh, .fxsr,
        .vmx, .cmpxchg16b, .pcid, .x2apic, .movbe, .popcnt, .tscDeadline, .xsave,
        .fsgsbase, .tscAdjust, .smep, .erms, .invpcid, .smap,
        .rdrand, .bmi1, .bmi2, .rdseed, .adx, .clflushopt, .clwb, .sha, .umip, .rdpid,
        .xsaveopt, .xsavec, .xgetbv1, .xsaves, .lzcnt, .prefetchw,
        .lahf, .syscall, .nx, .pages1G, .rdtscp, .intel64
    ]
}
