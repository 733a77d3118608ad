/// What a named processor is changed by: `--cpu max,-x2apic,phys-bits=36`.
extension ProcessorModel {
    /// MAXPHYADDR that processors with Intel 64 can have; SDM 3A 4.1.4 "Enumeration of Paging Features by CPUID".
    public static let physicalAddressBitsRange: ClosedRange<UInt8> = 36...52

    /// The same processor with a feature that other models have: reported, and its instructions exist.
    public func including(_ feature: CPUIDFeature) -> ProcessorModel {
        var copy = self
        copy.absentFeatures.removeAll { Self.areEqual($0, feature.instructions) }
        copy.addLeaf(feature.leaf)
        // The sizes of the save area.
        if feature == .xsave { copy.addLeaf(0xD) }
        return copy.adding([feature])
    }

    /// The same processor without a feature: not reported, and its instructions are #UD.
    public func excluding(_ feature: CPUIDFeature) -> ProcessorModel {
        var copy = self
        if !copy.lacks(feature.instructions) { copy.absentFeatures.append(feature.instructions) }
        for n in copy.leaves.indices where copy.leaves[n].isLeaf(of: feature) {
            switch feature.register {
            case .eax: copy.leaves[n].eax &= ~(1 << feature.bit)
            case .ebx: copy.leaves[n].ebx &= ~(1 << feature.bit)
            case .ecx: copy.leaves[n].ecx &= ~(1 << feature.bit)
            case .edx: copy.leaves[n].edx &= ~(1 << feature.bit)
            }
        }
        return copy
    }

    /// The same processor with another MAXPHYADDR.
    public func with(physicalAddressBits bits: UInt8) -> ProcessorModel {
        var copy = self
        copy.physicalAddressBits = bits
        copy.addLeaf(0x8000_0008)
        for n in copy.leaves.indices where copy.leaves[n].leaf == 0x8000_0008 {
            copy.leaves[n].eax = copy.leaves[n].eax & ~0xFF | UInt32(bits)
        }
        return copy
    }

    public func named(_ name: String) -> ProcessorModel {
        var copy = self
        copy.name = name
        return copy
    }

    /// A leaf that is missing is taken from a model that has it, and the highest leaf raised to it.
    private mutating func addLeaf(_ leaf: UInt32) {
        guard !leaves.contains(where: { $0.leaf == leaf }) else { return }
        for l in ProcessorModel.complete where l.leaf == leaf { leaves.append(l) }
        for n in leaves.indices where leaves[n].leaf == leaf & 0x8000_0000 {
            leaves[n].eax = Swift.max(leaves[n].eax, leaf)
        }
    }
}

extension CPUIDFeature {
    /// The feature as the instruction tables spell it.
    var instructions: StaticString {
        switch self {
        case .sse4_1: "SSE4_1"
        case .sse4_2: "SSE4_2"
        case .aes: "AES"
        default: name
        }
    }

    /// Modelled features whose flag changes nothing but CPUID: the machine has them in every model, so they cannot be
    /// left out.
    public static let inEveryModel: [CPUIDFeature] = [
        .de, .pse, .tsc, .msr, .pae, .mce, .cx8, .sep, .mtrr, .pge, .mca, .cmov, .pat, .pse36, .lahf, .syscall,
        .intel64, .prefetchw
    ]
}
