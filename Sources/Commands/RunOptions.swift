import ArgumentParser
import Boot
import DriverImage
import Foundation
import Isolation
import Simulation

/// What makes a scenario: shared by `run`, `check`, `explore` and `replay` of an interrupt trace.
struct RunOptions: ParsableArguments {
    @Argument(
        help: ArgumentHelp(
            "Driver images (.ko). A bare name that is not a file here is looked for among the fetched "
                + "Debian modules and in fixtures/images.", valueName: "image"))
    var images: [String]

    @Option(
        help: ArgumentHelp(
            "What the guest kernel does with the driver: tx:N[:kept=1] transmits N packets, "
                + "blk:N[:depth=D,size=S,writes=PERCENT] "
                + "issues N requests, module:N unloads and loads it N times.", valueName: "name:n")
    )
    var workload = "tx:1000"

    @Flag(help: "Link the driver into the kernel instead: no monitor, no domain, for comparison.")
    var native = false

    @Option(help: ArgumentHelp("Processors, 1 to 8.", valueName: "n"))
    var cpus = 1

    @Option(
        help: ArgumentHelp(
            "A module parameter, as irqmode=2, or null_blk.irqmode=2 with several drivers; may be repeated.",
            valueName: "name=value"))
    var param: [String] = []

    @Option(help: ArgumentHelp("Seeds what a guest can draw (RDRAND). Equal seeds give equal runs.", valueName: "n"))
    var seed: UInt64 = 1

    @Option(help: ArgumentHelp("Guest memory: bytes, or with K, M or G.", valueName: "size"))
    var memory = "256M"

    @Option(
        help: ArgumentHelp(
            "Cycles between timer interrupts; 0: none. Left out: the guest kernel's own choice.", valueName: "cycles"))
    var timer: UInt64?

    @Option(help: ArgumentHelp("Give up at this cycle (exit 4).", valueName: "n"))
    var maxCycles: UInt64?

    @Option(help: ArgumentHelp("Load a driver whose domain was terminated again, so many times.", valueName: "n"))
    var restart = 0

    @Option(
        help: ArgumentHelp(
            "vmlinux of the kernel that a Linux module was built for, for its BTF. Left out: found from the "
                + "module's release.", valueName: "file"))
    var btf: String?

    @Option(name: .customLong("images"), help: ArgumentHelp("Folder of the guest's images.", valueName: "folder"))
    var imageFolder: String?

    @Option(help: ArgumentHelp("The guest kernel's file in that folder.", valueName: "name"))
    var kernel = "kernel.elf"

    @Option(help: ArgumentHelp("The monitor's file in that folder.", valueName: "name"))
    var monitor = "monitor.elf"

    @OptionGroup var guest: GuestOptions

    func scenario(invariants: [any Invariant.Type] = Registry.invariants) throws -> Scenario {
        guard (0...1000).contains(restart) else {
            throw UserError(.usage, "--restart \(restart): expected 0 to 1000")
        }
        guard (1...8).contains(cpus) else { throw UserError(.usage, "--cpus \(cpus): expected 1 to 8 processors") }
        let kind = try Workload(workload)
        try guest.check(isNative: native, workload: kind)
        var scenario = Scenario(
            drivers: try images.map { try ImageSearch.locate($0, folder: imageFolder) },
            workload: kind)
        scenario.invariants = invariants
        if let maxCycles { scenario.cyclesMax = maxCycles }
        scenario.system.isolation = native ? .native : .isolated
        scenario.system.processorCount = cpus
        scenario.system.seed = seed
        scenario.system.timerCycles = timer
        scenario.system.memoryBytes = try MemorySize.bytes(memory, option: "--memory")
        scenario.system.images = imageFolder
        scenario.system.kernelImage = kernel
        scenario.system.monitorImage = monitor
        scenario.system.vmlinux = btf
        scenario.system.kernelArguments += guest.kernelArguments
        scenario.system.kernelArguments += try param.map {
            try ModuleParameter.word($0, drivers: scenario.system.drivers)
        }
        if restart > 0 { scenario.system.kernelArguments.append("restart=\(restart)") }
        return scenario
    }
}

/// `256M` and the like.
enum MemorySize {
    static func bytes(_ text: String, option: String) throws(UserError) -> UInt64 {
        let units: [Character: UInt64] = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30]
        let unit = text.last.flatMap { units[Character($0.uppercased())] }
        let digits = unit == nil ? text[...] : text.dropLast()
        guard let number = UInt64(digits), number > 0 else {
            throw UserError(.usage, "\(option) \(text): expected a size such as 268435456, 256M or 1G")
        }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: unit ?? 1)
        guard !overflow, bytes >= 1 << 20, bytes <= 64 << 30 else {
            throw UserError(.usage, "\(option) \(text): expected 1M to 64G")
        }
        return bytes
    }
}

/// Finds an image that was named without a folder.
enum ImageSearch {
    static func locate(_ name: String, folder: String?) throws -> String {
        if FileManager.default.fileExists(atPath: name) || name.contains("/") { return name }
        var places: [String] = []
        if let cache = DebianModules.folder { places.append(cache) }
        if let images = try? ImageFolder.locate(folder) { places += [images, images + "/attacks"] }
        for place in places {
            for candidate in [name, name + ".ko"] where FileManager.default.fileExists(atPath: place + "/" + candidate)
            {
                return place + "/" + candidate
            }
        }
        throw UserError(
            .noInput,
            "\(name): found no such file here, among Debian's fetched modules or in fixtures/images\n"
                + "  hint: scripts/fetch-debian.sh \(name.split(separator: ".").first ?? "dummy") fetches one of "
                + "Debian's modules"
        )
    }
}

/// Where scripts/fetch-debian.sh puts the modules of the kernel it found: `.cache/debian/RELEASE/modules`.
enum DebianModules {
    static var folder: String? {
        for start in [FileManager.default.currentDirectoryPath, URL(filePath: CommandLine.arguments[0]).path] {
            var url = URL(filePath: start)
            while url.path != "/" {
                let cache = url.appending(path: ".cache/debian")
                if let release = try? String(contentsOf: cache.appending(path: "current"), encoding: .utf8) {
                    let name = release.trimmingCharacters(in: .whitespacesAndNewlines)
                    return cache.appending(path: name).appending(path: "modules").path
                }
                url.deleteLastPathComponent()
            }
        }
        return nil
    }
}
