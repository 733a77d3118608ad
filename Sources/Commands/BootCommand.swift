import ArgumentParser
import Boot
import Foundation
import Reports
import Simulation
import X86Architecture
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

    @Argument(help: "The image.")
    var image: String

    @Option(parsing: .unconditional, help: ArgumentHelp("The guest's command line.", valueName: "words"))
    var append: String?

    @Option(help: ArgumentHelp(
        "The initial RAM disk; for multiboot modules: \"file words,file words\", as under QEMU.", valueName: "files"))
    var initrd: String?

    @Option(help: ArgumentHelp("Guest memory: bytes, or with K, M or G.", valueName: "size"))
    var memory = "256M"

    @Option(help: ArgumentHelp("Processors, 1 to 8.", valueName: "n"))
    var cpus = 1

    @Option(help: ArgumentHelp(
        "The processor: \(ProcessorModel.named.map(\.name).joined(separator: ", ")).", valueName: "model"))
    var cpu = ProcessorModel.named[0].name

    @Option(name: .customLong("protocol"), help: ArgumentHelp(
        "How to enter it: multiboot, pvh, linux64 or linux32; by default as the image asks.", valueName: "name"))
    var bootProtocol: String?

    @Option(help: ArgumentHelp("Seeds what a guest can draw (RDRAND).", valueName: "n"))
    var seed: UInt64 = 1

    @Option(help: ArgumentHelp("Stop after this many instructions (exit 4).", valueName: "n"))
    var maxInstructions: UInt64?

    @Flag(help: "Print instructions, cycles, host CPU seconds and MIPS on standard error.")
    var stats = false

    @Flag(help: "Print the digest of the machine's final state on standard error.")
    var digest = false

    func run() throws {
        guard (1...8).contains(cpus) else { throw UserError(.usage, "--cpus \(cpus): expected 1 to 8 processors") }
        var configuration = MachineConfiguration()
        configuration.memoryBytes = try MemorySize.bytes(memory, option: "--memory")
        configuration.processorCount = cpus
        configuration.seed = seed
        configuration.model = try model()
        let request = try request(hasACPI: configuration.model.has(.apic))
        let chosen = try chosenProtocol(request)
        let before = HostCost.processorSeconds
        let machine = Machine(configuration)
        try complete(request, chosen).load(by: chosen, into: machine)

        let terminal = SerialTerminal(machine)
        defer { terminal.close() }
        let stop = try Self.run(machine, terminal, instructions: maxInstructions)
        try terminal.flush()
        terminal.close()
        if stats { HostCost.report(machine.statistics, since: before) }
        if digest { Console.message("digest  \(machine.digest)") }
        try Self.end(stop)
    }

    private func model() throws(UserError) -> ProcessorModel {
        guard let model = ProcessorModel.named.first(where: { $0.name == cpu }) else {
            let names = ProcessorModel.named.map(\.name).joined(separator: ", ")
            throw UserError(.usage, "--cpu \(cpu): expected one of \(names)")
        }
        guard cpus == 1 || model.has(.apic) else {
            throw UserError(.usage, "--cpu \(cpu): it has no local APIC, so expected --cpus 1")
        }
        return model
    }

    private func request(hasACPI: Bool) throws -> BootRequest {
        BootRequest(image: try Files.read(image), name: image, commandLine: append ?? "", hasACPI: hasACPI)
    }

    private func chosenProtocol(_ request: BootRequest) throws -> BootProtocol {
        guard let bootProtocol else { return try request.protocolOfImage() }
        guard let named = BootProtocol(rawValue: bootProtocol) else {
            let names = BootProtocol.allCases.map(\.rawValue).joined(separator: ", ")
            throw UserError(.usage, "--protocol \(bootProtocol): expected one of \(names)")
        }
        return named
    }

    private func complete(_ request: BootRequest, _ chosen: BootProtocol) throws -> BootRequest {
        var request = request
        if chosen == .multiboot {
            request.commandLine = [image, append].compactMap { $0 }.joined(separator: " ")
            request.modules = try initrd.map { try Self.modules($0) } ?? []
        } else if let initrd {
            request.modules = [BootModule(bytes: try Files.read(initrd), commandLine: "")]
        }
        return request
    }

    private static func modules(_ list: String) throws(UserError) -> [BootModule] {
        var modules: [BootModule] = []
        for entry in list.split(separator: ",") {
            let path = entry.split(separator: " ").first.map(String.init) ?? ""
            modules.append(BootModule(bytes: try Files.read(path), commandLine: String(entry)))
        }
        return modules
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
