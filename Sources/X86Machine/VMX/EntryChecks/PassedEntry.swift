import X86Architecture

/// What the latest VM entry that passed every check looked at. An entry with the same inputs passes as well, so the
/// checks need not run again: a hypervisor that only handles an exit and resumes changes RIP, RSP and flags.
///
/// Derived and exact: the checks are functions of the VMCS and of `Inputs` (and of `EntryChecks.memory`, and then
/// nothing is recorded), so losing the record at any time changes no result.
final class PassedEntry {
    /// What checks depend on besides the fields of the VMCS.
    private struct Inputs: Equatable {
        let pointer: UInt64
        let physicalMask: UInt64
        let cr4Fixed1: UInt64
        let isLongMode: Bool
        init(_ c: EntryChecks) {
            pointer = c.pointer
            physicalMask = c.physicalMask
            cr4Fixed1 = c.cr4Fixed1
            isLongMode = c.isLongMode
        }
    }

    @exclusivity(unchecked) private var inputs: Inputs?
    private let fields: UnsafeMutableRawPointer
    /// A check has read memory since `forget`.
    @exclusivity(unchecked) var dependsOnMemory = false

    init() { fields = .allocate(byteCount: VMCS.fieldBytes.upperBound, alignment: 8) }
    deinit { fields.deallocate() }

    func forget() {
        inputs = nil
        dependsOnMemory = false
    }
    /// All checks have passed.
    func record(_ checks: EntryChecks) {
        guard !dependsOnMemory else { return }
        inputs = Inputs(checks)
        let range = VMCS.fieldBytes
        (fields + range.lowerBound).copyMemory(from: checks.vmcs.base + range.lowerBound, byteCount: range.count)
    }

    /// Whether every check passes because it did before.
    func covers(_ checks: EntryChecks) -> Bool {
        guard let inputs, inputs == Inputs(checks) else { return false }
        let vmcs = checks.vmcs
        // No check looks at these; but two look at RIP, and run.
        for i in Self.unchecked.indices { copy(Self.unchecked[i], vmcs) }
        let flags = VMCS.offset(.guestRFLAGS)
        let changed = fields.load(fromByteOffset: flags, as: UInt64.self) ^ vmcs[.guestRFLAGS]
        if changed & ~RFLAGS.arithmetic != 0 { return false }
        copy(.guestRFLAGS, vmcs)
        // Exit information is left out.
        let difference = difference(vmcs, 0x0000, 0x2400) | difference(vmcs, 0x2800, 0x4400)
            | difference(vmcs, 0x4800, 0x6400) | difference(vmcs, 0x6800, nil)
        return difference == 0 && EntryChecks.guestRIPHigh(checks) == nil
            && EntryChecks.guestRIPCanonicalWidth(checks) == nil
    }
    static let unchecked: InlineArray<3, VMCSField> = [.guestRIP, .guestRSP, .preemptionTimerValue]

    /// Not 0 if fields differ, from one encoding up to before another (nil: to the end of the region's fields).
    private func difference(_ vmcs: VMCS, _ first: UInt32, _ end: UInt32?) -> UInt64 {
        var difference: UInt64 = 0
        var offset = VMCS.offset(encoding: first)
        let limit = end.map { VMCS.offset(encoding: $0) } ?? VMCS.fieldBytes.upperBound
        while offset < limit {
            difference |= fields.load(fromByteOffset: offset, as: UInt64.self)
                ^ vmcs.base.load(fromByteOffset: offset, as: UInt64.self)
            offset &+= 8
        }
        return difference
    }
    private func copy(_ field: VMCSField, _ vmcs: VMCS) {
        fields.storeBytes(of: vmcs[field], toByteOffset: VMCS.offset(field), as: UInt64.self)
    }
}
