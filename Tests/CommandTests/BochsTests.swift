import Foundation
import Testing

private let bochsIsHere = ["bochs", "grub-mkrescue", "xorriso", "mformat"].allSatisfy { program in
    ["/usr/bin", "/bin"].contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(program)") }
}

/// The images of the project on a machine model that shares nothing with this one: Debian's Bochs (scripts/bochs.sh).
@Suite(
    "The guest images on Bochs", .serialized, .enabled(if: bochsIsHere, "no Bochs: scripts/bootstrap.sh bochs"))
struct BochsTests {
    /// Nil: there is no Bochs that runs here; the script has said why.
    private func bochs(_ arguments: [String]) throws -> [String]? {
        let process = Process(), pipe = Pipe()
        process.executableURL = Tool.root.appendingPathComponent("scripts/bochs.sh")
        process.arguments = ["-t", "400"] + arguments
        process.standardOutput = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        if process.terminationStatus == 69 { return nil }
        #expect(process.terminationStatus == 0, "scripts/bochs.sh ended with \(process.terminationStatus)")
        return String(decoding: output, as: UTF8.self).split(whereSeparator: \.isNewline).map(String.init)
    }

    @Test("vmfunc.flat gives the same answers, but for what Bochs's Haswell leaves out by its capability MSRs")
    func vmFunctions() throws {
        guard let theirs = try bochs(["fixtures/images/vmfunc.flat"].map({ Tool.root.path + "/" + $0 })) else { return }
        let ours = try Tool.run("boot", "fixtures/images/vmfunc.flat").output
            .split(whereSeparator: \.isNewline).map(String.init)
        #expect(theirs.count == ours.count && theirs.count > 90)
        let differences = zip(theirs, ours).filter { $0 != $1 }.map { theirs, _ in theirs }
        #expect(
            differences.dropLast() == [
                "SKIP: switching: monitor_trap_flag_follows", "SKIP: views: modified_pages_are_logged_in_each_view",
            ])
        #expect(theirs.last == "SUMMARY: 94 tests, 0 unexpected failures, 2 skipped")
    }

    @Test("the LVD system says there what it says here, but for what depends on the clock", arguments: [1, 2])
    func system(processors: Int) throws {
        try Tool.withFolder { folder in
            let options = ["nullnet.ko", "--workload", "tx:500", "--cpus", "\(processors)"]
            #expect(try Tool.run(list: ["export"] + options + ["--out", folder.path]).status == 0)
            let answer = try bochs([
                "-n", "\(processors)", folder.path + "/kernel32.elf", "workload=tx:500 cpus=\(processors) seed=1",
                folder.path + "/module0 monitor",
                folder.path + "/module1 domain name=nullnet base=0xffffffffa0000000",
            ])
            guard let theirs = answer else { return }
            let ours = try Tool.run(list: ["run"] + options + ["--console"]).errors
            #expect(theirs.contains { $0.hasPrefix("done: 500 packets, 500 counted, 32000 bytes") })
            #expect(theirs.map(words) == ours.split(whereSeparator: \.isNewline).map { words(String($0)) })
        }
    }

    /// Without numbers: interrupts and cycles depend on the clock, and the firmware keeps a little memory to itself.
    private func words(_ line: String) -> String {
        line.trimmingCharacters(in: .whitespacesAndNewlines).filter { !$0.isNumber }
    }
}
