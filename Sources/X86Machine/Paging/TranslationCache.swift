import X86Architecture

/// One cached translation: linear page to physical page with the rights of every structure that took part.
///
/// With EPT it is a "combined mapping", otherwise a "linear mapping"
/// (SDM 3C 31.4.1 "Information That May Be Cached"). 32 bytes.
struct Translation: Equatable {
    /// Linear address of the page.
    var page: UInt64 = 0
    /// Physical address of the page.
    var frame: UInt64 = 0
    /// Tag: bits 51:12 of the EPTP, or `Translation.noEPT`.
    var ep4ta: UInt64 = Translation.noEPT
    /// Tag: 0 outside VMX non-root operation and without "enable VPID".
    var vpid: UInt16 = 0
    /// Tag: 0 without CR4.PCIDE, `Translation.anyPCID` for global translations.
    var pcid: UInt16 = 0
    /// log2 of the page's size: the smaller of the guest's page and the EPT's.
    var shift: UInt8 = 12
    /// log2 of the size of the guest's page: INVLPG drops every fragment of it.
    var guestShift: UInt8 = 12
    var rights: TranslationRights = []

    static let noEPT: UInt64 = ~0
    static let anyPCID: UInt16 = 0xFFFF

    @inline(__always) var offsetMask: UInt64 { (1 &<< UInt64(shift)) &- 1 }
    @inline(__always) func physical(_ a: LinearAddress) -> PhysicalAddress {
        PhysicalAddress(frame | a.rawValue & offsetMask)
    }
}

struct TranslationRights: OptionSet {
    var rawValue: UInt8
    /// U/S = 1 in every paging-structure entry.
    static let user = TranslationRights(rawValue: 1 << 0)
    /// R/W = 1 in every paging-structure entry.
    static let writable = TranslationRights(rawValue: 1 << 1)
    /// XD = 0 in every paging-structure entry.
    static let executable = TranslationRights(rawValue: 1 << 2)
    static let global = TranslationRights(rawValue: 1 << 3)
    /// The dirty flag is set in the guest's entry and, where EPT keeps one, in the EPT's: a write need not walk.
    static let dirty = TranslationRights(rawValue: 1 << 4)
    static let eptReadable = TranslationRights(rawValue: 1 << 5)
    static let eptWritable = TranslationRights(rawValue: 1 << 6)
    static let eptExecutable = TranslationRights(rawValue: 1 << 7)
    /// What EPT allows when there is no EPT.
    static let withoutEPT: TranslationRights = [.eptReadable, .eptWritable, .eptExecutable]
}

/// The tags of translations that the processor would use and create now.
struct TranslationTags: Equatable {
    var vpid: UInt16 = 0
    var pcid: UInt16 = 0
    var ep4ta: UInt64 = Translation.noEPT
}

/// Which translations an invalidation drops; what is nil does not restrict.
struct TranslationSelection {
    /// Those that translate this linear address (and every fragment of the guest's page around it).
    var linear: LinearAddress?
    var vpid: UInt16?
    /// Global translations belong to every PCID.
    var pcid: UInt16?
    var ep4ta: UInt64?
    var keepsGlobals = false
    /// Combined mappings only: those made with EPT.
    var combinedOnly = false
    /// All VPIDs except 0000H.
    var keepsVPIDZero = false

    func matches(_ t: Translation) -> Bool {
        if let linear, (linear.rawValue ^ t.page) &>> UInt64(max(t.shift, t.guestShift)) != 0 { return false }
        if let vpid, t.vpid != vpid { return false }
        if let pcid, t.pcid != pcid, t.pcid != Translation.anyPCID { return false }
        if let ep4ta, t.ep4ta != ep4ta { return false }
        if keepsGlobals && t.rights.contains(.global) { return false }
        if combinedOnly && t.ep4ta == Translation.noEPT { return false }
        if keepsVPIDZero && t.vpid == 0 { return false }
        return true
    }
}

/// The cached translations of one processor, tagged as the SDM tags them (VPID, PCID, EP4TA, global).
///
/// Architectural: filled by walks, dropped only where the SDM says so (SDM 3A 4.10.4 "Invalidation of TLBs and
/// Paging-Structure Caches", SDM 3C 31.4 "Caching Translation Information"), so that a forgotten invalidation
/// shows. Open addressing with linear probing over a power of two; its contents are a function of the operations
/// on it alone. At `capacityLimit` translations it is dropped whole, which the SDM allows at any time.
struct TranslationCache {
    private(set) var count = 0
    /// How many translations are held by `shift` (index: the shift), so that a look-up tries only sizes in use.
    private var countByShift = InlineArray<31, Int>(repeating: 0)
    private var globals = 0
    /// Translations smaller than the guest's page they come from.
    private var fragments = 0
    private var slots: [Translation]

    static let capacityLimit = 1 << 16
    private static let smallest = 1 << 8
    /// `page` of a free slot: not page-aligned, so no translation has it.
    private static let free: UInt64 = 1
    private static let freeSlot = Translation(page: free)
    /// Sizes that combined translations can have: 4 KiB, 2 MiB, 4 MiB, 1 GiB.
    private static let shifts: InlineArray<4, UInt8> = [12, 21, 22, 30]

    init() { slots = Array(repeating: Self.freeSlot, count: Self.smallest) }

    /// The translation that an access to `a` would use. (Inlined: a call would copy what the processor holds.)
    @inline(__always) func lookup(_ a: LinearAddress, _ tags: TranslationTags) -> Translation? {
        for i in Self.shifts.indices {
            let shift = Self.shifts[i]
            guard countByShift[Int(shift)] > 0 else { continue }
            let page = a.rawValue & ~((1 &<< UInt64(shift)) &- 1)
            if let i = find(page, shift, tags.vpid, tags.pcid, tags.ep4ta) { return slots[i] }
            if globals > 0, let i = find(page, shift, tags.vpid, Translation.anyPCID, tags.ep4ta) { return slots[i] }
        }
        return nil
    }

    /// Adds a translation, or replaces the one for the same page and tags. True: everything else was dropped first.
    @discardableResult
    mutating func insert(_ t: Translation) -> Bool {
        if let i = find(t.page, t.shift, t.vpid, t.pcid, t.ep4ta) {
            if slots[i].guestShift != slots[i].shift { fragments -= 1 }
            if t.guestShift != t.shift { fragments += 1 }
            slots[i] = t
            return false
        }
        var flushed = false
        if count >= Self.capacityLimit { dropAll(); flushed = true }
        if (count + 1) * 2 > slots.count { rebuild(capacity: slots.count * 2) }
        place(t)
        account(t, 1)
        return flushed
    }

    mutating func dropAll() { self = TranslationCache() }

    /// What a drop concerned: decides how much of the derived caches has to go.
    enum Dropped { case nothing, smallPage, more }

    /// Drops what `selection` says.
    @discardableResult
    mutating func drop(_ selection: TranslationSelection) -> Dropped {
        guard count > 0 else { return .nothing }
        if let a = selection.linear, fragments == 0, let vpid = selection.vpid, let pcid = selection.pcid,
            let ep4ta = selection.ep4ta
        {
            return dropPage(a, TranslationTags(vpid: vpid, pcid: pcid, ep4ta: ep4ta), selection.keepsGlobals)
        }
        var dropped = Dropped.nothing
        for t in slots where t.page != Self.free && selection.matches(t) {
            account(t, -1)
            dropped = selection.linear != nil && t.guestShift == 12 && dropped != .more ? .smallPage : .more
        }
        if dropped == .nothing { return .nothing }
        if count == 0 { dropAll(); return dropped }
        var capacity = slots.count
        while capacity > Self.smallest && count * 8 < capacity { capacity /= 2 }
        rebuild(capacity: capacity, without: selection)
        return dropped
    }

    /// In an order that depends only on the contents, for digests and views.
    func forEach(_ body: (Translation) -> Void) {
        for t in slots where t.page != Self.free { body(t) }
    }

    // MARK: The table

    private mutating func dropPage(_ a: LinearAddress, _ tags: TranslationTags, _ keepsGlobals: Bool) -> Dropped {
        var dropped = Dropped.nothing
        for i in Self.shifts.indices {
            let shift = Self.shifts[i]
            guard countByShift[Int(shift)] > 0 else { continue }
            let page = a.rawValue & ~((1 &<< UInt64(shift)) &- 1)
            if let i = find(page, shift, tags.vpid, tags.pcid, tags.ep4ta) {
                remove(at: i)
                dropped = shift == 12 && dropped != .more ? .smallPage : .more
            }
            if !keepsGlobals, globals > 0,
                let i = find(page, shift, tags.vpid, Translation.anyPCID, tags.ep4ta)
            {
                remove(at: i)
                dropped = shift == 12 && dropped != .more ? .smallPage : .more
            }
        }
        return dropped
    }

    @inline(__always)
    private func home(_ page: UInt64, _ shift: UInt8, _ vpid: UInt16, _ pcid: UInt16, _ ep4ta: UInt64) -> Int {
        var h = page &>> 12 ^ UInt64(shift) &<< 52 ^ UInt64(vpid) &<< 36 ^ UInt64(pcid) &<< 20
        h = (h ^ ep4ta &* 0x9E37_79B9_7F4A_7C15) &* 0xD6E8_FEB8_6659_FD93
        h ^= h &>> 32
        return Int(truncatingIfNeeded: h &* 0xD6E8_FEB8_6659_FD93 &>> 20) & (slots.count - 1)
    }

    @inline(__always)
    private func find(_ page: UInt64, _ shift: UInt8, _ vpid: UInt16, _ pcid: UInt16, _ ep4ta: UInt64) -> Int? {
        var i = home(page, shift, vpid, pcid, ep4ta)
        while slots[i].page != Self.free {
            let t = slots[i]
            if t.page == page && t.ep4ta == ep4ta && t.vpid == vpid && t.pcid == pcid && t.shift == shift { return i }
            i = (i + 1) & (slots.count - 1)
        }
        return nil
    }

    private mutating func place(_ t: Translation) {
        var i = home(t.page, t.shift, t.vpid, t.pcid, t.ep4ta)
        while slots[i].page != Self.free { i = (i + 1) & (slots.count - 1) }
        slots[i] = t
    }

    /// Removes a slot and moves back those after it that would not be found otherwise.
    private mutating func remove(at index: Int) {
        account(slots[index], -1)
        let mask = slots.count - 1
        var hole = index, i = (index + 1) & mask
        while slots[i].page != Self.free {
            let t = slots[i]
            let wanted = home(t.page, t.shift, t.vpid, t.pcid, t.ep4ta)
            if (i - wanted) & mask >= (i - hole) & mask { slots[hole] = t; hole = i }
            i = (i + 1) & mask
        }
        slots[hole] = Self.freeSlot
    }

    private mutating func rebuild(capacity: Int, without selection: TranslationSelection? = nil) {
        let old = slots
        slots = Array(repeating: Self.freeSlot, count: capacity)
        for t in old where t.page != Self.free {
            if let selection, selection.matches(t) { continue }
            place(t)
        }
    }

    private mutating func account(_ t: Translation, _ delta: Int) {
        count += delta
        countByShift[Int(t.shift)] += delta
        if t.rights.contains(.global) { globals += delta }
        if t.guestShift != t.shift { fragments += delta }
    }
}
