import LVD
import X86Architecture
import X86Machine

/// Extended state across crossings. Of the other registers of the paper's rule, the way in is S11's; on the way out the
/// crossing replaces them before it uses them, and the kernel itself looks whether its extended state has survived.
public struct I5: Invariant {
    public static let id = "I5"
    public static let statement =
        "When a view becomes a domain's, x87 and XMM registers hold zero or what that domain left in them."
    public init() {}

    /// What the latest ways out of each domain, by driver, left. A thread may come back on another processor, so they
    /// are not told apart.
    private var left: [Int: [Set<UInt64>]] = [:]
    private static let leftMax = 64

    public mutating func check(_ event: Event, in situation: Situation, _ verdict: inout Verdict) {
        guard case .eptpSwitch(let rip, let index, let old, _) = event else { return }
        let values = Self.values(situation)
        if let domain = situation.views.domain(of: situation.processor) {
            let crossing = situation.sites.crossing(rip: rip, index: index)
            guard crossing == .call || crossing == .callbackReturn || crossing == .interruptReturn else { return }
            verdict.evaluated()
            let known = left[domain.driver ?? -1] ?? []
            for (place, value) in values where !known.contains(where: { $0.contains(value) }) {
                verdict.violated("\(place) holds \(hex(value)) on the way in", at: rip)
            }
        } else if !values.isEmpty,
            let domain = situation.views.domains.first(where: {
                $0.processor == situation.processor && $0.eptp == old
            })
        {
            left[domain.driver ?? -1, default: []].append(Set(values.map(\.value)))
            if left[domain.driver ?? -1]!.count > Self.leftMax { left[domain.driver ?? -1]!.removeFirst() }
        }
    }

    /// What is not zero.
    private static func values(_ situation: Situation) -> [(place: String, value: UInt64)] {
        var values: [(String, UInt64)] = []
        for number in 0..<16 {
            let (low, high) = situation.machine.vector(number, of: situation.processor)
            if low != 0 { values.append(("XMM\(number)", low)) }
            if high != 0 { values.append(("XMM\(number)", high)) }
        }
        for number in 0..<8 {
            let value = situation.machine.x87(number, of: situation.processor)
            if value != 0 { values.append(("R\(number)", value)) }
        }
        return values
    }
}
