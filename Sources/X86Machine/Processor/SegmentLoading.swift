import X86Architecture

/// Loading segment registers: SDM 3A 3.4.4, 5.6 "Privilege Level Checking When Accessing Data Segments",
/// 5.7 "Privilege Level Checking When Loading the SS Register"; SDM 2B "MOV—Move".
extension Processor {
    /// MOV, POP and LxS to ES, SS, DS, FS, GS. Never CS.
    func loadSegment(_ index: Int, _ selector: UInt16) throws(Interruption) {
        if !isProtectedMode || isVirtual8086 {
            // Limit and rights stay as protected mode left them, unless the register had been made unusable.
            if system.segments[index].isUnusable { system.segments[index] = Segment() }
            system.segments[index].selector = selector
            system.segments[index].base = UInt64(selector) &<< 4
        } else if index == SegmentIndex.ss {
            system.segments[index] = try stackSegment(selector, cpl: system.cpl, vector: Vector.generalProtection)
        } else {
            system.segments[index] = try dataSegment(selector)
        }
        modeChanged()
    }

    private func dataSegment(_ selector: UInt16) throws(Interruption) -> Segment {
        // In 64-bit mode a null selector in FS or GS also clears the base on Intel processors.
        if isNull(selector) { return .null(selector) }
        var d = try fetchDescriptor(selector)
        let rpl = UInt8(selector & Selector.requestedPrivilege)
        guard d.isReadable else { throw selectorFault(Vector.generalProtection, selector) }
        if !d.isConformingCode, rpl > d.dpl || system.cpl > d.dpl {
            throw selectorFault(Vector.generalProtection, selector)
        }
        guard d.isPresent else { throw selectorFault(Vector.segmentNotPresent, selector) }
        try markAccessed(&d)
        return d.segment(selector)
    }

    /// A stack segment for privilege level `cpl`; what is wrong raises `vector` (#GP, or #TS when the selector comes
    /// from a TSS), a segment that is not present #SS. `to64Bit`: the code that will use it is 64-bit.
    func stackSegment(
        _ selector: UInt16, cpl: UInt8, vector: UInt8, external: UInt32 = 0, to64Bit: Bool? = nil
    ) throws(Interruption) -> Segment {
        let rpl = UInt8(selector & Selector.requestedPrivilege)
        if isNull(selector) {
            guard to64Bit ?? is64BitMode, cpl != 3, rpl == cpl else {
                throw .exception(Exception(vector: vector, errorCode: external))
            }
            return nullStackSegment(cpl: cpl)
        }
        var d = try fetchDescriptor(selector, vector: vector, external: external)
        guard rpl == cpl, d.isWritableData, d.dpl == cpl else {
            throw selectorFault(vector, selector, external: external)
        }
        guard d.isPresent else { throw selectorFault(Vector.stackFault, selector, external: external) }
        try markAccessed(&d)
        return d.segment(selector)
    }

    /// SS after a transfer to 64-bit code at `cpl` through the TSS: null, with the RPL (and the DPL of VM exits) of
    /// `cpl`.
    func nullStackSegment(cpl: UInt8) -> Segment {
        var s = Segment.null(UInt16(cpl))
        s.access |= UInt32(cpl) &<< AccessRights.privilegeShift
        return s
    }

    /// SDM 3A 5.8.6 "Returning from a Called Procedure": after a return outwards, data segments that the new level
    /// may not use become null. Bases stay, so that FS.base and GS.base survive.
    func dropInnerDataSegments() {
        for index in [SegmentIndex.es, SegmentIndex.ds, SegmentIndex.fs, SegmentIndex.gs] {
            let s = system.segments[index]
            let isConforming =
                s.access & (AccessRights.code | AccessRights.conforming) == AccessRights.code | AccessRights.conforming
            if isNull(s.selector) || s.isUnusable || s.dpl < system.cpl && !isConforming {
                system.segments[index].selector = 0
                system.segments[index].access |= AccessRights.unusable
            }
        }
    }

    // MARK: System segments

    /// LLDT. SDM 2A "LLDT—Load Local Descriptor Table Register".
    func loadLDTR(_ selector: UInt16) throws(Interruption) {
        if isNull(selector) {
            system.segments[SegmentIndex.ldtr] = .null(selector)
            return
        }
        guard selector & Selector.localTable == 0 else { throw selectorFault(Vector.generalProtection, selector) }
        var d = try fetchDescriptor(selector)
        guard !d.isCodeOrData, d.type == SystemDescriptorType.ldt else {
            throw selectorFault(Vector.generalProtection, selector)
        }
        try fetchUpperHalf(&d, selector)
        guard d.isPresent else { throw selectorFault(Vector.segmentNotPresent, selector) }
        try requireCanonicalBase(d, selector)
        system.segments[SegmentIndex.ldtr] = d.segment(selector)
    }

    /// LTR. SDM 2A "LTR—Load Task Register": marks the TSS busy.
    func loadTR(_ selector: UInt16) throws(Interruption) {
        if isNull(selector) { throw .exception(.generalProtection()) }
        guard selector & Selector.localTable == 0 else { throw selectorFault(Vector.generalProtection, selector) }
        var d = try fetchDescriptor(selector)
        let isAvailable =
            d.type == SystemDescriptorType.availableTSS
            || d.type == SystemDescriptorType.availableTSS16 && !isLongMode
        guard !d.isCodeOrData, isAvailable else { throw selectorFault(Vector.generalProtection, selector) }
        try fetchUpperHalf(&d, selector)
        guard d.isPresent else { throw selectorFault(Vector.segmentNotPresent, selector) }
        try requireCanonicalBase(d, selector)
        d.low |= 1 << 41
        try store(d.address + 5, UInt8(truncatingIfNeeded: d.low &>> 40), .supervisor)
        system.segments[SegmentIndex.tr] = d.segment(selector)
    }

    private func requireCanonicalBase(_ d: Descriptor, _ selector: UInt16) throws(Interruption) {
        guard !isLongMode || LinearAddress(d.base).isCanonical else {
            throw selectorFault(Vector.generalProtection, selector)
        }
    }

    // MARK: Code segments

    /// What JMP, CALL, RET, IRET and gates check of a code segment they transfer to (SDM 3A 5.8 "Privilege Level
    /// Checking When Transferring Program Control Between Code Segments"), after the selector was found not null.
    func checkCodeMode(_ d: Descriptor, _ selector: UInt16, external: UInt32 = 0) throws(Interruption) {
        // L and D both 1 are reserved in IA-32e mode (SDM 3A 5.2.1 "Code-Segment Descriptor in 64-bit Mode").
        if isLongMode, d.isLong, d.access & AccessRights.defaultBig != 0 {
            throw selectorFault(Vector.generalProtection, selector, external: external)
        }
    }

    /// The target offset must be canonical for 64-bit code and within the limit otherwise; #GP(external).
    func checkTarget(_ rip: UInt64, in d: Descriptor, external: UInt32 = 0) throws(Interruption) {
        let isValid = isLongMode && d.isLong ? LinearAddress(rip).isCanonical : rip <= UInt64(d.limit)
        guard isValid else { throw .exception(.generalProtection(external)) }
    }

    /// CS becomes `d` at privilege level `cpl`.
    func setCodeSegment(_ d: Descriptor, _ selector: UInt16, cpl: UInt8) {
        system.segments[SegmentIndex.cs] = d.segment(selector & ~Selector.requestedPrivilege | UInt16(cpl))
        system.cpl = cpl
    }
}
