import X86Architecture

/// A descriptor as fetched from a table: SDM 3A 3.4.5 "Segment Descriptors", 3.5 "System Descriptor Types".
struct Descriptor {
    var low: UInt64
    /// The upper half of the 16-byte system descriptors of IA-32e mode.
    var high: UInt64 = 0
    /// Where it is, for setting its accessed or busy flag.
    var address: LinearAddress

    var access: UInt32 { UInt32(truncatingIfNeeded: low &>> 40) & AccessRights.mask }
    var type: UInt32 { access & AccessRights.type }
    var dpl: UInt8 { UInt8(truncatingIfNeeded: access &>> AccessRights.privilegeShift & 3) }
    var isPresent: Bool { access & AccessRights.present != 0 }
    var isCodeOrData: Bool { access & AccessRights.codeOrData != 0 }
    var isCode: Bool { isCodeOrData && access & AccessRights.code != 0 }
    var isConformingCode: Bool { isCode && access & AccessRights.conforming != 0 }
    var isReadable: Bool { isCodeOrData && (access & AccessRights.code == 0 || access & AccessRights.readable != 0) }
    var isWritableData: Bool { isCodeOrData && access & AccessRights.code == 0 && access & AccessRights.writable != 0 }
    var isLong: Bool { access & AccessRights.long != 0 }

    /// Base of a segment; with the upper half, of the 64-bit LDT and TSS.
    var base: UInt64 { low &>> 16 & 0xFF_FFFF | low &>> 32 & 0xFF00_0000 | high &<< 32 }
    /// In bytes, inclusive.
    var limit: UInt32 {
        let raw = UInt32(truncatingIfNeeded: low & 0xFFFF | low &>> 32 & 0xF_0000)
        return access & AccessRights.granularity != 0 ? raw &<< 12 | 0xFFF : raw
    }

    // Gates, SDM 3A 6.11 "IDT Descriptors", 5.8.3 "Call Gates".
    var gateSelector: UInt16 { UInt16(truncatingIfNeeded: low &>> 16) }
    var gateOffset: UInt64 { low & 0xFFFF | low &>> 32 & 0xFFFF_0000 | high &<< 32 }
    var gateOffset16: UInt64 { low & 0xFFFF }
    /// Interrupt-stack table index of the 64-bit gates.
    var gateIST: UInt64 { low &>> 32 & 7 }
    /// Parameters that a call gate copies.
    var gateParameters: Int { Int(truncatingIfNeeded: low &>> 32 & 31) }

    func segment(_ selector: UInt16) -> Segment {
        Segment(selector: selector, base: base, limit: limit, access: access)
    }
}

extension Segment {
    static func null(_ selector: UInt16 = 0, base: UInt64 = 0) -> Segment {
        Segment(selector: selector, base: base, limit: 0, access: AccessRights.unusable)
    }
    var isUnusable: Bool { access & AccessRights.unusable != 0 }
    var dpl: UInt8 { UInt8(truncatingIfNeeded: access &>> AccessRights.privilegeShift & 3) }
}

/// A fault that names a selector: SDM 3A 6.13 "Error Code".
func selectorFault(_ vector: UInt8, _ selector: UInt16, external: UInt32 = 0) -> Interruption {
    .exception(Exception(vector: vector, errorCode: UInt32(selector & ~Selector.requestedPrivilege) | external))
}

@inline(__always) func isNull(_ selector: UInt16) -> Bool { selector & ~Selector.requestedPrivilege == 0 }

extension Processor {
    /// The linear address of a selector's descriptor if `bytes` bytes are within its table, else nil.
    func descriptorAddress(_ selector: UInt16, bytes: UInt64 = 8) -> LinearAddress? {
        let offset = UInt64(selector & Selector.index)
        if selector & Selector.localTable != 0 {
            let ldtr = system.segments[SegmentIndex.ldtr]
            guard !ldtr.isUnusable, offset &+ bytes &- 1 <= UInt64(ldtr.limit) else { return nil }
            return systemAddress(ldtr.base &+ offset)
        }
        guard offset &+ bytes &- 1 <= UInt64(system.gdtr.limit) else { return nil }
        return systemAddress(system.gdtr.base &+ offset)
    }

    /// Fetches a descriptor; outside its table raises `vector` with the selector.
    func fetchDescriptor(
        _ selector: UInt16, vector: UInt8 = Vector.generalProtection, external: UInt32 = 0
    ) throws(Interruption) -> Descriptor {
        guard let address = descriptorAddress(selector) else {
            throw selectorFault(vector, selector, external: external)
        }
        return Descriptor(low: try load(address, as: UInt64.self, .supervisor), address: address)
    }

    /// The upper 8 bytes of a system descriptor, which IA-32e mode has (SDM 3A 3.5, 5.8.3.1). The type field of the
    /// upper half must be 0.
    func fetchUpperHalf(
        _ d: inout Descriptor, _ selector: UInt16, vector: UInt8 = Vector.generalProtection
    ) throws(Interruption) {
        guard isLongMode else { return }
        guard let address = descriptorAddress(selector, bytes: 16) else { throw selectorFault(vector, selector) }
        d.high = try load(address + 8, as: UInt64.self, .supervisor)
        guard d.high &>> 40 & 0x1F == 0 else { throw selectorFault(vector, selector) }
        d.high &= 0xFFFF_FFFF
    }

    /// SDM 3A 3.4.5.1: sets the accessed flag of a code or data descriptor; `d` reflects it.
    func markAccessed(_ d: inout Descriptor) throws(Interruption) {
        guard d.access & AccessRights.accessed == 0 else { return }
        d.low |= UInt64(AccessRights.accessed) &<< 40
        try store(d.address + 5, UInt8(truncatingIfNeeded: d.low &>> 40), .supervisor)
    }

    /// An address in a system structure: 64 bits in IA-32e mode, else 32.
    func systemAddress(_ a: UInt64) -> LinearAddress { LinearAddress(isLongMode ? a : a & 0xFFFF_FFFF) }
}
