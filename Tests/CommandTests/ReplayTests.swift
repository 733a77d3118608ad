import Foundation
import Testing

@Suite("lvdsim replay")
struct ReplayTests {
    /// A recorded run in a folder of its own.
    func withRecording(_ arguments: [String] = [], _ body: (URL, String) throws -> Void) throws {
        try Tool.withFolder { folder in
            let file = folder.appendingPathComponent("recorded.run")
            let command = ["run", "nullnet.ko", "--workload", "tx:10", "--json", "--record", file.path] + arguments
            let recorded = try Tool.run(list: command)
            #expect(recorded.status == 0, "\(recorded.errors)")
            try body(file, recorded.output)
        }
    }
    func change(_ file: URL, _ body: (String) -> String) throws {
        try body(try String(contentsOf: file, encoding: .utf8)).write(to: file, atomically: true, encoding: .utf8)
    }

    @Test("a recorded run repeats with the same report and digest", arguments: [[], ["--cpus", "2"], ["--native"]])
    func repeats(arguments: [String]) throws {
        try withRecording(arguments) { file, report in
            let replay = try Tool.run("replay", file.path, "--json")
            #expect(replay.status == 0, "\(replay.errors)")
            #expect(replay.output == report)
        }
    }

    @Test("a run that was given up is repeated up to there")
    func limited() throws {
        try Tool.withFolder { folder in
            let file = folder.path + "/limited.run"
            let limited = try Tool.run("run", "nullnet.ko", "--max-cycles", "3000000", "--record", file, "--json")
            #expect(limited.status == 4)
            let replay = try Tool.run("replay", file, "--json")
            #expect(replay.status == 4, "\(replay.errors)")
            #expect(replay.output == limited.output)
        }
    }

    @Test("a changed event is 65, with its line, what was recorded and what this run does")
    func changedEvent() throws {
        try withRecording { file, _ in
            var line = 0
            try change(file) { text in
                var lines = text.components(separatedBy: "\n")
                line = lines.firstIndex { $0.contains(" eptp-switch ") }!
                lines[line] = lines[line].replacingOccurrences(of: "index=1", with: "index=2")
                return lines.joined(separator: "\n")
            }
            let replay = try Tool.run("replay", file.path)
            #expect(replay.status == 65)
            #expect(replay.errors.contains("line \(line + 1)"), "\(replay.errors)")
            #expect(replay.errors.contains("index=2") && replay.errors.contains("index=1"))
        }
    }

    @Test("a recording of another run, whole in itself, is a divergence: 5, with the first event that differs")
    func divergence() throws {
        try withRecording { file, _ in
            // Twice the packets, as if the simulator had changed, under a checksum that is right.
            try change(file) {
                Rewritten.checksum($0.replacingOccurrences(of: "workload tx:10", with: "workload tx:20"))
            }
            let replay = try Tool.run("replay", file.path)
            #expect(replay.status == 5, "\(replay.errors)")
            #expect(replay.errors.contains("recorded:") && replay.errors.contains("this run:"))
        }
    }

    @Test("a truncated file is 65", arguments: [0.1, 0.5, 0.99])
    func truncated(part: Double) throws {
        try withRecording { file, _ in
            try change(file) { String($0.prefix(Int(Double($0.count) * part))) }
            let replay = try Tool.run("replay", file.path)
            #expect(replay.status == 65)
            #expect(replay.errors.contains("line "), "\(replay.errors)")
        }
    }

    @Test("another image under the same name is 65, with both checksums")
    func otherImage() throws {
        try withRecording { file, _ in
            let other = file.deletingLastPathComponent().appendingPathComponent("nullnet.ko")
            try Data([1, 2, 3]).write(to: other)
            let replay = try Tool.run("replay", file.path, other.path)
            #expect(replay.status == 65)
            #expect(replay.errors.contains("SHA-256"))
        }
    }

    @Test("an interrupt trace brings its interrupts at their cycles")
    func trace() throws {
        try Tool.withFolder { folder in
            let quiet = try Tool.run("run", "nullnet.ko", "--workload", "tx:50", "--timer", "0", "--json").json()
            // Around a crossing in the middle of the workload, where interrupts are on and nothing else interrupts.
            let reference = folder.path + "/quiet.run"
            _ = try Tool.run("run", "nullnet.ko", "--workload", "tx:50", "--timer", "0", "--record", reference)
            let switches = try String(contentsOfFile: reference, encoding: .utf8).split(separator: "\n")
                .filter { $0.contains(" eptp-switch ") }.compactMap { Int($0.prefix { $0 != " " }) }
            let start = switches[switches.count / 2]
            let cycles = (1...10).map { start + $0 * 1500 }
            let file = folder.appendingPathComponent("irq.trace")
            let lines = cycles.map { "\($0) 0 0x40\n" }.joined()
            try ("lvdsim-interrupts 1\n" + lines).write(to: file, atomically: true, encoding: .utf8)
            let recorded = folder.path + "/injected.run"
            let run = try Tool.run(
                "replay", file.path, "nullnet.ko", "--workload", "tx:50", "--timer", "0", "--json", "--record", recorded
            )
            #expect(run.status == 0, "\(run.errors)")
            #expect(try run.json().number("interrupts", "delivered") > quiet.number("interrupts", "delivered"))
            #expect(try run.json()["digest"] as? String != quiet["digest"] as? String)
            let again = try Tool.run("replay", recorded, "--json")
            #expect(again.status == 0, "\(again.errors)")
            #expect(again.output == run.output)
        }
    }

    @Test("a malformed interrupt trace is 65 with its line")
    func malformedTrace() throws {
        try Tool.withFolder { folder in
            let file = folder.appendingPathComponent("irq.trace")
            try "lvdsim-interrupts 1\n100 0 0x40\n200 7 nmi\n".write(to: file, atomically: true, encoding: .utf8)
            let run = try Tool.run("replay", file.path, "nullnet.ko")
            #expect(run.status == 65)
            #expect(run.errors.contains("line 3") && run.errors.contains("processor"))
        }
    }
}
