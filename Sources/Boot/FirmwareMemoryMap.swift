import X86Machine

/// What of the address space is memory, as a PC's firmware reports it (ACPI 6.5, 15 "System Address Map Interfaces").
enum FirmwareMemoryMap {
    struct Entry {
        var base: UInt64, length: UInt64
        /// 1: RAM, 2: reserved.
        var type: UInt32
    }

    /// Where the first 640 KiB end for software: the extended BIOS data area begins.
    static let conventionalEnd: UInt64 = 0x9_FC00

    static func entries(_ memory: PhysicalMemory) -> [Entry] {
        var map = [
            Entry(base: 0, length: conventionalEnd, type: 1),
            Entry(base: conventionalEnd, length: 0xA_0000 - conventionalEnd, type: 2),
            Entry(base: 0xF_0000, length: 0x1_0000, type: 2),
        ]
        if memory.lowBytes > 0x10_0000 {
            map.append(Entry(base: 0x10_0000, length: memory.lowBytes - 0x10_0000, type: 1))
        }
        map.append(Entry(base: 0xFEC0_0000, length: 0x1000, type: 2))
        map.append(Entry(base: 0xFEE0_0000, length: 0x1000, type: 2))
        if memory.bytes > memory.lowBytes {
            map.append(Entry(base: PhysicalMemory.highStart, length: memory.bytes - memory.lowBytes, type: 1))
        }
        return map
    }
}
