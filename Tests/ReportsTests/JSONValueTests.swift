import Foundation
import Reports
import Testing

@Suite("JSON and tables")
struct JSONValueTests {
    @Test("members keep the order in which they were written")
    func order() {
        let value = JSONValue.object([("b", .count(1 as UInt64)), ("a", .array([])), ("c", .object([]))])
        #expect(value.text(indent: nil) == #"{"b":1,"a":[],"c":{}}"#)
        #expect(value.text() == "{\n  \"b\": 1,\n  \"a\": [],\n  \"c\": {}\n}")
    }

    @Test("every control character, quote and backslash is escaped (RFC 8259 section 7)")
    func escapes() throws {
        let all = String(String.UnicodeScalarView((0..<0x80).map { Unicode.Scalar(UInt8($0)) })) + "é→𝕏"
        let text = JSONValue.array([.string(all)]).text(indent: nil)
        let back = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String]
        #expect(back == [all])
    }

    @Test("tenths are written without floating point")
    func decimal() {
        #expect(JSONValue.tenths(12345).text() == "1234.5")
        #expect(tenths(1, 3) == 3)
        #expect(tenths(.max, 1) == nil)
        #expect(ratio(29604, 10) == "2,960.4")
        #expect(ratio(1, 0) == "-")
    }

    @Test("labels to the left, numbers to the right")
    func table() {
        var table = TextTable()
        table.add("calls", 1234567 as UInt64)
        table.add("vmfunc", 2 as UInt64, "per packet")
        #expect(table.text == "calls   1,234,567\nvmfunc          2  per packet\n")
    }
}
