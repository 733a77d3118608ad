import X86Architecture
import X86Machine

/// How linear addresses are translated at one moment: a guest page-table root (a guest-physical address, as CR3 holds
/// it) under the EPT that is active. One CR3 value means different tables in different views (the paper, 3.3).
public struct AddressView: Sendable, Equatable {
    public var cr3: UInt64
    /// 0: EPT is off, and guest-physical addresses are physical.
    public var eptp: UInt64
    public init(cr3: UInt64, eptp: UInt64) {
        self.cr3 = cr3
        self.eptp = eptp
    }
}

/// Consecutive linear addresses with one translation and one set of rights: a page, or a piece of one where the page
/// of the guest's table and the page of the EPT differ in size.
public struct PageMapping: Sendable, Equatable {
    public var linear: UInt64
    public var bytes: UInt64
    public var guestPhysical: UInt64
    public var physical: PhysicalAddress
    /// R/W in every entry of the guest's walk (binding for supervisor writes while CR0.WP is 1).
    public var guestWritable: Bool
    /// W in every entry of the EPT walk.
    public var eptWritable: Bool
    /// No XD in the guest's walk and X in every entry of the EPT walk.
    public var executable: Bool

    public var writable: Bool { guestWritable && eptWritable }
    public var linearRange: Range<UInt64> { linear..<linear &+ bytes }
    public var physicalRange: Range<UInt64> { physical.rawValue..<physical.rawValue &+ bytes }
}

/// Reads translation structures as they stand in memory, without the processor's cached translations and without
/// setting accessed or dirty flags, and remembers which pages it read.
public struct TranslationReader {
    private let machine: MachineView
    /// Pages of guest paging structures that were read.
    public private(set) var guestTables: Set<UInt64> = []
    /// Pages of EPT paging structures that were read.
    public private(set) var eptTables: Set<UInt64> = []

    public init(_ machine: MachineView) { self.machine = machine }

    struct EPTLeaf {
        var physical: PhysicalAddress
        /// From the address asked for to the end of the page that holds it.
        var bytes: UInt64
        var permissions: EPTPermissions
    }

    /// SDM 3C 31.3.2 "EPT Translation Mechanism". nil: not present, or misconfigured beyond a 4-level walk.
    mutating func ept(_ gpa: UInt64, _ eptp: UInt64) -> EPTLeaf? {
        if eptp == 0 { return EPTLeaf(physical: PhysicalAddress(gpa), bytes: .max, permissions: .all) }
        var table = EPTPointer(eptp).root
        var rights: UInt64 = 7
        for number in stride(from: UInt8(4), through: 1, by: -1) {
            guard let level = EPTLevel(rawValue: number) else { return nil }
            eptTables.insert(table.rawValue)
            let entry = EPTEntry(machine.word(at: table + level.index(GuestPhysicalAddress(gpa)) &* 8))
            guard entry.isPresent else { return nil }
            rights &= entry.permissions.rawValue
            if number == 1 || entry.isLarge && number < 4 {
                let inside = gpa & (level.span - 1)
                return EPTLeaf(
                    physical: PhysicalAddress((entry.address.rawValue & ~(level.span - 1)) | inside),
                    bytes: level.span - inside, permissions: EPTPermissions(rights))
            }
            table = entry.address
        }
        return nil
    }

    /// Where an EPT leads; nil: nowhere.
    public mutating func physical(_ guestPhysical: UInt64, under eptp: UInt64) -> PhysicalAddress? {
        ept(guestPhysical, eptp)?.physical
    }

    /// SDM 3A 4.5 "4-Level Paging and 5-Level Paging", four levels. nil: not mapped in this view.
    public mutating func translate(_ linear: UInt64, in view: AddressView) -> PageMapping? {
        var table = view.cr3 & PagingEntry.address
        var writable = true
        var executable = true
        for level in stride(from: UInt64(4), through: 1, by: -1) {
            guard let entry = guestEntry(table, linear, level, view) else { return nil }
            writable = writable && entry & PagingEntry.writable != 0
            executable = executable && entry & PagingEntry.executeDisable == 0
            let span: UInt64 = 1 << (12 + 9 * (level - 1))
            if level == 1 || entry & PagingEntry.pageSize != 0 && level < 4 {
                let gpa = (entry & PagingEntry.address & ~(span - 1)) | linear & (span - 1)
                guard let leaf = ept(gpa, view.eptp) else { return nil }
                return PageMapping(
                    linear: linear, bytes: min(span - linear & (span - 1), leaf.bytes), guestPhysical: gpa,
                    physical: leaf.physical, guestWritable: writable,
                    eptWritable: leaf.permissions.contains(.write),
                    executable: executable && leaf.permissions.contains(.execute))
            }
            table = entry & PagingEntry.address
        }
        return nil
    }

    private mutating func guestEntry(_ table: UInt64, _ linear: UInt64, _ level: UInt64, _ view: AddressView) -> UInt64?
    {
        guard let place = ept(table, view.eptp) else { return nil }
        guestTables.insert(place.physical.rawValue & ~Page.offsetMask)
        let index = linear >> (12 + 9 * (level - 1)) & 511
        let entry = machine.word(at: PhysicalAddress(place.physical.rawValue + index * 8))
        return entry & PagingEntry.present != 0 ? entry : nil
    }

    /// Everything that `view` maps, ascending by linear address. Stops after `limit` mappings: a table that refers to
    /// itself maps more than anybody can read.
    public mutating func mappings(of view: AddressView, limit: Int = 1 << 20) -> [PageMapping] {
        var found: [PageMapping] = []
        visit(
            table: view.cr3 & PagingEntry.address, level: 4, linear: 0, writable: true, executable: true,
            view, limit, &found)
        return found
    }

    private mutating func visit(
        table: UInt64, level: UInt64, linear: UInt64, writable: Bool, executable: Bool,
        _ view: AddressView, _ limit: Int, _ found: inout [PageMapping]
    ) {
        guard let place = ept(table, view.eptp) else { return }
        guestTables.insert(place.physical.rawValue & ~Page.offsetMask)
        let span: UInt64 = 1 << (12 + 9 * (level - 1))
        for index in 0..<UInt64(512) where found.count < limit {
            let entry = machine.word(at: PhysicalAddress(place.physical.rawValue + index * 8))
            guard entry & PagingEntry.present != 0 else { continue }
            var start = linear | index * span
            if level == 4, start & 1 << 47 != 0 { start |= 0xFFFF_0000_0000_0000 }
            let canWrite = writable && entry & PagingEntry.writable != 0
            let canExecute = executable && entry & PagingEntry.executeDisable == 0
            if level > 1, entry & PagingEntry.pageSize == 0 || level == 4 {
                visit(
                    table: entry & PagingEntry.address, level: level - 1, linear: start, writable: canWrite,
                    executable: canExecute, view, limit, &found)
                continue
            }
            pieces(
                of: entry & PagingEntry.address & ~(span - 1), span: span, at: start, writable: canWrite,
                executable: canExecute, view, limit, &found)
        }
    }

    /// A leaf of the guest's table, cut where the EPT's pages end and without what the EPT does not map.
    private mutating func pieces(
        of gpa: UInt64, span: UInt64, at linear: UInt64, writable: Bool, executable: Bool,
        _ view: AddressView, _ limit: Int, _ found: inout [PageMapping]
    ) {
        var offset: UInt64 = 0
        while offset < span, found.count < limit {
            if let leaf = ept(gpa + offset, view.eptp) {
                let bytes = min(span - offset, leaf.bytes)
                found.append(
                    PageMapping(
                        linear: linear + offset, bytes: bytes, guestPhysical: gpa + offset, physical: leaf.physical,
                        guestWritable: writable, eptWritable: leaf.permissions.contains(.write),
                        executable: executable && leaf.permissions.contains(.execute)))
                offset += bytes
            } else {
                offset += Page.size
            }
        }
    }
}
