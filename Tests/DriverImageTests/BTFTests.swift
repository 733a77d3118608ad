import Testing

@testable import DriverImage

/// Writes BTF (Documentation/bpf/btf.rst) for the tests.
struct BTFBuilder {
    var types: [UInt8] = []
    var strings: [UInt8] = [0]
    var count: UInt32 = 0

    mutating func name(_ text: String) -> UInt32 {
        guard !text.isEmpty else { return 0 }
        let offset = UInt32(strings.count)
        strings += Array(text.utf8) + [0]
        return offset
    }

    /// Returns the type's number.
    @discardableResult
    mutating func add(_ kind: BTFKind, _ text: String, _ size: UInt32, flag: Bool = false, elements: Int = 0,
                      _ tail: [UInt32] = []) -> UInt32 {
        let information = UInt32(kind.rawValue) << 24 | UInt32(elements) | (flag ? 1 << 31 : 0)
        for word in [name(text), information, size] + tail { append(word) }
        count += 1
        return count
    }

    @discardableResult
    mutating func record(_ kind: BTFKind, _ text: String, _ size: UInt32, flag: Bool = false,
                         _ members: [(String, UInt32, UInt32)]) -> UInt32 {
        let tail = members.flatMap { [name($0.0), $0.1, $0.2] }
        return add(kind, text, size, flag: flag, elements: members.count, tail)
    }

    private mutating func append(_ word: UInt32) {
        for shift in [0, 8, 16, 24] { types.append(UInt8(truncatingIfNeeded: word >> UInt32(shift))) }
    }

    var bytes: [UInt8] {
        var header = BTFBuilder()
        header.types = [0x9f, 0xeb, 1, 0]
        for word in [24, 0, UInt32(types.count), UInt32(types.count), UInt32(strings.count)] { header.append(word) }
        return header.types + types + strings
    }

    func read(base: BTF? = nil) throws -> BTF {
        let bytes = bytes
        return try BTF(FileContents(name: "test.btf", bytes: bytes), range: 0..<bytes.count, base: base)
    }

    /// One of everything that the queries meet.
    static func sample() -> BTFBuilder {
        var b = BTFBuilder()
        let int = b.add(.int, "int", 4, [0x0100_0020])                                       // 1
        let u64 = b.add(.typedef, "u64", b.add(.int, "unsigned long", 8, [64]))              // 3, 2
        let pointer = b.add(.pointer, "", 0)                                                 // 4
        let inner = b.record(.structure, "inner", 16, [("a", int, 0), ("b", u64, 64)])       // 5
        let anonymous = b.record(.union, "", 16, [("x", int, 0), ("nested", inner, 0)])      // 6
        let array = b.add(.array, "", 0, [inner, int, 3])                                    // 7
        b.record(.structure, "outer", 96, flag: true, [                                      // 8
            ("first", int, 0), ("flag3", int, 3 << 24 | 32), ("flag1", int, 1 << 24 | 35), ("", anonymous, 64),
            ("list", array, 192), ("pointer", pointer, 576),
        ])
        b.add(.enumeration, "color", 4, flag: true, elements: 2,                             // 9
              [b.name("RED"), 1, b.name("NONE"), 0xffff_ffff])
        b.add(.enumeration64, "wide", 8, elements: 1, [b.name("HUGE"), 5, 1])                // 10
        let prototype = b.add(.functionPrototype, "", int, elements: 3,                      // 11
                              [b.name("count"), u64, b.name("where"), pointer, 0, 0])
        b.add(.function, "service", prototype)                                               // 12
        let qualified = b.add(.const, "", b.add(.volatile, "", inner))                       // 14, 13
        b.add(.typedef, "inner_t", qualified)                                                // 15
        return b
    }
}

@Suite("BTF") struct BTFTests {
    @Test("sizes go through typedefs and qualifiers, pointers are 8, arrays multiply")
    func sizes() throws {
        let btf = try BTFBuilder.sample().read()
        #expect(try btf.size(of: "int") == 4)
        #expect(try btf.size(of: "u64") == 8)
        #expect(try btf.size(of: "struct outer") == 96)
        #expect(try btf.size(of: "inner_t") == 16)
        #expect(try btf.size(of: 4) == 8)
        #expect(try btf.size(of: 7) == 48)
    }

    @Test("offsets: plain, dotted, through an anonymous union, into an array")
    func offsets() throws {
        let btf = try BTFBuilder.sample().read()
        #expect(try btf.byteOffset(of: "outer.first") == 0)
        #expect(try btf.byteOffset(of: "outer.x") == 8)
        #expect(try btf.byteOffset(of: "outer.nested.b") == 16)
        #expect(try btf.byteOffset(of: "outer.list") == 24)
        #expect(try btf.byteOffset(of: "outer.list[2].b") == 24 + 2 * 16 + 8)
        #expect(try btf.byteOffset(of: "outer.pointer") == 72)
        #expect(try btf.byteOffset(of: "inner_t.b") == 8)
    }

    @Test("a bit-field has its bit offset and width, and no byte offset inside a byte")
    func bitFields() throws {
        let btf = try BTFBuilder.sample().read()
        let flag = try btf.offset(of: "outer.flag1")
        #expect(flag.bitOffset == 35)
        #expect(flag.bitFieldWidth == 1)
        #expect(flag.byteOffset == nil)
        #expect(try btf.offset(of: "outer.flag3").bitFieldWidth == 3)
        #expect(try btf.offset(of: "outer.first").bitFieldWidth == nil)
        #expect(imageError { _ = try btf.byteOffset(of: "outer.flag1") }?.place == .member("outer.flag1"))
    }

    @Test("a type, a member or an index that is not there is named in the error", arguments: [
        "absent.x", "outer.absent", "outer.list[3]", "outer.first[0]", "outer", "outer..x", "outer.list[", "int.x",
    ])
    func absent(path: String) throws {
        let btf = try BTFBuilder.sample().read()
        let error = try #require(imageError { _ = try btf.offset(of: path) })
        #expect(error.kind == .mismatch)
        #expect(error.exitCode == 65)
    }

    @Test("enumerators: signed by the flag, 64 bits wide, absent")
    func enumerators() throws {
        let btf = try BTFBuilder.sample().read()
        #expect(try btf.value(ofEnumerator: "RED") == 1)
        #expect(try btf.value(ofEnumerator: "NONE") == -1)
        #expect(try btf.value(ofEnumerator: "HUGE") == 0x1_0000_0005)
        #expect(try btf.value(ofEnumerator: "BLUE") == nil)
    }

    @Test("a prototype has its return type and parameters, and says when it is variadic")
    func prototypes() throws {
        let btf = try BTFBuilder.sample().read()
        let prototype = try #require(try btf.prototype(ofFunction: "service"))
        #expect(try btf.name(of: prototype.returnType) == "int")
        #expect(prototype.parameters.map(\.name) == ["count", "where"])
        #expect(prototype.isVariadic)
        #expect(try btf.prototype(ofFunction: "absent") == nil)
    }

    @Test("split BTF continues the numbers and strings of its base")
    func split() throws {
        let base = try BTFBuilder.sample().read()
        var part = BTFBuilder()
        part.strings = []
        let start = UInt32(BTFBuilder.sample().strings.count)
        // Name offsets of a module count from the start of the base's strings.
        part.strings = Array("mine".utf8) + [0, UInt8(ascii: "m"), 0]
        part.types = []
        for word: UInt32 in [start, 4 << 24 | 1, 24, start + 5, 5, 64] {
            for shift in [0, 8, 16, 24] { part.types.append(UInt8(truncatingIfNeeded: word >> UInt32(shift))) }
        }
        let btf = try part.read(base: base)
        #expect(try btf.byteOffset(of: "mine.m.b") == 16)
        #expect(try btf.size(of: "outer") == 96)
    }

    @Test("chains without an end are refused: typedefs, arrays, anonymous members")
    func loops() throws {
        var b = BTFBuilder()
        b.add(.typedef, "loop", 1)
        b.add(.array, "", 0, [2, 2, 1])
        b.add(.typedef, "nested", 2)
        b.record(.structure, "self", 8, [("", 4, 0)])
        let btf = try b.read()
        #expect(imageError { _ = try btf.size(of: "loop") }?.kind == .malformed)
        #expect(imageError { _ = try btf.size(of: "nested") }?.kind == .malformed)
        #expect(imageError { _ = try btf.offset(of: "self.x") }?.kind == .malformed)
    }

    @Test("damage from a fixed seed, and any length, give an error or an answer", arguments: [UInt64(1), 2, 3])
    func damaged(seed: UInt64) throws {
        let sound = BTFBuilder.sample().bytes
        func use(_ bytes: [UInt8]) -> ImageError? {
            imageError {
                let btf = try BTF(FileContents(name: "damaged.btf", bytes: bytes), range: 0..<bytes.count, base: nil)
                for path in ["outer.nested.b", "outer.list[2].b", "outer.flag1"] { _ = try btf.offset(of: path) }
                _ = try btf.size(of: "inner_t")
                _ = try btf.value(ofEnumerator: "HUGE")
                _ = try btf.prototype(ofFunction: "service")
            }
        }
        for length in 0..<sound.count { #expect(use(Array(sound[..<length])) != nil) }
        var generator = Generator(state: seed)
        for _ in 0..<2000 {
            var bytes = sound
            for _ in 0..<(1 + generator.next() % 4) {
                bytes[Int(generator.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: generator.next())
            }
            if let error = use(bytes) { #expect(error.exitCode == 65) }
        }
    }
}
