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

/// Matches each crossing with the one that ends it. Calls nest on the domain's stack, which belongs to one thread from
/// the outermost call to its return: the stack pointer at the VMFUNC says which call is meant, on whichever processor
/// the thread runs by then.
struct CallFollower {
    private struct Frame {
        var procedure: RemoteProcedure
        var rsp: UInt64
        var start: UInt64
    }
    /// Per stack in use its open calls and callbacks, outermost first; the innermost has the lowest address.
    private var stacks: [[Frame]] = []
    private(set) var statistics = CallStatistics()

    /// A domain's stack, LVD_STACK_SIZE in Sources/Guest/include/lvd/layout.h.
    static let stackSize: UInt64 = 0x2000

    /// - Parameters: the state right after the VMFUNC, which changes neither RSP nor RDI.
    mutating func follow(_ crossing: Crossing, rsp: UInt64, rdi: UInt64, cycle: UInt64) {
        switch crossing {
        case .call: begin(.domain, rsp, rdi, cycle)
        case .callback: begin(.kernel, rsp, rdi, cycle)
        case .callReturn: finish(.domain, rsp, cycle)
        case .callbackReturn: finish(.kernel, rsp, cycle)
        case .interruptEntry, .interruptReturn, .rogue: break
        }
    }

    /// The stack that holds `rsp`: its outermost call began with the empty stack.
    private func stack(of rsp: UInt64) -> Int? {
        stacks.firstIndex { $0[0].rsp >= rsp && $0[0].rsp - rsp < Self.stackSize }
    }

    private mutating func begin(_ side: RemoteProcedure.Side, _ rsp: UInt64, _ word: UInt64, _ cycle: UInt64) {
        let place = stack(of: rsp) ?? stacks.count
        if place == stacks.count { stacks.append([]) }
        // What is not above this one was left without a return; a call inside a callback starts where that left off.
        drop(place) { $0.rsp < rsp || $0.rsp == rsp && ($0.procedure.side == side || side == .kernel) }
        stacks[place].append(Frame(procedure: .init(side, word: word), rsp: rsp, start: cycle))
        if side == .domain { statistics.called(atDepth: stacks[place].count { $0.procedure.side == .domain }) }
    }

    private mutating func finish(_ side: RemoteProcedure.Side, _ rsp: UInt64, _ cycle: UInt64) {
        guard let place = stack(of: rsp) else { return }
        drop(place) { $0.rsp < rsp || $0.rsp == rsp && $0.procedure.side != side }
        if let last = stacks[place].last, last.rsp == rsp, last.procedure.side == side {
            stacks[place].removeLast()
            statistics.finished(last.procedure, after: cycle &- last.start)
        }
        if stacks[place].isEmpty { stacks.remove(at: place) }
    }

    private mutating func drop(_ place: Int, while isGone: (Frame) -> Bool) {
        while let last = stacks[place].last, isGone(last) {
            stacks[place].removeLast()
            statistics.abandoned(1)
        }
    }

    /// The statistics with what is still open counted as unanswered.
    var finished: CallStatistics {
        var result = statistics
        result.abandoned(stacks.reduce(0) { $0 + $1.count })
        return result
    }
}
