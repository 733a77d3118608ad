import CMonitor

/// The kernel's segment registers: captured at launch, and given back to it when a domain's are of no use any more.
enum GuestSegments {
    /// ES CS SS DS FS GS, from the descriptor tables in force.
    static func capture(_ cpu: CPU, _ number: UInt32) {
        let selector = UInt32(read_segment(number))
        var segment = guest_segment(
            selector: selector, limit: 0xFFFF_FFFF, rights: SegmentAccessRights.unusable.rawValue, base: 0)
        if selector & 0xFFFC != 0 {
            segment.limit = load_segment_limit(selector)
            segment.rights = load_access_rights(selector) >> 8 & 0xF0FF
        }
        withUnsafeMutablePointer(to: &cpu.pointee.segments) {
            $0.withMemoryRebound(to: guest_segment.self, capacity: 6) { $0[Int(number)] = segment }
        }
    }

    static func write(_ cpu: CPU) {
        let segments = cpu.pointee.segments
        write(segments.0, .guestESSelector, .guestESLimit, .guestESAccessRights, .guestESBase)
        write(segments.1, .guestCSSelector, .guestCSLimit, .guestCSAccessRights, .guestCSBase)
        write(segments.2, .guestSSSelector, .guestSSLimit, .guestSSAccessRights, .guestSSBase)
        write(segments.3, .guestDSSelector, .guestDSLimit, .guestDSAccessRights, .guestDSBase)
        write(segments.4, .guestFSSelector, .guestFSLimit, .guestFSAccessRights, .guestFSBase)
        write(segments.5, .guestGSSelector, .guestGSLimit, .guestGSAccessRights, .guestGSBase)
    }

    private static func write(
        _ segment: guest_segment, _ selector: VMCSField, _ limit: VMCSField, _ rights: VMCSField,
        _ base: VMCSField
    ) {
        VMCS[selector] = UInt64(segment.selector)
        VMCS[limit] = UInt64(segment.limit)
        VMCS[rights] = UInt64(segment.rights)
        VMCS[base] = segment.base
    }

    /// TR and LDTR. The base of TR is in the descriptor (SDM 3A 8.2.3 "TSS Descriptor in 64-bit mode").
    static func writeSystemSegments() {
        let tr = UInt32(store_tr()), ldtr = store_ldtr()
        let descriptor = gdt_base() + UInt64(tr & 0xFFF8)
        let low = memory_read64(descriptor)
        VMCS[.guestTRSelector] = UInt64(tr)
        VMCS[.guestTRLimit] = UInt64(load_segment_limit(tr))
        VMCS[.guestTRAccessRights] = UInt64(load_access_rights(tr) >> 8 & 0xF0FF | SystemDescriptorType.busyTSS)
        VMCS[.guestTRBase] = low >> 16 & 0xFF_FFFF | low >> 32 & 0xFF00_0000 | memory_read64(descriptor + 8) << 32
        VMCS[.guestLDTRSelector] = UInt64(ldtr)
        VMCS[.guestLDTRLimit] = 0
        VMCS[.guestLDTRAccessRights] = UInt64(SegmentAccessRights.unusable.rawValue)
        VMCS[.guestLDTRBase] = 0
    }
}
