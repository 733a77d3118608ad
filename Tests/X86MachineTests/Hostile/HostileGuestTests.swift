import Foundation
import HostileGuest
import Testing
import X86Architecture

/// A hostile guest cannot hurt the host: it ends in a stop of some kind, and its run repeats.
@Suite("Hostile guests") struct HostileGuestTests {
    private static let folder = URL(filePath: #filePath).appending(path: "../../../../fixtures/regressions")
        .standardized
    /// The files that past findings became.
    static let regressions: [String] = {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(".guest") }.sorted()
    }()

    @Test("what was found once runs to a stop and repeats, cut into pieces or not", arguments: regressions)
    func replay(_ name: String) throws {
        let text = try String(contentsOf: Self.folder.appending(path: name), encoding: .utf8)
        let hostile = try HostileCase(text: text)
        #expect(hostile.run() == hostile.run(pieces: 3))
    }

    @Test("random guests of every scene run to a stop and repeat", arguments: 0..<8 as Range<UInt64>)
    func campaign(_ part: UInt64) {
        for seed in part * 40..<part * 40 + 40 {
            let hostile = HostileCase(seed: seed)
            #expect(hostile.run() == hostile.run(pieces: 3), "seed \(seed)")
        }
    }

    @Test("a case survives its text: the same steps, hence the same run")
    func text() throws {
        for seed in 0..<20 as Range<UInt64> {
            let hostile = HostileCase(seed: seed)
            let read = try HostileCase(text: hostile.text)
            #expect(read.text == hostile.text && read.run() == hostile.run())
        }
        #expect(throws: HostileCaseError(line: 2, found: "jump 3")) { try HostileCase(text: "cpus 1\njump 3\n") }
    }

    @Test("scenes reach what they are named for: paging, CPL 3, VMX operation, a guest")
    func depth() {
        var reached: Set<String> = []
        for seed in 0..<120 as Range<UInt64> { reached.formUnion(HostileCase(seed: seed).reached()) }
        #expect(reached == ["paging", "long mode", "user mode", "real mode", "root operation", "non-root operation"])
    }
}
