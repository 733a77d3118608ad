import X86Architecture

/// The guest's page walk, all paging modes (SDM 3A chapter 4 "Paging").
extension Processor {
    var isPaging: Bool { system.cr0 & CR0.paging != 0 }

    /// Walks the guest's structures (and EPT for each of them and for the final address), sets accessed and dirty
    /// flags, and returns the combined translation. Charges the walk's cycles.
    func walk(
        _ a: LinearAddress, _ kind: AccessKind, _ privilege: Privilege, _ tags: TranslationTags
    ) throws(Interruption) -> Translation {
        var t = Translation(ep4ta: tags.ep4ta, vpid: tags.vpid, pcid: tags.pcid)
        let address: UInt64
        if !isPaging {
            t.rights = [.user, .writable, .executable, .dirty]
            t.guestShift = vmx.eptEnabled ? 30 : 12
            address = a.rawValue
        } else {
            var walk = GuestWalk(linear: a, kind: kind, privilege: privilege)
            if system.efer & EFER.longModeActive != 0 {
                try walk4Level(&walk)
            } else if system.cr4 & CR4.physicalAddressExtension != 0 {
                try walkPAE(&walk)
            } else {
                try walk32Bit(&walk)
            }
            if walk.global && system.cr4 & CR4.pageGlobalEnable != 0 {
                walk.rights.insert(.global)
                t.pcid = Translation.anyPCID
            }
            t.rights = walk.rights
            t.guestShift = walk.shift
            address = walk.frame | a.rawValue & ((1 &<< UInt64(walk.shift)) &- 1)
        }
        guard vmx.eptEnabled else {
            t.shift = t.guestShift
            t.rights.formUnion(.withoutEPT)
            t.page = a.rawValue & ~t.offsetMask
            t.frame = address & ~t.offsetMask
            return t
        }
        let e = try eptTranslate(GuestPhysicalAddress(address), kind, isPageWalk: false, linear: a, rights: t.rights)
        t.shift = min(t.guestShift, e.shift)
        if e.readable { t.rights.insert(.eptReadable) }
        if e.writable { t.rights.insert(.eptWritable) }
        if e.executable { t.rights.insert(.eptExecutable) }
        if kind != .write && vmx.eptKeepsDirtyFlags { t.rights.remove(.dirty) }
        t.page = a.rawValue & ~t.offsetMask
        t.frame = e.physical.rawValue & ~t.offsetMask
        return t
    }

    /// SDM 3A 4.5.4 "Linear-Address Translation with 4-Level Paging and 5-Level Paging".
    private func walk4Level(_ w: inout GuestWalk) throws(Interruption) {
        var table = system.cr3 & PagingEntry.address & physicalMask
        var shift: UInt8 = 39
        while true {
            let entryAddress = table | (w.linear.rawValue &>> UInt64(shift) & 0x1FF) &<< 3
            let (entry, host) = try loadEntry(entryAddress, w.linear, as: UInt64.self)
            guard entry & PagingEntry.present != 0 else { throw pageFault(w, present: false) }
            var reserved = PagingEntry.address & ~physicalMask
            if system.efer & EFER.executeDisableEnable == 0 { reserved |= PagingEntry.executeDisable }
            let isLarge = shift != 12 && entry & PagingEntry.pageSize != 0
            if shift == 39 || shift == 30 && !machine.configuration.model.has(.pages1G) {
                reserved |= PagingEntry.pageSize
            } else if isLarge {
                // Bits between PAT (bit 12) and the page's address.
                reserved |= (1 &<< UInt64(shift)) &- 0x2000
            }
            if entry & reserved != 0 { throw pageFault(w, present: true, reserved: true) }
            w.combine(entry)
            if shift == 12 || isLarge {
                try finish(&w, entry, entryAddress, host, shift: shift)
                return
            }
            try setAccessed(entry, entryAddress, host, w.linear)
            table = entry & PagingEntry.address
            shift -= 9
        }
    }

    /// SDM 3A 4.4.2 "Linear-Address Translation with PAE Paging". The four PDPTEs are registers.
    private func walkPAE(_ w: inout GuestWalk) throws(Interruption) {
        let pointer = system.pdptes[Int(w.linear.rawValue &>> 30 & 3)]
        guard pointer & PagingEntry.present != 0 else { throw pageFault(w, present: false) }
        var table = pointer & PagingEntry.address
        var shift: UInt8 = 21
        while true {
            let entryAddress = table | (w.linear.rawValue &>> UInt64(shift) & 0x1FF) &<< 3
            let (entry, host) = try loadEntry(entryAddress, w.linear, as: UInt64.self)
            guard entry & PagingEntry.present != 0 else { throw pageFault(w, present: false) }
            // Tables 4-9 to 4-11: bits 62:MAXPHYADDR, and bit 63 without NXE.
            var reserved = ~physicalMask & ~Page.offsetMask & ~PagingEntry.executeDisable
            if system.efer & EFER.executeDisableEnable == 0 { reserved |= PagingEntry.executeDisable }
            let isLarge = shift == 21 && entry & PagingEntry.pageSize != 0
            if isLarge { reserved |= 0x1F_E000 }
            if entry & reserved != 0 { throw pageFault(w, present: true, reserved: true) }
            w.combine(entry)
            if shift == 12 || isLarge {
                try finish(&w, entry, entryAddress, host, shift: shift)
                return
            }
            try setAccessed(entry, entryAddress, host, w.linear)
            table = entry & PagingEntry.address
            shift -= 9
        }
    }

    /// SDM 3A 4.3 "32-Bit Paging", with 4-MByte pages (CR4.PSE) and PSE-36.
    private func walk32Bit(_ w: inout GuestWalk) throws(Interruption) {
        let directoryAddress = system.cr3 & 0xFFFF_F000 | (w.linear.rawValue &>> 22 & 0x3FF) &<< 2
        let (directory, directoryHost) = try loadEntry(directoryAddress, w.linear, as: UInt32.self)
        guard directory & PagingEntry.present != 0 else { throw pageFault(w, present: false) }
        if directory & PagingEntry.pageSize != 0 && system.cr4 & CR4.pageSizeExtensions != 0 {
            // Table 4-4: bits 20:13 are address bits 39:32, bit 21 is reserved.
            if directory & 1 << 21 != 0 { throw pageFault(w, present: true, reserved: true) }
            w.combine(directory)
            try finish(&w, directory, directoryAddress, directoryHost, shift: 22, is32Bit: true)
            w.frame = directory & 0xFFC0_0000 | (directory &>> 13 & 0xFF) &<< 32
            return
        }
        w.combine(directory)
        try setAccessed(directory, directoryAddress, directoryHost, w.linear, is32Bit: true)
        let entryAddress = directory & 0xFFFF_F000 | (w.linear.rawValue &>> 12 & 0x3FF) &<< 2
        let (entry, host) = try loadEntry(entryAddress, w.linear, as: UInt32.self)
        guard entry & PagingEntry.present != 0 else { throw pageFault(w, present: false) }
        w.combine(entry)
        try finish(&w, entry, entryAddress, host, shift: 12, is32Bit: true)
    }

    // MARK: One entry

    /// The entry at a guest-physical address, and where it is physically.
    private func loadEntry<T: FixedWidthInteger & UnsignedInteger>(
        _ address: UInt64, _ linear: LinearAddress, as: T.Type
    ) throws(Interruption) -> (UInt64, PhysicalAddress) {
        cpu.pointee.cycles &+= Timing.haswell.guestWalkLevel
        let host: PhysicalAddress
        if vmx.eptEnabled {
            host = try eptTranslate(GuestPhysicalAddress(address), .read, isPageWalk: true, linear: linear).physical
        } else {
            host = PhysicalAddress(address)
        }
        try checkGuestPhysicalAPICAccess(host)
        return (UInt64(try machine.physicalLoad(host, as: T.self, from: self)), host)
    }

    private func setAccessed(
        _ entry: UInt64, _ address: UInt64, _ host: PhysicalAddress, _ linear: LinearAddress, is32Bit: Bool = false
    ) throws(Interruption) {
        guard entry & PagingEntry.accessed == 0 else { return }
        try storeEntry(entry | PagingEntry.accessed, address, host, linear, is32Bit: is32Bit)
    }

    /// SDM 3A 4.8 "Accessed and Dirty Flags": the update is one locked access; nothing runs in between here.
    private func storeEntry(
        _ entry: UInt64, _ address: UInt64, _ host: PhysicalAddress, _ linear: LinearAddress, is32Bit: Bool
    ) throws(Interruption) {
        if vmx.eptEnabled {
            _ = try eptTranslate(GuestPhysicalAddress(address), .write, isPageWalk: true, linear: linear)
        }
        if is32Bit {
            try machine.physicalStore(host, UInt32(truncatingIfNeeded: entry), from: self)
        } else {
            try machine.physicalStore(host, entry, from: self)
        }
    }

    /// The entry that maps the page: access rights, then accessed and dirty flags.
    private func finish(
        _ w: inout GuestWalk, _ entry: UInt64, _ address: UInt64, _ host: PhysicalAddress, shift: UInt8,
        is32Bit: Bool = false
    ) throws(Interruption) {
        guard permits(w.rights, w.kind, w.privilege) else { throw pageFault(w, present: true) }
        var updated = entry | PagingEntry.accessed
        if w.kind == .write { updated |= PagingEntry.dirty }
        if updated != entry { try storeEntry(updated, address, host, w.linear, is32Bit: is32Bit) }
        if updated & PagingEntry.dirty != 0 { w.rights.insert(.dirty) }
        w.global = entry & PagingEntry.global != 0
        w.shift = shift
        w.frame = entry & PagingEntry.address & ~((1 &<< UInt64(shift)) &- 1)
    }

    /// SDM 3A 4.7 "Page-Fault Exceptions".
    private func pageFault(_ w: GuestWalk, present: Bool, reserved: Bool = false) -> Interruption {
        var code: UInt32 = 0
        if present { code |= PageFaultCode.present }
        if reserved { code |= PageFaultCode.reserved }
        if w.kind == .write { code |= PageFaultCode.write }
        if isUserAccess(w.privilege) { code |= PageFaultCode.user }
        let hasExecuteDisable =
            system.cr4 & CR4.physicalAddressExtension != 0 && system.efer & EFER.executeDisableEnable != 0
        if w.kind == .execute && (hasExecuteDisable || system.cr4 & CR4.smep != 0) {
            code |= PageFaultCode.instructionFetch
        }
        return .exception(.pageFault(code, w.linear))
    }

    /// Bits below MAXPHYADDR.
    var physicalMask: UInt64 { (1 &<< UInt64(machine.configuration.model.physicalAddressBits)) &- 1 }
}

/// A walk in progress: the request, and what the entries so far allow.
private struct GuestWalk {
    let linear: LinearAddress
    let kind: AccessKind
    let privilege: Privilege
    var rights: TranslationRights = [.user, .writable, .executable]
    var global = false
    var shift: UInt8 = 12
    var frame: UInt64 = 0

    init(linear: LinearAddress, kind: AccessKind, privilege: Privilege) {
        self.linear = linear; self.kind = kind; self.privilege = privilege
    }

    /// SDM 3A 4.6: every entry of the walk must allow what is done.
    mutating func combine(_ entry: UInt64) {
        if entry & PagingEntry.user == 0 { rights.remove(.user) }
        if entry & PagingEntry.writable == 0 { rights.remove(.writable) }
        if entry & PagingEntry.executeDisable != 0 { rights.remove(.executable) }
    }
}
