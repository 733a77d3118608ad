import Boot
import DriverImage
import X86Machine

/// Repeats a recorded run and compares it event by event.
public struct Replay {
    /// The first place where a run is not the recorded one.
    public struct Divergence: Sendable, CustomStringConvertible {
        /// In the recording's file, from 1.
        public var line: Int
        public var recorded: String
        public var observed: String
        public var description: String { "line \(line):\n  recorded: \(recorded)\n  this run: \(observed)" }
    }

    public let recording: Recording
    public let run: Run
    public private(set) var divergence: Divergence?

    /// - Parameter scenario: made from the recording's header; its images have been compared with the recorded ones.
    public init(_ recording: Recording, _ scenario: Scenario) throws(ImageError) {
        self.recording = recording
        var scenario = scenario
        if let limit = recording.end.limit { scenario.cyclesMax = limit }
        run = try Run(scenario)
    }

    /// Runs to the end, or to the first event that differs.
    public mutating func repeatRun(isInterrupted: () -> Bool = { false }, progress: (Run) -> Void = { _ in })
        -> RunResult
    {
        let comparison = Comparison(recording, run.machine)
        run.stream.sink = comparison.compare
        let result = run.run(isInterrupted: isInterrupted, progress: progress)
        run.stream.sink = nil
        divergence = comparison.divergence ?? (result.stop == .requested ? nil : compareEnd(result, comparison.next))
        return result
    }

    private func compareEnd(_ result: RunResult, _ count: Int) -> Divergence? {
        if count < recording.events.count {
            return Divergence(
                line: recording.firstEventLine + count, recorded: recording.events[count].description,
                observed: "the run ended: \(result.explanation ?? "clean")")
        }
        let end = recording.end
        let line = recording.firstEventLine + recording.events.count + 2
        let pairs = [("instructions", end.instructions, result.instructions), ("cycles", end.cycles, result.cycles)]
        for (number, (name, recorded, observed)) in pairs.enumerated() where recorded != observed {
            return Divergence(line: line + number, recorded: "\(name) \(recorded)", observed: "\(name) \(observed)")
        }
        if end.digest != result.digest {
            return Divergence(line: line + 3, recorded: "digest \(end.digest)", observed: "digest \(result.digest)")
        }
        return nil
    }
}

/// Holds each event against the one that was recorded at its place, and stops the machine at the first that differs.
private final class Comparison {
    let recording: Recording
    let machine: Machine
    var next = 0
    var divergence: Replay.Divergence?

    init(_ recording: Recording, _ machine: Machine) {
        self.recording = recording
        self.machine = machine
    }

    func compare(_ event: EventRecord) {
        guard divergence == nil else { return }
        if next < recording.events.count, recording.events[next] == event {
            next += 1
            return
        }
        divergence = Replay.Divergence(
            line: recording.firstEventLine + next,
            recorded: next < recording.events.count ? recording.events[next].description : "end",
            observed: event.description)
        machine.requestStop()
    }
}
