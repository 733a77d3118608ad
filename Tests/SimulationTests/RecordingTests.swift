import X86Architecture
@testable import X86Machine
@testable import Simulation
import Testing
import Traces

@Suite("Recorded run (docs/reference/record-format.md)")
struct RecordingTests {
    static let sum = String(repeating: "a", count: 64)

    static func header() -> Recording.Header {
        var header = Recording.Header()
        header.inputs = [
            .init(role: "image", name: "my driver.ko", sha256: sum),
            .init(role: "kernel", name: "kernel.elf", sha256: sum)
        ]
        header.workload = Workload(name: "tx", operations: 7)
        header.processors = 2
        header.memoryBytes = 1 << 28
        header.interrupts = InterruptTrace(events: [.init(cycle: 9, processor: 1, source: .nmi)])
        return header
    }

    static let events: [Event] = [
        .vmEntry(rip: LinearAddress(0xffffffff80201a40), eptp: 0x100205e),
        .eptpSwitch(rip: LinearAddress(1), index: 1, from: 2, to: 3),
        .vmExit(reason: 10, qualification: 0, rip: LinearAddress(4)),
        .delivered(vector: 0x31, kind: .external, rip: LinearAddress(5), rsp: 6, frame: LinearAddress(7)),
        .interruptReturn(rip: LinearAddress(8), to: LinearAddress(9)),
        .controlRegisterWrite(register: 3, old: 1, new: 2, rip: LinearAddress(3)),
        .eptViolation(address: GuestPhysicalAddress(1), qualification: 2, rip: LinearAddress(3)),
        .halted(rip: LinearAddress(10)),
        .serialOutput(port: 0x3f8, byte: 65),
        .vmEntryFailure(
            VMEntryCheckFailure(
                group: .controls, id: "vpidIsNotZero", title: "", field: .virtualProcessorIdentifier, value: 0,
                wanted: ""), rip: LinearAddress(11))
    ]

    static func text() -> String {
        var text = ""
        var writer = RecordingWriter(header()) { text += $0 }
        for (i, event) in events.enumerated() {
            writer.write(EventRecord(event, processor: i & 1, cycle: UInt64(i) * 100)!)
        }
        var end = Recording.End()
        end.count = writer.count
        end.instructions = 1
        end.cycles = 2
        end.digest = String(repeating: "0", count: 32)
        writer.finish(end)
        return text
    }

    func failure(_ text: String) -> RecordingError? {
        do { _ = try Recording(text: text); return nil } catch { return error }
    }

    @Test("every kind of event is written, read back and equal")
    func roundTrip() throws {
        let recording = try Recording(text: Self.text())
        #expect(recording.isIntact)
        #expect(recording.header == Self.header())
        #expect(recording.end.count == Self.events.count)
        #expect(Set(recording.events.map(\.kind)).count == EventRecord.Kind.allCases.count)
        for (i, event) in Self.events.enumerated() {
            #expect(recording.events[i] == EventRecord(event, processor: i & 1, cycle: UInt64(i) * 100))
        }
        let lines = Self.text().split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines[recording.firstEventLine - 1].hasPrefix("0 0 vm-entry"))
    }

    @Test("a file cut anywhere is refused, and the message says truncated or names the line")
    func truncated() {
        let text = Self.text()
        for length in stride(from: 0, to: text.count - 1, by: 7) {
            let error = failure(String(text.prefix(length)))
            #expect(error != nil, "accepted the first \(length) characters")
        }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(failure(lines[..<15].joined(separator: "\n") + "\n")?.description.contains("truncated") == true)
    }

    @Test("any changed character is refused or breaks the checksum")
    func changed() {
        let bytes = Array(Self.text().utf8)
        for place in stride(from: 0, to: bytes.count - 1, by: 3) {
            var other = bytes
            other[place] = other[place] == UInt8(ascii: "1") ? UInt8(ascii: "2") : UInt8(ascii: "1")
            guard let text = String(validating: other, as: UTF8.self), text != Self.text() else { continue }
            guard let recording = try? Recording(text: text) else { continue }
            #expect(!recording.isIntact, "character \(place) was changed unseen")
        }
    }

    @Test(
        "a malformed line is named with what was found and expected",
        arguments: [
            ("lvdsim-run 1", "lvdsim-run 2", 1), ("seed 1", "seed x", 7), ("cpus 2", "cpus 9", 6),
            ("kind=0", "kond=0", 15), ("vm-exit", "vm-exot", 14), ("end\n", "fin\n", 22)
        ])
    func malformed(old: String, new: String, line: Int) {
        let text = Self.text()
        let place = text.range(of: old)!
        let error = failure(text.replacingCharacters(in: place, with: new))
        #expect(error?.line == line, "\(error?.description ?? "accepted")")
    }
}

private extension String {
    func range(of other: String) -> Range<Index>? { ranges(of: other).first }
    func replacingCharacters(in range: Range<Index>, with other: String) -> String {
        self[..<range.lowerBound] + other + self[range.upperBound...]
    }
}
