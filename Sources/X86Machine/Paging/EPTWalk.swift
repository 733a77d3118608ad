import X86Architecture

/// What EPT makes of a guest-physical address.
struct EPTTranslation {
    var physical: PhysicalAddress
    /// log2 of the page's size.
    var shift: UInt8
    var readable, writable, executable: Bool
    /// Bits 5:3 of the entry that maps the page.
    var memoryType: UInt8
}

extension Processor {
    /// SDM 3C 31.3 "The Extended Page Table Mechanism (EPT)": walks the structures of the current EPTP.
    ///
    /// `isPageWalk`: the access is to a guest paging-structure entry, reading it (`.read`) or setting its accessed or
    /// dirty flag (`.write`), on the way to the translation of `linear`. Only in VMX non-root operation with EPT.
    /// Throws EPT misconfigurations and EPT violations; accessed and dirty flags are set only when it does not.
    func eptTranslate(
        _ address: GuestPhysicalAddress, _ kind: AccessKind, isPageWalk: Bool, linear: LinearAddress?
    ) throws(Interruption) -> EPTTranslation {
        // SDM 3C 31.3.5 "Accessed and Dirty Flags for EPT": with them, such accesses are treated as writes.
        let flags = vmx.eptKeepsDirtyFlags
        let writes = kind == .write || (isPageWalk && flags)
        var permissions = EPTPermissions.all
        var table = vmx.eptp.root
        var level = EPTLevel.pml4e
        var path = EPTPath()
        while true {
            let location = table + level.index(address) * 8
            let entry = EPTEntry(machine.memory.load(location, as: UInt64.self))
            cpu.pointee.cycles &+= Timing.haswell.eptWalkLevel
            guard entry.isPresent else {
                throw eptViolation(address, kind, isPageWalk, linear, .none)
            }
            guard !isMisconfigured(entry, level) else { throw eptMisconfiguration(address) }
            permissions = permissions & entry.permissions
            path.add(location, entry)
            let isLeaf = level == .pte || (level != .pml4e && entry.isLarge)
            guard isLeaf else {
                table = entry.address
                level = EPTLevel(rawValue: level.rawValue - 1)!
                continue
            }
            // SDM 3C 31.3.3.2 "EPT Violations".
            let wanted: EPTPermissions = kind == .execute ? .execute : writes ? .write : .read
            guard permissions.contains(wanted) else {
                throw eptViolation(address, kind, isPageWalk, linear, permissions)
            }
            if flags { setFlags(path, dirty: writes) }
            let offset = level.span - 1
            return EPTTranslation(
                physical: PhysicalAddress(entry.address.rawValue & ~offset | address.rawValue & offset),
                shift: UInt8(level.shift), readable: permissions.contains(.read),
                writable: permissions.contains(.write), executable: permissions.contains(.execute),
                memoryType: UInt8(entry.memoryTypeBits))
        }
    }

    /// SDM 3C 31.3.3.1 "EPT Misconfigurations": settings reserved for future functionality.
    private func isMisconfigured(_ entry: EPTEntry, _ level: EPTLevel) -> Bool {
        // Writable but not readable. (Execute-only is supported.)
        if entry.rawValue & 3 == 2 { return true }
        if entry.rawValue & EPTEntry.addressMask & ~physicalMask != 0 { return true }
        switch level {
        case .pml4e: return entry.rawValue & 0xF8 != 0
        case .pte: return !hasValidType(entry)
        case .pdpte, .pde:
            guard entry.isLarge else { return entry.rawValue & 0x78 != 0 }
            return entry.rawValue & (level.span - 1) & ~0xFFF != 0 || !hasValidType(entry)
        }
    }
    private func hasValidType(_ entry: EPTEntry) -> Bool {
        EPTMemoryType(rawValue: UInt8(entry.memoryTypeBits)) != nil
    }

    private func setFlags(_ path: EPTPath, dirty: Bool) {
        for i in 0..<path.count {
            let step = path.steps[i]
            var wanted = step.entry.rawValue | EPTEntry.accessedFlag
            if dirty && i == path.count - 1 { wanted |= EPTEntry.dirtyFlag }
            guard wanted != step.entry.rawValue else { continue }
            machine.memory.storeUnnotified(step.location, wanted)
            machine.pageWritten(step.location, size: 8, by: self)
        }
    }

    /// SDM 3C Table 30-7 "Exit Qualification for EPT Violations".
    private func eptViolation(
        _ address: GuestPhysicalAddress, _ kind: AccessKind, _ isPageWalk: Bool, _ linear: LinearAddress?,
        _ permissions: EPTPermissions
    ) -> Interruption {
        var q = EPTViolationQualification(permissions.rawValue << 3)
        switch kind {
        case .read: q.insert(.dataRead)
        case .write: q.insert(.dataWrite)
        case .execute: q.insert(.instructionFetch)
        }
        if isPageWalk && (vmx.eptKeepsDirtyFlags || kind == .write) { q.insert(.dataRead | .dataWrite) }
        if linear != nil {
            q.insert(.linearAddressValid)
            if !isPageWalk { q.insert(.translationOfLinearAddress) }
        }
        if vmx.iretUnblockedNMI { q.insert(.nmiUnblockingDueToIRET) }
        var cause = VMExitCause(.eptViolation, qualification: q.rawValue)
        cause.guestLinearAddress = linear
        cause.guestPhysicalAddress = address
        return .vmExit(cause)
    }

    private func eptMisconfiguration(_ address: GuestPhysicalAddress) -> Interruption {
        var cause = VMExitCause(.eptMisconfiguration)
        cause.guestPhysicalAddress = address
        return .vmExit(cause)
    }
}

/// The entries of one EPT walk, for setting their flags after it has succeeded.
private struct EPTPath {
    var count = 0
    var steps: InlineArray<4, (location: PhysicalAddress, entry: EPTEntry)> =
        .init(repeating: (PhysicalAddress(0), EPTEntry(0)))
    mutating func add(_ location: PhysicalAddress, _ entry: EPTEntry) {
        steps[count] = (location, entry)
        count += 1
    }
}
