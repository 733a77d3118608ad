import X86Architecture

/// A VMCS region: the whole VMCS is kept in it, in a format of this model's own
/// (docs/decisions/0004-vmcs-in-memory.md). SDM 3C 27.2 "Format of the VMCS Region".
///
///     0  VMCS revision identifier
///     4  VMX-abort indicator
///     8  launch state: 0 clear, otherwise launched in the VMX operation of that number (`VMXState.operation`)
///    64  fields, eight bytes each, grouped by width and type
struct VMCS {
    /// Host address of the region. Regions are pages of RAM: VMPTRLD finds no revision identifier elsewhere.
    let base: UnsafeMutableRawPointer

    static let abortOffset = 4
    /// Bit 31 of the first word: a shadow VMCS. SDM 3C 27.10 "VMCS Types: Ordinary and Shadow".
    static let shadowIndicator: UInt32 = 1 << 31
    private static let launchOffset = 8

    var isShadow: Bool { base.load(as: UInt32.self) & Self.shadowIndicator != 0 }
    var isLaunched: Bool { launchOperation != 0 }
    var launchOperation: UInt32 { base.load(fromByteOffset: Self.launchOffset, as: UInt32.self) }

    /// The field as VMREAD (full access) would give it.
    @inline(__always) subscript(_ field: VMCSField) -> UInt64 {
        base.load(fromByteOffset: Self.offset(field), as: UInt64.self)
    }
    @inline(__always) func u32(_ field: VMCSField) -> UInt32 { UInt32(truncatingIfNeeded: self[field]) }
    @inline(__always) func u16(_ field: VMCSField) -> UInt16 { UInt16(truncatingIfNeeded: self[field]) }

    @inline(__always) static func offset(_ field: VMCSField) -> Int { offset(encoding: field.rawValue) }

    /// Byte offset of a field: 64 + 8 * (first slot of its group + its index).
    @inline(__always) static func offset(encoding: UInt32) -> Int {
        let group = Int((encoding >> 11) & 0xC | (encoding >> 10) & 3)
        // Slots before each group; groups in the order of encodings: 16-bit, 64-bit, 32-bit, natural; control,
        // read-only, guest, host. Sizes: 8 0 12 8, 44 4 24 16, 20 8 24 2, 8 8 24 16.
        let first: Int
        switch group {
        case 0: first = 0
        case 1, 2: first = 8
        case 3: first = 20
        case 4: first = 28
        case 5: first = 72
        case 6: first = 76
        case 7: first = 100
        case 8: first = 116
        case 9: first = 136
        case 10: first = 144
        case 11: first = 168
        case 12: first = 170
        case 13: first = 178
        case 14: first = 186
        default: first = 210
        }
        return 64 + 8 * (first + Int((encoding >> 1) & 0x1FF))
    }

    /// Where in the region fields are; 226 of them, with those that no encoding reaches.
    static let fieldBytes = 64..<64 + 226 * 8

    /// Whether VMREAD and VMWRITE know the field: those of features that are not supported do not exist
    /// (SDM 3D appendix B "Field Encoding in VMCS": "exists only on processors that support...").
    /// `secondary`: IA32_VMX_PROCBASED_CTLS2.
    static func isSupported(_ field: VMCSField, _ secondary: ControlCapability) -> Bool {
        switch field {
        case .xssExitingBitmap: return secondary.mayBeOne & SecondaryControls.enableXSAVES.rawValue != 0
        case .hlatPrefixSize, .lastPIDPointerIndex, .guestUINV,
             .enclsExitingBitmap, .subPagePermissionTablePointer,
             .tertiaryProcessorBasedControls, .enclvExitingBitmap, .lowPASIDDirectoryAddress,
             .highPASIDDirectoryAddress, .sharedEPTPointer, .pconfigExitingBitmap, .hlatPointer,
             .pidPointerTableAddress, .secondaryExitControls, .specCtrlMask, .specCtrlShadow,
             .injectedEventData, .originalEventData,
             .guestPerfGlobalCtrl, .guestBNDCFGS, .guestRTITCtl, .guestLBRCtl, .guestPKRS,
             .guestFREDConfig, .guestFREDRSP1, .guestFREDRSP2, .guestFREDRSP3, .guestFREDStackLevels,
             .guestFREDSSP1, .guestFREDSSP2, .guestFREDSSP3,
             .hostPerfGlobalCtrl, .hostPKRS, .hostFREDConfig, .hostFREDRSP1, .hostFREDRSP2, .hostFREDRSP3,
             .hostFREDStackLevels, .hostFREDSSP1, .hostFREDSSP2, .hostFREDSSP3,
             .instructionTimeoutControl,
             .guestSCET, .guestSSP, .guestInterruptSSPTable, .hostSCET, .hostSSP, .hostInterruptSSPTable:
            return false
        default:
            return true
        }
    }

    /// Highest index (bits 9:1 of the encoding) of a supported field: the TSC multiplier's.
    static let highestIndex = VMCSField.tscMultiplier.encoding.index
}

extension Processor {
    /// The current VMCS; only while there is one.
    var vmcs: VMCS { vmcs(at: vmx.currentVMCS) }
    func vmcs(at address: UInt64) -> VMCS {
        guard let base = ram.hostAddress(of: PhysicalAddress(address)) else {
            preconditionFailure("a pointer to a VMCS is used after its revision identifier was found, so it is RAM")
        }
        return VMCS(base: base)
    }
    @inline(__always) var hasCurrentVMCS: Bool { vmx.currentVMCS != VMXState.noVMCS }

    /// Changes fields of the current VMCS: the region is a page of guest memory, with all that a write to it entails.
    @inline(__always) func writeVMCS(_ body: (VMCSWriter) -> Void) { writeVMCS(at: vmx.currentVMCS, body) }
    @inline(__always) func writeVMCS(at address: UInt64, _ body: (VMCSWriter) -> Void) {
        let address = PhysicalAddress(address)
        guard let frame = ram.frame(of: address) else { return }
        if ram.needsSaving(frame: frame) { machine.memory.beforeWrite(frame: frame) }
        body(VMCSWriter(base: vmcs(at: address.rawValue).base))
        if ram.flags(ofFrame: frame) != .none { machine.pageWritten(address, size: 8, by: self) }
    }

    /// Marks a VMCS, current or not, as clear or launched.
    func setLaunchState(_ address: UInt64, launched: Bool) {
        storeToRegion(address, offset: 8, launched ? vmx.operation : 0)
    }
    func storeToRegion(_ address: UInt64, offset: UInt64, _ value: UInt32) {
        let at = PhysicalAddress(address) + offset
        guard ram.isRAM(at) else { return }
        machine.memory.storeUnnotified(at, value)
        machine.pageWritten(at, size: 4, by: self)
    }
}

/// Writes fields of a VMCS whose page has been prepared for it.
struct VMCSWriter {
    let base: UnsafeMutableRawPointer
    /// `value` must fit the field.
    @inline(__always) func set(_ field: VMCSField, _ value: UInt64) {
        base.storeBytes(of: value, toByteOffset: VMCS.offset(field), as: UInt64.self)
    }
}
