import Boot
import LVD
import X86Architecture
import X86Machine

/// A domain names what it holds, and nothing else: the kernel works for no name that it has not given.
public struct S19: Invariant {
    public static let id = "S19"
    public static let statement =
        "A call out of a domain that names a capability which its space does not hold under that name, or of another "
        + "type, does not return to it."
    public init() {}

    private var words = KernelWords()
    private var tables: Tables?
    /// What is wrong with each open call out of a domain; nil: nothing.
    private var open = OpenCalls<String?>()

    /// Where names are in messages and capabilities in memory, as the kernel says itself (kernel/host_tables.c).
    private struct Tables: Sendable {
        /// By the first word of the message.
        var slots: [UInt64: [(slot: Int, type: UInt64, mayBeNothing: Bool)]] = [:]
        var domains: UInt64 = 0
        var spaceInDomain: UInt64 = 0, capabilities: UInt64 = 0, capabilityBytes: UInt64 = 0, count: UInt64 = 0
        var typeOffset: UInt64 = 0
    }
    /// Registers of the first six slots of a message (Sources/Guest/include/lvd/rpc.h): RDX, R8 to R12.
    private static let slotRegisters = [2, 8, 9, 10, 11, 12]

    public mutating func check(_ event: Event, in situation: Situation, _ verdict: inout Verdict) {
        guard case .eptpSwitch(let rip, let index, let from, let to) = event else { return }
        let machine = situation.machine, processor = situation.processor
        let rsp = machine.general(4, of: processor)
        switch situation.sites.crossing(rip: rip, index: index) {
        case .call:
            _ = open.begin(.domain, rsp: rsp, nil)
        case .callReturn:
            _ = open.end(.domain, rsp: rsp)
        case .callback:
            let view = AddressView(cr3: machine.cr3(of: processor), eptp: to)
            _ = open.begin(.kernel, rsp: rsp, judge(from, view, situation, &verdict))
        case .callbackReturn:
            guard let flaw = open.end(.kernel, rsp: rsp).value ?? nil else { return }
            verdict.violated("\(flaw); it is answered", at: rip)
        case .interruptEntry, .interruptReturn, .rogue:
            break
        }
    }

    private mutating func judge(
        _ eptp: UInt64, _ kernel: AddressView, _ situation: Situation, _ verdict: inout Verdict
    ) -> String? {
        let machine = situation.machine, processor = situation.processor
        if tables == nil { tables = read(kernel, situation) }
        let message = machine.general(7, of: processor)
        guard let tables, let named = tables.slots[message],
            let domain = situation.views.domains.first(where: { $0.processor == processor && $0.eptp == eptp }),
            let driver = domain.driver, let number = situation.layout.drivers[driver].domain,
            let structure = words.word(tables.domains + UInt64(number) * 8, in: kernel, machine), structure != 0
        else { return nil }
        let space = structure + tables.spaceInDomain + tables.capabilities
        for (slot, type, mayBeNothing) in named {
            let name = machine.general(Self.slotRegisters[slot], of: processor)
            if name == 0, mayBeNothing { continue }
            verdict.evaluated()
            let at = space + (name & 0xfff) * tables.capabilityBytes
            if name != 0, name & 0xfff < tables.count, words.word(at, in: kernel, machine) == name,
                words.word(at + tables.typeOffset, in: kernel, machine).map({ $0 & 0xff }) == type
            {
                continue
            }
            let call = situation.layout.procedureNames.first {
                $0.isCallback && UInt64($0.kind) << 32 | UInt64($0.number) == message
            }
            return "domain \(situation.name(domain)) names capability \(hex(name)), which it does not hold as such, in "
                + (call?.name.lowercased() ?? "message \(hex(message))")
        }
        return nil
    }

    private mutating func read(_ kernel: AddressView, _ situation: Situation) -> Tables? {
        guard let list = situation.layout.kernel["lvd_names_in_messages"],
            let places = situation.layout.kernel["lvd_capability_places"],
            let domains = situation.layout.kernel["domains"]
        else { return nil }
        var tables = Tables()
        tables.domains = domains.rawValue
        func words(_ at: UInt64, _ count: UInt64) -> [UInt64]? {
            var found: [UInt64] = []
            for n in 0..<count {
                guard let word = self.words.word(at + n * 8, in: kernel, situation.machine) else { return nil }
                found.append(word)
            }
            return found
        }
        guard let numbers = words(places.rawValue, 5) else { return nil }
        (tables.spaceInDomain, tables.capabilities, tables.capabilityBytes) = (numbers[0], numbers[1], numbers[2])
        (tables.typeOffset, tables.count) = (numbers[3], numbers[4])
        var at = list.rawValue
        while let row = words(at, 4), row[0] != 0 {
            tables.slots[row[0], default: []].append((Int(row[1] % 6), row[2], row[3] != 0))
            at += 32
        }
        return tables
    }
}
