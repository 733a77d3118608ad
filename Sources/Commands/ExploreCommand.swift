import ArgumentParser
import Foundation
import Reports
import Simulation

/// `lvdsim explore`: one interrupt at every instruction boundary of one call.
struct ExploreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explore",
        abstract: "Inject an interrupt at every instruction boundary of one kernel-to-domain call and its return.",
        discussion: """
            Each boundary is tried from a snapshot; the call has to return with the registers it returns with \
            undisturbed, and no rule may be broken. Whatever does otherwise is printed with the \
            one line that reproduces it.
            """)

    enum Injection: String, ExpressibleByArgument, CaseIterable { case irq, nmi, both }

    @OptionGroup var options: RunOptions

    @Option(help: ArgumentHelp("What to inject: irq, nmi or both.", valueName: "what"))
    var inject = Injection.irq

    @Option(help: ArgumentHelp("Vector of irq. Left out: the one that the guest's own timer raises.", valueName: "n"))
    var vector: UInt8?

    @Option(
        help: ArgumentHelp("Which call, from 1 in the order of the run. Left out: one of the workload.", valueName: "n")
    )
    var call: UInt64?

    @Option(help: ArgumentHelp("Try this boundary only, from 0.", valueName: "k"))
    var onlyBoundary: Int?

    @Option(
        help: ArgumentHelp(
            "Try every n-th boundary, from the k-th on: the n parts together are all. A trial repeats the rest of the "
                + "call, so the time grows with the square of its length.", valueName: "k/n"))
    var part: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        if let vector, vector < 16 { throw ValidationError("--vector \(vector): expected 16 to 255") }
        if let onlyBoundary, onlyBoundary < 0 {
            throw ValidationError("--only-boundary \(onlyBoundary): expected 0 or more")
        }
        if let part {
            guard Self.parse(part: part) != nil else {
                throw ValidationError("--part \(part): expected k/n with k from 1 to n, such as 1/100")
            }
            if onlyBoundary != nil {
                throw ValidationError("--only-boundary is one boundary already: leave --part out")
            }
        }
    }

    private static func parse(part: String) -> (first: Int, stride: Int)? {
        let numbers = part.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
        guard numbers.count == 2, let first = numbers[0], let stride = numbers[1], first >= 1, first <= stride else {
            return nil
        }
        return (first - 1, stride)
    }

    func run() throws {
        guard !options.native else { throw UserError(.usage, "explore: --native has no domains to call") }
        let scenario = try options.scenario()
        var plan = Explorer.Plan()
        plan.call = call
        plan.vector = vector
        plan.injectsInterrupt = inject != .nmi
        plan.injectsNMI = inject != .irq
        plan.boundaries = onlyBoundary.map { $0...$0 }
        if let part, let parsed = Self.parse(part: part) { plan.part = parsed }
        let explorer = try Explorer(scenario, plan)
        let window = try explorer.findWindow()
        var report = ExplorationReport(scenario, window, commandLine: commandLine(window))
        Signals.stopOnInterrupt()
        var progress = Progress()
        var boundaries = 0
        report.boundaries = try explorer.explore(
            window,
            begin: { count in
                boundaries = count
                guard count > Self.many, part == nil, onlyBoundary == nil else { return }
                Console.message(
                    "explore: call \(window.call) has \(count) boundaries, and each trial repeats the rest of it; "
                        + "--part 1/\(count / 100) tries a hundred of them")
            }
        ) { trial in
            report.add(trial)
            progress.show("boundary \(trial.boundary) of \(boundaries)")
            return !Signals.interrupted.load(ordering: .relaxed)
        }
        progress.clear()
        report.isComplete = !Signals.interrupted.load(ordering: .relaxed)
        if let onlyBoundary, onlyBoundary >= report.boundaries {
            throw UserError(
                .usage, "--only-boundary \(onlyBoundary): the call has boundaries 0 to \(report.boundaries - 1)")
        }
        try Console.output(json ? report.json.text() + "\n" : report.text)
        if report.status != .clean { throw ExitCode(report.status.rawValue) }
    }

    /// Boundaries beyond which a call takes minutes.
    private static let many = 5000

    /// The command line that tries the same call again, up to `--only-boundary`.
    private func commandLine(_ window: Explorer.Window) -> String {
        var words = ["lvdsim", "explore"] + options.images + ["--workload", options.workload]
        if options.cpus != 1 { words += ["--cpus", "\(options.cpus)"] }
        if options.seed != 1 { words += ["--seed", "\(options.seed)"] }
        if options.memory != "256M" { words += ["--memory", options.memory] }
        if let timer = options.timer { words += ["--timer", "\(timer)"] }
        if let btf = options.btf { words += ["--btf", btf] }
        if let folder = options.imageFolder { words += ["--images", folder] }
        if options.kernel != "kernel.elf" { words += ["--kernel", options.kernel] }
        if options.monitor != "monitor.elf" { words += ["--monitor", options.monitor] }
        words += options.guest.commandLine
        words += ["--call", "\(window.call)", "--vector", "\(window.vector)"]
        return words.joined(separator: " ")
    }
}
