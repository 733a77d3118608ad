/// How a command ends: three verdicts that are never confused (the guest broke a rule, the guest died, the tool does
/// not model something), and the numbers of sysexits.h for what is wrong with the call.
public enum ExitStatus: Int32, Sendable, CaseIterable {
    case clean = 0
    case violated = 1
    case guestDied = 2
    case notModelled = 3
    case limit = 4
    case divergence = 5
    case usage = 64
    case badData = 65
    case noInput = 66
    case ourBug = 70
    case inputOutput = 74

    public var meaning: String {
        switch self {
        case .clean: "clean: the run ended as it should and no rule was broken"
        case .violated: "an invariant was violated; the findings say which, where and on what evidence"
        case .guestDied: "the guest died: triple fault, VMX abort, deadlock, panic, or a workload that did not complete"
        case .notModelled: "the guest reached something that is not modelled; the message names it"
        case .limit: "a limit was hit or the run was interrupted: inconclusive"
        case .divergence: "a replayed run went another way than the recorded one"
        case .usage: "the command line is wrong"
        case .badData: "an input is malformed or does not fit: the message names file, place, what was expected"
        case .noInput: "there is no such input file"
        case .ourBug: "an internal error: a bug of lvdsim"
        case .inputOutput: "reading or writing failed"
        }
    }
}

/// What the user gave cannot be used: which input, what was found, what was expected, how to mend it.
public struct UserError: Error, Sendable, CustomStringConvertible {
    public var status: ExitStatus
    public var description: String
    public init(_ status: ExitStatus, _ description: String) {
        self.status = status
        self.description = description
    }
}
