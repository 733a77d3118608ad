import TestSupport
import Testing

@testable import DriverImage

@Suite("Linking") struct LinkerTests {
    static let base: UInt64 = 0xffff_ffff_a400_0000

    private func link(
        _ objects: [(ELFObject, LinkInput.Exports)], _ resolver: (String) -> UInt64? = { _ in nil }
    ) throws -> LinkedImage {
        try Linker(base: Self.base).link(objects.map { LinkInput($0.0, exports: $0.1) }, resolver: resolver)
    }

    @Test("text is r-x, constants r--, variables rw-, each on pages of its own, the first at the base")
    func permissions() throws {
        let object = try Toolchain.elf("""
            const int constant[2] = {1, 2}; int variable = 3; int zeroed[2000];
            int function(void) { return variable + zeroed[5]; }
            """)
        let image = try link([(object, .allGlobals)])
        #expect(image.segments.map(\.name) == ["text", "rodata", "data"])
        #expect(image.segments[0].address == Self.base)
        for segment in image.segments {
            #expect(segment.address % 4096 == 0)
            #expect(segment.bytes.count % 4096 == 0)
        }
        #expect(image.permissions(at: try #require(image.address(of: "function"))) == "r-x")
        #expect(image.permissions(at: try #require(image.address(of: "constant"))) == "r--")
        #expect(image.permissions(at: try #require(image.address(of: "variable"))) == "rw-")
        #expect(image.permissions(at: try #require(image.address(of: "zeroed"))) == "rw-")
        #expect(image.half(at: try #require(image.address(of: "constant")) + 4) == 2)
        #expect(image.end == image.segments[2].address + UInt64(image.segments[2].bytes.count))
    }

    @Test("an import that nothing supplies names the symbol, its first use and the importing file")
    func unresolved() throws {
        let object = try Toolchain.elf(
            "void absent(void); void other(void); void f(void) { absent(); other(); }", name: "needy.ko")
        let error = imageError { _ = try link([(object, .none)]) }
        #expect(error?.kind == .unresolved)
        #expect(error?.file == "needy.ko")
        #expect(error?.exitCode == 65)
        guard case .reference(let symbol, let section, _) = error?.place else {
            Issue.record("place is \(String(describing: error?.place))")
            return
        }
        #expect(symbol == "absent")
        #expect(section == ".text")
        #expect(error?.hint?.contains("absent, other") == true)
    }

    @Test("an undefined weak symbol that nothing supplies is 0")
    func undefinedWeak() throws {
        let object = try Toolchain.assembly(".weak maybe\n.data\n.globl here\nhere: .quad maybe + 5")
        let image = try link([(object, .allGlobals)])
        #expect(image.word(at: try #require(image.address(of: "here"))) == 5)
    }

    @Test("an object's own definition comes first, then exports, then the resolver")
    func order() throws {
        let runtime = try Toolchain.assembly(".data\n.globl a, b\na: .quad 1\nb: .quad 2", name: "runtime.o")
        let driver = try Toolchain.assembly(
            ".data\n.globl a, table\ntable: .quad a, b, c\na: .quad 3", name: "driver.o")
        let image = try link([(runtime, .allGlobals), (driver, .none)]) { $0 == "c" || $0 == "b" ? 0x1234 : nil }
        let table = try #require(image.address(of: "table"))
        #expect(image.word(at: image.word(at: table)) == 3)
        #expect(image.word(at: image.word(at: table + 8)) == 2)
        #expect(image.word(at: table + 16) == 0x1234)
        #expect(image.objects[1].imports.map(\.suppliedBy) == [0, nil])
    }

    @Test("two inputs that export one name are refused, naming both files")
    func duplicate() throws {
        let first = try Toolchain.elf("int same = 1;", name: "first.o")
        let second = try Toolchain.elf("int same = 2;", name: "second.o")
        let error = imageError { _ = try link([(first, .allGlobals), (second, .allGlobals)]) }
        #expect(error?.place == .symbol("same"))
        #expect(error?.file == "second.o")
        #expect(error?.expected.contains("first.o") == true)
    }

    @Test("an exported strong definition replaces a weak one, whatever the order", arguments: [true, false])
    func weakExport(weakFirst: Bool) throws {
        let weak = try Toolchain.assembly(".data\n.weak x\nx: .quad 1", name: "weak.o")
        let strong = try Toolchain.assembly(".data\n.globl x\nx: .quad 2", name: "strong.o")
        let user = try Toolchain.assembly(".data\n.globl p\np: .quad x", name: "user.o")
        let pair = weakFirst ? [weak, strong] : [strong, weak]
        let image = try link([(pair[0], .allGlobals), (pair[1], .allGlobals), (user, .none)])
        #expect(image.word(at: image.word(at: try #require(image.address(of: "p")))) == 2)
    }

    @Test("a module exports only what EXPORT_SYMBOL lists: two modules may both have init_module")
    func moduleNamespaces() throws {
        func module(_ name: String, extra: String) throws -> ELFObject {
            try Toolchain.assembly("""
                .text
                .globl init_module
                init_module: xor %eax, %eax
                ret
                .section .gnu.linkonce.this_module, "aw"
                .balign 64
                .fill 16, 8, 0
                .reloc .gnu.linkonce.this_module + 16, R_X86_64_64, init_module
                \(extra)
                """, name: name)
        }
        let library = try module("library.ko", extra: """
            .text
            .globl shared, hidden
            shared: ret
            hidden: ret
            .section ___ksymtab+shared, "a"
            __ksymtab_shared: .long shared - .
            """)
        let user = try module("user.ko", extra: ".data\n.globl p\np: .quad shared")
        let image = try link([(library, .exportTable), (user, .exportTable)])
        let first = try #require(image.objects[0].initAddress)
        let second = try #require(image.objects[1].initAddress)
        #expect(first != second)
        #expect(image.permissions(at: first) == "r-x")
        #expect(image.objects[1].cleanupAddress == nil)
        let nosy = try module("nosy.ko", extra: ".data\n.quad hidden")
        #expect(imageError { _ = try link([(library, .exportTable), (nosy, .exportTable)]) }?.kind == .unresolved)
    }

    @Test("common symbols share one zeroed allocation of the largest size and alignment; a definition wins")
    func commons() throws {
        let first = try Toolchain.assembly(".comm c, 8, 8\n.data\n.globl p\np: .quad c", name: "first.o")
        let second = try Toolchain.assembly(".comm c, 64, 32\n.data\n.globl q\nq: .quad c", name: "second.o")
        let image = try link([(first, .allGlobals), (second, .allGlobals)])
        let shared = image.word(at: try #require(image.address(of: "p")))
        #expect(shared == image.word(at: try #require(image.address(of: "q"))))
        #expect(shared % 32 == 0)
        #expect(image.permissions(at: shared + 56) == "rw-")
        let definition = try Toolchain.assembly(".data\n.globl c\nc: .quad 9", name: "definition.o")
        let other = try link([(first, .allGlobals), (definition, .allGlobals)])
        #expect(other.word(at: other.word(at: try #require(other.address(of: "p")))) == 9)
    }

    @Test("per-CPU variables need a per-CPU base, and are linked there")
    func perCPU() throws {
        let object = try Toolchain.assembly("""
            .section .data..percpu, "aw"
            .globl counter
            .quad 0
            counter: .quad 77
            .text
            .globl bump
            bump: incq %gs:counter
            """)
        let error = imageError { _ = try link([(object, .allGlobals)]) }
        #expect(error?.place == .section(".data..percpu"))
        var linker = Linker(base: Self.base)
        linker.perCPUBase = 0x2000
        let image = try linker.link([LinkInput(object, exports: .allGlobals)])
        #expect(image.address(of: "counter") == 0x2008)
        #expect(image.perCPU?.bytes[8] == 77)
        #expect(image.segments.map(\.name) == ["text"])
    }

    @Test("sections for code patching are linked readable and never executable")
    func patchSections() throws {
        let object = try Toolchain.assembly("""
            .text
            nop
            .section .altinstr_replacement, "ax"
            wrmsr
            .section .retpoline_sites, "a"
            .long 0
            """)
        let image = try link([(object, .none)])
        let section = try #require(image.objects[0].sections.first { $0.name == ".altinstr_replacement" })
        #expect(image.permissions(at: section.address) == "r--")
        #expect(try ModuleMetadata(object).patchSections.map(\.purpose) == [.alternatives, .indirectBranches])
    }

    @Test("contents both writable and executable, thread-local or over-aligned are refused", arguments: [
        (".section .bad, \"awx\"\nnop", ".bad"),
        (".section .tbad, \"awT\", @progbits\n.quad 0", ".tbad"),
        (".section .wide, \"aw\"\n.balign 8192\n.quad 0", ".wide"),
    ])
    func refusedSections(source: String, name: String) throws {
        let object = try Toolchain.assembly(source)
        #expect(imageError { _ = try link([(object, .none)]) }?.place == .section(name))
    }

    @Test("an image larger than its limit is refused before it is built")
    func tooLarge() throws {
        let object = try Toolchain.assembly(".bss\n.skip 0x7000000000000000")
        let error = imageError { _ = try link([(object, .none)]) }
        #expect(error?.place == .section(".bss"))
        let common = try Toolchain.assembly(".comm huge, 0x7000000000000000, 8")
        #expect(imageError { _ = try link([(common, .none)]) }?.place == .symbol("huge"))
    }

    @Test("a symbol beyond its section's end is refused")
    func symbolOutside() throws {
        let object = try Toolchain.assembly(".data\n.quad 0\n.set beyond, .data + 9\n.globl beyond")
        #expect(imageError { _ = try link([(object, .none)]) }?.place == .symbol("beyond"))
    }
}
