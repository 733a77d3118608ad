import Testing
import Traces

@Suite("Interrupt trace, text format (docs/reference/interrupt-trace.md)")
struct InterruptTraceTextTests {
    func failure(_ text: String, processors: Int = 2) -> TraceError? {
        do { _ = try InterruptTrace(text: text, processors: processors); return nil } catch { return error }
    }

    @Test("events are read in order, comments and blank lines are skipped")
    func reads() throws {
        let trace = try InterruptTrace(
            text: """
                lvdsim-interrupts 1
                # a comment

                10 0 0x31   # the timer
                10\t1  nmi
                18446744073709551615 0 255
                """, processors: 2)
        #expect(
            trace.events == [
                .init(cycle: 10, processor: 0, source: .vector(0x31)),
                .init(cycle: 10, processor: 1, source: .nmi),
                .init(cycle: .max, processor: 0, source: .vector(255))
            ])
    }

    @Test("what is written is read back")
    func roundTrip() throws {
        let trace = InterruptTrace(events: [
            .init(cycle: 5, processor: 0, source: .nmi),
            .init(cycle: 6, processor: 3, source: .vector(16))
        ])
        #expect(try InterruptTrace(text: trace.text, processors: 4) == trace)
    }

    @Test(
        "a malformed line is named by number, with what was found and expected",
        arguments: [
            ("lvdsim-interrupts 2", 1, "\"lvdsim-interrupts 1\""),
            ("lvdsim-interrupts 1\n5 0", 2, "cycle, processor, and a vector or nmi"),
            ("lvdsim-interrupts 1\n# x\n-5 0 nmi", 3, "a cycle, decimal"),
            ("lvdsim-interrupts 1\n5 2 nmi", 2, "a processor from 0 to 1"),
            ("lvdsim-interrupts 1\n5 0 15", 2, "a vector from 16 to 255, or nmi"),
            ("lvdsim-interrupts 1\n5 0 256", 2, "a vector from 16 to 255, or nmi"),
            ("lvdsim-interrupts 1\n5 0 0xzz", 2, "a vector from 16 to 255, or nmi"),
            ("lvdsim-interrupts 1\n5 0 32\n4 0 32", 3, "5 or more: events ascend")
        ])
    func refuses(text: String, line: Int, expected: String) {
        let error = failure(text)
        #expect(error?.line == line)
        #expect(error?.expected == expected)
    }

    @Test("a binary file gives one printable line")
    func binary() {
        let error = failure("\u{7f}ELF\u{1}\u{2}" + String(repeating: "\u{0}", count: 4000))
        #expect((error?.description.count ?? 999) < 120)
        #expect(error?.description.allSatisfy { $0.isASCII && $0 >= " " || $0 == "…" } == true)
    }
}
