import ArgumentParser
import Boot
import Foundation
import Reports
import Simulation
import X86Machine

/// `lvdsim boot`: any multiboot image on the bare machine.
struct BootCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "boot",
        abstract: "Boot a multiboot-1 ELF image; its serial console is standard output.",
        discussion: """
            The guest's command line is the image's path followed by --append, as under QEMU. A write of V to \
            port 0xF4 ends the run with exit code (V << 1) | 1.
            """)

    @Argument(help: "The image.")
    var image: String

    @Option(parsing: .unconditional, help: ArgumentHelp("More of the guest's command line.", valueName: "words"))
    var append: String?

    @Option(help: ArgumentHelp("Modules: \"file words,file words\", as under QEMU.", valueName: "files"))
    var initrd: String?

    @Option(help: ArgumentHelp("Guest memory: bytes, or with K, M or G.", valueName: "size"))
    var memory = "256M"

    @Option(help: ArgumentHelp("Processors, 1 to 8.", valueName: "n"))
    var cpus = 1

    @Option(help: ArgumentHelp("Seeds what a guest can draw (RDRAND).", valueName: "n"))
    var seed: UInt64 = 1

    @Option(help: ArgumentHelp("Stop after this many instructions (exit 4).", valueName: "n"))
    var maxInstructions: UInt64?

    @Flag(help: "Print instructions, cycles, host CPU seconds and MIPS on standard error.")
    var stats = false

    func run() throws {
        guard (1...8).contains(cpus) else { throw UserError(.usage, "--cpus \(cpus): expected 1 to 8 processors") }
        var configuration = MachineConfiguration()
        configuration.memoryBytes = try MemorySize.bytes(memory, option: "--memory")
        configuration.processorCount = cpus
        configuration.seed = seed
        let bytes = try Files.read(image)
        let modules = try initrd.map { try Self.modules($0) } ?? []
        let machine = Machine(configuration)
        let commandLine = [image, append].compactMap { $0 }.joined(separator: " ")
        try Multiboot.load(image: bytes, name: image, commandLine: commandLine, modules: modules, into: machine)

        let console = SerialConsole()
        machine.serialSink = console.put
        let before = HostCost.processorSeconds
        let stop = try Self.run(machine, console, instructions: maxInstructions)
        try console.flush()
        if stats { HostCost.report(machine.statistics, since: before) }
        try Self.end(stop)
    }

    private static func modules(_ list: String) throws(UserError) -> [BootModule] {
        var modules: [BootModule] = []
        for entry in list.split(separator: ",") {
            let path = entry.split(separator: " ").first.map(String.init) ?? ""
            modules.append(BootModule(bytes: try Files.read(path), commandLine: String(entry)))
        }
        return modules
    }

    private static func run(_ machine: Machine, _ console: SerialConsole, instructions: UInt64?) throws -> StopReason {
        Signals.stopOnInterrupt()
        var left = instructions ?? .max
        while true {
            let slice = min(left, 10_000_000)
            let stop = machine.run(.instructions(slice))
            try console.flush()
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
        case .reset: throw UserError(.guestDied, "the guest asked for a reset")
        case .notModelled(let what): throw UserError(.notModelled, "stopped at something that is not modelled: \(what)")
        case .limit: throw UserError(.limit, "the limit of instructions was reached: inconclusive")
        case .requested: throw UserError(.limit, "interrupted: inconclusive")
        }
    }
}

/// Collects what leaves the serial port and writes it line by line.
private final class SerialConsole {
    private var pending: [UInt8] = []
    private var failure: UserError?

    func put(_ byte: UInt8) {
        pending.append(byte)
        if byte == UInt8(ascii: "\n") || pending.count >= 4096 { write() }
    }
    private func write() {
        do { try Console.output(bytes: pending) } catch { failure = failure ?? error }
        pending.removeAll(keepingCapacity: true)
    }
    func flush() throws(UserError) {
        if !pending.isEmpty { write() }
        if let failure { throw failure }
    }
}
