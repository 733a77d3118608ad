/// The processors that `--cpu` names. What each reports is its leaves plus one bit per feature.
extension ProcessorModel {
    /// Intel Xeon E5-2660 v3, the machine of the LVD paper: Haswell-EP, 2.6 GHz; of its features those that are
    /// modelled. MONITOR is left out, so that idle loops halt.
    public static let haswellEP = ProcessorModel(
        name: "haswell-ep", physicalAddressBits: 46, tscFrequency: 2_600_000_000, microcodeRevision: 0x49,
        absentFeatures: [
            "ADX", "AESKLE", "CET_SS", "CLFLUSHOPT", "CLWB", "ENQCMD", "GFNI", "HRESET", "MOVDIR64B", "MOVDIRI",
            "OSPKE",
            "PCONFIG", "PTWRITE", "RDPID", "RDSEED", "SERIALIZE", "SGX", "SHA", "SMAP", "TSXLDTRK", "UINTR", "WAITPKG",
            "WBNOINVD", "XSAVEC", "XSAVES",
            // Switched off by microcode updates.
            "RTM",
        ],
        leaves: haswellEPLeaves
    ).adding(CPUIDFeature.modelled.filter { !notInHaswellEP.contains($0) })

    /// Modelled features that the real part does not have.
    private static let notInHaswellEP: [CPUIDFeature] = [
        .smap, .rdseed, .adx, .clflushopt, .clwb, .sha, .umip, .rdpid, .xsavec, .xgetbv1, .xsaves, .prefetchw,
    ]

    /// Everything that the machine executes, on a Haswell-EP.
    public static let max = ProcessorModel(
        name: "max", physicalAddressBits: 46, tscFrequency: 2_600_000_000, microcodeRevision: 0x49,
        absentFeatures: [],
        leaves: haswellEPLeaves
    ).adding(CPUIDFeature.modelled)

    /// No real part: the least that a 64-bit Linux boots on, by the 64-bit and the 32-bit boot protocol (the latter's
    /// entry also asks for MSR, PAE and CX8). No local APIC: one processor, with the 8259 pair on INTR.
    /// The signature is that of an Atom that executes in order (family 6, model 1CH, stepping 10), for which kernels
    /// take no measures against speculation; leaves end at 1 and 80000001H.
    public static let minimal = ProcessorModel(
        name: "minimal", physicalAddressBits: 36, tscFrequency: 2_600_000_000, microcodeRevision: 0,
        absentFeatures: [
            "ADX", "AES", "AESKLE", "AVX", "AVX2", "BMI1", "BMI2", "CET_SS", "CLFLUSHOPT", "CLFSH", "CLWB",
            "CMPXCHG16B", "ENQCMD", "F16C", "FMA", "FSGSBASE", "GFNI", "HRESET", "INVPCID", "LZCNT", "MMX", "MONITOR",
            "MOVBE", "MOVDIR64B", "MOVDIRI", "OSPKE", "PCLMULQDQ", "PCONFIG", "POPCNT", "PTWRITE", "RDPID", "RDRAND",
            "RDSEED", "RDTSCP", "RTM", "SERIALIZE", "SGX", "SHA", "SMAP", "SMX", "SSE3", "SSE4_1", "SSE4_2", "SSSE3",
            "TSXLDTRK", "UINTR", "VAES", "VMX", "VPCLMULQDQ", "WAITPKG", "WBNOINVD", "XSAVE", "XSAVEC", "XSAVEOPT",
            "XSAVES",
        ],
        leaves: [
            Leaf(leaf: 0, subleaf: 0, eax: 1, ebx: 0x756E_6547, ecx: 0x6C65_746E, edx: 0x4965_6E69),
            Leaf(leaf: 1, subleaf: 0, eax: 0x0001_06CA, ebx: 0, ecx: 0, edx: 0),
            Leaf(leaf: 0x8000_0000, subleaf: 0, eax: 0x8000_0001, ebx: 0, ecx: 0, edx: 0),
            Leaf(leaf: 0x8000_0001, subleaf: 0, eax: 0, ebx: 0, ecx: 0, edx: 0),
        ]
    ).adding([.fpu, .msr, .pae, .cx8, .cmov, .fxsr, .sse, .sse2, .syscall, .intel64])

    /// By the names that `--cpu` takes, the default first.
    public static let named: [ProcessorModel] = [.haswellEP, .max, .minimal]

    /// Every leaf that a model can have.
    static let complete = haswellEPLeaves

    private static let haswellEPLeaves: [Leaf] = [
        // "GenuineIntel"
        Leaf(leaf: 0, subleaf: 0, eax: 0xD, ebx: 0x756E_6547, ecx: 0x6C65_746E, edx: 0x4965_6E69),
        // Family 6, model 3FH, stepping 2. CLFLUSH line 64 bytes. EBX 31:24 (APIC ID) and 23:16 are filled in.
        Leaf(leaf: 1, subleaf: 0, eax: 0x0003_06F2, ebx: 0x0000_0800, ecx: 0, edx: 0),
        // Descriptors: see leaf 4 for caches (FFH); 64-entry 4-KiB DTLB, 1024-entry shared second-level TLB.
        Leaf(leaf: 2, subleaf: 0, eax: 0x7603_6301, ebx: 0x00F0_B5FF, ecx: 0, edx: 0x00C1_0000),
        // 32 KiB L1D and L1I, 256 KiB L2, 25 MiB L3.
        Leaf(leaf: 4, subleaf: 0, eax: 0x0000_0121, ebx: 0x01C0_003F, ecx: 63, edx: 0),
        Leaf(leaf: 4, subleaf: 1, eax: 0x0000_0122, ebx: 0x01C0_003F, ecx: 63, edx: 0),
        Leaf(leaf: 4, subleaf: 2, eax: 0x0000_0143, ebx: 0x01C0_003F, ecx: 511, edx: 0),
        Leaf(leaf: 4, subleaf: 3, eax: 0x0000_0163, ebx: 0x04C0_003F, ecx: 0x4FFF, edx: 6),
        Leaf(leaf: 6, subleaf: 0, eax: 1 << 2, ebx: 0, ecx: 0, edx: 0),
        Leaf(leaf: 7, subleaf: 0, eax: 0, ebx: 0, ecx: 0, edx: 0),
        // XCR0 can enable x87, SSE and AVX state: legacy region and header, 576 bytes, then 256. EBX is filled in.
        Leaf(leaf: 0xD, subleaf: 0, eax: 7, ebx: 576, ecx: 832, edx: 0),
        Leaf(leaf: 0xD, subleaf: 1, eax: 0, ebx: 0, ecx: 0, edx: 0),
        Leaf(leaf: 0xD, subleaf: 2, eax: 256, ebx: 576, ecx: 0, edx: 0),
        Leaf(leaf: 0x8000_0000, subleaf: 0, eax: 0x8000_0008, ebx: 0, ecx: 0, edx: 0),
        Leaf(leaf: 0x8000_0001, subleaf: 0, eax: 0, ebx: 0, ecx: 0, edx: 0),
        // "Intel(R) Xeon(R) CPU E5-2660 v3 @ 2.60GHz"
        Leaf(leaf: 0x8000_0002, subleaf: 0, eax: 0x65746E49, ebx: 0x2952286C, ecx: 0x6F655820, edx: 0x2952286E),
        Leaf(leaf: 0x8000_0003, subleaf: 0, eax: 0x55504320, ebx: 0x2D354520, ecx: 0x30363632, edx: 0x20337620),
        Leaf(leaf: 0x8000_0004, subleaf: 0, eax: 0x2E322040, ebx: 0x48473036, ecx: 0x0000_007A, edx: 0),
        Leaf(leaf: 0x8000_0006, subleaf: 0, eax: 0, ebx: 0, ecx: 0x0100_6040, edx: 0),
        // Invariant TSC.
        Leaf(leaf: 0x8000_0007, subleaf: 0, eax: 0, ebx: 0, ecx: 0, edx: 1 << 8),
        // 46 physical and 48 linear address bits.
        Leaf(leaf: 0x8000_0008, subleaf: 0, eax: 0x0000_302E, ebx: 0, ecx: 0, edx: 0),
    ]
}
