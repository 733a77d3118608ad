/// Durations, each kept: any quantile is exact.
public struct CycleDistribution: Sendable, Equatable {
    /// How often each duration occurred.
    private var occurrences: [UInt64: UInt64] = [:]
    public private(set) var count: UInt64 = 0
    public private(set) var total: UInt64 = 0

    public init() {}

    public mutating func add(_ cycles: UInt64) {
        occurrences[cycles, default: 0] += 1
        count += 1
        total &+= cycles
    }

    /// The values at the given shares, in percent, by the nearest-rank method: the least value that is not exceeded
    /// by at least so many percent of all. 0 is the minimum, 100 the maximum; nil without values.
    public func percentiles(_ shares: [UInt64]) -> [UInt64]? {
        guard count > 0 else { return nil }
        let ascending = occurrences.sorted { $0.key < $1.key }
        return shares.map { share in
            let rank = max(1, (UInt64(count) * share + 99) / 100)
            var seen: UInt64 = 0
            for (value, times) in ascending {
                seen += times
                if seen >= rank { return value }
            }
            return ascending[ascending.count - 1].key
        }
    }
}
