import TestSupport
import Testing

@testable import DriverImage

/// x86-64 psABI, "Relocation Types": S symbol, A addend, P place.
@Suite("Relocations") struct RelocationTests {
    static let base: UInt64 = 0xffff_ffff_a000_0000
    static let far: UInt64 = 0xffff_8880_1234_5678

    /// Eight bytes in .data with one relocation to the import `target`, resolved to `symbol`.
    private func apply(_ type: String, addend: Int64 = 0, symbol: UInt64) throws -> (UInt64, place: UInt64) {
        let object = try Toolchain.assembly("""
            .data
            .balign 64
            place: .quad 0
            .reloc place, \(type), target + \(addend)
            """)
        let image = try Linker(base: Self.base).link([LinkInput(object, exports: .none)]) {
            $0 == "target" ? symbol : nil
        }
        return (image.word(at: Self.base), Self.base)
    }

    @Test("R_X86_64_64 is S + A in 64 bits")
    func absolute64() throws {
        #expect(try apply("R_X86_64_64", addend: 8, symbol: Self.far).0 == Self.far + 8)
        #expect(try apply("R_X86_64_64", addend: -8, symbol: 4).0 == UInt64(bitPattern: -4))
    }

    @Test("R_X86_64_PC64 is S + A - P in 64 bits")
    func relative64() throws {
        let (value, place) = try apply("R_X86_64_PC64", addend: 3, symbol: Self.far)
        #expect(value == Self.far &+ 3 &- place)
    }

    @Test("R_X86_64_PC32 and PLT32 are S + A - P, sign-extended 32 bits",
          arguments: ["R_X86_64_PC32", "R_X86_64_PLT32"])
    func relative32(type: String) throws {
        let (value, place) = try apply(type, addend: -4, symbol: Self.base - 0x1000)
        #expect(UInt32(truncatingIfNeeded: value) == UInt32(truncatingIfNeeded: Self.base &- 0x1004 &- place))
        #expect(value >> 32 == 0)
    }

    @Test("a PC32 distance of 2^31 - 1 fits and 2^31 does not; -2^31 fits and one less does not")
    func relative32Limits() throws {
        #expect(try apply("R_X86_64_PC32", symbol: Self.base &+ 0x7fff_ffff).0 == 0x7fff_ffff)
        #expect(try apply("R_X86_64_PC32", symbol: Self.base &- 0x8000_0000).0 == 0x8000_0000)
        for distance: Int64 in [0x8000_0000, -0x8000_0001] {
            let error = imageError {
                _ = try apply("R_X86_64_PC32", symbol: Self.base &+ UInt64(bitPattern: distance))
            }
            #expect(error?.place == .reference(symbol: "target", section: ".data", offset: 0))
            #expect(error?.exitCode == 65)
        }
    }

    @Test("R_X86_64_32S must sign-extend, R_X86_64_32 must zero-extend")
    func absolute32() throws {
        #expect(try apply("R_X86_64_32S", symbol: 0xffff_ffff_8000_0000).0 == 0x8000_0000)
        #expect(try apply("R_X86_64_32S", symbol: 0x7fff_ffff).0 == 0x7fff_ffff)
        #expect(imageError { _ = try apply("R_X86_64_32S", symbol: 0x8000_0000) } != nil)
        #expect(imageError { _ = try apply("R_X86_64_32S", symbol: 0xffff_ffff_7fff_ffff) } != nil)
        #expect(try apply("R_X86_64_32", symbol: 0xffff_ffff).0 == 0xffff_ffff)
        #expect(imageError { _ = try apply("R_X86_64_32", symbol: 0x1_0000_0000) } != nil)
        #expect(imageError { _ = try apply("R_X86_64_32", symbol: 0xffff_ffff_8000_0000) } != nil)
    }

    @Test("R_X86_64_NONE changes nothing and counts")
    func none() throws {
        #expect(try apply("R_X86_64_NONE", symbol: Self.far).0 == 0)
    }

    @Test("an unknown relocation is refused with its number, section and offset", arguments: [
        ("R_X86_64_GOTPCREL", 9), ("R_X86_64_16", 12), ("R_X86_64_TPOFF32", 23),
    ])
    func unknown(type: String, number: Int) {
        let error = imageError { _ = try apply(type, symbol: Self.base) }
        #expect(error?.kind == .unsupported)
        #expect(error?.place == .sectionOffset(section: ".data", offset: 0))
        #expect(error?.found.contains("(\(number))") == true)
    }

    @Test("a relocation that reaches over its section's end is refused")
    func outside() throws {
        let object = try Toolchain.assembly("""
            .data
            .long 1
            .reloc .data, R_X86_64_64, target
            """)
        let error = imageError {
            _ = try Linker(base: Self.base).link([LinkInput(object, exports: .none)]) { _ in 0 }
        }
        #expect(error?.kind == .malformed)
        #expect(error?.place == .sectionOffset(section: ".data", offset: 0))
    }

    @Test("references from one object into another bind at any base", arguments: [
        UInt64(0xffff_ffff_a000_0000), 0xffff_ffff_ac00_0000, 0x4000_0000,
    ])
    func crossObject(base: UInt64) throws {
        let runtime = try Toolchain.elf("int shared = 7; int service(int x) { return x + shared; }", name: "runtime.o")
        let driver = try Toolchain.elf(
            "extern int service(int); extern int shared; int *pointer = &shared;"
                + "int entry(void) { return service(shared) + 1; }", name: "driver.o")
        let image = try Linker(base: base).link([
            LinkInput(runtime, exports: .allGlobals), LinkInput(driver, exports: .exportTable),
        ])
        let shared = try #require(image.address(of: "shared"))
        #expect(image.word(at: try #require(image.address(of: "pointer"))) == shared)
        #expect(image.objects[1].imports.map(\.name).sorted() == ["service", "shared"])
        #expect(image.objects[1].imports.allSatisfy { $0.suppliedBy == 0 })
    }
}
