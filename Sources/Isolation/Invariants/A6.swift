import LVD
import X86Architecture
import X86Machine

/// A domain cannot send interprocessor interrupts.
public struct A6: Invariant {
    public static let id = "A6"
    public static let statement =
        "No domain's view maps a local APIC's registers, and writes to their model-specific registers exit."
    public init() {}

    public mutating func check(_ event: Event, in situation: Situation, _ verdict: inout Verdict) {
        guard situation.structuresChanged else { return }
        verdict.evaluated()
        for entry in situation.census.entries {
            let page = situation.machine.registers(of: entry.domain.processor).apicBase & ~Page.offsetMask
            if let mapping = entry.mappings.first(where: { $0.physicalRange.contains(page) }) {
                verdict.violated(
                    "the local APIC's page is mapped in domain \(situation.name(entry.domain)) at "
                        + situation.describe(mapping.linear), at: LinearAddress(mapping.linear))
            }
        }
        if situation.views.isInDomain(situation.processor) { checkBitmap(situation, &verdict) }
    }

    /// SDM 3C 27.6.9 "MSR-Bitmap Address": writes of the low registers are governed by bytes 2048 to 3071.
    private func checkBitmap(_ situation: Situation, _ verdict: inout Verdict) {
        let machine = situation.machine, processor = situation.processor
        guard let controls = machine.vmcsField(.processorBasedControls, of: processor),
            controls & UInt64(ProcessorBasedControls.useMSRBitmaps.rawValue) != 0,
            let bitmap = machine.vmcsField(.msrBitmaps, of: processor)
        else { return }
        for register in stride(from: UInt64(0x800), to: 0x900, by: 64) {
            let word = machine.word(at: PhysicalAddress(bitmap + 2048 + register / 8))
            if word != .max {
                verdict.violated(
                    "WRMSR of x2APIC registers from \(hex(register + UInt64((~word).trailingZeroBitCount))) on do "
                        + "not exit on processor \(processor)", at: machine.rip(of: processor))
                return
            }
        }
    }
}
