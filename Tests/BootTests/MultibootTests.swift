import DriverImage
import Testing
import X86Architecture
import X86Machine
@testable import Boot

@Suite("Multiboot 0.6.96")
struct MultibootTests {
    /// A small ELF file: header, program headers, then a multiboot header and a payload at 0x100.
    static func image(
        is64: Bool = false, flags: UInt32 = 3, entry: UInt64 = 0x10_0010, virtual: UInt64 = 0x10_0000,
        physical: UInt64 = 0x10_0000, memoryBytes: UInt64 = 0x3000, machine: UInt64 = 3
    ) -> [UInt8] {
        var file = [UInt8](repeating: 0, count: 0x180)
        func put(_ value: UInt64, _ size: Int, at offset: Int) {
            for i in 0..<size { file[offset + i] = UInt8(truncatingIfNeeded: value >> UInt64(8 * i)) }
        }
        put(0x464C_457F, 4, at: 0)
        put(is64 ? 2 : 1, 1, at: 4)
        put(1, 1, at: 5)
        put(2, 2, at: 16)
        put(machine, 2, at: 18)
        let word = is64 ? 8 : 4
        put(entry, word, at: 24)
        put(0x40, word, at: is64 ? 32 : 28)
        put(is64 ? 56 : 32, 2, at: is64 ? 54 : 42)
        put(1, 2, at: is64 ? 56 : 44)
        let fields: [(Int, Int, UInt64)] = [
            (4, 8, 0x100), (8, 16, virtual), (12, 24, physical), (16, 32, 0x80), (20, 40, memoryBytes),
        ]
        put(1, 4, at: 0x40)
        for (at32, at64, value) in fields { put(value, word, at: 0x40 + (is64 ? at64 : at32)) }
        put(0x1BAD_B002, 4, at: 0x100)
        put(UInt64(flags), 4, at: 0x104)
        put(UInt64(0 &- 0x1BAD_B002 &- flags), 4, at: 0x108)
        put(0x1122_3344, 4, at: 0x110)
        return file
    }

    private func machine(megabytes: UInt64 = 16) -> Machine {
        var configuration = MachineConfiguration()
        configuration.memoryBytes = megabytes << 20
        return Machine(configuration)
    }
    private func load(_ image: [UInt8], _ modules: [BootModule] = [], into machine: Machine) throws(ImageError) {
        try Multiboot.load(
            image: image, name: "test.elf", commandLine: "test.elf one two", modules: modules, into: machine)
    }
    private func u32(_ machine: Machine, _ address: UInt64) -> UInt64 {
        UInt64(machine.view.readPhysical(PhysicalAddress(address), as: UInt32.self))
    }
    private func string(_ machine: Machine, _ address: UInt64) -> String {
        let bytes = machine.readPhysical(PhysicalAddress(address), count: 64)
        return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }

    @Test("3.2 Machine state: 32-bit protected mode, flat segments, paging and interrupts off, EAX and EBX",
          arguments: [false, true])
    func entryState(is64: Bool) throws {
        let m = machine()
        try load(Self.image(is64: is64), into: m)
        let r = m.view.registers(of: 0)
        #expect(r.rip == 0x10_0010 && r.general[0] == 0x2BAD_B002)
        #expect(r.cr0 & 0x8000_0001 == 1 && !r.interruptsEnabled && r.cpl == 0 && r.efer == 0)
        for segment in r.segments[0..<6] { #expect(segment.base == 0 && segment.limit == 0xFFFF_FFFF) }
        #expect(r.cs.access & 0x6000 == 0x4000, "32-bit code")
        #expect(u32(m, 0x10_0010) == 0x1122_3344, "the payload is at its physical address")
    }

    @Test("3.3 Boot information: flags, memory sizes, command line, modules with strings, memory map, loader")
    func information() throws {
        let m = machine(megabytes: 32)
        let modules = [
            BootModule(bytes: [1, 2, 3], commandLine: "first a=1"), BootModule(bytes: [9], commandLine: "second"),
        ]
        try load(Self.image(), modules, into: m)
        let info = m.view.registers(of: 0).general[3]
        #expect(u32(m, info) == 0b10_0100_1101)
        #expect(u32(m, info + 4) == 639 && u32(m, info + 8) == 31 * 1024)
        #expect(string(m, u32(m, info + 16)) == "test.elf one two")
        #expect(u32(m, info + 20) == 2)
        let list = u32(m, info + 24)
        for (i, module) in modules.enumerated() {
            let at = list + UInt64(16 * i), start = u32(m, at), end = u32(m, at + 4)
            #expect(start % 4096 == 0 && end - start == UInt64(module.bytes.count) && start >= 0x10_3000)
            #expect(m.readPhysical(.init(start), count: module.bytes.count) == module.bytes)
            #expect(string(m, u32(m, at + 8)) == module.commandLine)
        }
        #expect(string(m, u32(m, info + 64)) == "lvdsim")
        var at = u32(m, info + 48), ram: UInt64 = 0
        let end = at + u32(m, info + 44)
        while at < end {
            #expect(u32(m, at) == 20)
            if u32(m, at + 20) == 1 { ram += u32(m, at + 12) }
            at += 24
        }
        #expect(at == end && ram == 0x9_FC00 + 31 << 20)
    }

    @Test("The entry point of an image linked high is turned into its physical address")
    func highEntry() throws {
        let m = machine()
        let high: UInt64 = 0xFFFF_FFFF_8020_0000
        try load(Self.image(is64: true, entry: high + 0x10, virtual: high, physical: 0x20_0000, machine: 62), into: m)
        #expect(m.view.registers(of: 0).rip == 0x20_0010)
    }

    @Test("The information block moves out of the way of an image in low memory")
    func lowImage() throws {
        let m = machine()
        try load(Self.image(entry: 0x8010, virtual: 0x8000, physical: 0x8000, memoryBytes: 0x4000), into: m)
        #expect(m.view.registers(of: 0).general[3] >= 0x10_0000)
        #expect(u32(m, 0x8010) == 0x1122_3344)
    }

    @Test("What is wrong with an image is said with its offset")
    func errors() {
        func place(_ image: [UInt8], megabytes: UInt64 = 16) -> ImagePlace? {
            do throws(ImageError) { try load(image, into: machine(megabytes: megabytes)); return nil } catch {
                #expect(error.exitCode == 65 && error.file == "test.elf" && !error.expected.isEmpty)
                return error.place
            }
        }
        func changed(_ offset: Int, _ value: UInt8) -> [UInt8] {
            var image = Self.image()
            image[offset] = value
            return image
        }
        #expect(place([]) == .file)
        #expect(place(changed(0x108, 0)) == .file, "checksum")
        #expect(place(changed(0, 0)) == .fileOffset(0))
        #expect(place(changed(4, 7)) == .fileOffset(4))
        #expect(place(changed(16, 3)) == .fileOffset(16))
        #expect(place(changed(18, 40)) == .fileOffset(18))
        #expect(place(changed(44, 0xFF)) == .fileOffset(28), "more program headers than the file holds")
        #expect(place(changed(0x42, 1)) == .file, "no PT_LOAD")
        #expect(place(changed(0x51, 8)) == .fileOffset(0x40), "segment beyond the end of the file")
        #expect(place(Self.image(flags: 7)) == .fileOffset(0x104))
        #expect(place(Self.image(flags: 0x1_0003)) == .fileOffset(0x104))
        #expect(place(Self.image(entry: 0x50_0000)) == .fileOffset(24))
        #expect(place(Self.image(memoryBytes: 0x10)) == .fileOffset(0x40), "more in the file than in memory")
        #expect(place(Self.image(memoryBytes: 0xFFFF_FFFF)) == .fileOffset(0x40), "beyond 4 GiB")
        #expect(place(Self.image(is64: true, virtual: .max - 5, machine: 62)) == .fileOffset(0x40), "wraps around")
        #expect(place(Self.image(), megabytes: 1) == .file, "too little memory")
        for length in 0..<Self.image().count { #expect(place(Array(Self.image().prefix(length))) != nil) }
    }
}
