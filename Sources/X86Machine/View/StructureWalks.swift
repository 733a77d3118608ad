import X86Architecture

/// One paging-structure or EPT entry on the way of a walk.
public struct WalkStep: Sendable, Equatable {
    /// 4 (PML4) to 1 (page table).
    public var level: Int
    /// Where the entry is.
    public var location: PhysicalAddress
    public var entry: UInt64
}

/// What the structures say about an address, read without setting a flag or caching anything.
public struct EPTWalk: Sendable, Equatable {
    public enum Outcome: Sendable, Equatable {
        case mapped(PhysicalAddress, permissions: EPTPermissions, shift: UInt8)
        /// No permission at all at this level.
        case notPresent(level: Int)
        /// The structure itself is not in RAM.
        case unreadable(PhysicalAddress)
    }
    public var steps: [WalkStep] = []
    public var outcome: Outcome

    public var physical: PhysicalAddress? {
        if case .mapped(let address, _, _) = outcome { address } else { nil }
    }
    public var permissions: EPTPermissions {
        if case .mapped(_, let permissions, _) = outcome { permissions } else { .none }
    }
}

public struct GuestTranslationWalk: Sendable, Equatable {
    public enum Outcome: Sendable, Equatable {
        /// Rights are those of all entries together, guest's only.
        case mapped(GuestPhysicalAddress, PhysicalAddress, writable: Bool, user: Bool, executable: Bool, shift: UInt8)
        case notPresent(level: Int)
        /// EPT does not map a structure or the page itself.
        case eptNotPresent(GuestPhysicalAddress)
        /// Not canonical, or a structure is not in RAM.
        case unreadable
    }
    public var steps: [WalkStep] = []
    public var outcome: Outcome

    public var physical: PhysicalAddress? {
        if case .mapped(_, let physical, _, _, _, _) = outcome { physical } else { nil }
    }
}

extension MachineView {
    /// SDM 3C 31.3.2 "EPT Translation Mechanism", from an EPTP (as in the VMCS or an EPTP list).
    public func walkEPT(_ address: GuestPhysicalAddress, eptp: UInt64) -> EPTWalk {
        var walk = EPTWalk(outcome: .notPresent(level: 4))
        var table = EPTPointer(eptp).root
        var permissions = EPTPermissions.all
        for level in stride(from: 4, through: 1, by: -1) {
            let shift = UInt64(12 + 9 * (level - 1))
            let location = table + (address.rawValue >> shift & 511) * 8
            guard machine.memory.isRAM(location) else { walk.outcome = .unreadable(location); return walk }
            let entry = EPTEntry(machine.memory.load(location, as: UInt64.self))
            walk.steps.append(WalkStep(level: level, location: location, entry: entry.rawValue))
            guard entry.isPresent else { walk.outcome = .notPresent(level: level); return walk }
            permissions = permissions & entry.permissions
            if level == 1 || level < 4 && entry.isLarge {
                let offset: UInt64 = (1 << shift) - 1
                let physical = PhysicalAddress(entry.address.rawValue & ~offset | address.rawValue & offset)
                walk.outcome = .mapped(physical, permissions: permissions, shift: UInt8(shift))
                return walk
            }
            table = entry.address
        }
        return walk
    }

    /// Physical address and permissions of a guest-physical address in an EPT; nil where nothing is mapped.
    public func peekEPT(_ address: GuestPhysicalAddress, eptp: UInt64) -> (PhysicalAddress, EPTPermissions)? {
        guard case .mapped(let physical, let permissions, _) = walkEPT(address, eptp: eptp).outcome else { return nil }
        return (physical, permissions)
    }

    /// SDM 3A 4.5.4 "Linear-Address Translation with 4-Level Paging", from any CR3, through any EPT (nil: none).
    public func walkGuest(_ linear: LinearAddress, cr3: UInt64, eptp: UInt64?) -> GuestTranslationWalk {
        var walk = GuestTranslationWalk(outcome: .unreadable)
        guard linear.isCanonical else { return walk }
        var table = cr3 & PagingEntry.address
        var writable = true, user = true, executable = true
        for level in stride(from: 4, through: 1, by: -1) {
            let shift = UInt64(12 + 9 * (level - 1))
            let at = GuestPhysicalAddress(table | (linear.rawValue >> shift & 511) << 3)
            guard let location = host(at, eptp) else { walk.outcome = .eptNotPresent(at); return walk }
            guard machine.memory.isRAM(location) else { return walk }
            let entry = machine.memory.load(location, as: UInt64.self)
            walk.steps.append(WalkStep(level: level, location: location, entry: entry))
            guard entry & PagingEntry.present != 0 else { walk.outcome = .notPresent(level: level); return walk }
            writable = writable && entry & PagingEntry.writable != 0
            user = user && entry & PagingEntry.user != 0
            executable = executable && entry & PagingEntry.executeDisable == 0
            if level == 1 || level < 4 && entry & PagingEntry.pageSize != 0 {
                let offset: UInt64 = (1 << shift) - 1
                let guest = GuestPhysicalAddress(entry & PagingEntry.address & ~offset | linear.rawValue & offset)
                guard let physical = host(guest, eptp) else { walk.outcome = .eptNotPresent(guest); return walk }
                walk.outcome = .mapped(guest, physical, writable: writable, user: user, executable: executable,
                                       shift: UInt8(shift))
                return walk
            }
            table = entry & PagingEntry.address
        }
        return walk
    }

    /// Where an access of the processor to `linear` would go now, by its paging structures; nil where nothing is
    /// mapped.
    public func peek(_ linear: LinearAddress, processor index: Int) -> PhysicalAddress? {
        let p = machine.processors[index], eptp = vmx(of: index).eptp
        let cr0 = p.system.cr0, cr4 = p.system.cr4
        if cr0 & CR0.paging == 0 { return host(GuestPhysicalAddress(linear.rawValue & 0xFFFF_FFFF), eptp) }
        if p.isLongMode { return walkGuest(linear, cr3: p.system.cr3, eptp: eptp).physical }
        if cr4 & CR4.physicalAddressExtension != 0 {
            let pointer = p.system.pdptes[Int(linear.rawValue >> 30 & 3)]
            return peekLegacy(linear, table: pointer, entryBytes: 8, shifts: [21, 12], eptp)
        }
        let directory = p.system.cr3 & 0xFFFF_F000 | PagingEntry.present
        return peekLegacy(linear, table: directory, entryBytes: 4, shifts: [22, 12], eptp)
    }

    /// SDM 3A 4.3 "32-Bit Paging" and 4.4 "PAE Paging" below the PDPTE; `table` carries a present flag.
    private func peekLegacy(
        _ linear: LinearAddress, table: UInt64, entryBytes: UInt64, shifts: [UInt64], _ eptp: UInt64?
    ) -> PhysicalAddress? {
        var table = table
        for shift in shifts {
            guard table & PagingEntry.present != 0 else { return nil }
            let index = linear.rawValue >> shift & (4096 / entryBytes - 1)
            let guest = GuestPhysicalAddress(table & PagingEntry.address | index * entryBytes)
            guard let at = host(guest, eptp) else { return nil }
            let wide = machine.memory.load(at, as: UInt64.self)
            let entry = entryBytes == 8 ? wide : wide & 0xFFFF_FFFF
            guard entry & PagingEntry.present != 0 else { return nil }
            if shift == 12 || entry & PagingEntry.pageSize != 0 {
                let offset: UInt64 = (1 << shift) - 1
                // PSE-36: bits 20:13 of a 4-MByte page's entry are address bits 39:32.
                let high = shift == 22 ? (entry >> 13 & 0xFF) << 32 : 0
                let base = entry & PagingEntry.address & ~offset & (entryBytes == 4 ? 0xFFFF_FFFF : .max)
                return host(GuestPhysicalAddress(base | high | linear.rawValue & offset), eptp)
            }
            table = entry
        }
        return nil
    }

    private func host(_ address: GuestPhysicalAddress, _ eptp: UInt64?) -> PhysicalAddress? {
        guard let eptp else { return PhysicalAddress(address.rawValue) }
        return walkEPT(address, eptp: eptp).physical
    }
}
