import X86Architecture

/// What an access does. A read-modify-write access is a write.
enum AccessKind { case read, write, execute }

/// SDM 3A 4.6.1 "Determination of Access Rights": with which privilege an access is made.
enum Privilege {
    /// Of the current privilege level: user-mode at CPL 3, otherwise explicit supervisor-mode.
    case current
    /// Implicit supervisor-mode access, whatever the CPL: GDT, LDT, IDT, TSS.
    case supervisor
    /// Explicit access with the rights of CPL 0 to 2, whatever the CPL now: the stack of a transfer inwards.
    case explicitSupervisor
    /// User-mode access, whatever the CPL now.
    case user
}

extension Processor {
    /// The physical address that an access to `a` reaches: a cached translation, or a walk that caches one.
    ///
    /// `a` is canonical (64-bit mode) or below 4 GiB: segmentation has seen to that.
    /// Throws page faults (with CR2's new value) and EPT violations and misconfigurations; changes nothing then
    /// except accessed flags of the structures walked.
    func translate(
        _ a: LinearAddress, _ kind: AccessKind, _ privilege: Privilege = .current
    ) throws(Interruption) -> PhysicalAddress {
        try translation(a, kind, privilege).physical(a)
    }

    /// The translation that an access to `a` uses; see `translate`.
    func translation(
        _ a: LinearAddress, _ kind: AccessKind, _ privilege: Privilege
    ) throws(Interruption) -> Translation {
        guard isPaging || vmx.eptEnabled else {
            let identity = Translation(
                page: a.rawValue & ~Page.offsetMask, frame: a.rawValue & ~Page.offsetMask,
                rights: [.user, .writable, .executable, .dirty, .eptReadable, .eptWritable, .eptExecutable])
            if privilege == .current { mirror(a, identity) }
            return identity
        }
        let tags = translationTags
        let cached = translations.lookup(a, tags)
        if let t = cached, kind != .write || t.rights.contains(.dirty),
            permits(t.rights, kind, privilege), eptPermits(t.rights, kind)
        {
            if privilege == .current { mirror(a, t) }
            return t
        }
        // A cached translation that does not allow the access is not believed: the structures are walked again.
        let t: Translation
        do throws(Interruption) {
            t = try walk(a, kind, privilege, tags)
        } catch {
            invalidateFaulting(a)
            throw error
        }
        if let cached, cached.shift != t.shift || cached.pcid != t.pcid || cached.frame != t.frame {
            invalidateFaulting(a)
        }
        if translations.insert(t) { flushFast() }
        if privilege == .current { mirror(a, t) }
        return t
    }

    /// Shows the engine's fast bank what the current privilege may do with the page of `a`.
    private func mirror(_ a: LinearAddress, _ t: Translation) {
        insertFast(
            page: a.page, physicalPage: t.physical(a).page,
            readable: permits(t.rights, .read, .current) && eptPermits(t.rights, .read),
            writable: t.rights.contains(.dirty) && permits(t.rights, .write, .current) && eptPermits(t.rights, .write),
            executable: permits(t.rights, .execute, .current) && eptPermits(t.rights, .execute))
    }

    /// SDM 3A 4.6.1 "Determination of Access Rights", for a page with these rights.
    func permits(_ rights: TranslationRights, _ kind: AccessKind, _ privilege: Privilege) -> Bool {
        guard isPaging else { return true }
        if isUserAccess(privilege) {
            switch kind {
            case .read: return rights.contains(.user)
            case .write: return rights.isSuperset(of: [.user, .writable])
            case .execute: return rights.isSuperset(of: [.user, .executable])
            }
        }
        if kind == .execute {
            if rights.contains(.user) && system.cr4 & CR4.smep != 0 { return false }
            return rights.contains(.executable)
        }
        if rights.contains(.user) && system.cr4 & CR4.smap != 0 {
            if privilege == .supervisor || system.flags & RFLAGS.alignmentCheck == 0 { return false }
        }
        return kind == .read || rights.contains(.writable) || system.cr0 & CR0.writeProtect == 0
    }

    func eptPermits(_ rights: TranslationRights, _ kind: AccessKind) -> Bool {
        switch kind {
        case .read: rights.contains(.eptReadable)
        case .write: rights.contains(.eptWritable)
        case .execute: rights.contains(.eptExecutable)
        }
    }

    func isUserAccess(_ privilege: Privilege) -> Bool {
        switch privilege {
        case .current: system.cpl == 3
        case .supervisor, .explicitSupervisor: false
        case .user: true
        }
    }
}
