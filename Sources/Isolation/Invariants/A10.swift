import LVD
import X86Architecture
import X86Machine

/// Between two domains there is always the kernel.
public struct A10: Invariant {
    public static let id = "A10"
    public static let statement = "No VMFUNC leads from one domain's view into another's."
    public init() {}

    public mutating func check(_ event: Event, in situation: Situation, _ verdict: inout Verdict) {
        guard case .eptpSwitch(let rip, let index, let from, let to) = event,
            let kernel = situation.views.kernelEPTP[situation.processor]
        else { return }
        verdict.evaluated()
        if from != kernel, to != kernel, from != to {
            verdict.violated(
                "a VMFUNC with list index \(index) led from the view \(hex(from)) of one domain into that of another, "
                    + hex(to), at: rip)
        }
    }
}
