import X86Architecture
import X86Decoder

/// SDM 3C 28.1.2 "Instructions That Cause VM Exits Unconditionally", 28.1.3 "Instructions That Cause VM Exits
/// Conditionally". Each hook is called by the instruction after the checks that take priority (28.1.1 "Relative
/// Priority of Faults and VM Exits": #UD, privilege, and operand faults as named there) and does nothing outside
/// VMX non-root operation.
extension Processor {
    /// A VM exit due to executing `i`.
    func exit(_ reason: ExitReason, _ i: borrowing Instruction, qualification: UInt64 = 0,
              information: UInt32 = 0) -> Interruption {
        var cause = VMExitCause(reason, qualification: qualification)
        cause.instructionLength = i.length
        cause.instructionInformation = information
        return .vmExit(cause)
    }

    // MARK: Unconditional

    func vmxCheckCPUID(_ i: borrowing Instruction) throws(Interruption) {
        if vmx.inNonRoot { throw exit(.cpuid, i) }
    }
    func vmxCheckINVD(_ i: borrowing Instruction) throws(Interruption) {
        if vmx.inNonRoot { throw exit(.invd, i) }
    }
    func vmxCheckXSETBV(_ i: borrowing Instruction) throws(Interruption) {
        if vmx.inNonRoot { throw exit(.xsetbv, i) }
    }

    // MARK: By one control

    func vmxCheckHLT(_ i: borrowing Instruction) throws(Interruption) {
        if guestHas(.hltExiting) { throw exit(.hlt, i) }
    }
    /// `linear`: the operand, even if not canonical; before that is checked.
    func vmxCheckINVLPG(_ i: borrowing Instruction, linear: LinearAddress) throws(Interruption) {
        if guestHas(.invlpgExiting) { throw exit(.invlpg, i, qualification: linear.rawValue) }
    }
    func vmxCheckRDPMC(_ i: borrowing Instruction) throws(Interruption) {
        if guestHas(.rdpmcExiting) { throw exit(.rdpmc, i) }
    }
    func vmxCheckRDTSC(_ i: borrowing Instruction) throws(Interruption) {
        if guestHas(.rdtscExiting) { throw exit(.rdtsc, i) }
    }
    /// #UD unless "enable RDTSCP". Before every other check of RDTSCP.
    func vmxCheckRDTSCPEnabled() throws(Interruption) {
        if vmx.inNonRoot && !guestHas(.enableRDTSCP) { throw .exception(.invalidOpcode) }
    }
    func vmxCheckRDTSCP(_ i: borrowing Instruction) throws(Interruption) {
        if guestHas(.rdtscExiting) { throw exit(.rdtscp, i) }
    }
    /// #UD unless "enable INVPCID". Before every other check of INVPCID.
    func vmxCheckINVPCIDEnabled() throws(Interruption) {
        if vmx.inNonRoot && !guestHas(.enableINVPCID) { throw .exception(.invalidOpcode) }
    }
    func vmxCheckINVPCID(_ i: borrowing Instruction) throws(Interruption) {
        if guestHas(.enableINVPCID) && guestHas(.invlpgExiting) {
            throw exit(.invpcid, i, qualification: displacementQualification(i),
                       information: memoryInformation(i, type: i.reg))
        }
    }
    func vmxCheckRDRAND(_ i: borrowing Instruction) throws(Interruption) {
        if guestHas(.rdrandExiting) { throw exit(.rdrand, i, information: randomInformation(i)) }
    }
    func vmxCheckRDSEED(_ i: borrowing Instruction) throws(Interruption) {
        if guestHas(.rdseedExiting) { throw exit(.rdseed, i, information: randomInformation(i)) }
    }
    func vmxCheckWBINVD(_ i: borrowing Instruction) throws(Interruption) {
        if guestHas(.wbinvdExiting) { throw exit(.wbinvd, i) }
    }
    func vmxCheckMONITOR(_ i: borrowing Instruction) throws(Interruption) {
        if guestHas(.monitorExiting) { throw exit(.monitor, i) }
    }
    /// `armed`: address-range monitoring hardware is armed.
    func vmxCheckMWAIT(_ i: borrowing Instruction, armed: Bool) throws(Interruption) {
        if guestHas(.mwaitExiting) { throw exit(.mwait, i, qualification: armed ? 1 : 0) }
    }
    func vmxCheckPAUSE(_ i: borrowing Instruction) throws(Interruption) {
        if guestHas(.pauseExiting) { throw exit(.pause, i) }
        guard guestHas(.pauseLoopExiting), system.cpl == 0 else { return }
        let now = timestampCounter
        guard let loop = vmx.pauseLoop, now &- loop.latest <= vmx.controls.pleGap else {
            vmx.pauseLoop = PauseLoop(first: now, latest: now)
            return
        }
        vmx.pauseLoop?.latest = now
        if now &- loop.first > vmx.controls.pleWindow { throw exit(.pause, i) }
    }

    // MARK: Descriptor-table registers

    enum DescriptorTableInstruction { case sgdt, sidt, lgdt, lidt, sldt, str, lldt, ltr }

    /// LGDT, LIDT, LLDT, LTR, SGDT, SIDT, SLDT, STR: after privilege checks, before operands are accessed.
    func vmxCheckDescriptorTable(_ which: DescriptorTableInstruction, _ i: borrowing Instruction) throws(Interruption) {
        guard guestHas(.descriptorTableExiting) else { return }
        var information = memoryInformation(i)
        let reason: ExitReason
        let identity: UInt32
        switch which {
        case .sgdt: reason = .gdtrOrIDTRAccess; identity = 0
        case .sidt: reason = .gdtrOrIDTRAccess; identity = 1
        case .lgdt: reason = .gdtrOrIDTRAccess; identity = 2
        case .lidt: reason = .gdtrOrIDTRAccess; identity = 3
        case .sldt: reason = .ldtrOrTRAccess; identity = 0
        case .str: reason = .ldtrOrTRAccess; identity = 1
        case .lldt: reason = .ldtrOrTRAccess; identity = 2
        case .ltr: reason = .ldtrOrTRAccess; identity = 3
        }
        // Tables "Format of the VM-Exit Instruction-Information Field as Used for LIDT, LGDT, SIDT, or SGDT" and
        // "... for LLDT, LTR, SLDT, and STR": operand size at bit 11 of the former, identity at bits 29:28.
        if reason == .gdtrOrIDTRAccess {
            if i.operandSize >= 4 { information |= 1 << 11 }
        } else if !i.hasMemory {
            information = registerInformation(i)
        }
        throw exit(reason, i, qualification: i.hasMemory ? displacementQualification(i) : 0,
                   information: information | identity << 28)
    }

    // MARK: Instruction information

    /// The exit qualification of instructions with a memory operand: the sign-extended displacement, to which RIP of
    /// the next instruction is added if RIP-relative. SDM 3C 30.2.1 "Basic VM-Exit Information".
    func displacementQualification(_ i: borrowing Instruction) -> UInt64 {
        let displacement = UInt64(bitPattern: Int64(i.displacement))
        return i.base == Instruction.ripBase ? displacement &+ cpu.pointee.rip &+ UInt64(i.length) : displacement
    }

    /// VM-exit instruction information of a memory operand; `type`: the register of INVEPT, INVVPID and INVPCID, the
    /// field encoding's register of VMREAD and VMWRITE. SDM 3C 30.2.5 "Information for VM Exits Due to Instruction
    /// Execution".
    func memoryInformation(_ i: borrowing Instruction, type: UInt8 = 0) -> UInt32 {
        guard i.hasMemory else { return UInt32(type & 15) << 28 | registerInformation(i) }
        var information = UInt32(i.scale & 3) | addressSizeInformation(i) | UInt32(i.segment & 7) << 15
        if i.index != Instruction.none { information |= UInt32(i.index & 15) << 18 } else { information |= 1 << 22 }
        let base = i.base
        if base != Instruction.none && base != Instruction.ripBase {
            information |= UInt32(base & 15) << 23
        } else {
            information |= 1 << 27
        }
        return information | UInt32(type & 15) << 28
    }
    /// A register operand: bit 10, and its number at bits 6:3.
    func registerInformation(_ i: borrowing Instruction) -> UInt32 { 1 << 10 | UInt32(i.rm & 15) << 3 }

    /// Table "Format of the VM-Exit Instruction-Information Field as Used for RDRAND, RDSEED, TPAUSE, and UMWAIT":
    /// the destination at bits 6:3, its size at bits 12:11.
    private func randomInformation(_ i: borrowing Instruction) -> UInt32 {
        let size: UInt32 = i.operandSize == 8 ? 2 : i.operandSize == 4 ? 1 : 0
        return UInt32(i.rm & 15) << 3 | size << 11
    }

    /// Bits 9:7: 16, 32 or 64-bit addresses.
    func addressSizeInformation(_ i: borrowing Instruction) -> UInt32 {
        switch i.addressSize {
        case 2: 0
        case 4: 1 << 7
        default: 2 << 7
        }
    }
}
