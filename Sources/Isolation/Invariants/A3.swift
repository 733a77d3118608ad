import Boot
import LVD
import X86Architecture
import X86Machine

/// A domain that runs on another processor cannot write the frame of an interrupt that is being handled here.
public struct A3: Invariant {
    public static let id = "A3"
    public static let statement =
        "A processor's interrupt stacks are mapped in the kernel's view and in domains' views on this processor only."
    public init() {}

    public mutating func check(_ event: Event, in situation: Situation, _ verdict: inout Verdict) {
        guard situation.structuresChanged, let stacks = situation.layout.interruptStacks else { return }
        verdict.evaluated()
        for owner in 0..<situation.machine.processorCount {
            guard let eptp = situation.views.kernelEPTP[owner] else { continue }
            var reader = TranslationReader(situation.machine)
            let view = AddressView(cr3: situation.machine.cr3(of: owner), eptp: eptp)
            for page in stride(from: stacks.part(of: owner).lowerBound, to: stacks.part(of: owner).upperBound, by: 4096)
            {
                guard let own = reader.translate(page, in: view) else { continue }
                check(own.physical, LinearAddress(page), of: owner, situation, &verdict)
            }
        }
    }

    private func check(
        _ physical: PhysicalAddress, _ linear: LinearAddress, of owner: Int, _ situation: Situation,
        _ verdict: inout Verdict
    ) {
        for entry in situation.census.entries where entry.domain.processor != owner {
            // By whatever address: what counts is the memory.
            guard let mapping = entry.mappings.first(where: { $0.physicalRange.contains(physical.rawValue) }) else {
                continue
            }
            verdict.violated(
                "an interrupt stack of processor \(owner) is mapped in domain \(situation.name(entry.domain)) on "
                    + "processor \(entry.domain.processor) at \(situation.describe(mapping.linear))", at: linear)
            return
        }
    }
}
