import TestSupport
import Testing

@testable import DriverImage

@Suite("Debian's kernel and dummy.ko", .enabled(if: DebianKernel.isFetched, "run scripts/fetch-debian.sh first"))
struct DebianKernelTests {
    @Test("sizes of the structures a network driver touches")
    func sizes() throws {
        let btf = try BTF(path: DebianKernel.path("vmlinux"))
        let expected: [(String, UInt64)] = [
            ("net_device", 2432), ("sk_buff", 232), ("net_device_ops", 688), ("request", 272),
            ("request_queue", 968), ("gendisk", 672), ("bio", 128), ("blk_mq_ops", 144), ("blk_mq_hw_ctx", 512),
            ("blk_mq_tag_set", 168), ("pci_dev", 2632), ("device", 752), ("task_struct", 9792), ("module", 896),
        ]
        for (name, size) in expected { #expect(try btf.size(of: "struct " + name) == size, "\(name)") }
        #expect(try btf.byteOffset(of: "net_device_ops.ndo_init") == 0)
        #expect(try btf.byteOffset(of: "module.name") == 24)
        #expect(try btf.value(ofEnumerator: "NETDEV_TX_BUSY") == 16)
        let prototype = try #require(try btf.prototype(ofFunction: "register_netdevice"))
        #expect(prototype.parameters.count == 1)
        // sk_buff.len is behind two anonymous unions, protocol inside the anonymous headers structure.
        #expect(try btf.byteOffset(of: "sk_buff.len") < btf.byteOffset(of: "sk_buff.protocol"))
    }

    @Test("dummy.ko is what it says: module of this kernel, versioned, signed, 35 imports, 146 relocations")
    func dummy() throws {
        let object = try ELFObject(path: DebianKernel.path("modules/dummy.ko"))
        #expect(object.signature != nil)
        let metadata = try ModuleMetadata(object)
        #expect(metadata.name == "dummy")
        #expect(metadata.license == "GPL")
        #expect(metadata.kernelRelease == DebianKernel.release)
        #expect(metadata.versions.count == 36)
        #expect(metadata.thisModule?.size == 896)
        let image = try Linker(base: 0xffff_ffff_a000_0000).link([LinkInput(object, exports: .exportTable)]) { _ in
            0xffff_ffff_8020_0000
        }
        #expect(image.objects[0].imports.count == 35)
        #expect(image.objects[0].relocationCount == 146)
        #expect(image.objects[0].initAddress == image.address(of: "init_module"))
        #expect(image.objects[0].cleanupAddress == image.address(of: "cleanup_module"))
        #expect(image.objects[0].thisModule?.address == image.address(of: "__this_module"))
    }

    @Test("the split BTF in dummy.ko reads on top of vmlinux's")
    func splitBTF() throws {
        let base = try BTF(path: DebianKernel.path("vmlinux"))
        let part = try BTF(path: DebianKernel.path("modules/dummy.ko"), base: base)
        #expect(part.typeCount > base.typeCount)
        #expect(try part.prototype(ofFunction: "dummy_xmit")?.parameters.map(\.name) == ["skb", "dev"])
        #expect(try part.size(of: "net_device") == 2432)
    }

    @Test("every export that dummy.ko was compiled against has the same CRC in vmlinux")
    func versions() throws {
        let exports = try KernelExports(ELFObject(path: DebianKernel.path("vmlinux")))
        #expect(exports.crcs.count > 10_000)
        let metadata = try ModuleMetadata(ELFObject(path: DebianKernel.path("modules/dummy.ko")))
        for version in metadata.versions { #expect(exports.crcs[version.name] == version.crc, "\(version.name)") }
    }

    @Test("null_blk.ko links behind configfs.ko, whose exports it takes",
          .enabled(
            if: DebianKernel.has("modules/null_blk.ko"),
            "scripts/fetch-debian.sh null_blk gets it"))
    func chain() throws {
        let inputs = try ["configfs", "null_blk"].map {
            LinkInput(try ELFObject(path: DebianKernel.path("modules/\($0).ko")), exports: .exportTable)
        }
        var linker = Linker(base: 0xffff_ffff_a000_0000)
        linker.perCPUBase = 0x1000
        let image = try linker.link(inputs) { _ in 0xffff_ffff_8020_0000 }
        #expect(image.objects[1].relocationCount == 2854)
        #expect(image.objects[1].imports.count == 136)
        #expect(image.objects[1].imports.contains { $0.name == "config_group_init" && $0.suppliedBy == 0 })
        #expect(image.objects[0].initAddress != image.objects[1].initAddress)
    }
}
