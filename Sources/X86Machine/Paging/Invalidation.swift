import X86Architecture

/// The operations that drop cached translations, each as the SDM words it. Every drop also empties what the engine
/// derived from the store.
///
/// Paging-structure caches are not modelled (SDM 3A 4.10.3 allows a processor to have none), so the parts of these
/// operations that concern them have nothing to do.
extension Processor {
    /// Tags of the translations in use: SDM 3C 31.4.2 "Creating and Using Cached Translation Information".
    var translationTags: TranslationTags {
        TranslationTags(
            vpid: vmx.currentVPID,
            pcid: system.cr4 & CR4.pcidEnable != 0 ? UInt16(truncatingIfNeeded: system.cr3 & CR3.pcid) : 0,
            ep4ta: vmx.eptEnabled ? vmx.ep4ta : Translation.noEPT)
    }

    /// INVLPG: the page of `a`, current PCID and global, in the current VPID, all EP4TAs
    /// (SDM 3A 4.10.4.1 "Operations that Invalidate TLBs and Paging-Structure Caches"; SDM 3C 31.4.3.1).
    func invalidatePage(_ a: LinearAddress) {
        let tags = translationTags
        drop(
            TranslationSelection(
                linear: a, vpid: tags.vpid, pcid: tags.pcid,
                ep4ta: vmx.eptEnabled ? nil : Translation.noEPT))
    }

    /// INVPCID type 0: the page of `a` in `pcid`, except global translations.
    func invalidatePage(_ a: LinearAddress, pcid: UInt16) {
        drop(TranslationSelection(linear: a, vpid: vmx.currentVPID, pcid: pcid, keepsGlobals: true))
    }

    /// MOV to CR3, INVPCID type 1: all translations of `pcid` except global ones.
    func invalidatePCID(_ pcid: UInt16) {
        drop(TranslationSelection(vpid: vmx.currentVPID, pcid: pcid, keepsGlobals: true))
    }

    /// INVPCID type 3: all PCIDs, except global translations.
    func invalidateNonGlobal() {
        drop(TranslationSelection(vpid: vmx.currentVPID, keepsGlobals: true))
    }

    /// MOV to CR4 that changes PGE, MOV to CR0 that clears PG, INVPCID type 2: all PCIDs, global ones too.
    func invalidateAllOfVPID() {
        drop(TranslationSelection(vpid: vmx.currentVPID))
    }

    /// VM entry and VM exit without "enable VPID": linear and combined mappings of VPID 0000H, all PCIDs
    /// (SDM 3C 31.4.3.1 "Operations that Invalidate Cached Mappings"). INVVPID single-context.
    func invalidateVPID(_ vpid: UInt16, keepsGlobals: Bool = false) {
        drop(TranslationSelection(vpid: vpid, keepsGlobals: keepsGlobals))
    }

    /// INVVPID individual-address: all PCIDs and EP4TAs.
    func invalidateVPID(_ vpid: UInt16, address: LinearAddress) {
        drop(TranslationSelection(linear: address, vpid: vpid))
    }

    /// INVVPID all-context: every VPID except 0000H.
    func invalidateAllVPIDs() {
        drop(TranslationSelection(keepsVPIDZero: true))
    }

    /// INVEPT single-context: combined mappings of the EP4TA, all VPIDs and PCIDs.
    func invalidateEP4TA(_ ep4ta: UInt64) {
        drop(TranslationSelection(ep4ta: ep4ta, combinedOnly: true))
    }

    /// INVEPT all-context: combined mappings of every EP4TA.
    func invalidateAllEP4TAs() {
        drop(TranslationSelection(combinedOnly: true))
    }

    /// An EPT violation drops the combined mappings of the linear address, current VPID, PCID and EP4TA
    /// (SDM 3C 31.4.3.1); a page fault those of the linear address, current PCID (SDM 3A 4.10.4.1).
    func invalidateFaulting(_ a: LinearAddress) {
        let tags = translationTags
        drop(TranslationSelection(linear: a, vpid: tags.vpid, pcid: tags.pcid, ep4ta: tags.ep4ta))
    }

    /// VM entry, VM exit or EPTP switch: nothing, unless the machine is to hide forgotten invalidations.
    func translationSpaceChanges() {
        guard machine.configuration.translations == .eager, translations.count > 0 else { return }
        translations.dropAll()
        flushFast()
    }

    private func drop(_ selection: TranslationSelection) {
        switch translations.drop(selection) {
        case .nothing: break
        case .smallPage: flushFast(page: (selection.linear ?? LinearAddress(0)).page)
        case .more: flushFast()
        }
    }
}
