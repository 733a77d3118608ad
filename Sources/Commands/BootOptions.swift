import ArgumentParser
import Boot
import Simulation
import X86Architecture
import X86Machine

/// What puts an image into a bare machine: shared by `boot` and `walk`.
struct BootOptions: ParsableArguments {
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
        "The processor: \(ProcessorModel.named.map(\.name).joined(separator: ", ")); changed by +FEATURE, -FEATURE, "
            + "phys-bits=N after commas.", valueName: "model"))
    var cpu = ProcessorModel.named[0].name

    @Option(name: .customLong("protocol"), help: ArgumentHelp(
        "How to enter it: multiboot, pvh, linux64 or linux32; by default as the image asks.", valueName: "name"))
    var bootProtocol: String?

    @Option(help: ArgumentHelp("Seeds what a guest can draw (RDRAND).", valueName: "n"))
    var seed: UInt64 = 1

    @Option(
        help: ArgumentHelp(
            "Cached translations at VM entries, VM exits and EPTP switches: tagged (they stay; a forgotten INVEPT "
                + "shows) or eager (all go).", valueName: "policy"))
    var translations = TranslationPolicy.tagged

    /// A machine with the image loaded, at its entry.
    func machine() throws -> Machine {
        guard (1...8).contains(cpus) else { throw UserError(.usage, "--cpus \(cpus): expected 1 to 8 processors") }
        var configuration = MachineConfiguration()
        configuration.memoryBytes = try MemorySize.bytes(memory, option: "--memory")
        configuration.processorCount = cpus
        configuration.seed = seed
        configuration.model = try model()
        configuration.translations = translations
        let request = try request(hasACPI: configuration.model.has(.apic))
        let chosen = try chosenProtocol(request)
        let machine = Machine(configuration)
        try complete(request, chosen).load(by: chosen, into: machine)
        return machine
    }

    private func model() throws(UserError) -> ProcessorModel {
        let model = try ProcessorModel(option: cpu)
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
}

extension TranslationPolicy: ExpressibleByArgument {}
