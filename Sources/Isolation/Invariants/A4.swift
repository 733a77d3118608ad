import Boot
import LVD
import X86Architecture
import X86Machine

/// Wherever a domain has put its stack pointer, an interrupt does not use it.
public struct A4: Invariant {
    public static let id = "A4"
    public static let statement =
        "Every gate of the IDT is an interrupt gate with an interrupt stack, and each delivery pushes its frame onto "
        + "an interrupt stack of its processor."
    public init() {}

    private var scanned: Set<Int> = []

    public mutating func check(_ event: Event, in situation: Situation, _ verdict: inout Verdict) {
        guard let stacks = situation.layout.interruptStacks else { return }
        let processor = situation.processor
        guard let kernel = situation.views.kernelEPTP[processor] else { return }
        switch event {
        case .eptpSwitch where scanned.insert(processor).inserted:
            verdict.evaluated()
            scan(AddressView(cr3: situation.machine.cr3(of: processor), eptp: kernel), situation, &verdict)
        case .delivered(let vector, _, let rip, _, let frame) where situation.machine.vmx(of: processor).inNonRoot:
            verdict.evaluated()
            if !stacks.part(of: processor).contains(frame.rawValue) {
                verdict.violated(
                    "vector \(vector) pushed its frame at \(situation.describe(frame.rawValue)), which is no interrupt "
                        + "stack of processor \(processor)", at: rip)
            }
        default:
            break
        }
    }

    /// SDM 3A 6.14.1 "64-Bit Mode IDT": the type is in bits 43:40 of a gate, the IST index in bits 34:32.
    private func scan(_ view: AddressView, _ situation: Situation, _ verdict: inout Verdict) {
        let idt = situation.registers.idt
        var reader = TranslationReader(situation.machine)
        for vector in 0..<(UInt64(idt.limit) + 1) / 16 {
            let address = idt.base &+ vector * 16
            guard let place = reader.translate(address, in: view) else { continue }
            let gate = situation.machine.word(at: place.physical)
            guard gate >> 47 & 1 != 0 else { continue }
            if gate >> 40 & 0xF != 0xE || gate >> 32 & 7 == 0 {
                verdict.violated(
                    "the gate of vector \(vector) is \(hex(gate)): type \(gate >> 40 & 0xF), interrupt stack "
                        + "\(gate >> 32 & 7)", at: LinearAddress(address))
            }
        }
    }
}
