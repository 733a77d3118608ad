import ArgumentParser
import Foundation
import Reports
import Simulation
import Traces

/// `lvdsim replay`: a recorded run again, or an interrupt trace into a run.
struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Repeat a recorded run event by event, or inject an interrupt trace into a run.",
        discussion: """
            A recorded run (from lvdsim run --record) names its images by content; they are looked for where \
            lvdsim run looks. Exit code 5: this run went another way, with the first event that differs. 65: the \
            file was changed or cut, or an image is not the recorded one.

            An interrupt trace (docs/reference/interrupt-trace.md) is injected into the run that the other options \
            describe: lvdsim replay FILE IMAGE --workload tx:100.
            """)

    @Argument(help: ArgumentHelp("A recorded run or an interrupt trace.", valueName: "file"))
    var file: String

    @OptionGroup var options: ReplayRunOptions

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        let text = try Files.text(file)
        if Recording.isRecording(text) { return try repeatRecording(text) }
        if text.hasPrefix("lvdsim-interrupts ") { return try injectTrace(text) }
        let first = text.prefix { $0 != "\n" }.prefix(40)
        throw UserError(
            .badData,
            "\(file): line 1: found \"\(first)\", expected \"\(Recording.firstLine)\" (a recorded run) or "
                + "\"\(InterruptTrace.header)\" (an interrupt trace)")
    }

    // MARK: Recorded runs

    private func repeatRecording(_ text: String) throws {
        let recording: Recording
        do { recording = try Recording(text: text) } catch { throw UserError(.badData, "\(file): \(error)") }
        let scenario = try RecordedInputs.scenario(recording.header, file: file, options)
        var replay = try Replay(recording, scenario)
        let result = Running.watched { replay.repeatRun(isInterrupted: $0, progress: $1) }
        if let divergence = replay.divergence {
            if recording.isIntact { throw UserError(.divergence, "\(file): the run diverges at \(divergence)") }
            throw UserError(
                .badData,
                "\(file): the file was changed: its checksum does not match; first difference at \(divergence)")
        }
        guard recording.isIntact else {
            throw UserError(
                .badData,
                "\(file): the file was changed: its checksum does not match, though every event and the digest "
                    + "are those of this run; expected the file as lvdsim run --record wrote it")
        }
        Console.message("lvdsim: \(recording.events.count) events and the digest are the recorded ones")
        try Running.report(scenario, result, json: json)
    }

    // MARK: Interrupt traces

    private func injectTrace(_ text: String) throws {
        var scenario = try options.runOptions(for: file).scenario()
        do {
            scenario.interrupts = try InterruptTrace(text: text, processors: scenario.system.processorCount)
        } catch {
            throw UserError(.badData, "\(file): \(error)")
        }
        let run = try Run(scenario)
        let outputs = try RunOutputs(run, scenario, record: options.record, trace: nil)
        let result = Running.execute(run)
        try outputs.finish(run, result)
        try Running.report(scenario, result, json: json)
    }
}

/// What `replay` needs of `run`'s options: images are optional, as a recorded run names its own.
struct ReplayRunOptions: ParsableArguments {
    @Argument(help: ArgumentHelp("Driver images, for an interrupt trace.", valueName: "image"))
    var images: [String] = []

    @Option(
        help: ArgumentHelp("For an interrupt trace: what the guest kernel does with the driver.", valueName: "name:n"))
    var workload = "tx:1000"

    @Flag(help: "For an interrupt trace: link the driver into the kernel.")
    var native = false

    @Option(help: ArgumentHelp("For an interrupt trace: processors, 1 to 8.", valueName: "n"))
    var cpus = 1

    @Option(help: ArgumentHelp("For an interrupt trace: the run's seed.", valueName: "n"))
    var seed: UInt64 = 1

    @Option(
        help: ArgumentHelp("For an interrupt trace: cycles between timer interrupts; 0: none.", valueName: "cycles"))
    var timer: UInt64?

    @Option(help: ArgumentHelp("For an interrupt trace: write a recorded run.", valueName: "file"))
    var record: String?

    @Option(name: .customLong("images"), help: ArgumentHelp("Folder of the guest's images.", valueName: "folder"))
    var imageFolder: String?

    func runOptions(for file: String) throws -> RunOptions {
        guard !images.isEmpty else {
            throw UserError(
                .usage,
                "replay: \(file) is an interrupt trace: name the driver image to run it with, as in "
                    + "lvdsim replay \(file) dummy.ko --workload tx:100")
        }
        var arguments = images + ["--workload", workload, "--cpus", "\(cpus)", "--seed", "\(seed)"]
        if native { arguments.append("--native") }
        if let timer { arguments += ["--timer", "\(timer)"] }
        if let imageFolder { arguments += ["--images", imageFolder] }
        return try RunOptions.parse(arguments)
    }
}

extension RecordedInputs {
    /// The scenario of a recorded run, with every image found and compared with the recorded bytes.
    static func scenario(_ header: Recording.Header, file: String, _ options: ReplayRunOptions) throws -> Scenario {
        let recorded = header.inputs.filter { $0.role == "image" }.map(\.name)
        // Images given on the command line say where the recorded ones are.
        let names = options.images.isEmpty ? recorded : options.images
        guard names.count == recorded.count else {
            throw UserError(
                .usage,
                "replay: \(file) was recorded with \(recorded.count) images (\(recorded.joined(separator: ", "))), "
                    + "found \(names.count) on the command line")
        }
        var scenario = Scenario(
            drivers: try names.map { try ImageSearch.locate($0, folder: options.imageFolder) },
            workload: header.workload)
        scenario.system.isolation = header.isolated ? .isolated : .native
        scenario.system.processorCount = header.processors
        scenario.system.seed = header.seed
        scenario.system.memoryBytes = header.memoryBytes
        scenario.system.timerCycles = header.timerCycles
        scenario.system.kernelArguments = header.arguments
        scenario.system.images = options.imageFolder
        scenario.interrupts = header.interrupts
        for input in header.inputs {
            switch input.role {
            case "kernel": scenario.system.kernelImage = input.name
            case "monitor": scenario.system.monitorImage = input.name
            case "domain": scenario.system.domainImage = input.name
            default: break
            }
        }
        let present = try files(scenario)
        guard present.map(\.role) == header.inputs.map(\.role) else {
            throw UserError(
                .badData,
                "\(file): found the inputs \(header.inputs.map(\.role).joined(separator: ", ")), expected "
                    + present.map(\.role).joined(separator: ", "))
        }
        for (input, (_, path)) in zip(header.inputs, present) {
            let found = try sum(path)
            guard found == input.sha256 else {
                throw UserError(
                    .badData,
                    "\(file): was recorded with another \(input.name): found SHA-256 \(found) in \(path), "
                        + "expected \(input.sha256)")
            }
        }
        return scenario
    }
}
