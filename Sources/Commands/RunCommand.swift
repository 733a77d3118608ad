import ArgumentParser
import Foundation
import Reports
import Simulation

/// `lvdsim run`: the main job.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract:
            "Run driver images in isolated domains, and report crossings, exits, interrupts, cycles and findings.",
        discussion: """
            Exit code 0: the workload completed and no rule was broken. 1: a rule was broken. 2: the guest died or did \
            not complete. lvdsim help exit-codes lists the others.
            """)

    @OptionGroup var options: RunOptions

    @Flag(help: "Print one JSON object (docs/reference/run-json.md).")
    var json = false

    @Flag(help: "Check no rules while running.")
    var noCheck = false

    @Option(help: ArgumentHelp("Write a recorded run, for lvdsim replay.", valueName: "file"))
    var record: String?

    @Option(help: ArgumentHelp("Write every event as JSON Lines.", valueName: "file"))
    var trace: String?

    @Flag(help: "Print instructions, cycles, host CPU seconds, MIPS and memory on standard error.")
    var stats = false

    @Flag(help: "Copy the guest's console to standard error.")
    var console = false

    @Flag(help: "Run the same natively, too, and report the ratio.")
    var compareNative = false

    func run() throws {
        if compareNative, options.native {
            throw UserError(.usage, "--compare-native compares an isolated run: leave --native out")
        }
        let scenario = noCheck ? try options.scenario(invariants: []) : try options.scenario()
        let run = try Run(scenario)
        try execute(run, scenario)
    }

    private func nativeResult(_ scenario: Scenario) throws -> RunResult? {
        guard compareNative else { return nil }
        var native = scenario
        native.system.isolation = .native
        native.invariants = []
        return Running.execute(try Run(native))
    }

    private func execute(_ run: Run, _ scenario: Scenario) throws {
        let outputs = try RunOutputs(run, scenario, record: record, trace: trace)
        if console { run.machine.serialSink = { byte in FileHandle.standardError.write(Data([byte])) } }
        let start = HostCost.processorSeconds
        let result = Running.execute(run)
        if stats { HostCost.report(run.machine.statistics, since: start) }
        try outputs.finish(run, result)
        try Running.report(scenario, result, native: try nativeResult(scenario), json: json)
    }
}

/// Runs with progress and SIGINT, and ends the process with the run's verdict.
enum Running {
    static func execute(_ run: Run) -> RunResult {
        watched { isInterrupted, progress in run.run(isInterrupted: isInterrupted, progress: progress) }
    }

    static func watched(_ body: (() -> Bool, (Run) -> Void) -> RunResult) -> RunResult {
        Signals.stopOnInterrupt()
        var line = Progress()
        let result = body({ Signals.interrupted.load(ordering: .relaxed) }) { run in
            line.show(
                "\(grouped(run.completed)) of \(grouped(run.scenario.workload.operations)) "
                    + "\(run.scenario.workload.operation)s, "
                    + "\(grouped(run.machine.statistics.instructions / 1_000_000)) M instructions")
        }
        line.clear()
        return result
    }

    static func report(_ scenario: Scenario, _ result: RunResult, native: RunResult? = nil, json: Bool) throws {
        let report = RunReport(scenario, result, native: native)
        try Console.output(json ? report.json.text() + "\n" : report.text)
        if let explanation = result.explanation { Console.message("lvdsim: " + explanation) }
        if result.status != .clean { throw ExitCode(result.status.rawValue) }
    }
}
