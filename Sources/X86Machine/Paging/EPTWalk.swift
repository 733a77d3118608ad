import X86Architecture

/// What EPT makes of a guest-physical address.
struct EPTTranslation {
    var physical: PhysicalAddress
    /// log2 of the page's size.
    var shift: UInt8
    /// `executable`: with "mode-based execute control for EPT" for the kind of linear address that was translated.
    var readable, writable, executable: Bool
    /// Bits 5:3 of the entry that maps the page.
    var memoryType: UInt8
}

extension Processor {
    /// SDM 3C 31.3 "The Extended Page Table Mechanism (EPT)": walks the structures of the current EPTP.
    ///
    /// `isPageWalk`: the access is to a guest paging-structure entry, reading it (`.read`) or setting its accessed or
    /// dirty flag (`.write`), on the way to the translation of `linear`. Only in VMX non-root operation with EPT.
    /// `rights`: what the guest's structures allow at `linear`, once they are known.
    /// Throws EPT misconfigurations, EPT violations and page-modification log-full events; accessed and dirty flags are
    /// set only when it does not.
    func eptTranslate(
        _ address: GuestPhysicalAddress, _ kind: AccessKind, isPageWalk: Bool, linear: LinearAddress?,
        rights: TranslationRights = []
    ) throws(Interruption) -> EPTTranslation {
        let access = EPTAccess(address: address, kind: kind, isPageWalk: isPageWalk, linear: linear, rights: rights)
        // SDM 3C 31.3.2 "EPT Translation Mechanism": XU (bit 10) is the permission for user-mode linear addresses.
        let isModeBased = vmx.controls.secondary.contains(.modeBasedExecuteControl)
        var userExecutable = isModeBased
        // SDM 3C 31.3.5 "Accessed and Dirty Flags for EPT": with them, such accesses are treated as writes.
        let flags = vmx.eptKeepsDirtyFlags
        let writes = kind == .write || (isPageWalk && flags)
        var permissions = EPTPermissions.all
        var table = vmx.eptp.root
        var level = EPTLevel.pml4e
        var path = EPTPath()
        while true {
            let location = table + level.index(address) * 8
            let entry = EPTEntry(ram.load(location, as: UInt64.self))
            cpu.pointee.cycles &+= Timing.haswell.eptWalkLevel
            guard entry.isPresent || isModeBased && entry.userExecutable else {
                throw eptViolation(access, entry, .none, userExecutable: false)
            }
            guard !isMisconfigured(entry, level) else { throw eptMisconfiguration(address) }
            permissions = permissions & entry.permissions
            userExecutable = userExecutable && entry.userExecutable
            path.add(location, entry)
            let isLeaf = level == .pte || (level != .pml4e && entry.isLarge)
            guard isLeaf else {
                table = entry.address
                level = EPTLevel(rawValue: level.rawValue - 1)!
                continue
            }
            // SDM 3C 31.3.3.2 "EPT Violations".
            let executable = isModeBased && rights.contains(.user) ? userExecutable : permissions.contains(.execute)
            let isAllowed = kind == .execute ? executable : permissions.contains(writes ? .write : .read)
            guard isAllowed else { throw eptViolation(access, entry, permissions, userExecutable: userExecutable) }
            if flags { try setFlags(path, dirty: writes, address) }
            let offset = level.span - 1
            return EPTTranslation(
                physical: PhysicalAddress(entry.address.rawValue & ~offset | address.rawValue & offset),
                shift: UInt8(level.shift), readable: permissions.contains(.read),
                writable: permissions.contains(.write), executable: executable,
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

    private func setFlags(_ path: EPTPath, dirty: Bool, _ address: GuestPhysicalAddress) throws(Interruption) {
        func wanted(_ i: Int) -> UInt64 {
            EPTEntry.accessedFlag | (dirty && i == path.count - 1 ? EPTEntry.dirtyFlag : 0)
        }
        let logs = vmx.controls.secondary.contains(.enablePML)
        if logs, (0..<path.count).contains(where: { path.steps[$0].entry.rawValue & wanted($0) != wanted($0) }),
            vmcs[.pmlIndex] >= Self.modificationLogEntries {
            throw pageModificationLogFull()
        }
        for i in 0..<path.count {
            let step = path.steps[i]
            let updated = step.entry.rawValue | wanted(i)
            guard updated != step.entry.rawValue else { continue }
            machine.memory.storeUnnotified(step.location, updated)
            machine.pageWritten(step.location, size: 8, by: self)
            if logs && (updated ^ step.entry.rawValue) & EPTEntry.dirtyFlag != 0 { logModification(of: address) }
        }
    }

    // MARK: Page-modification logging

    /// SDM 3C 31.3.6 "Page-Modification Logging".
    private static let modificationLogEntries: UInt64 = 512

    private func logModification(of address: GuestPhysicalAddress) {
        let index = vmcs[.pmlIndex]
        let entry = PhysicalAddress(vmx.controls.pmlAddress) + index * 8
        machine.memory.storeUnnotified(entry, address.rawValue & ~Page.offsetMask)
        machine.pageWritten(entry, size: 8, by: self)
        writeVMCS { $0.set(.pmlIndex, (index &- 1) & 0xFFFF) }
    }
    private func pageModificationLogFull() -> Interruption {
        let q: EPTViolationQualification = vmx.iretUnblockedNMI ? .nmiUnblockingDueToIRET : EPTViolationQualification(0)
        return .vmExit(VMExitCause(.pageModificationLogFull, qualification: q.rawValue))
    }

    // MARK: VM exits

    /// SDM 3C Table 30-7 "Exit Qualification for EPT Violations". `entry`: the one that is not present or maps the
    /// page.
    private func eptViolation(
        _ access: EPTAccess, _ entry: EPTEntry, _ permissions: EPTPermissions, userExecutable: Bool
    ) -> Interruption {
        var q = EPTViolationQualification(permissions.rawValue << 3)
        switch access.kind {
        case .read: q.insert(.dataRead)
        case .write: q.insert(.dataWrite)
        case .execute: q.insert(.instructionFetch)
        }
        if userExecutable { q.insert(.userExecutable) }
        if access.isPageWalk && (vmx.eptKeepsDirtyFlags || access.kind == .write) { q.insert(.dataRead | .dataWrite) }
        if access.linear != nil {
            q.insert(.linearAddressValid)
            if !access.isPageWalk {
                q.insert(.translationOfLinearAddress)
                // Advanced VM-exit information for EPT violations (IA32_VMX_EPT_VPID_CAP[22]).
                if access.rights.contains(.user) { q.insert(.userModeLinearAddress) }
                if access.rights.contains(.writable) { q.insert(.readWritePage) }
                if !access.rights.contains(.executable) { q.insert(.executeDisablePage) }
            }
        }
        if vmx.iretUnblockedNMI { q.insert(.nmiUnblockingDueToIRET) }
        var cause = VMExitCause(.eptViolation, qualification: q.rawValue)
        cause.guestLinearAddress = access.linear
        cause.guestPhysicalAddress = access.address
        cause.isConvertible = !entry.suppressesException
        return .vmExit(cause)
    }

    private func eptMisconfiguration(_ address: GuestPhysicalAddress) -> Interruption {
        var cause = VMExitCause(.eptMisconfiguration)
        cause.guestPhysicalAddress = address
        return .vmExit(cause)
    }
}

/// The access that an EPT walk is for; see `eptTranslate`.
private struct EPTAccess {
    let address: GuestPhysicalAddress
    let kind: AccessKind
    let isPageWalk: Bool
    let linear: LinearAddress?
    let rights: TranslationRights
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
