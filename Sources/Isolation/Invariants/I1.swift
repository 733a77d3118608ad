import Boot
import LVD
import X86Architecture
import X86Machine

/// Two views never hold code or data of their own at one address, so that a VMFUNC that nobody placed lands nowhere.
public struct I1: Invariant {
    public static let id = "I1"
    public static let statement =
        "No linear address of a domain is mapped in the kernel or in another domain, shared pages aside; "
        + "behind any other VMFUNC the next fetch faults."
    public init() {}

    public mutating func check(_ event: Event, in situation: Situation, _ verdict: inout Verdict) {
        if case .eptpSwitch(let rip, let index, _, _) = event, !situation.sites.isDeclared(rip) {
            verdict.evaluated()
            checkLanding(rip, index, situation, &verdict)
        }
        guard situation.structuresChanged else { return }
        verdict.evaluated()
        for (number, entry) in situation.census.entries.enumerated() {
            checkKernel(entry, situation, &verdict)
            for other in situation.census.entries[..<number] where other.domain.driver != entry.domain.driver {
                checkPair(entry, other, situation, &verdict)
            }
        }
    }

    /// VMFUNC is three bytes (0F 01 D4); what follows it is fetched in the view that it switched to.
    private func checkLanding(_ rip: LinearAddress, _ index: UInt32, _ situation: Situation, _ verdict: inout Verdict) {
        guard let eptp = situation.views.activeEPTP[situation.processor] else { return }
        var reader = TranslationReader(situation.machine)
        let view = AddressView(cr3: situation.machine.cr3(of: situation.processor), eptp: eptp)
        let next = rip.rawValue &+ 3
        guard let landing = reader.translate(next, in: view), landing.executable else { return }
        verdict.violated(
            "a VMFUNC at \(situation.describe(rip.rawValue)), which is none of the kernel's crossings, switched to "
                + "list entry \(index), and the code behind it at \(situation.describe(next)) is executable there",
            at: rip)
    }

    private func checkKernel(_ entry: Census.Entry, _ situation: Situation, _ verdict: inout Verdict) {
        guard let kernel = situation.views.kernelEPTP[entry.domain.processor] else { return }
        var reader = TranslationReader(situation.machine)
        for root in entry.roots {
            checkKernel(entry, AddressView(cr3: root, eptp: kernel), &reader, situation, &verdict)
        }
    }

    private func checkKernel(
        _ entry: Census.Entry, _ view: AddressView, _ reader: inout TranslationReader, _ situation: Situation,
        _ verdict: inout Verdict
    ) {
        for mapping in entry.mappings {
            var address = mapping.linear
            while address < mapping.linearRange.upperBound {
                if !situation.layout.isShared(address), reader.translate(address, in: view) != nil {
                    verdict.violated(
                        "\(situation.describe(address)) is mapped in domain \(situation.name(entry.domain)) "
                            + "(\(rights(mapping))) and in the kernel", at: LinearAddress(address))
                    return
                }
                address += Page.size
            }
        }
    }

    private func checkPair(_ a: Census.Entry, _ b: Census.Entry, _ situation: Situation, _ verdict: inout Verdict) {
        var i = 0
        var j = 0
        while i < a.mappings.count, j < b.mappings.count {
            let first = a.mappings[i].linearRange
            let second = b.mappings[j].linearRange
            let address = max(first.lowerBound, second.lowerBound)
            if first.overlaps(second), !situation.layout.isShared(address) {
                verdict.violated(
                    "\(situation.describe(address)) is mapped in domain \(situation.name(a.domain)) and in domain "
                        + situation.name(b.domain), at: LinearAddress(address))
                return
            }
            if first.upperBound <= second.upperBound { i += 1 } else { j += 1 }
        }
    }

    private func rights(_ mapping: PageMapping) -> String {
        "r" + (mapping.writable ? "w" : "-") + (mapping.executable ? "x" : "-")
    }
}
