import LVD
import X86Architecture
import X86Machine

/// The EPTP list of a processor holds the kernel's view and the view about to be entered, and no domain can write it.
public struct A2: Invariant {
    public static let id = "A2"
    public static let statement =
        "A processor's EPTP list has two valid entries: 0, this processor's EPT of the kernel, and 1, this "
        + "processor's EPT of the domain to be called; no domain can write the list."
    public init() {}

    /// Lists that were scanned to their end, by processor; the machine reports every write to them since.
    private var scanned: [Int: PhysicalAddress] = [:]

    public mutating func check(_ event: Event, in situation: Situation, _ verdict: inout Verdict) {
        switch event {
        case .eptpSwitch(let rip, _, _, _):
            checkList(of: situation.processor, wasWritten: false, at: rip, situation, &verdict)
        case .watchedWrite(let address, _, let rip):
            for processor in 0..<situation.machine.processorCount
            where situation.machine.vmx(of: processor).eptpList?.page == address.page {
                checkList(of: processor, wasWritten: true, at: rip, situation, &verdict)
            }
        default:
            break
        }
        if situation.structuresChanged { checkWritability(situation, &verdict) }
    }

    /// - Parameter wasWritten: the kernel may be rewriting entry 1, which then may be missing for a while.
    private mutating func checkList(
        of processor: Int, wasWritten: Bool, at rip: LinearAddress, _ situation: Situation, _ verdict: inout Verdict
    ) {
        guard let list = situation.machine.vmx(of: processor).eptpList,
            let kernel = situation.views.kernelEPTP[processor]
        else { return }
        verdict.evaluated()
        func entry(_ index: UInt64) -> UInt64 { situation.machine.word(at: list + index * 8) }
        let first = entry(0)
        if first != kernel, !wasWritten || first != 0 {
            verdict.violated(
                "entry 0 of processor \(processor)'s EPTP list is \(hex(first)), the kernel's EPTP there is "
                    + hex(kernel), at: rip)
        }
        let second = entry(1)
        if !wasWritten || isValid(second) {
            checkDomainEntry(second, kernel, processor, rip, situation, &verdict)
        }
        if !wasWritten, scanned[processor] == list { return }
        scanned[processor] = list
        for index in UInt64(2)..<512 where isValid(entry(index)) {
            verdict.violated(
                "entry \(index) of processor \(processor)'s EPTP list is \(hex(entry(index))), expected none valid "
                    + "beyond 1", at: rip)
            return
        }
    }

    private func checkDomainEntry(
        _ eptp: UInt64, _ kernel: UInt64, _ processor: Int, _ rip: LinearAddress, _ situation: Situation,
        _ verdict: inout Verdict
    ) {
        let name = "entry 1 of processor \(processor)'s EPTP list"
        if !isValid(eptp) {
            verdict.violated("\(name) is \(hex(eptp)), expected the EPTP of the domain to be called", at: rip)
        } else if EPTPointer(eptp).root == EPTPointer(kernel).root {
            verdict.violated("\(name) is the kernel's own EPT \(hex(eptp))", at: rip)
        } else if let owner = situation.views.domains.first(where: { $0.eptp == eptp && $0.processor != processor }),
            !situation.views.domains.contains(where: { $0.eptp == eptp && $0.processor < owner.processor })
        {
            verdict.violated("\(name) is \(hex(eptp)), which belongs to processor \(owner.processor)", at: rip)
        }
    }

    private func checkWritability(_ situation: Situation, _ verdict: inout Verdict) {
        verdict.evaluated()
        for processor in 0..<situation.machine.processorCount {
            guard let list = situation.machine.vmx(of: processor).eptpList else { continue }
            for census in situation.census.entries {
                guard
                    let mapping = census.mappings.first(where: {
                        $0.writable && $0.physicalRange.contains(list.rawValue)
                    })
                else { continue }
                verdict.violated(
                    "processor \(processor)'s EPTP list is writable in domain \(situation.name(census.domain)) at "
                        + situation.describe(mapping.linear), at: LinearAddress(mapping.linear))
            }
        }
    }

    private func isValid(_ eptp: UInt64) -> Bool { EPTPointer(eptp).isValid(physicalAddressBits: 52) }
}
