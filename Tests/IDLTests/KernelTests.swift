import DriverImage
import TestSupport
import Testing

@testable import IDL

@Suite("Interfaces against Debian's kernel", .enabled(if: DebianKernel.isFetched))
struct KernelTests {
    static let kernel: KernelTypes? = try? KernelTypes(BTF(path: DebianKernel.path("vmlinux")))

    private func problems(_ text: String) throws -> [DiagnosticCode] {
        let kernel = try #require(Self.kernel)
        return Interface.check(IDLSource(name: "t", text: text), kernel: kernel).diagnostics.map(\.code)
    }

    @Test("what dummy.ko uses of the network is there as this interface says")
    func good() throws {
        #expect(
            try problems(
                """
                module kernel {
                    rpc int register_netdevice(projection net_device * dev) {}
                    rpc void rtnl_lock() {}
                    rpc projection net_device [alloc(caller)] * alloc_netdev_mqs(int sizeof_priv,
                        string [alloc(callee)] * name,
                            unsigned char name_assign_type, rpc_ptr setup setup, unsigned int txqs, unsigned int rxqs) {
                        rpc_ptr void setup(projection net_device * dev) {}
                    }
                    rpc_ptr int ndo_start_xmit(projection skb * skb, projection net_device * dev) {
                        projection <struct sk_buff> skb {
                            unsigned int len;
                            u16 queue_mapping;
                            u8 pfmemalloc : 1;
                        }
                    }
                    projection <struct net_device> net_device {
                        array<char, 16> name;
                        unsigned int mtu;
                        projection ops [alloc_once(callee)] * netdev_ops;
                    }
                    projection <struct net_device_ops> ops {
                        rpc_ptr ndo_start_xmit ndo_start_xmit;
                    }
                }
                """) == [])
    }

    @Test("a structure or union that the kernel does not have")
    func missingType() throws {
        #expect(try problems("module m { projection <struct no_such_struct> a {} }") == [.missingType])
        #expect(try problems("module m { projection <union sk_buff> a {} }") == [.missingType])
        #expect(
            try problems(
                """
                module m { rpc void rtnl_lock() {}
                    rpc_ptr void f(void [bind_memberof<struct no_such_struct, x>(callee)] * a) {} }
                """) == [.missingType])
    }

    @Test("a member that its structure does not have, and what was likely meant")
    func missingField() throws {
        let kernel = try #require(Self.kernel)
        let text = "module m { projection <struct sk_buff> a { unsigned int lenn; } }"
        let found = Interface.check(IDLSource(name: "t", text: text), kernel: kernel).diagnostics
        #expect(found.map(\.code) == [.missingField])
        #expect(found.first?.hint == "did you mean 'len'?")
        #expect(
            try problems("module m { projection <struct sk_buff> a { array<u8, {{ptr->lenn}}> * data; } }") == [
                .missingField
            ])
        #expect(
            try problems(
                """
                module m { rpc_ptr void f(void [bind_memberof<struct device, power.wrk>(callee)] * a) {} }
                """) == [.missingField])
    }

    @Test(
        "a member of another width, kind or number of elements",
        arguments: [
            "u64 len;", "projection b len;", "u8 cb;", "array<char, 49> cb;", "unsigned int * len;", "u8 pfmemalloc;",
            "u32 len : 3;"
        ])
    func mismatch(field: String) throws {
        #expect(
            try problems("module m { projection <struct device> b {} projection <struct sk_buff> a { \(field) } }") == [
                .typeMismatch
            ])
    }

    @Test("members inside unnamed unions and structures are found as C finds them")
    func anonymous() throws {
        #expect(try problems("module m { projection <struct sk_buff> a { projection a * next; u32 priority; } }") == [])
    }

    @Test("a function that the kernel does not have; functions of the driver are not looked for")
    func missingFunction() throws {
        #expect(try problems("module m { rpc void no_such_function() {} }") == [.missingFunction])
        #expect(try problems("module m { rpc_ptr void no_such_function() {} rpc_export void nor_this() {} }") == [])
    }

    @Test(
        "a function with other arguments or another result",
        arguments: [
            "rpc void rtnl_lock(int a)", "rpc int rtnl_lock()", "rpc int register_netdevice()",
            "rpc int register_netdevice(int a)",
            "rpc u64 register_netdevice(void * a)"
        ])
    func prototypes(function: String) throws {
        #expect(try problems("module m { \(function) {} }") == [.prototypeMismatch])
    }
}
