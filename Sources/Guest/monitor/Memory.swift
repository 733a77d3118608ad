import CMonitor

/// The monitor's own pages, between the end of its image and the end of its memory. Handed out once, never returned.
enum PagePool {
    nonisolated(unsafe) private static var next: UInt64 = 0

    /// A zeroed page, by physical (and, on the identity map, linear) address. Processors ask at once: at launch, and
    /// in the hypercalls right after it.
    static func page() -> UInt64 {
        lock_pool()
        defer { unlock_pool() }
        if next == 0 { next = address_of_image_end() }
        let page = next
        if page >= UInt64(LVD_MONITOR_PHYS_END) { fatal("out of memory") }
        next = page + Page.size
        var at = page
        while at < next {
            memory_write64(at, 0)
            at += 8
        }
        return page
    }
}

/// Host paging: an identity map of all RAM and of everything below 4 GiB, with 2 MiB pages, where the monitor's code
/// alone is executable and
/// nothing is both writable and executable. One for all CPUs.
enum HostTables {
    nonisolated(unsafe) private static var root: UInt64 = 0
    nonisolated(unsafe) private static var idt: UInt64 = 0

    private enum Entry {
        static let present: UInt64 = 1, write: UInt64 = 2, large: UInt64 = 1 << 7, noExecute: UInt64 = 1 << 63
    }

    static func cr3(memoryEnd: UInt64) -> UInt64 {
        if root != 0 { return root }
        root = PagePool.page()
        let end = memoryEnd > 1 << 32 ? memoryEnd : 1 << 32
        var address: UInt64 = 0
        while address < end {
            let directory = table(in: table(in: root, address >> 39 & 511), address >> 30 & 511)
            memory_write64(
                directory + (address >> 21 & 511) * 8,
                address | Entry.present | Entry.write | Entry.large | Entry.noExecute)
            address += 1 << 21
        }
        protectImage()
        return root
    }

    /// The 2 MiB that hold the image, by 4 KiB pages.
    private static func protectImage() {
        var address = UInt64(LVD_MONITOR_PHYS)
        let directory = table(in: table(in: root, address >> 39 & 511), address >> 30 & 511)
        memory_write64(directory + (address >> 21 & 511) * 8, 0)
        let pages = table(in: directory, address >> 21 & 511)
        let end = address + 1 << 21
        while address < end {
            let isText = address >= address_of_text_start() && address < address_of_text_end()
            memory_write64(
                pages + (address >> 12 & 511) * 8,
                address | Entry.present | (isText ? 0 : Entry.write | Entry.noExecute))
            address += Page.size
        }
    }

    private static func table(in table: UInt64, _ index: UInt64) -> UInt64 {
        let slot = table + index * 8
        if memory_read64(slot) == 0 { memory_write64(slot, PagePool.page() | Entry.present | Entry.write) }
        return memory_read64(slot) & ~0xFFF
    }

    /// Interrupt gates for the 32 exceptions; interrupts are off in root operation.
    static func idtBase() -> UInt64 {
        if idt != 0 { return idt }
        idt = PagePool.page()
        for vector: UInt64 in 0..<32 {
            let target = address_of_fault_stub(vector)
            memory_write64(
                idt + vector * 16,
                target & 0xFFFF | UInt64(HostSelector.code) << 16 | 0x8E << 40 | (target >> 16 & 0xFFFF) << 48)
            memory_write64(idt + vector * 16 + 8, target >> 32)
        }
        return idt
    }

    /// A page with GDT and TSS for one CPU: GDT at 0, TSS at 128.
    static func gdtPage() -> UInt64 {
        let page = PagePool.page()
        let tss = page + 128
        memory_write64(page + UInt64(HostSelector.code), 0x00AF_9B00_0000_FFFF)
        memory_write64(page + UInt64(HostSelector.data), 0x00CF_9300_0000_FFFF)
        memory_write64(
            page + UInt64(HostSelector.task),
            103 | (tss & 0xFF_FFFF) << 16 | 0x8B << 40 | (tss >> 24 & 0xFF) << 56)
        memory_write64(page + UInt64(HostSelector.task) + 8, tss >> 32)
        return page
    }
}

enum HostSelector {
    static let code: UInt16 = 8, data: UInt16 = 16, task: UInt16 = 24
}
