import Foundation
import TestSupport
import Testing

@testable import IDL

@Suite("C from interfaces")
struct GenerateTests {
    static let root = Fixtures.folder.deletingLastPathComponent().deletingLastPathComponent()
    /// A driver's file needs its modules; a draft says where a person has to decide.
    static let files = AcceptedTests.files.filter { !["driver.idl", "user-draft.idl"].contains($0.lastPathComponent) }

    private func generate(
        _ text: String, name: String = "t.idl", kernel: KernelTypes? = nil, usesSlots: Bool = false
    ) -> (files: [GeneratedFile], problems: [Diagnostic]) {
        let result = Interface.check(IDLSource(name: name, text: text), kernel: kernel)
        #expect(!result.hasErrors, "\(result.diagnostics.map { $0.rendered(in: result.source) }.joined())")
        let made = Interface.generate([result], kernel: kernel, usesSlots: usesSlots)
        return (made.files, made.problems.flatMap { $0 })
    }
    private func generate(_ file: URL) throws -> (files: [GeneratedFile], problems: [Diagnostic]) {
        generate(try String(contentsOf: file, encoding: .utf8), name: file.lastPathComponent)
    }

    private func compile(_ files: [GeneratedFile]) throws {
        try Toolchain.inTemporaryFolder { folder in
            for file in files { try Data(file.text.utf8).write(to: folder.appending(path: file.name)) }
            for file in files where file.name.hasSuffix(".c") {
                _ = try Toolchain.object(
                    file.text,
                    flags: Toolchain.kernelFlags + [
                        "-nostdlibinc", "-std=gnu17", "-mgeneral-regs-only", "-Wall", "-Wextra", "-Werror",
                        "-I" + Self.root.appending(path: "Sources/Guest/include").path, "-I" + folder.path
                    ])
            }
        }
    }

    @Test("both sides of every accepted interface compile without a warning", arguments: files)
    func compiles(file: URL) throws {
        let made = try generate(file)
        #expect(made.problems.isEmpty)
        try compile(made.files)
    }

    @Test(
        "what is made of these files does not change by itself",
        arguments: ["directions", "function-pointers", "string"])
    func golden(name: String) throws {
        let files = try generate(Fixtures.folder.appending(path: "accepted/\(name).idl")).files
        #expect(files.count == 3)
        for file in files {
            let golden = Fixtures.folder.appending(path: "generated/\(name)/\(file.name)")
            if ProcessInfo.processInfo.environment["LVDSIM_UPDATE_GOLDEN"] != nil {
                try FileManager.default.createDirectory(
                    at: golden.deletingLastPathComponent(), withIntermediateDirectories: true)
                try Data(file.text.utf8).write(to: golden)
            }
            let expected = try String(contentsOf: golden, encoding: .utf8)
            #expect(file.text == expected, "\(name)/\(file.name)")
        }
    }

    @Test(
        "the guest's generated files are what the generator makes now",
        arguments: [
            ("tests/marshalling/marshalling.idl", "tests/marshalling/generated", false, 0),
            ("interfaces/network.idl", "generated", true, 64)
        ])
    func committed(name: String, folder: String, usesSlots: Bool, firstNumber: Int) throws {
        let guest = Self.root.appending(path: "Sources/Guest")
        let text = try String(contentsOf: guest.appending(path: name), encoding: .utf8)
        let result = Interface.check(IDLSource(name: name, text: text))
        let files = Interface.generate([result], usesSlots: usesSlots, firstNumber: firstNumber).files
        #expect(files.count == 3)
        for file in files {
            let committed = try String(contentsOf: guest.appending(path: "\(folder)/\(file.name)"), encoding: .utf8)
            #expect(file.text == committed, "\(file.name): run `make glue`")
        }
    }

    @Test("each function says where in which file it is declared")
    func places() {
        let files = generate("module m {\n\n    rpc void f() {}\n    rpc_ptr int g(int a) {}\n}", name: "x/y.idl").files
        for file in files where file.name.hasSuffix(".c") {
            #expect(file.text.contains("/* x/y.idl:3: rpc f */\n"))
            #expect(file.text.contains("/* x/y.idl:4: rpc_ptr g */\n"))
        }
    }

    @Test("integers cross before everything else, so that a size is known before what it measures")
    func order() throws {
        let files = generate("module m { rpc void f(array<u8, {{ctx->n}}> * data, u32 n) {} }").files
        let kernel = try #require(files.first { $0.name == "m_kernel.c" }).text
        let size = try #require(kernel.firstRange(of: "ctx->n = (u32)lvd_take(call);"))
        let data = try #require(kernel.firstRange(of: "lvd_take_bytes"))
        #expect(size.lowerBound < data.lowerBound)
        #expect(kernel.contains("count_1 == (u64)(ctx->n)"))
    }

    @Test(
        "what the grammar allows and no glue can be made of",
        arguments: [
            ("rpc void f(char [user] * b) {}", "size is not given"),
            ("rpc void f(array<u8, size_unknown> * b) {}", "size is not given"),
            ("rpc void f(array<u8, null> [out] * b) {}", "how much room"),
            ("rpc void f(int register) {}", "a word of C"),
            (
                "projection <union u> u { u32 * p; } rpc void f(projection u [alloc_stack(callee)] * u) {}",
                "a union with pointers"
            ),
            ("rpc void f(projection a * a) {} projection <struct a> a { array<u8, {{ptr->n}}> * b; }", "no field"),
            ("rpc void f(array<u8, {{ptr->n}}> * b, int n) {}", "'ptr' outside"),
            ("global projection a g { projection <struct a> a { int x; } }", "a structure or array")
        ])
    func problems(text: String, message: String) {
        let found = generate("module m { \(text) }").problems
        #expect(found.allSatisfy { $0.code == .noGlue })
        #expect(found.contains { $0.message.contains(message) }, "\(found.map(\.message))")
    }

    @Test("modules of one run have numbers of their own; a driver's dispatch asks all that it imports")
    func numbers() {
        let modules = Interface.check(
            IDLSource(name: "m", text: "module a { rpc void f() {} rpc void g() {} } module b { rpc void h() {} }"))
        let driver = Interface.check(IDLSource(name: "d", text: "driver d { import a; import b; }"))
        let made = Interface.generate([driver, modules], firstNumber: 10)
        #expect(made.problems.allSatisfy { $0.isEmpty })
        #expect(made.files.first { $0.name == "a.h" }?.text.contains("A_IN_KERNEL_BEFORE = 10 - 1") == true)
        #expect(made.files.first { $0.name == "b.h" }?.text.contains("B_IN_KERNEL_BEFORE = 12 - 1") == true)
        #expect(
            made.files.first { $0.name == "d.h" }?.text.contains("return b_kernel_dispatch(peer, message);") == true)
    }

    @Test("structures that many ways lead to are looked at once")
    func manyWays() {
        let levels = (0..<40).map {
            "projection <struct s\($0)> p\($0) { projection p\($0 + 1) * a; projection p\($0 + 1) * b; }"
        }
        let text =
            "module m { rpc void f(projection p0 * p) {} \(levels.joined()) projection <struct e> p40 {} }"
        #expect(generate(text).problems.isEmpty)
    }

    @Test("with slots no structure is laid out; members are reached through them")
    func slots() throws {
        let text = """
            module m { rpc void f(projection skb * skb) {}
                projection <struct sk_buff> skb { unsigned int len; array<u8, {{ptr->len}}> * data; } }
            """
        let files = generate(text, usesSlots: true).files
        #expect(files[1].text.contains("FIELD(ptr, unsigned int, sk_buff, len) = (unsigned int)lvd_take(call);"))
        #expect(files[1].text.contains("count_1 == (u64)(FIELD(ptr, unsigned int, sk_buff, len))"))
        #expect(!files[0].text.contains("struct sk_buff"))
        try compile(files)
    }

    @Test("against a kernel, members are where it has them", .enabled(if: DebianKernel.isFetched))
    func layouts() throws {
        let text = """
            module m {
                rpc_ptr int ndo_start_xmit(projection skb * skb, projection dev * dev) {}
                rpc int register_netdevice(projection dev * dev) {}
                projection <struct sk_buff> skb {
                    unsigned int len;
                    u16 queue_mapping;
                    u8 pfmemalloc : 1;
                    array<u8, {{ptr->data_len}}> [out] * data;
                }
                projection <struct net_device> dev {
                    array<char, 16> name;
                    unsigned int mtu;
                }
            }
            """
        let kernel = try #require(KernelTests.kernel)
        let made = generate(text, kernel: kernel)
        #expect(made.problems.isEmpty)
        let offset = try #require(kernel.member("mtu", ofStructure: "net_device")?.byteOffset)
        #expect(made.files[0].text.contains("_Static_assert(offsetof(struct net_device, mtu) == \(offset), \"mtu\");"))
        #expect(made.files[0].text.contains("u32 data_len;"), "a member that only an expression names")
        try compile(made.files)
    }

    @Test("interfaces with words removed, doubled or swapped make files or problems, never a crash", arguments: files)
    func mutations(file: URL) throws {
        let good = Array(try Data(contentsOf: file))
        let spans = HostileTests.spans(good)
        var random = HostileTests.Generator(state: 11)
        for _ in 0..<100 {
            var text = good
            let first = spans[random.next(spans.count)], second = spans[random.next(spans.count)]
            switch random.next(3) {
            case 0: text.removeSubrange(first)
            case 1: text.insert(contentsOf: good[second] + [32], at: first.lowerBound)
            default: text.replaceSubrange(first, with: good[second])
            }
            let result = Interface.check(IDLSource(name: "fuzz", bytes: text))
            guard !result.hasErrors else { continue }
            let made = Interface.generate([result])
            #expect(!made.files.isEmpty || !made.problems.isEmpty)
        }
    }
}
