import Foundation
import TestSupport

/// A guest system with nothing in it but the tables that the loader reads.
enum GuestSystem {
    static let kernel = """
        #include "lvd/boot.h"
        #define SECTION(name) __attribute__((section(name), used))
        SECTION(".lvd_abi") struct lvd_abi_slot size = { 1, "sizeof net_device" };
        SECTION(".lvd_abi") struct lvd_abi_slot field = { 2, "net_device.netdev_ops" };
        SECTION(".multiboot") unsigned header[] = { 0x1badb002, 3, -0x1badb002u - 3 };
        void _start(void) {}
        void vmfunc_state_page(void) {}
        int lvd_results;
        SECTION(".lvd_export") struct lvd_export exports[] = { { 0xffffffff80201000, "service" } };
        SECTION(".lvd_shared_export") struct lvd_export shared[] = { { 0xffffffff80202000, "crossing" } };
        SECTION(".lvd_vmfunc_sites") struct lvd_vmfunc_site sites[] = { { 0xffffffff80203003, 1, 0 } };
        SECTION(".lvd_shared_ranges") struct lvd_shared_range ranges[] = {
            { 0xffffffff80203000, 0xffffffff80204000, LVD_READ | LVD_EXECUTE, 0, "text" } };
        """
    /// Linked high and loaded at 2 MiB, as the real kernel is.
    static let script = """
        ENTRY(_start)
        SECTIONS {
            . = 0xffffffff80200000;
            .all : AT(0x200000) { KEEP(*(.multiboot)) *(.text*) *(.rodata*) *(.data*) *(.bss*) }
            .lvd_abi : AT(ADDR(.lvd_abi) - 0xffffffff80000000) { KEEP(*(.lvd_abi)) }
            .lvd_export : AT(ADDR(.lvd_export) - 0xffffffff80000000) { KEEP(*(.lvd_export)) }
            .lvd_shared_export : AT(ADDR(.lvd_shared_export) - 0xffffffff80000000) { KEEP(*(.lvd_shared_export)) }
            .lvd_vmfunc_sites : AT(ADDR(.lvd_vmfunc_sites) - 0xffffffff80000000) { KEEP(*(.lvd_vmfunc_sites)) }
            .lvd_shared_ranges : AT(ADDR(.lvd_shared_ranges) - 0xffffffff80000000) { KEEP(*(.lvd_shared_ranges)) }
        }
        """
    static let runtime = """
        #include "lvd/boot.h"
        __attribute__((section(".lvd_abi"), used)) struct lvd_abi_slot field = { 7, "sk_buff.len" };
        extern void crossing(void);
        int service(int x) { crossing(); return x; }
        void domain_dispatch(void) { service((int)field.value); }
        """
    static func driver(vermagic: String = "lvdsim", imports: String = "service") -> String {
        """
        extern int \(imports)(int);
        int table[3000] = { 5 };
        int init_module(void) { return \(imports)(table[1]); }
        void cleanup_module(void) {}
        struct module { unsigned long pad[4]; int (*init)(void); void (*exit)(void); };
        __attribute__((section(".gnu.linkonce.this_module"))) struct module __this_module =
            { .init = init_module, .exit = cleanup_module };
        __attribute__((section(".modinfo"), used)) static const char info[] =
            "name=tiny\\0license=GPL\\0vermagic=\(vermagic)";
        """
    }

    /// Repository root.
    static var root: URL {
        var root = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { root.deleteLastPathComponent() }
        return root
    }

    static var flags: [String] { Toolchain.kernelFlags + ["-I", root.path + "/Sources/Guest/include"] }

    /// Writes kernel.elf, monitor.elf, domain.ko and driver.ko into a folder of their own.
    static func withImages<Result>(driver: String = driver(), _ body: (URL) throws -> Result) throws -> Result {
        try Toolchain.inTemporaryFolder { folder in
            let script = folder.appendingPathComponent("link.ld")
            try Data(Self.script.utf8).write(to: script)
            let options = ["-T", script.path, "-z", "max-page-size=4096"]
            let kernel = try Toolchain.executable(Toolchain.object(Self.kernel, flags: flags), options: options)
            let files: [(String, [UInt8])] = [
                ("kernel.elf", kernel), ("monitor.elf", kernel),
                ("domain.ko", try Toolchain.object(runtime, flags: flags)),
                ("driver.ko", try Toolchain.object(driver, flags: flags)),
            ]
            for (name, bytes) in files { try Data(bytes).write(to: folder.appendingPathComponent(name)) }
            return try body(folder)
        }
    }
}
