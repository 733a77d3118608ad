import CMonitor

/// EPT_K of one CPU: guest-physical equals physical, with 2 MiB pages, all rights; the monitor's own memory is not
/// in it.
enum KernelView {
    private static let largePage: UInt64 = 1 << 21

    static func make(memoryEnd: UInt64, accessedAndDirty: Bool) -> UInt64 {
        let root = PagePool.page()
        let end = memoryEnd > 1 << 32 ? memoryEnd : 1 << 32
        var address: UInt64 = 0
        while address < end {
            if address < UInt64(LVD_MONITOR_PHYS) || address >= UInt64(LVD_MONITOR_PHYS_END) {
                let directory = ensure(slot(ensure(slot(root, .pml4e, address)), .pdpte, address))
                let isMemory = address < memoryEnd && (address < 0xC000_0000 || address >= 1 << 32)
                memory_write64(
                    slot(directory, .pde, address),
                    EPTEntry(
                        page: PhysicalAddress(address), permissions: .all,
                        memoryType: isMemory ? .writeBack : .uncacheable, isLarge: true
                    ).rawValue)
            }
            address += largePage
        }
        return EPTPointer(root: PhysicalAddress(root), accessedAndDirty: accessedAndDirty).rawValue
    }

    private static func slot(_ table: UInt64, _ level: EPTLevel, _ address: UInt64) -> UInt64 {
        table + level.index(GuestPhysicalAddress(address)) * 8
    }

    /// The table that an entry references, made if there is none.
    private static func ensure(_ slot: UInt64) -> UInt64 {
        if memory_read64(slot) == 0 { memory_write64(slot, EPTEntry(table: PhysicalAddress(PagePool.page())).rawValue) }
        return EPTEntry(memory_read64(slot)).address.rawValue
    }

    /// Points one 4 KiB page elsewhere, splitting the 2 MiB page around it. False outside the view.
    static func map(eptp: UInt64, guest: UInt64, to page: UInt64) -> Bool {
        let top = EPTEntry(memory_read64(slot(EPTPointer(eptp).root.rawValue, .pml4e, guest)))
        guard top.isPresent else { return false }
        let middle = EPTEntry(memory_read64(slot(top.address.rawValue, .pdpte, guest)))
        guard middle.isPresent else { return false }
        let directorySlot = slot(middle.address.rawValue, .pde, guest)
        let directoryEntry = EPTEntry(memory_read64(directorySlot))
        guard directoryEntry.isPresent else { return false }
        if directoryEntry.isLarge { split(directorySlot, directoryEntry) }
        let pages = EPTEntry(memory_read64(directorySlot)).address.rawValue
        memory_write64(slot(pages, .pte, guest), EPTEntry(page: PhysicalAddress(page), permissions: .all).rawValue)
        return true
    }

    private static func split(_ slot: UInt64, _ entry: EPTEntry) {
        let pages = PagePool.page()
        let base = entry.address.rawValue & ~(largePage - 1)
        let type = EPTMemoryType(rawValue: UInt8(truncatingIfNeeded: entry.memoryTypeBits)) ?? .writeBack
        for n: UInt64 in 0..<512 {
            memory_write64(
                pages + n * 8,
                EPTEntry(
                    page: PhysicalAddress(base + n * Page.size), permissions: entry.permissions,
                    memoryType: type
                ).rawValue)
        }
        memory_write64(slot, EPTEntry(table: PhysicalAddress(pages)).rawValue)
    }

    /// Whether guest-physical memory is the kernel's to name: inside its view and not the monitor's.
    static func contains(_ address: UInt64, memoryEnd: UInt64) -> Bool {
        address < memoryEnd && (address < UInt64(LVD_MONITOR_PHYS) || address >= UInt64(LVD_MONITOR_PHYS_END))
    }
}
