import Boot
import LVD
import X86Architecture
import X86Machine

/// Nested calls cannot use up the kernel's stack.
public struct A9: Invariant {
    public static let id = "A9"
    public static let statement =
        "When the kernel calls a domain, at least \(least) bytes of the thread's kernel stack are left."
    /// What the deepest path of the kernel from there on needs, with an interrupt on top.
    static let least: UInt64 = 4096
    public init() {}

    /// Words of `struct lvd_state_page` and of the per-CPU area (Sources/Guest/include/lvd).
    private static let kernelESP: UInt64 = 24, kernelGSBase: UInt64 = 32, current: UInt64 = 0x40

    private var words = KernelWords()
    private var stackOffset: UInt64?

    public mutating func check(_ event: Event, in situation: Situation, _ verdict: inout Verdict) {
        guard case .eptpSwitch(let rip, let index, let from, _) = event,
            situation.sites.crossing(rip: rip, index: index) == .call,
            let place = situation.layout.kernel["lvd_thread_kernel_stack"]
        else { return }
        let view = AddressView(cr3: situation.machine.cr3(of: situation.processor), eptp: from)
        let offset: UInt64
        if let stackOffset {
            offset = stackOffset
        } else {
            guard let word = words.word(place.rawValue, in: view, situation.machine) else { return }
            (offset, stackOffset) = (word, word)
        }
        guard let state = situation.census.statePage(in: view) else { return }
        let esp = situation.machine.word(at: state + Self.kernelESP)
        let machine = situation.machine
        let currentThread = machine.word(at: state + Self.kernelGSBase) &+ Self.current
        guard let thread = words.word(currentThread, in: view, machine),
            let stack = words.word(thread &+ offset, in: view, machine)
        else { return }
        verdict.evaluated()
        if esp < stack || esp - stack < Self.least {
            verdict.violated(
                "a domain is called with \(esp < stack ? 0 : esp - stack) bytes of the kernel's stack left", at: rip)
        }
    }
}
