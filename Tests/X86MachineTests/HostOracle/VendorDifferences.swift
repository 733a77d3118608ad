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

    /// SDM 2A "CPUID—CPU Identification", leaf 07H, EBX bit 6: the x87 data pointer is updated on x87 exceptions only.
    /// Haswell's, and so the machine's, do it always.
    static let hidesDataPointer = host_extended_features() >> 6 & 1 != 0

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
        // Where an unmasked exception leaves nothing to store, AMD's access memory all the same.
        case "fst", "fist", "fisttp", "fbstp", "fstp80":
            let isUnmasked = c.fx[0] & 0x19 != 0x19, isFault = [12, 13, 14].contains(hostTrap)
            return i.hasMemory && isUnmasked && isFault ? "AMD: x87 stores of nothing" : nil
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
        // AMD's: XCHG with R8.
        case "pause" where i.prefixes.rex & 1 != 0: return "AMD: F3 90 with REX.B"
        // AMD64 Architecture Programmer's Manual volume 3, "PREFETCH": #UD with a register.
        case "nop" where i.opcode == 0x0D && !i.hasMemory: return "AMD: 0F 0D with a register"
        // AMD's virtual machines see it intercepted, with RIP at the instruction.
        case "debugTrap": return "AMD: INT1 in a virtual machine"
        default: return nil
        }
    }

    /// What differs of x87 state.
    struct X87 {
        /// Bits of FSW.
        var status: UInt64 = 0
        /// TOP, tags and registers.
        var stack = false
    }
    static func x87(_ name: String, isFault: Bool) -> X87 {
        var result = X87()
        guard isAMD else { return result }
        switch name {
        // C1 with an empty register.
        case "fcomi": result.status = UInt64(FPUState.Status.c1)
        // A store from an MMX register that faults has not entered MMX state.
        case "movd", "movq":
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

    /// General registers by number that differ, as a mask. AMD's leave the upper halves of the registers of a repeated
    /// string instruction alone until it has done an element.
    static func registers(_ i: Instruction, _ name: String) -> UInt32 {
        isAMD && strings.contains(name) && i.addressSize == 4 ? 1 << 1 | 1 << 6 | 1 << 7 : 0
    }
    private static let strings: Set<String> = ["movs", "stos", "lods", "cmps", "scas"]

    /// A fault in a repeated comparison restores the flags of before it on Intel's, as the manual says.
    static func ignoresFlags(_ name: String, isFault: Bool) -> Bool {
        isAMD && isFault && (name == "cmps" || name == "scas")
    }

    /// Which of two NaNs a sum of DPPS or DPPD is: AMD's have the same one in every element.
    static func choosesOtherNaN(_ name: String) -> Bool { isAMD && (name == "dpps" || name == "dppd") }

    /// FXRSTOR and XRSTOR that fault have loaded a part already on Intel's.
    static func ignoresState(_ name: String, isFault: Bool) -> Bool {
        !isAMD && isFault && (name == "fxrstor" || name == "xrstor")
    }

    /// SDM 2A "PUSH—Push Word, Doubleword, or Quadword Onto the Stack": recent processors write 16 bits of a selector
    /// and leave the rest; AMD's write zeros.
    /// SDM 2A "CALL—Call Procedure" checks the target first and pushes then; processors of both vendors have pushed
    /// when they fault on it. Nothing may rely on what lies beyond the top of a stack.
    static func ignoresMemory(_ i: Instruction, _ name: String, isFault: Bool) -> Bool {
        if isFault && (name == "call" || name == "callFar") { return true }
        // A store of 80 bits is two on Intel's, and the second can fault alone.
        if isFault && !isAMD && (name == "fstp80" || name == "fbstp") { return true }
        return isAMD && name == "pushSreg" && i.operandSize == 4
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
