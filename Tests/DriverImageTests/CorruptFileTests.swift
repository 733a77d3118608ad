import TestSupport
import Testing

@testable import DriverImage

/// Whatever is in a file: an `ImageError` or an image, never a crash.
@Suite("Corrupt and foreign files") struct CorruptFileTests {
    static let source = """
        extern int service(int); extern void *memory;
        struct operations { int (*call)(int); void *data; };
        int counter; static int table[4] = {1, 2, 3, 4};
        static int call(int x) { return service(x + counter) + table[x & 3]; }
        struct operations operations = { call, &memory };
        int init_module(void) { return operations.call(1); }
        void cleanup_module(void) { counter = 0; }
        __attribute__((section(".gnu.linkonce.this_module"))) struct { void *init, *exit; } module =
            { init_module, cleanup_module };
        __attribute__((section(".modinfo"), used)) static const char info[] = "license=GPL\\0name=test\\0depends=a,b";
        __attribute__((section("__versions"), used)) static const struct { unsigned long crc; char name[56]; }
            versions[] = { { 0x12345678, "service" } };
        """

    private static func use(_ bytes: [UInt8]) -> ImageError? {
        imageError {
            let object = try ELFObject(name: "corrupt.ko", bytes: bytes)
            _ = try ModuleMetadata(object)
            _ = try Linker(base: 0xffff_ffff_a000_0000).link([LinkInput(object, exports: .allGlobals)]) { _ in
                0xffff_ffff_8000_0000
            }
        }
    }

    @Test("the undamaged module links, with its metadata")
    func sound() throws {
        let bytes = try Toolchain.object(Self.source)
        #expect(Self.use(bytes) == nil)
        let metadata = try ModuleMetadata(ELFObject(name: "sound.ko", bytes: bytes))
        #expect(metadata.name == "test")
        #expect(metadata.license == "GPL")
        #expect(metadata.dependencies == ["a", "b"])
        #expect(metadata.versions == [.init(name: "service", crc: 0x1234_5678)])
        #expect(metadata.thisModule?.size == 16)
        #expect(metadata.thisModule?.initOffset == 0)
        #expect(metadata.thisModule?.cleanupOffset == 8)
    }

    @Test("a module cut short at any 64-byte step is refused")
    func truncated() throws {
        let bytes = try Toolchain.object(Self.source)
        for length in stride(from: 0, to: bytes.count, by: 64) {
            let error = Self.use(Array(bytes[..<length]))
            #expect(error?.exitCode == 65, "cut at \(length)")
        }
    }

    @Test("any one byte of the header and the section headers set to 0x00, 0xff or flipped does no harm")
    func headers() throws {
        let bytes = try Toolchain.object(Self.source)
        let table = bytes[40..<48].reversed().reduce(0) { $0 << 8 | Int($1) }
        for position in Array(0..<64) + Array(table..<bytes.count) {
            for value in [UInt8(0), 0xff, bytes[position] ^ 0x80, bytes[position] &+ 1] {
                var damaged = bytes
                damaged[position] = value
                if let error = Self.use(damaged) { #expect(error.exitCode == 65) }
            }
        }
    }

    @Test("random damage from a fixed seed does no harm", arguments: [UInt64(1), 2, 3, 4])
    func flipped(seed: UInt64) throws {
        let bytes = try Toolchain.object(Self.source)
        var generator = Generator(state: seed)
        for _ in 0..<500 {
            var damaged = bytes
            for _ in 0..<(1 + generator.next() % 8) {
                damaged[Int(generator.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: generator.next())
            }
            if let error = Self.use(damaged) { #expect(error.exitCode == 65) }
        }
    }

    @Test("another architecture is refused by name", arguments: [
        ("aarch64-none-elf", "AArch64"), ("i386-none-elf", "class 1"), ("riscv64-none-elf", "RISC-V"),
    ])
    func architecture(target: String, found: String) throws {
        let bytes = try Toolchain.object("int x;", target: target, flags: [])
        let error = try #require(Self.use(bytes))
        #expect(error.kind == .unsupported)
        #expect(error.found.contains(found))
    }

    @Test("what is no ELF file, an archive and a big-endian object are refused")
    func notELF() throws {
        #expect(Self.use([])?.kind == .malformed)
        #expect(Self.use(Array("!<arch>\nnothing".utf8) + [UInt8](repeating: 32, count: 100))?.kind == .malformed)
        var bytes = try Toolchain.object("int x;")
        bytes[5] = 2
        #expect(Self.use(bytes)?.place == .fileOffset(5))
    }

    @Test("an executable is not linked as a driver")
    func executable() throws {
        var bytes = try Toolchain.object("int x;")
        bytes[16] = 2
        #expect(Self.use(bytes)?.expected.contains("ET_REL") == true)
    }

    @Test("a missing file is exit 66, a folder is not readable")
    func missing() {
        #expect(imageError { _ = try ELFObject(path: "/nonexistent/driver.ko") }?.exitCode == 66)
        #expect(imageError { _ = try ELFObject(path: "/") }?.exitCode == 74)
    }

    @Test("control characters in a name of the image are printed as text")
    func controlCharacters() throws {
        var bytes = try Toolchain.object(".data\n.quad evilQname", language: "assembler")
        let name = Array("evilQname".utf8)
        let start = try #require(bytes.indices.first { bytes[$0...].starts(with: name) })
        bytes[start + 4] = 0x1b
        let object = try ELFObject(name: "evil.o", bytes: bytes)
        let error = try #require(imageError {
            _ = try Linker(base: 0x1000).link([LinkInput(object, exports: .none)])
        })
        #expect("\(error)".contains("symbol evil\\u{1b}name"))
    }

    @Test("an appended signature is recognised, and one longer than the file is refused")
    func signature() throws {
        let bytes = try Toolchain.object(Self.source)
        let trailer: (UInt8) -> [UInt8] = { length in
            [0, 0, 2, 0, 0, 0, 0, 0, length, 0, 0, 16] + ModuleSignature.magic
        }
        let signed = bytes + [UInt8](repeating: 0xaa, count: 16) + trailer(0)
        let object = try ELFObject(name: "signed.ko", bytes: signed)
        #expect(object.signature?.byteCount == 16)
        #expect(object.signature?.contentByteCount == bytes.count)
        #expect(Self.use(signed) == nil)
        #expect(Self.use(bytes + trailer(0x7f))?.kind == .malformed)
        #expect(try ELFObject(name: "plain.ko", bytes: bytes).signature == nil)
    }
}

/// SplitMix64: the same numbers everywhere from one seed.
struct Generator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
