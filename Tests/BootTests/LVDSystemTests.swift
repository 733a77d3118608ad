import DriverImage
import Foundation
import TestSupport
import Testing

@testable import Boot

@Suite("The guest system put together") struct LVDSystemTests {
    private func system(
        _ folder: URL, isolation: LVDConfiguration.Isolation = .isolated,
        _ edit: (inout LVDConfiguration) -> Void = { _ in }
    ) throws -> LVDSystem {
        var configuration = LVDConfiguration(drivers: [folder.path + "/driver.ko"])
        configuration.images = folder.path
        configuration.isolation = isolation
        edit(&configuration)
        return try LVDSystem(configuration)
    }

    private func error(_ body: () throws -> Void) -> ImageError? {
        do {
            try body()
            return nil
        } catch { return error as? ImageError }
    }

    @Test("an isolated driver is linked behind the runtime in its own window, imports bound to it")
    func isolated() throws {
        try GuestSystem.withImages { folder in
            let system = try system(folder) { $0.timerCycles = 5000 }
            #expect(system.commandLine == "kernel.elf workload=tx:1000 cpus=1 seed=1 timer=5000")
            #expect(system.modules.map(\.commandLine) == ["monitor", "domain name=tiny base=0xffffffffa0000000"])
            let driver = system.layout.drivers[0]
            #expect(driver.domain == 0)
            #expect(driver.entry == driver.symbols["domain_dispatch"])
            #expect(driver.initModule == driver.symbols["init_module"])
            #expect(driver.segments.map(\.name).filter { $0 != "rodata" } == ["text", "data"])
            #expect(driver.segments.allSatisfy { !($0.writable && $0.executable) })
            #expect(system.layout.vmFunctionSites == [
                VMFunctionSite(address: .init(0xffff_ffff_8020_3003), expectedECX: 1),
            ])
            #expect(system.layout.sharedRanges.map(\.name) == ["text"])
            #expect(system.layout.sharedRanges[0].executable && !system.layout.sharedRanges[0].writable)
            #expect(system.layout.results == system.layout.kernel["lvd_results"])
            #expect(system.layout.describe(driver.initModule) == "tiny:init_module")
        }
    }

    @Test("a native driver binds to the kernel's exports and needs no monitor and no runtime")
    func native() throws {
        try GuestSystem.withImages { folder in
            try FileManager.default.removeItem(at: folder.appendingPathComponent("monitor.elf"))
            try FileManager.default.removeItem(at: folder.appendingPathComponent("domain.ko"))
            let system = try system(folder, isolation: .native)
            #expect(system.modules.map(\.commandLine) == ["driver name=tiny base=0xffffffffa0000000"])
            #expect(system.layout.drivers[0].domain == nil)
            #expect(system.layout.drivers[0].entry == nil)
        }
    }

    @Test("an import that neither the runtime nor the kernel supplies is exit 65, naming it")
    func unresolved() throws {
        for isolation in [LVDConfiguration.Isolation.isolated, .native] {
            try GuestSystem.withImages(driver: GuestSystem.driver(imports: "no_such_service")) { folder in
                let error = try #require(error { _ = try system(folder, isolation: isolation) })
                #expect(error.kind == .unresolved)
                #expect(error.exitCode == 65)
                #expect(error.file == folder.path + "/driver.ko")
                #expect("\(error)".contains("no_such_service"))
            }
        }
    }

    @Test("a driver module begins with struct lvd_domain_header as the C compiler lays it out")
    func header() throws {
        try GuestSystem.withImages { folder in
            let system = try system(folder)
            let blob = system.modules[1].bytes
            let driver = system.layout.drivers[0]
            let segments = driver.segments.map { segment -> String in
                let offset = segment.range.lowerBound - driver.base.rawValue
                let number = (segment.writable ? 2 : 0) | (segment.executable ? 4 : 0) | 1
                return "{ \(offset), PLACE, SIZE, \(segment.range.count), \(number), 0 },"
            }
            // The two numbers that depend on contents are read back; everything else must match byte for byte.
            let reader = TableReader(bytes: blob)
            var source = """
                #include "lvd/boot.h"
                _Static_assert(sizeof(struct lvd_domain_header) == \(DriverModule.headerBytes), "size");
                _Static_assert(LVD_MAX_SEGMENTS == \(DriverModule.maximumSegments), "segments");
                const struct lvd_domain_header header = {
                    LVD_DOMAIN_MAGIC, LVD_DOMAIN_VERSION, sizeof(struct lvd_domain_header),
                    \(driver.base.rawValue)u, \(driver.segments.last!.range.upperBound - driver.base.rawValue),
                    \(driver.entry!.rawValue)u, \(driver.initModule.rawValue)u, \(driver.cleanupModule!.rawValue)u,
                    \(driver.symbols["__this_module"]!.rawValue)u, "tiny", \(driver.segments.count), 0, {
                """
            for (index, segment) in segments.enumerated() {
                let start = 136 + index * 40
                source += segment.replacingOccurrences(of: "PLACE", with: "\(reader.word(start + 8))")
                    .replacingOccurrences(of: "SIZE", with: "\(reader.word(start + 16))")
                #expect(reader.word(start + 8) % 4096 == 0)
                #expect(reader.word(start + 8) + reader.word(start + 16) <= UInt64(blob.count))
                #expect(reader.word(start + 16) <= reader.word(start + 24))
            }
            source += "} };"
            let object = try ELFObject(name: "header.o", bytes: Toolchain.object(source, flags: GuestSystem.flags))
            let expected = try #require(object.bytes(ofSection: ".rodata"))
            #expect(Array(blob[..<DriverModule.headerBytes]) == Array(expected[..<DriverModule.headerBytes]))
            #expect(object.section(named: ".rela.rodata") == nil)
        }
    }

    @Test("a machine gets the kernel at 2 MiB, the modules on pages behind it and their command lines")
    func machine() throws {
        try GuestSystem.withImages { folder in
            let system = try system(folder) { $0.memoryBytes = 32 << 20 }
            let machine = try system.makeMachine()
            func read(_ address: UInt64, _ count: Int) -> TableReader {
                TableReader(bytes: machine.readPhysical(.init(address), count: count))
            }
            #expect(read(0x20_0000, 4).half(0) == 0x1bad_b002)
            let information = UInt64(0x9000)
            #expect(read(information + 20, 4).half(0) == 2)
            let table = UInt64(read(information + 24, 4).half(0))
            for (index, module) in system.modules.enumerated() {
                let record = read(table + UInt64(index) * 16, 16)
                #expect(record.half(0) % 4096 == 0)
                #expect(record.half(4) - record.half(0) == UInt32(module.bytes.count))
                #expect(read(UInt64(record.half(0)), module.bytes.count).bytes == module.bytes)
                #expect(read(UInt64(record.half(8)), 80).text(0, 80) == module.commandLine)
            }
        }
    }

    @Test("an exported kernel for 32-bit loaders has the same bytes at the same physical addresses")
    func exported() throws {
        try GuestSystem.withImages { folder in
            let system = try system(folder)
            let (files, qemu) = try system.export()
            #expect(files.map(\.name) == ["kernel.elf", "kernel32.elf", "module0", "module1"])
            #expect(qemu.contains("module0 monitor,module1 domain name=tiny base=0xffffffffa0000000"))
            let wide = try ExecutableImage(files[0].bytes, name: "kernel.elf")
            let narrow = try ExecutableImage(files[1].bytes, name: "kernel32.elf")
            #expect(wide.entry == narrow.entry)
            #expect(wide.segments.count == narrow.segments.count)
            for (a, b) in zip(wide.segments, narrow.segments) {
                #expect(a.physical == b.physical && a.memoryBytes == b.memoryBytes)
                #expect(Array(files[0].bytes[a.contents]) == Array(files[1].bytes[b.contents]))
            }
        }
    }

    @Test("the loader's idea of the windows is the guest's (lvd/layout.h)")
    func windows() throws {
        _ = try Toolchain.object("""
            #include "lvd/layout.h"
            _Static_assert(LVD_DOMAIN_BASE == \(DriverPlacement.firstBase)u, "base");
            _Static_assert(LVD_DOMAIN_STRIDE == \(DriverPlacement.stride), "stride");
            _Static_assert(LVD_WINDOW_IMAGE_END == \(DriverPlacement.maximumBytes), "image");
            _Static_assert(LVD_WINDOW_PAGE_TABLES == \(DriverPlacement.pageTables), "tables");
            _Static_assert(LVD_KERNEL_BASE == \(DriverPlacement.kernelBase)u, "kernel");
            _Static_assert(LVD_DOMAIN_GPA == \(DriverPlacement.domainPhysical), "domain");
            _Static_assert(LVD_USER_TEXT == \(GuestLayout.processPages.lowerBound), "process");
            _Static_assert(LVD_MAX_DOMAINS == \(DriverPlacement.maximumCount), "domains");
            _Static_assert(LVD_MONITOR_PHYS == \(LVDSystem.monitorMemory.lowerBound), "monitor");
            _Static_assert(LVD_MONITOR_PHYS_END == \(LVDSystem.monitorMemory.upperBound), "monitor");
            """, flags: GuestSystem.flags)
    }

    @Test("a module without vermagic, for two kernels at once, or more than fit: refused")
    func refused() throws {
        let silent = GuestSystem.driver().replacingOccurrences(of: "vermagic=", with: "version=")
        try GuestSystem.withImages(driver: silent) { folder in
            #expect(error { _ = try system(folder) }?.found == "no vermagic")
        }
        try GuestSystem.withImages { folder in
            let many = [String](repeating: folder.path + "/driver.ko", count: 5)
            #expect(error { _ = try system(folder) { $0.drivers = many } }?.kind == .unsupported)
            let other = folder.path + "/other.ko"
            let bytes = try Toolchain.object(GuestSystem.driver(vermagic: "6.1.0-1-none SMP"))
            try Data(bytes).write(to: URL(fileURLWithPath: other))
            #expect(error { _ = try system(folder) { $0.drivers.append(other) } }?.kind == .mismatch)
        }
    }

    @Test("a module for a kernel that is not here says how to get it, exit 66")
    func noKernel() throws {
        try GuestSystem.withImages(driver: GuestSystem.driver(vermagic: "6.1.0-1-none SMP")) { folder in
            let error = try #require(error { _ = try system(folder) })
            #expect(error.exitCode == 66)
            #expect(error.hint?.contains("fetch-debian.sh --release 6.1.0-1-none") == true)
        }
    }

    @Test("a module name that could not be one word of a command line is refused")
    func hostileName() throws {
        let driver = GuestSystem.driver().replacingOccurrences(of: "name=tiny", with: "name=a workload=tx:9")
        try GuestSystem.withImages(driver: driver) { folder in
            #expect(error { _ = try system(folder) }?.kind == .malformed)
        }
    }
}

@Suite("ABI slots from a kernel's BTF", .enabled(if: DebianKernel.isFetched, "run scripts/fetch-debian.sh first"))
struct ABITableTests {
    private func slot(_ bytes: [UInt8], _ name: String) -> UInt32? {
        let pattern = Array(name.utf8) + [0]
        for start in stride(from: 0, to: bytes.count - 64, by: 4)
        where bytes[start + 4] == pattern[0] && Array(bytes[(start + 4)..<(start + 4 + pattern.count)]) == pattern {
            return TableReader(bytes: bytes).half(start)
        }
        return nil
    }

    @Test("a Debian module gets its kernel's offsets, in the kernel image and in the domain; ours keeps the defaults")
    func patched() throws {
        let release = try #require(DebianKernel.release)
        let vermagic = "\(release) SMP preempt mod_unload modversions"
        // Not Debian's struct module: the size check wants the real one.
        let driver = GuestSystem.driver(vermagic: vermagic)
            .replacingOccurrences(of: "unsigned long pad[4];", with: "unsigned long pad[110];")
        try GuestSystem.withImages(driver: driver) { folder in
            var configuration = LVDConfiguration(drivers: [folder.path + "/driver.ko"])
            configuration.images = folder.path
            let system = try LVDSystem(configuration)
            #expect(slot(system.kernelImage, "sizeof net_device") == 2432)
            #expect(slot(system.kernelImage, "net_device.netdev_ops") == 208)
            #expect(slot(system.modules[1].bytes, "sk_buff.len") == 112)
        }
        try GuestSystem.withImages { folder in
            var configuration = LVDConfiguration(drivers: [folder.path + "/driver.ko"])
            configuration.images = folder.path
            let system = try LVDSystem(configuration)
            #expect(slot(system.kernelImage, "sizeof net_device") == 1)
            #expect(slot(system.modules[1].bytes, "sk_buff.len") == 7)
        }
    }

    @Test("a module whose struct module has another size than the kernel's is refused")
    func moduleSize() throws {
        let driver = GuestSystem.driver(vermagic: try #require(DebianKernel.release) + " SMP")
        try GuestSystem.withImages(driver: driver) { folder in
            var configuration = LVDConfiguration(drivers: [folder.path + "/driver.ko"])
            configuration.images = folder.path
            #expect(throws: ImageError.self) { try LVDSystem(configuration) }
        }
    }

    @Test("an import whose CRC is not the kernel's is exit 65, naming the symbol")
    func versions() throws {
        let exports = try KernelExports(ELFObject(path: DebianKernel.path("vmlinux")))
        var bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: DebianKernel.path("modules/dummy.ko"))))
        let object = try ELFObject(name: "dummy.ko", bytes: bytes)
        let section = object.sections[try #require(object.section(named: "__versions"))]
        bytes[Int(section.offset) + 64] ^= 1
        let metadata = try ModuleMetadata(ELFObject(name: "dummy.ko", bytes: bytes))
        do {
            try exports.check(metadata, file: "dummy.ko", kernel: "vmlinux")
            Issue.record("accepted")
        } catch {
            #expect(error.exitCode == 65)
            #expect(error.place == .symbol(metadata.versions[1].name))
        }
    }

    @Test("a vmlinux of another release is refused")
    func otherRelease() throws {
        do {
            _ = try LinuxKernel(release: "6.1.0-1-none", module: "x.ko", option: DebianKernel.path("vmlinux"))
            Issue.record("accepted")
        } catch let error as ImageError { #expect(error.kind == .mismatch) }
    }
}
