import Boot
import X86Architecture

/// What is called across a boundary: which side answers, and the first word of the message.
public struct RemoteProcedure: Sendable, Hashable, Comparable {
    public enum Side: UInt8, Sendable {
        /// The domain answers a call of the kernel.
        case domain
        /// The kernel answers a callback of the domain.
        case kernel
    }
    public var side: Side
    /// `LVD_CLASS_...` of Sources/Guest/include/lvd/rpc.h.
    public var kind: UInt32
    public var number: UInt32

    /// - Parameter word: low half number, high half class.
    public init(_ side: Side, word: UInt64) {
        self.side = side
        kind = UInt32(truncatingIfNeeded: word >> 32)
        number = UInt32(truncatingIfNeeded: word)
    }

    public static func < (a: Self, b: Self) -> Bool {
        (a.side.rawValue, a.kind, a.number) < (b.side.rawValue, b.kind, b.number)
    }
}

/// How often and how long each procedure ran, and how deeply calls were nested.
public struct CallStatistics: Sendable, Equatable {
    /// From the VMFUNC that carries a call to the one that carries its answer, whatever happens in between: interrupts,
    /// callbacks and calls inside them, other threads.
    private var durations: [RemoteProcedure: CycleDistribution] = [:]
    /// Calls into a domain by nesting: the first are those from outside, the second those from a callback of a call.
    public private(set) var callsByDepth: [UInt64] = []
    /// Calls and callbacks that were never answered: the domain was terminated or the run ended.
    public private(set) var unanswered: UInt64 = 0

    public init() {}

    /// Ascending: calls, then callbacks, each by class and number.
    public var procedures: [(procedure: RemoteProcedure, cycles: CycleDistribution)] {
        durations.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    fileprivate mutating func finished(_ procedure: RemoteProcedure, after cycles: UInt64) {
        durations[procedure, default: CycleDistribution()].add(cycles)
    }
    fileprivate mutating func called(atDepth depth: Int) {
        while callsByDepth.count < depth { callsByDepth.append(0) }
        callsByDepth[depth - 1] += 1
    }
    fileprivate mutating func abandoned(_ count: Int) { unanswered += UInt64(count) }
}

/// Matches each crossing with the one that ends it.
struct CallFollower {
    private var open = OpenCalls<(procedure: RemoteProcedure, start: UInt64)>()
    private(set) var statistics = CallStatistics()

    /// - Parameters: the state right after the VMFUNC, which changes neither RSP nor RDI.
    mutating func follow(_ crossing: Crossing, rsp: UInt64, rdi: UInt64, cycle: UInt64) {
        switch crossing {
        case .call: statistics.called(atDepth: begin(.domain, rsp, rdi, cycle))
        case .callback: _ = begin(.kernel, rsp, rdi, cycle)
        case .callReturn: finish(.domain, rsp, cycle)
        case .callbackReturn: finish(.kernel, rsp, cycle)
        case .interruptEntry, .interruptReturn, .rogue: break
        }
    }

    private mutating func begin(
        _ side: RemoteProcedure.Side, _ rsp: UInt64, _ word: UInt64, _ cycle: UInt64
    ) -> Int {
        let (depth, left) = open.begin(side, rsp: rsp, (RemoteProcedure(side, word: word), cycle))
        statistics.abandoned(left)
        return depth
    }

    private mutating func finish(_ side: RemoteProcedure.Side, _ rsp: UInt64, _ cycle: UInt64) {
        let (call, left) = open.end(side, rsp: rsp)
        statistics.abandoned(left)
        if let call { statistics.finished(call.procedure, after: cycle &- call.start) }
    }

    /// The statistics with what is still open counted as unanswered.
    var finished: CallStatistics {
        var result = statistics
        result.abandoned(open.count)
        return result
    }
}
