import DriverImage
import Testing
import X86Architecture
import X86Machine
@testable import Boot

@Suite("Linux and PVH boot protocols, ACPI tables")
struct LinuxBootTests {
    /// A bzImage with a setup header and 64 bytes of protected-mode part.
    static func bzImage(version: UInt64 = 0x20F, xloadflags: UInt64 = 1, loadflags: UInt64 = 1) -> [UInt8] {
        var t = TableBytes(count: 5 * 512 + 64)
        t.set(0, 1, at: 0x1F1)  // four sectors
        t.set(4, 4, at: 0x1F4)
        t.set(0xAA55, 2, at: 0x1FE)
        t.set(0x66, 1, at: 0x201)
        t.set("HdrS", at: 0x202)
        t.set(version, 2, at: 0x206)
        t.set(loadflags, 1, at: 0x211)
        t.set(0x7FFF_FFFF, 4, at: 0x22C)
        t.set(xloadflags, 2, at: 0x236)
        t.set(2047, 4, at: 0x238)
        t.set(64, 4, at: 0x24C)
        t.set(0x100_0000, 8, at: 0x258)
        t.set(0x10_0000, 4, at: 0x260)
        for i in 0..<64 { t.set(UInt64(i), 1, at: 5 * 512 + i) }
        return t.bytes
    }
    /// An ELF file with one segment and one note.
    static func elf(owner: String, type: UInt64, descriptor: UInt64) -> [UInt8] {
        var t = TableBytes(bytes: MultibootTests.image(is64: true, machine: 62))
        t.set(0, 4, at: 0x100)
        t.set(2, 2, at: 56)
        t.set(4, 4, at: 0x78)
        t.set(0x140, 8, at: 0x80)
        t.set(32, 8, at: 0x98)
        t.set(UInt64(owner.utf8.count + 1), 4, at: 0x140)
        t.set(8, 4, at: 0x144)
        t.set(type, 4, at: 0x148)
        t.set(owner, at: 0x14C)
        t.set(descriptor, 8, at: 0x14C + (owner.utf8.count + 4) / 4 * 4)
        return t.bytes
    }
    private func machine(megabytes: UInt64 = 32) -> Machine {
        var configuration = MachineConfiguration()
        configuration.memoryBytes = megabytes << 20
        configuration.processorCount = 2
        return Machine(configuration)
    }
    private func request(_ image: [UInt8], _ line: String = "one two", _ modules: [BootModule] = []) -> BootRequest {
        BootRequest(image: image, name: "test", commandLine: line, modules: modules)
    }
    private func integer(_ m: Machine, _ address: UInt64, _ size: Int) -> UInt64 {
        m.readPhysical(PhysicalAddress(address), count: size).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    @Test(
        "the image says how it wants to be booted",
        arguments: [
            (bzImage(), BootProtocol.linux64), (bzImage(xloadflags: 0), .linux32), (MultibootTests.image(), .multiboot),
            (elf(owner: "Linux", type: 0x100, descriptor: 0), .linux64),
            (elf(owner: "Xen", type: 18, descriptor: 0x10_0010), .pvh)
        ])
    func detection(image: [UInt8], expected: BootProtocol) throws {
        #expect(try request(image).protocolOfImage() == expected)
    }

    @Test("boot.rst, 64-bit boot protocol: 64-bit mode, RSI = boot_params with header, command line, RAM disk, e820")
    func linux64() throws {
        let m = machine()
        let initrd = BootModule(bytes: [1, 2, 3], commandLine: "")
        try request(Self.bzImage(), "one two", [initrd]).load(by: .linux64, into: m)
        let p = m.view.registers(of: 0)
        let parameters = p.general[GPR.rsi]
        #expect(p.rip == 0x10_0200 && p.cr0 & CR0.paging != 0 && p.efer & EFER.longModeActive != 0)
        #expect(p.rflags & RFLAGS.interrupt == 0)
        #expect(m.readPhysical(PhysicalAddress(0x10_0000), count: 64) == (0..<64).map { UInt8($0) })
        #expect(integer(m, parameters + 0x202, 4) == 0x5372_6448)
        let line = integer(m, parameters + 0x228, 4)
        #expect(m.readPhysical(PhysicalAddress(line), count: 8) == Array("one two".utf8) + [0])
        let disk = integer(m, parameters + 0x218, 4)
        #expect(disk & 0xFFF == 0 && integer(m, parameters + 0x21C, 4) == 3)
        #expect(m.readPhysical(PhysicalAddress(disk), count: 3) == [1, 2, 3])
        #expect(integer(m, parameters + 0x70, 8) == ACPITables.rootPointer)
        let entries = integer(m, parameters + 0x1E8, 1)
        let ram = (0..<entries).filter { integer(m, parameters + 0x2E0 + 20 * $0, 4) == 1 }
            .map { integer(m, parameters + 0x2D8 + 20 * $0, 8) }
        #expect(ram == [0x9_FC00, 31 << 20])
    }

    @Test("boot.rst, 32-bit boot protocol: paging off, ESI = boot_params, EBX, EBP and EDI 0")
    func linux32() throws {
        let m = machine()
        try request(Self.bzImage()).load(by: .linux32, into: m)
        let p = m.view.registers(of: 0)
        #expect(p.rip == 0x10_0000 && p.cr0 & (CR0.paging | CR0.protectionEnable) == CR0.protectionEnable)
        #expect(integer(m, p.general[GPR.rsi] + 0x202, 4) == 0x5372_6448)
        for n in [GPR.rbx, GPR.rbp, GPR.rdi] { #expect(p.general[n] == 0) }
    }

    @Test("PVH: 32-bit entry of note 18, EBX = hvm_start_info with command line, modules, memory map, RSDP")
    func pvh() throws {
        let m = machine()
        let image = Self.elf(owner: "Xen", type: 18, descriptor: 0x10_0010)
        try request(image, "one two", [BootModule(bytes: [7, 8], commandLine: "m")]).load(by: .pvh, into: m)
        let p = m.view.registers(of: 0)
        let info = p.general[GPR.rbx]
        #expect(p.rip == 0x10_0010 && p.cr0 & CR0.paging == 0)
        #expect(integer(m, info, 4) == 0x336E_C578 && integer(m, info + 4, 4) == 1)
        #expect(m.readPhysical(PhysicalAddress(integer(m, info + 24, 8)), count: 4) == Array("one ".utf8))
        let module = integer(m, info + 16, 8)
        #expect(integer(m, info + 12, 4) == 1 && integer(m, module + 8, 8) == 2)
        #expect(m.readPhysical(PhysicalAddress(integer(m, module, 8)), count: 2) == [7, 8])
        #expect(integer(m, info + 32, 8) == ACPITables.rootPointer)
        #expect(integer(m, info + 48, 4) > 3 && integer(m, integer(m, info + 40, 8) + 8, 8) == 0x9_FC00)
    }

    @Test(
        "damaged and unfit images are user errors that name the place",
        arguments: [
            (Array(bzImage()[..<0x230]), "offset 0x1f1"), (Array(bzImage().dropLast(40)), "offset 0x24c"),
            (bzImage(version: 0x203), "offset 0x206"), (bzImage(loadflags: 0), "offset 0x211"),
            ([0x7F, 0x45, 0x4C, 0x46], "offset 0x0"), ([UInt8](repeating: 0, count: 4096), "offset 0x0"),
            ([], "offset 0x0"),
            (elf(owner: "Xen", type: 17, descriptor: 0), "file")
        ])
    func damaged(image: [UInt8], place: String) throws {
        let error = #expect(throws: ImageError.self) { try request(image).protocolOfImage() }
        #expect("\(try #require(error))".contains(place), "\(error!)")
    }

    @Test("a kernel, RAM disk or command line that does not fit is refused")
    func tooLarge() throws {
        #expect(throws: ImageError.self) {
            try request(Self.bzImage()).load(by: .linux64, into: machine(megabytes: 16))
        }
        let disk = BootModule(bytes: [UInt8](repeating: 0, count: 16 << 20), commandLine: "")
        #expect(throws: ImageError.self) { try request(Self.bzImage(), "", [disk]).load(by: .linux64, into: machine()) }
        let long = String(repeating: "x", count: 2048)
        #expect(throws: ImageError.self) { try request(Self.bzImage(), long).load(by: .linux64, into: machine()) }
    }

    @Test("ACPI 5.2: every table's bytes sum to zero; the MADT lists every processor; FADT and DSDT know S5")
    func acpi() throws {
        let m = machine()
        ACPITables.install(into: m)
        func sum(_ address: UInt64, _ count: UInt64) -> UInt8 {
            m.readPhysical(PhysicalAddress(address), count: Int(count)).reduce(0, &+)
        }
        func signature(_ a: UInt64) -> String {
            String(decoding: m.readPhysical(PhysicalAddress(a), count: 4), as: UTF8.self)
        }
        let root = ACPITables.rootPointer
        #expect(sum(root, 20) == 0 && sum(root, 36) == 0)
        let directories = [(integer(m, root + 16, 4), UInt64(4)), (integer(m, root + 24, 8), 8)]
        for (directory, size) in directories {
            let length = integer(m, directory + 4, 4)
            #expect(sum(directory, length) == 0)
            let tables = (0..<(length - 36) / size).map { integer(m, directory + 36 + $0 * size, Int(size)) }
            #expect(tables.map(signature) == ["FACP", "APIC"])
            for table in tables + [integer(m, tables[0] + 40, 4)] { #expect(sum(table, integer(m, table + 4, 4)) == 0) }
            #expect(integer(m, tables[0] + 64, 4) == UInt64(PowerManagementPorts.control))
            let madt = tables[1], end = madt + integer(m, madt + 4, 4)
            var at = madt + 44, processors: [UInt64] = []
            while at < end {
                if integer(m, at, 1) == 0 { processors.append(integer(m, at + 3, 1)) }
                at += integer(m, at + 1, 1)
            }
            #expect(at == end && processors == [0, 1])
        }
    }
}
