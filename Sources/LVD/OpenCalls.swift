/// What is remembered of calls and callbacks that are not over. They nest on the domain's stack, which belongs to one
/// thread from the outermost call to its return: the stack pointer at a VMFUNC says which call is meant, on whichever
/// processor the thread runs by then.
public struct OpenCalls<Value: Sendable>: Sendable {
    private struct Frame: Sendable {
        var side: RemoteProcedure.Side
        var rsp: UInt64
        var value: Value
    }
    /// Per stack in use its frames, outermost first; the innermost has the lowest address.
    private var stacks: [[Frame]] = []

    public init() {}

    /// A domain's stack, LVD_STACK_SIZE in Sources/Guest/include/lvd/layout.h.
    static var stackSize: UInt64 { 0x2000 }

    /// The stack that holds `rsp`: its outermost call began with the empty stack.
    private func stack(of rsp: UInt64) -> Int? {
        stacks.firstIndex { $0[0].rsp >= rsp && $0[0].rsp - rsp < Self.stackSize }
    }

    /// How many calls are open.
    public var count: Int { stacks.reduce(0) { $0 + $1.count } }

    /// - Parameter rsp: the stack pointer at the VMFUNC, before it or after it.
    /// - Returns: how many calls into the domain are now open on this stack, and how many calls and callbacks turned
    ///   out to have been left without a return.
    public mutating func begin(_ side: RemoteProcedure.Side, rsp: UInt64, _ value: Value) -> (depth: Int, left: Int) {
        let place = stack(of: rsp) ?? stacks.count
        if place == stacks.count { stacks.append([]) }
        // What is not above this one was left without a return; a call inside a callback starts where that left off.
        let left = drop(place) { $0.rsp < rsp || $0.rsp == rsp && ($0.side == side || side == .kernel) }
        stacks[place].append(Frame(side: side, rsp: rsp, value: value))
        return (stacks[place].count { $0.side == .domain }, left)
    }

    /// - Returns: what `begin` was given for the call that ends here, nil if there was none; and as `begin`.
    public mutating func end(_ side: RemoteProcedure.Side, rsp: UInt64) -> (value: Value?, left: Int) {
        guard let place = stack(of: rsp) else { return (nil, 0) }
        let left = drop(place) { $0.rsp < rsp || $0.rsp == rsp && $0.side != side }
        var value: Value?
        if let last = stacks[place].last, last.rsp == rsp, last.side == side {
            value = last.value
            stacks[place].removeLast()
        }
        if stacks[place].isEmpty { stacks.remove(at: place) }
        return (value, left)
    }

    /// What is remembered of the innermost call of one side on the stack that holds `rsp`.
    public func innermost(_ side: RemoteProcedure.Side, rsp: UInt64) -> Value? {
        stack(of: rsp).flatMap { stacks[$0].last { $0.side == side && $0.rsp >= rsp }?.value }
    }

    private mutating func drop(_ place: Int, while isGone: (Frame) -> Bool) -> Int {
        let before = stacks[place].count
        while let last = stacks[place].last, isGone(last) { stacks[place].removeLast() }
        return before - stacks[place].count
    }
}
