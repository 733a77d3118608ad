import ArgumentParser
import Simulation
import X86Architecture
import X86Machine

/// `lvdsim walk`: how a linear address is translated, in both dimensions, by the structures and by the cache.
struct WalkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "walk",
        abstract: "Explain the translation of a linear address at one moment of a boot.",
        discussion: """
            Boots the image as lvdsim boot does, stops after --until instructions, and prints every entry that a walk \
            reads (guest paging structures, then EPT), the rights of both together, and what the processor has \
            cached for the address: where that differs from the structures, an invalidation is due.
            """)

    @OptionGroup var options: BootOptions

    @Argument(help: ArgumentHelp("The linear address, decimal or 0x and hexadecimal.", valueName: "address"))
    var address: String

    @Option(help: ArgumentHelp("Stop after this many instructions.", valueName: "n"))
    var until: UInt64 = 0

    @Option(help: ArgumentHelp("The processor.", valueName: "n"))
    var processor = 0

    func run() throws {
        guard let linear = Number.parse(address) else {
            throw UserError(.usage, "\(address): expected an address such as 0xffffffff80000000")
        }
        guard (0..<options.cpus).contains(processor) else {
            throw UserError(.usage, "--processor \(processor): expected 0 to \(options.cpus - 1), as --cpus says")
        }
        let machine = try options.machine()
        if until > 0 {
            let stop = machine.run(.instructions(until))
            if stop != .limit {
                Console.message("lvdsim: the guest ended before that, after \(machine.statistics.instructions)"
                    + " instructions; this is how it was then")
            }
        }
        try Console.output(TranslationReport(machine.view, processor: processor, LinearAddress(linear)).text)
    }
}

/// The words of `lvdsim walk`.
struct TranslationReport {
    private(set) var text = ""
    private let view: MachineView

    init(_ view: MachineView, processor: Int, _ linear: LinearAddress) {
        self.view = view
        let registers = view.registers(of: processor), vmx = view.vmx(of: processor)
        let isPaging = registers.cr0 & CR0.paging != 0, isLong = registers.efer & EFER.longModeActive != 0
        line("linear \(hex(linear.rawValue)), processor \(processor) at rip \(hex(registers.rip))"
            + ", CPL \(registers.cpl)")
        let operation = vmx.inNonRoot ? "VMX non-root" : vmx.inOperation ? "VMX root" : "no VMX"
        let paging = !isPaging ? "no paging" : isLong ? "4-level paging" : "32-bit or PAE paging"
        line("mode: \(operation) operation, \(paging)")
        line("tags: VPID \(vmx.vpid), PCID \(registers.cr4 & CR4.pcidEnable != 0 ? registers.cr3 & 0xFFF : 0)"
            + ", EPTP \(vmx.eptp.map { hex($0) } ?? "none")")
        line("structures:")
        let physical: PhysicalAddress?
        if isPaging && isLong {
            physical = walk(linear, cr3: registers.cr3, eptp: vmx.eptp)
        } else {
            physical = view.peek(linear, processor: processor)
            line("  physical \(physical.map { hex($0.rawValue) } ?? "none: not mapped")")
        }
        line("cached:")
        let cached = view.cachedTranslations(of: linear, processor: processor)
        if cached.isEmpty { line("  nothing") }
        for t in cached { describe(t, linear, fresh: physical) }
    }

    private mutating func line(_ words: String) { text += words + "\n" }

    private mutating func walk(_ linear: LinearAddress, cr3: UInt64, eptp: UInt64?) -> PhysicalAddress? {
        let walk = view.walkGuest(linear, cr3: cr3, eptp: eptp)
        for step in walk.steps { entry(step, guestFlags(step.entry)) }
        switch walk.outcome {
        case .notPresent(let level):
            line("  not present at level \(level): a page fault")
        case .unreadable:
            line("  not canonical, or a structure is not in RAM")
        case .eptNotPresent(let address):
            line("  guest-physical \(hex(address.rawValue))")
            if let eptp { _ = walkEPT(address, eptp) }
        case .mapped(let guest, let physical, let writable, let user, let executable, let shift):
            let rights = "\(user ? "user" : "supervisor"), read\(writable ? " write" : "")"
                + (executable ? " execute" : "")
            guard let eptp else {
                line("  physical \(hex(physical.rawValue)), \(Self.size(shift)), \(rights)")
                return physical
            }
            line("  guest-physical \(hex(guest.rawValue)), \(Self.size(shift)), \(rights)")
            let ept = walkEPT(guest, eptp)
            let both = [(ept.contains(.read), "read"), (writable && ept.contains(.write), "write"),
                        (executable && ept.contains(.execute), "execute")].filter(\.0).map(\.1)
            line("  both together: \(user ? "user" : "supervisor"), "
                + (both.isEmpty ? "nothing" : both.joined(separator: " ")))
            return physical
        }
        return nil
    }

    private mutating func walkEPT(_ address: GuestPhysicalAddress, _ eptp: UInt64) -> EPTPermissions {
        let walk = view.walkEPT(address, eptp: eptp)
        for step in walk.steps { entry(step, "EPT " + Self.words(EPTEntry(step.entry).permissions)) }
        switch walk.outcome {
        case .mapped(let physical, let permissions, let shift):
            line("  physical \(hex(physical.rawValue)), \(Self.size(shift)), EPT \(Self.words(permissions))")
            return permissions
        case .notPresent(let level): line("  not present at level \(level) of the EPT: an EPT violation")
        case .unreadable(let location): line("  the EPT structure at \(hex(location.rawValue)) is not in RAM")
        }
        return .none
    }

    private mutating func entry(_ step: WalkStep, _ words: String) {
        line("    level \(step.level)  at \(hex(step.location.rawValue)) = \(hex(step.entry))  \(words)")
    }

    private mutating func describe(_ t: CachedTranslation, _ linear: LinearAddress, fresh: PhysicalAddress?) {
        let offset = linear.rawValue & ((1 << UInt64(t.shift)) - 1)
        let physical = t.frame.rawValue | offset
        line("  physical \(hex(physical)), \(Self.size(t.shift)), VPID \(t.vpid), "
            + (t.pcid.map { "PCID \($0)" } ?? "global") + ", EPT \(t.eptRoot.map { hex($0.rawValue) } ?? "none")"
            + ": \(t.user ? "user" : "supervisor")\(t.writable ? " write" : "")\(t.executable ? " execute" : "")"
            + (t.eptRoot == nil ? "" : ", EPT \(Self.words(t.eptPermissions))")
            + (t.dirty ? ", dirty" : "") + (t.isInUse ? "; in use now" : "; not in use now"))
        if t.isInUse && fresh?.rawValue != physical {
            line("    differs from the structures: an invalidation is due")
        }
    }

    private func guestFlags(_ entry: UInt64) -> String {
        guard entry & PagingEntry.present != 0 else { return "not present" }
        return [(PagingEntry.user, "user"), (PagingEntry.writable, "write"), (PagingEntry.accessed, "accessed"),
                (PagingEntry.dirty, "dirty"), (PagingEntry.pageSize, "page"), (PagingEntry.global, "global"),
                (PagingEntry.executeDisable, "execute-disable")]
            .filter { entry & $0.0 != 0 }.map(\.1).joined(separator: " ")
    }
    private static func words(_ p: EPTPermissions) -> String {
        let words = [(p.contains(.read), "read"), (p.contains(.write), "write"), (p.contains(.execute), "execute")]
            .filter(\.0).map(\.1)
        return words.isEmpty ? "nothing" : words.joined(separator: " ")
    }
    private static func size(_ shift: UInt8) -> String {
        switch shift {
        case 12: "4 KiB"
        case 21: "2 MiB"
        case 22: "4 MiB"
        default: "1 GiB"
        }
    }
    private func hex(_ value: UInt64) -> String { Self.hex(value) }
    private static func hex(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }
}

/// Numbers as people type them.
enum Number {
    static func parse(_ text: String) -> UInt64? {
        let plain = text.filter { $0 != "_" }
        return plain.lowercased().hasPrefix("0x") ? UInt64(plain.dropFirst(2), radix: 16) : UInt64(plain)
    }
}
