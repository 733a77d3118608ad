import Boot
import DriverImage
import Foundation
import Reports
import Simulation

/// The files that a run writes while it runs.
final class RunOutputs {
    private var recordFile: TextFile?
    private var recording: RecordingWriter?
    private var traceFile: TextFile?

    init(_ run: Run, _ scenario: Scenario, record: String?, trace: String?) throws {
        if let record {
            let file = try TextFile(record)
            recordFile = file
            recording = RecordingWriter(try RecordedInputs.header(scenario)) { file.write($0) }
        }
        var lines: EventTrace?
        if let trace {
            let file = try TextFile(trace)
            let events = EventTrace(run.system.layout)
            file.write(events.header(scenario))
            traceFile = file
            lines = events
        }
        if record == nil, trace == nil { return }
        run.stream.sink = { [unowned self] event in
            recording?.write(event)
            if let lines { traceFile?.write(lines.line(event)) }
        }
    }

    /// - Throws: exit 74 when a file could not be written whole.
    func finish(_ run: Run, _ result: RunResult) throws {
        run.stream.sink = nil
        var end = Recording.End()
        end.count = recording?.count ?? 0
        end.instructions = result.instructions
        end.cycles = result.cycles
        end.limit = run.limit
        end.digest = result.digest
        recording?.finish(end)
        try recordFile?.finish()
        try traceFile?.finish()
    }
}

/// Which files a recorded run names, and what is in them.
enum RecordedInputs {
    /// Role and path of every file that a run reads.
    static func files(_ scenario: Scenario) throws -> [(role: String, path: String)] {
        let system = scenario.system
        let folder = try ImageFolder.locate(system.images)
        var files = system.drivers.map { (role: "image", path: $0) }
        files.append(("kernel", folder + "/" + system.kernelImage))
        if scenario.isIsolated {
            files.append(("monitor", folder + "/" + system.monitorImage))
            files.append(("domain", folder + "/" + system.domainImage))
        }
        return files
    }

    static func header(_ scenario: Scenario) throws -> Recording.Header {
        var header = Recording.Header()
        for (role, path) in try files(scenario) {
            header.inputs.append(.init(role: role, name: URL(filePath: path).lastPathComponent, sha256: try sum(path)))
        }
        header.isolated = scenario.isIsolated
        header.workload = scenario.workload
        header.processors = scenario.system.processorCount
        header.seed = scenario.system.seed
        header.memoryBytes = scenario.system.memoryBytes
        header.timerCycles = scenario.system.timerCycles
        header.arguments = scenario.system.kernelArguments
        header.interrupts = scenario.interrupts
        return header
    }

    static func sum(_ path: String) throws -> String {
        var sum = SHA256()
        sum.update(try Files.read(path))
        return sum.hexadecimal()
    }
}
