import ArgumentParser
import Foundation
import Reports
import Simulation
import X86Machine

/// `lvdsim boot`: any image with a boot protocol on the bare machine.
struct BootCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "boot",
        abstract: "Boot an image; the guest's serial line is standard input and output.",
        discussion: """
            The image is a Linux bzImage or vmlinux, a multiboot-1 ELF image, or an ELF image with a PVH entry. \
            Multiboot images find their path before the words of --append, as under QEMU.

            Standard input reaches the guest when it waits for a character. A file or pipe makes runs that repeat; a \
            terminal is in raw mode, and Ctrl-] ends the run.

            The run ends with exit code 0 when the guest switches the machine off (ACPI S5) or resets it. A write of V \
            to port 0xF4 ends it with exit code (V << 1) | 1.
            """)

    @OptionGroup var options: BootOptions

    @Option(help: ArgumentHelp("Stop after this many instructions (exit 4).", valueName: "n"))
    var maxInstructions: UInt64?

    @Flag(help: "Print instructions, cycles, host CPU seconds and MIPS on standard error.")
    var stats = false

    @Flag(help: "Print the digest of the machine's final state on standard error.")
    var digest = false

    func run() throws {
        let machine = try options.machine()
        let before = HostCost.processorSeconds
        let terminal = SerialTerminal(machine)
        defer { terminal.close() }
        let stop = try Self.run(machine, terminal, instructions: maxInstructions)
        try terminal.flush()
        terminal.close()
        if stats { HostCost.report(machine.statistics, since: before) }
        if digest { Console.message("digest  \(machine.digest)") }
        try Self.end(stop)
    }

    private static func run(
        _ machine: Machine, _ terminal: SerialTerminal, instructions: UInt64?
    ) throws -> StopReason {
        Signals.stopOnInterrupt()
        var left = instructions ?? .max
        while true {
            let slice = min(left, 10_000_000)
            let stop = machine.run(.instructions(slice))
            try terminal.flush()
            if stop != .limit { return stop }
            left -= slice
            if left == 0 { return .limit }
            if Signals.interrupted.load(ordering: .relaxed) { return .requested }
        }
    }

    private static func end(_ stop: StopReason) throws {
        switch stop {
        case .debugExit(let value): throw ExitCode(Int32(truncatingIfNeeded: (value << 1 | 1) & 0xff))
        case .guestDied(let why): throw UserError(.guestDied, "the guest died: \(why)")
        case .powerOff: Console.message("the guest switched the machine off")
        case .reset: Console.message("the guest reset the machine")
        case .notModelled(let what): throw UserError(.notModelled, "stopped at something that is not modelled: \(what)")
        case .limit: throw UserError(.limit, "the limit of instructions was reached: inconclusive")
        case .requested: throw UserError(.limit, "interrupted: inconclusive")
        }
    }
}
