import X86Architecture

/// SDM 3A 2.2 "Modes of Operation", read from the registers that define them.
extension Processor {
    var isProtectedMode: Bool { system.cr0 & CR0.protectionEnable != 0 }
    /// IA-32e mode: 64-bit or compatibility.
    var isLongMode: Bool { system.efer & EFER.longModeActive != 0 }
    var is64BitMode: Bool {
        isLongMode && system.segments[SegmentIndex.cs].access & AccessRights.long != 0
    }
    var isVirtual8086: Bool { system.flags & RFLAGS.virtual8086 != 0 }

    /// Bytes of the stack pointer in use: SDM 1 6.2.3 "Address-Size Attributes for Stack Accesses".
    var stackAddressSize: Int {
        if is64BitMode { return 8 }
        return system.segments[SegmentIndex.ss].access & AccessRights.defaultBig != 0 ? 4 : 2
    }

    var ioPrivilegeLevel: UInt8 { UInt8(truncatingIfNeeded: system.flags &>> RFLAGS.ioPrivilegeShift & 3) }

    /// To be called after anything that changes how code is fetched or memory is seen: CR0, CR3, CR4, EFER, CPL,
    /// code and stack segments, RFLAGS.AC/TF/VM, VM transitions.
    func modeChanged() {
        mirrorSegmentBases()
        system.hasFlatSegments = computeFlatSegments()
        translationContextChanged()
    }

    /// The bases that handlers add, SDM 3A 3.4.4 "Segment Loading Instructions in IA-32e Mode": in 64-bit mode those of
    /// ES, CS, SS and DS are treated as zero.
    func mirrorSegmentBases() {
        let ignored = is64BitMode
        cpu.pointee.segmentBase = (
            ignored ? 0 : system.segments[0].base, ignored ? 0 : system.segments[1].base,
            ignored ? 0 : system.segments[2].base, ignored ? 0 : system.segments[3].base,
            system.segments[4].base, system.segments[5].base
        )
    }

    /// True when no segment check can fail and all of ES, CS, SS, DS start at 0: fast memory forms need only add the
    /// base.
    private func computeFlatSegments() -> Bool {
        if is64BitMode { return true }
        guard isProtectedMode, !isVirtual8086 else { return false }
        for i in 0..<6 where i != SegmentIndex.fs && i != SegmentIndex.gs {
            let s = system.segments[i]
            guard s.base == 0, s.limit == 0xFFFF_FFFF, s.access & AccessRights.unusable == 0 else { return false }
            if i == SegmentIndex.cs { continue }
            guard s.access & AccessRights.code == 0, s.access & AccessRights.writable != 0,
                s.access & AccessRights.expandDown == 0
            else { return false }
        }
        return true
    }
}
