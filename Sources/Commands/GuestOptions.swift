import ArgumentParser
import Boot
import Simulation

/// How the guest system works where the design leaves a choice, or where another one is to be compared with it.
struct GuestOptions: ParsableArguments {
    /// As LVD_INTERRUPTS_... in Sources/Guest/include/lvd/interrupts.h.
    enum Interrupts: String, Choice { case direct, exiting, posted }
    enum Launch: String, Choice { case late, early }
    enum ExtendedState: String, Choice { case lazy, eager, none }
    enum Preemption: String, Choice { case paper, full }
    /// As LVD_USER_ATTACK_... in Sources/Guest/include/lvd/user.h.
    enum ProcessAttack: String, Choice {
        case none, vmcall, hypercall, vmfunc
        case vmfuncIndex = "vmfunc-index"
        case vmfuncFunction = "vmfunc-function"
        case sgdt
    }

    @Option(
        help: ArgumentHelp(
            "How external interrupts reach the guest: direct, through its own IDT without an exit; exiting, injected "
                + "by the monitor; posted, with virtual-interrupt delivery.", valueName: "mode"))
    var interrupts = Interrupts.direct

    @Option(
        help: ArgumentHelp(
            "When the monitor takes over: late, beneath the kernel with all its processors running; early, before "
                + "the kernel starts them.", valueName: "when"))
    var launch = Launch.late

    @Flag(help: "The monitor leaves at the end, and the kernel goes on natively.")
    var promote = false

    @Option(
        help: ArgumentHelp(
            "x87 and XMM registers across crossings: lazy, saved for threads that use them; eager, saved always; none, "
                + "nobody may use them.", valueName: "policy"))
    var extendedState = ExtendedState.lazy

    @Option(
        help: ArgumentHelp("Every n-th packet is sent by a thread that uses XMM registers; 0: none.", valueName: "n"))
    var extendedUse = 0

    @Option(
        help: ArgumentHelp(
            "Whether a timer interrupt may switch threads when it hits inside a domain: paper, never; full, yes, with "
                + "two threads for each processor.", valueName: "policy"))
    var preemption = Preemption.paper

    @Option(
        help: ArgumentHelp(
            "Processes of each processor, in ring 3 with a page-table root of their own, that take turns in sending "
                + "packets; 0: the kernel itself sends.", valueName: "n"))
    var processes = 0

    @Option(
        help: ArgumentHelp(
            "A process ends after so many packets, and another one takes its place; 0: none ends.", valueName: "n"))
    var processPackets = 0

    @Option(
        help: ArgumentHelp(
            "What the first process does at its fourth turn: none, vmcall, hypercall, vmfunc, vmfunc-index, "
                + "vmfunc-function, sgdt.", valueName: "attack"))
    var processAttack = ProcessAttack.none

    func validate() throws {
        guard (0...8).contains(processes) else {
            throw ValidationError("--processes \(processes): expected 0 to 8")
        }
        guard (0...1_000_000).contains(processPackets) else {
            throw ValidationError("--process-packets \(processPackets): expected 0 to 1000000")
        }
        guard (0...1_000_000).contains(extendedUse) else {
            throw ValidationError("--extended-use \(extendedUse): expected 0 to 1000000")
        }
    }

    /// Choices that contradict what else was asked for.
    func check(isNative: Bool, workload: Workload) throws(UserError) {
        if isNative, interrupts != .direct || launch != .late || promote {
            throw UserError(
                .usage, "--interrupts, --launch and --promote are about the monitor, and with --native there is none")
        }
        if preemption == .full, workload.name == "blk" {
            throw UserError(.usage, "--preemption full: the workload blk runs with --preemption paper only")
        }
        if processes > 0, isNative || preemption == .full || workload.name != "tx" {
            throw UserError(
                .usage, "--processes: the workload tx runs with processes, without --native and --preemption full")
        }
        if processes == 0, processPackets > 0 || processAttack != .none {
            throw UserError(.usage, "--process-packets and --process-attack need --processes")
        }
    }

    /// Words for the guest kernel's command line, and the same as options of lvdsim; none where the choice is the
    /// default.
    private var choices: [(option: String, value: String?, argument: String)] {
        var list: [(String, String?, String)] = []
        if interrupts != .direct {
            list.append(("--interrupts", interrupts.rawValue, "interrupts=\(interrupts.number)"))
        }
        if launch != .late { list.append(("--launch", launch.rawValue, "launch=\(launch.number)")) }
        if promote { list.append(("--promote", nil, "promote=1")) }
        if extendedState != .lazy {
            list.append(("--extended-state", extendedState.rawValue, "extended=\(extendedState.number)"))
        }
        if extendedUse > 0 { list.append(("--extended-use", "\(extendedUse)", "extended-use=\(extendedUse)")) }
        if preemption != .paper {
            list.append(("--preemption", preemption.rawValue, "preemption=\(preemption.number)"))
        }
        if processes > 0 { list.append(("--processes", "\(processes)", "processes=\(processes)")) }
        if processPackets > 0 {
            list.append(("--process-packets", "\(processPackets)", "process-packets=\(processPackets)"))
        }
        if processAttack != .none {
            list.append(("--process-attack", processAttack.rawValue, "process-attack=\(processAttack.number)"))
        }
        return list
    }
    var kernelArguments: [String] { choices.map(\.argument) }
    var commandLine: [String] { choices.flatMap { [$0.option] + ($0.value.map { [$0] } ?? []) } }
}

/// A choice whose number, in the order of its cases, is what the guest kernel's command line takes.
protocol Choice: ExpressibleByArgument, CaseIterable, Equatable, Decodable {}
extension Choice {
    var number: Int { Array(Self.allCases).firstIndex(of: self) ?? 0 }
}
