/// A named processor as data: what CPUID reports, SDM 2A "CPUID—CPU Identification".
///
/// Only features that the machine executes are claimed; the values are otherwise those of the real part.
public struct ProcessorModel: Sendable {
    public struct Leaf: Sendable {
        public var leaf: UInt32, subleaf: UInt32
        public var eax: UInt32, ebx: UInt32, ecx: UInt32, edx: UInt32
    }
    public let name: String
    /// MAXPHYADDR.
    public let physicalAddressBits: UInt8
    /// Core cycles per second: what the TSC and the timers are calibrated to.
    public let tscFrequency: UInt64
    /// Feature flags (SDM spelling) of instructions that the part does not have: executing one raises #UD. What the
    /// part has and the machine does not execute is "not modelled" instead, and not claimed below.
    public let absentFeatures: [StaticString]
    /// Leaves whose values do not depend on state; a leaf absent from the list reads as zeros.
    public internal(set) var leaves: [Leaf]

    public func lacks(_ feature: StaticString) -> Bool {
        for absent in absentFeatures where Self.areEqual(absent, feature) { return true }
        return false
    }
    private static func areEqual(_ a: StaticString, _ b: StaticString) -> Bool {
        guard a.utf8CodeUnitCount == b.utf8CodeUnitCount else { return false }
        for n in 0..<a.utf8CodeUnitCount where a.utf8Start[n] != b.utf8Start[n] { return false }
        return true
    }

    /// Registers of a leaf. SDM 2A CPUID: a basic leaf above the highest gives the highest basic leaf's.
    public func leaf(_ leaf: UInt32, _ subleaf: UInt32) -> Leaf {
        var wanted = leaf
        let highestBasic = leaves[0].eax
        if leaf > highestBasic && leaf < 0x8000_0000 || leaf > 0x8000_0008 { wanted = highestBasic }
        for l in leaves where l.leaf == wanted && (l.subleaf == subleaf || !Self.hasSubleaves(wanted)) { return l }
        return Leaf(leaf: wanted, subleaf: subleaf, eax: 0, ebx: 0, ecx: 0, edx: 0)
    }
    private static func hasSubleaves(_ leaf: UInt32) -> Bool { leaf == 4 || leaf == 7 || leaf == 0xB || leaf == 0xD }
}

/// Where CPUID reports a feature.
public struct CPUIDFeature: Sendable {
    public enum Register: Sendable { case ebx, ecx, edx }
    public var leaf: UInt32
    public var register: Register
    public var bit: UInt32
    init(_ leaf: UInt32, _ register: Register, _ bit: UInt32) {
        self.leaf = leaf; self.register = register; self.bit = bit
    }

    public static let monitor = CPUIDFeature(1, .ecx, 3)
    public static let vmx = CPUIDFeature(1, .ecx, 5)
    public static let pcid = CPUIDFeature(1, .ecx, 17)
    public static let x2apic = CPUIDFeature(1, .ecx, 21)
    public static let xsave = CPUIDFeature(1, .ecx, 26)
    public static let fsgsbase = CPUIDFeature(7, .ebx, 0)
    public static let smep = CPUIDFeature(7, .ebx, 7)
    public static let invpcid = CPUIDFeature(7, .ebx, 10)
    public static let smap = CPUIDFeature(7, .ebx, 20)
    public static let rdtscp = CPUIDFeature(0x8000_0001, .edx, 27)
}

extension ProcessorModel {
    public func has(_ feature: CPUIDFeature) -> Bool {
        let l = leaf(feature.leaf, 0)
        let value =
            switch feature.register {
            case .ebx: l.ebx
            case .ecx: l.ecx
            case .edx: l.edx
            }
        return value >> feature.bit & 1 != 0
    }
    /// State components that XCR0 can enable.
    public var xcr0: UInt64 { has(.xsave) ? XCR0.x87 | XCR0.sse : 0 }

    /// The same processor with features added that other models have.
    public func adding(_ features: [CPUIDFeature]) -> ProcessorModel {
        var copy = self
        for feature in features {
            for n in copy.leaves.indices where copy.leaves[n].leaf == feature.leaf && copy.leaves[n].subleaf == 0 {
                switch feature.register {
                case .ebx: copy.leaves[n].ebx |= 1 << feature.bit
                case .ecx: copy.leaves[n].ecx |= 1 << feature.bit
                case .edx: copy.leaves[n].edx |= 1 << feature.bit
                }
            }
        }
        return copy
    }
}

extension ProcessorModel {
    /// Intel Xeon E5-2660 v3, the machine of the LVD paper: Haswell-EP, 2.6 GHz.
    public static let haswellEP = ProcessorModel(
        name: "haswell-ep", physicalAddressBits: 46, tscFrequency: 2_600_000_000,
        absentFeatures: [
            "ADX", "AESKLE", "CET_SS", "CLFLUSHOPT", "CLWB", "ENQCMD", "GFNI", "HRESET", "MOVDIR64B", "MOVDIRI",
            "OSPKE",
            "PCONFIG", "PTWRITE", "RDPID", "RDSEED", "SERIALIZE", "SGX", "SHA", "SMAP", "TSXLDTRK", "UINTR", "WAITPKG",
            "WBNOINVD", "XSAVEC", "XSAVES",
            // Switched off by microcode updates.
            "RTM",
        ],
        leaves: [
            // "GenuineIntel"
            Leaf(leaf: 0, subleaf: 0, eax: 0xD, ebx: 0x756E_6547, ecx: 0x6C65_746E, edx: 0x4965_6E69),
            // Family 6, model 3FH, stepping 2. CLFLUSH line 64 bytes. EBX 31:24 (APIC ID) and 23:16 are filled in.
            // ECX: VMX, CMPXCHG16B, PCID, x2APIC, MOVBE, POPCNT, TSC-deadline, XSAVE. MONITOR is absent, so that idle
            // loops halt. EDX: DE, PSE, TSC, MSR, PAE, MCE, CX8, APIC, SEP, MTRR, PGE, MCA, CMOV, PAT, PSE-36, CLFSH,
            // FXSR.
            Leaf(
                leaf: 1, subleaf: 0, eax: 0x0003_06F2, ebx: 0x0000_0800,
                ecx: 1 << 5 | 1 << 13 | 1 << 17 | 1 << 21 | 1 << 22 | 1 << 23 | 1 << 24 | 1 << 26,
                edx: 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 9 | 1 << 11 | 1 << 12
                    | 1 << 13 | 1 << 14 | 1 << 15 | 1 << 16 | 1 << 17 | 1 << 19 | 1 << 24),
            // Descriptors: see leaf 4 for caches (FFH); 64-entry 4-KiB DTLB, 1024-entry shared second-level TLB.
            Leaf(leaf: 2, subleaf: 0, eax: 0x7603_6301, ebx: 0x00F0_B5FF, ecx: 0, edx: 0x00C1_0000),
            // 32 KiB L1D and L1I, 256 KiB L2, 25 MiB L3.
            Leaf(leaf: 4, subleaf: 0, eax: 0x0000_0121, ebx: 0x01C0_003F, ecx: 63, edx: 0),
            Leaf(leaf: 4, subleaf: 1, eax: 0x0000_0122, ebx: 0x01C0_003F, ecx: 63, edx: 0),
            Leaf(leaf: 4, subleaf: 2, eax: 0x0000_0143, ebx: 0x01C0_003F, ecx: 511, edx: 0),
            Leaf(leaf: 4, subleaf: 3, eax: 0x0000_0163, ebx: 0x04C0_003F, ecx: 0x4FFF, edx: 6),
            Leaf(leaf: 6, subleaf: 0, eax: 1 << 2, ebx: 0, ecx: 0, edx: 0),
            // EBX: FSGSBASE, TSC_ADJUST, BMI1, SMEP, BMI2, ERMS, INVPCID. SMAP is modelled, this part has none.
            Leaf(
                leaf: 7, subleaf: 0, eax: 0,
                ebx: 1 << 0 | 1 << 1 | 1 << 7 | 1 << 9 | 1 << 10, ecx: 0, edx: 0),
            // XCR0 can enable x87 and SSE: legacy region and header, 576 bytes.
            Leaf(leaf: 0xD, subleaf: 0, eax: 3, ebx: 576, ecx: 576, edx: 0),
            Leaf(leaf: 0x8000_0000, subleaf: 0, eax: 0x8000_0008, ebx: 0, ecx: 0, edx: 0),
            // ECX: LAHF/SAHF. EDX: SYSCALL, NX, 1-GiB pages, RDTSCP, Intel 64.
            Leaf(
                leaf: 0x8000_0001, subleaf: 0, eax: 0, ebx: 0, ecx: 1 << 0,
                edx: 1 << 11 | 1 << 20 | 1 << 26 | 1 << 27 | 1 << 29),
            // "Intel(R) Xeon(R) CPU E5-2660 v3 @ 2.60GHz"
            Leaf(leaf: 0x8000_0002, subleaf: 0, eax: 0x65746E49, ebx: 0x2952286C, ecx: 0x6F655820, edx: 0x2952286E),
            Leaf(leaf: 0x8000_0003, subleaf: 0, eax: 0x55504320, ebx: 0x2D354520, ecx: 0x30363632, edx: 0x20337620),
            Leaf(leaf: 0x8000_0004, subleaf: 0, eax: 0x2E322040, ebx: 0x48473036, ecx: 0x0000_007A, edx: 0),
            Leaf(leaf: 0x8000_0006, subleaf: 0, eax: 0, ebx: 0, ecx: 0x0100_6040, edx: 0),
            // Invariant TSC.
            Leaf(leaf: 0x8000_0007, subleaf: 0, eax: 0, ebx: 0, ecx: 0, edx: 1 << 8),
            // 46 physical and 48 linear address bits.
            Leaf(leaf: 0x8000_0008, subleaf: 0, eax: 0x0000_302E, ebx: 0, ecx: 0, edx: 0),
        ])
}
