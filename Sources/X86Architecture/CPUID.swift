/// A named processor as data: what CPUID reports, SDM 2A "CPUID—CPU Identification".
///
/// Only features that the machine executes are claimed; the values are otherwise those of the real part.
public struct ProcessorModel: Sendable {
    public struct Leaf: Sendable {
        public var leaf: UInt32, subleaf: UInt32
        public var eax: UInt32, ebx: UInt32, ecx: UInt32, edx: UInt32

        func isLeaf(of feature: CPUIDFeature) -> Bool { leaf == feature.leaf && subleaf == feature.subleaf }
    }
    public internal(set) var name: String
    /// MAXPHYADDR.
    public internal(set) var physicalAddressBits: UInt8
    /// Core cycles per second: what the TSC and the timers are calibrated to.
    public let tscFrequency: UInt64
    /// What IA32_BIOS_SIGN_ID reports: kernels use the TSC deadline of a Haswell-EP from revision 3AH on.
    public let microcodeRevision: UInt32
    /// Feature flags (SDM spelling) of instructions that the part does not have: executing one raises #UD. What the
    /// part has and the machine does not execute is "not modelled" instead, and not claimed below.
    public internal(set) var absentFeatures: [StaticString]
    /// Leaves whose values do not depend on state; a leaf absent from the list reads as zeros.
    public internal(set) var leaves: [Leaf]

    public func lacks(_ feature: StaticString) -> Bool {
        for absent in absentFeatures where Self.areEqual(absent, feature) { return true }
        return false
    }
    static func areEqual(_ a: StaticString, _ b: StaticString) -> Bool {
        guard a.utf8CodeUnitCount == b.utf8CodeUnitCount else { return false }
        for n in 0..<a.utf8CodeUnitCount where a.utf8Start[n] != b.utf8Start[n] { return false }
        return true
    }

    /// Registers of a leaf. SDM 2A CPUID: a basic leaf above the highest gives the highest basic leaf's.
    public func leaf(_ leaf: UInt32, _ subleaf: UInt32) -> Leaf {
        var wanted = leaf
        let highestBasic = leaves[0].eax
        if leaf > highestBasic && leaf < 0x8000_0000 || leaf > highestExtended { wanted = highestBasic }
        for l in leaves where l.leaf == wanted && (l.subleaf == subleaf || !Self.hasSubleaves(wanted)) { return l }
        return Leaf(leaf: wanted, subleaf: subleaf, eax: 0, ebx: 0, ecx: 0, edx: 0)
    }
    private var highestExtended: UInt32 {
        for l in leaves where l.leaf == 0x8000_0000 { return l.eax }
        return 0x8000_0000
    }
    private static func hasSubleaves(_ leaf: UInt32) -> Bool { leaf == 4 || leaf == 7 || leaf == 0xB || leaf == 0xD }
}

extension ProcessorModel {
    public func has(_ feature: CPUIDFeature) -> Bool {
        // Not `leaf`, which gives another's registers for one beyond the highest.
        guard let l = leaves.first(where: { $0.isLeaf(of: feature) }) else { return false }
        let value =
            switch feature.register {
            case .eax: l.eax
            case .ebx: l.ebx
            case .ecx: l.ecx
            case .edx: l.edx
            }
        return value >> feature.bit & 1 != 0
    }
    /// State components that XCR0 can enable.
    public var xcr0: UInt64 { has(.xsave) ? UInt64(leaf(0xD, 0).eax) : 0 }

    /// The same processor with features added that other models have.
    public func adding(_ features: [CPUIDFeature]) -> ProcessorModel {
        var copy = self
        for feature in features {
            for n in copy.leaves.indices where copy.leaves[n].isLeaf(of: feature) {
                switch feature.register {
                case .eax: copy.leaves[n].eax |= 1 << feature.bit
                case .ebx: copy.leaves[n].ebx |= 1 << feature.bit
                case .ecx: copy.leaves[n].ecx |= 1 << feature.bit
                case .edx: copy.leaves[n].edx |= 1 << feature.bit
                }
            }
        }
        return copy
    }
}
