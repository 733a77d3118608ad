import X86Architecture

/// One translation in a processor's cache. SDM 3C 31.4.1 "Information That May Be Cached".
public struct CachedTranslation: Sendable, Equatable {
    public var page: LinearAddress
    public var frame: PhysicalAddress
    /// log2 of its size.
    public var shift: UInt8
    public var vpid: UInt16
    /// nil: global, for every PCID.
    public var pcid: UInt16?
    /// The EPT PML4 table; nil: a linear mapping, made without EPT.
    public var eptRoot: PhysicalAddress?
    /// Of the guest's structures.
    public var writable: Bool, user: Bool, executable: Bool
    /// A write need not walk to set a dirty flag.
    public var dirty: Bool
    /// Of the EPT's structures; all without EPT.
    public var eptPermissions: EPTPermissions
    /// Its tags are those that the processor uses now.
    public var isInUse: Bool
}

extension MachineView {
    /// Every cached translation of a linear address, whatever its tags; in ascending order of EPT, VPID, PCID, size.
    public func cachedTranslations(of linear: LinearAddress, processor: Int) -> [CachedTranslation] {
        cached(on: processor) { $0.page == linear.rawValue & ~$0.offsetMask }
    }
    /// Every cached translation that was made with an EPT, in ascending order of VPID, PCID, size, address.
    public func cachedTranslations(under eptRoot: PhysicalAddress, processor: Int) -> [CachedTranslation] {
        cached(on: processor) { $0.ep4ta == eptRoot.rawValue }
    }

    private func cached(on processor: Int, where matches: (Translation) -> Bool) -> [CachedTranslation] {
        let p = machine.processors[processor]
        let tags = p.translationTags
        var found: [Translation] = []
        p.translations.forEach { t in
            if matches(t) { found.append(t) }
        }
        found.sort { ($0.ep4ta, $0.vpid, $0.pcid, $0.shift, $0.page) < ($1.ep4ta, $1.vpid, $1.pcid, $1.shift, $1.page) }
        return found.map { t in
            var ept = EPTPermissions.none
            if t.rights.contains(.eptReadable) { ept.insert(.read) }
            if t.rights.contains(.eptWritable) { ept.insert(.write) }
            if t.rights.contains(.eptExecutable) { ept.insert(.execute) }
            let isGlobal = t.pcid == Translation.anyPCID
            return CachedTranslation(
                page: LinearAddress(t.page), frame: PhysicalAddress(t.frame), shift: t.shift, vpid: t.vpid,
                pcid: isGlobal ? nil : t.pcid,
                eptRoot: t.ep4ta == Translation.noEPT ? nil : PhysicalAddress(t.ep4ta),
                writable: t.rights.contains(.writable), user: t.rights.contains(.user),
                executable: t.rights.contains(.executable), dirty: t.rights.contains(.dirty), eptPermissions: ept,
                isInUse: t.vpid == tags.vpid && t.ep4ta == tags.ep4ta && (isGlobal || t.pcid == tags.pcid))
        }
    }
}
