import CHostProcessor
import X86Architecture
@testable import X86Machine
import X86Decoder

/// Where a processor of another vendor does what Intel's do not, and the machine, which is Intel's, is not to follow
/// it. Each entry says what is then not compared.
enum VendorDifferences {
    /// "AuthenticAMD" or "GenuineIntel".
    static let vendor = HostFeatures.vendor
    static var isAMD: Bool { vendor == "AuthenticAMD" }

    /// AMD64 Architecture Programmer's Manual volume 2, 11.4.4.3 "FXSAVE and FXRSTOR Instructions": the x87 pointers
    /// and opcode are saved only while an exception is pending.
    static var hidesX87Pointers: Bool { isAMD }

    /// The FS or GS base after a null selector was loaded: Intel's processors clear it, AMD's leave it alone.
    static func ignoresBase(selector: UInt16) -> Bool { isAMD && selector & 0xFFFC == 0 }

    /// Why the instruction is not compared at all, or nil.
    static func reasonToSkip(_ i: Instruction, _ name: String, _ c: OracleCase, hostTrap: UInt64) -> String? {
        let mnemonic = InstructionInfo(i.row).mnemonic.description
        // SDM 2B "MASKMOVQ—Store Selected Bytes of Quadword", "MASKMOVDQU": with a mask of zeros, which exceptions the
        // address raises is up to the part. AMD's have entered MMX state before a fault.
        if mnemonic.hasPrefix("MASKMOV"), hostTrap != 3 { return "MASKMOV that faults" }
        // The manual bounds the error and leaves the value to the part; `VectorFloatTests` has the bound.
        if ["rcpps", "rcpss", "rsqrtps", "rsqrtss"].contains(name) { return "approximations" }
        // The kernel of the host enables more than the machine has.
        if ["xsave", "xsaveopt", "xsavec", "xrstor"].contains(name),
            c.registers[0] & 0xFFFF_FFF8 != 0 || c.registers[2] & 0xFFFF_FFFF != 0 {
            return "XSAVE with components of the host"
        }
        guard isAMD else { return nil }
        switch name {
        // SDM 2A "CVTPI2PS—Convert Packed Dword Integers to Packed Single Precision Floating-Point Values": enters MMX
        // state whatever the source; AMD's only with an MMX register.
        case "cvtpi2ps" where i.hasMemory: return "AMD: CVTPI2PS from memory leaves x87 state alone"
        // SDM 2A 2.4.2 "Exceptions Type 4 (>=16 Byte Memory Reference, Optional Memory Alignment...)" and its legacy
        // forms want 16-byte alignment of SHA's operands as of all others. AMD's check all others, and read these
        // wherever they are: measured on family 1AH with every instruction at offsets 1, 8, 15 from alignment.
        case "sha1nexte", "sha1msg1", "sha1msg2", "sha1rnds4", "sha256rnds2", "sha256msg1", "sha256msg2":
            let isMisaligned = i.hasMemory && EffectiveAddress(i, c).linear & 15 != 0
            return isMisaligned ? "AMD: SHA with a misaligned operand" : nil
        // Read behind the released bytes before the selector is checked.
        case "returnFar" where hostTrap == 14: return "AMD: RETF imm16 probes the outer stack"
        // A far CALL that leaves 64-bit mode pushes at RSP; AMD's at ESP, as the mode that it enters would.
        case "callFar" where c.size == .bits64 && c.registers[4] >> 32 != 0:
            return "AMD: far CALL from 64-bit mode with RSP beyond 32 bits"
        // AMD64 Architecture Programmer's Manual volume 3, "CALL (Far)", "JMP (Far)", "LDS LES LFS LGS LSS": the
        // 64-bit operand size has a 32-bit offset, Intel's a 64-bit one.
        case "callFar", "jumpFar", "loadFarPointer":
            return i.hasMemory && i.prefixes.rexW ? "AMD: no far pointers m16:64" : nil
        // Ibidem, "Near branches in 64-bit mode": 66 gives 16-bit operands, which Intel's ignore.
        case "jmp", "call", "ret", "j", "loop", "loope", "loopne", "jcxz":
            // SDM 2A 2.1.1 "Instruction Prefixes": repeat prefixes with other instructions are reserved. AMD's let
            // them choose the condition.
            if name == "loope" && i.prefixes.repne || name == "loopne" && i.prefixes.rep {
                return "AMD: LOOPcc with a repeat prefix"
            }
            return i.prefixes.operandSize && i.operandSize == 8 ? "AMD: near branches with 66" : nil
        // AMD64 Architecture Programmer's Manual volume 3, "PREFETCH": #UD with a register.
        case "nop" where i.opcode == 0x0D && !i.hasMemory: return "AMD: 0F 0D with a register"
        // AMD's virtual machines see it intercepted, with RIP at the instruction.
        case "debugTrap": return "AMD: INT1 in a virtual machine"
        default: return nil
        }
    }

    /// What differs of x87 state, and of the flags that comparisons set.
    struct X87 {
        /// Bits of FSW.
        var status: UInt64 = 0
        /// TOP, tags and registers.
        var stack = false
        /// RFLAGS.
        var flags = false
    }
    /// `after` is FCW and FSW.
    static func x87(_ name: String, after: UInt64, isFault: Bool) -> X87 {
        var result = X87()
        guard isAMD else { return result }
        let conditions = UInt64(FPUState.Status.c0 | FPUState.Status.c2 | FPUState.Status.c3)
        let unmasked = after >> 16 & ~after & 0x3F
        switch name {
        // SDM 2A "FCOM/FCOMP/FCOMPP—Compare Floating-Point Values": with an unmasked #IA the condition codes are not
        // set; SDM 1 8.5.2 "Denormal Operand Exception (#D)": an unmasked #D ends the operation. AMD's set them as if
        // masked.
        case "fcom", "fcomp", "fcompp", "fucom", "fucomp", "fucompp", "ftst":
            if unmasked & 3 != 0 { result.status = conditions }
        // SDM 2A "FCOMI/FCOMIP/FUCOMI/FUCOMIP—Compare Floating-Point Values and Set EFLAGS": C1 is cleared, and an
        // unmasked #IA sets no flags. AMD's leave C1 as it was, and set the flags.
        case "fcomi":
            result.status = UInt64(FPUState.Status.c1)
            result.flags = unmasked & 3 != 0
        // SDM 1 8.5.2 "Denormal Operand Exception (#D)": unmasked, TOP remains unchanged. AMD's load the value.
        case "fld": result.stack = unmasked & 2 != 0
        // AMD's have entered MMX state before a fault.
        case "cvtpd2pi", "cvtps2pi", "cvttpd2pi", "cvttps2pi", "cvtpi2ps", "cvtpi2pd":
            result.stack = isFault
            if isFault { result.status = 0xFFFF }
        default: break
        }
        return result
    }

    /// AMD's have MXCSR.MM, bit 17, which turns alignment checks off; on Intel's it is reserved.
    static func accepts(mxcsr: UInt64, _ name: String) -> Bool {
        isAMD && ["ldmxcsr", "fxrstor", "xrstor"].contains(name) && mxcsr & 0xFFFF_0000 == 0x2_0000
    }

    /// General registers by number that differ, as a mask.
    static func registers(_ i: Instruction, _ name: String, flagsAfter: UInt64) -> UInt32 {
        guard isAMD else { return 0 }
        // SDM 2A "CMPXCHG—Compare and Exchange" has the destination written with itself, which clears the upper half
        // of a 32-bit register; AMD's leave it alone.
        let isUnequal = flagsAfter & RFLAGS.zero == 0
        return name == "cmpxchg" && i.operandSize == 4 && !i.hasMemory && isUnequal ? 1 << UInt32(i.rm) : 0
    }

    /// SDM 2A "PUSH—Push Word, Doubleword, or Quadword Onto the Stack": recent processors write 16 bits of a selector
    /// and leave the rest; AMD's write zeros.
    /// A far CALL to an offset beyond the segment's limit has pushed before it faults on AMD's.
    static func ignoresMemory(_ i: Instruction, _ name: String, isFault: Bool) -> Bool {
        isAMD && (name == "pushSreg" && i.operandSize == 4 || name == "callFar" && isFault)
    }

    /// Of two faults of one instruction AMD's report another: #GP for a misaligned operand before #SS for its
    /// non-canonical address; a page fault of CALL's push before #GP for its target.
    static func prefersOther(_ name: String, machine: UInt64, host: UInt64) -> Bool {
        isAMD && (machine == 12 && host == 13 || name == "call" && machine == 13 && host == 14)
    }

    /// IRET and far RET with a wrong RIP and a wrong selector: AMD's look at RIP first.
    static func checksLimitFirst(_ name: String, _ trap: UInt64, _ hostError: UInt64) -> Bool {
        isAMD && trap == 13 && hostError == 0 && (name == "interruptReturn" || name == "returnFar")
    }

    /// Undefined encodings that AMD's execute: LOCK before VERR and VERW, and before MOV to and from CR0, which makes
    /// it CR8 (AMD64 Architecture Programmer's Manual volume 3, "MOV CRn", AltMovCr8).
    static func executes(undefined bytes: [UInt8]) -> Bool {
        guard isAMD, bytes.contains(0xF0), let at = bytes.firstIndex(of: 0x0F), at + 2 < bytes.count else {
            return false
        }
        let reg = bytes[at + 2] >> 3 & 7
        return bytes[at + 1] == 0 && (4...5).contains(reg) || bytes[at + 1] & ~2 == 0x20 && reg == 0
    }
}
