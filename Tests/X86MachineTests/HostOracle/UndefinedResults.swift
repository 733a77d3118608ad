import X86Architecture
import X86Decoder

/// What the SDM leaves undefined, by semantic function: not compared. (What the machine does there is what Intel's
/// processors are known to do, or what costs nothing.)
struct UndefinedResults {
    var flags: UInt64 = 0
    /// General registers by number, as a mask.
    var registers: UInt32 = 0
    /// Bits of FSW.
    var status: UInt64 = 0
    /// Memory.
    var memory = false
    /// Which of several accesses faults first is nowhere said: vector, error code and CR2.
    var pageFault = false

    private static let c = RFLAGS.carry, o = RFLAGS.overflow, a = RFLAGS.adjust, z = RFLAGS.zero, s = RFLAGS.sign,
        p = RFLAGS.parity

    /// Rows whose undefined flags do not depend on operands.
    private static let fixed: [String: UInt64] = [
        // SDM 2A "AND—Logical AND", "OR—Logical Inclusive OR", "TEST—Logical Compare", "XOR—Logical Exclusive OR":
        // "The state of the AF flag is undefined."
        "logical_and": a, "logical_or": a, "logical_xor": a, "test": a,
        // SDM 2A "MUL—Unsigned Multiply", "IMUL—Signed Multiply": SF, ZF, AF and PF.
        "mul": s | z | a | p, "imul": s | z | a | p, "imul1": s | z | a | p,
        // SDM 2A "DIV—Unsigned Divide", "IDIV—Signed Divide": all six.
        "div": RFLAGS.arithmetic, "idiv": RFLAGS.arithmetic,
        // SDM 2A "BT—Bit Test" and BTC, BTR, BTS: OF, SF, AF and PF.
        "bt": o | s | a | p, "bts": o | s | a | p, "btr": o | s | a | p, "btc": o | s | a | p,
        // SDM 2A "BSF—Bit Scan Forward", "BSR—Bit Scan Reverse": all but ZF.
        "bsf": RFLAGS.arithmetic & ~z, "bsr": RFLAGS.arithmetic & ~z,
        // SDM 2A "TZCNT—Count the Number of Trailing Zero Bits", "LZCNT—Count the Number of Leading Zero Bits".
        "tzcnt": o | s | a | p, "lzcnt": o | s | a | p,
        // SDM 2A "ANDN—Logical AND NOT", "BLSI—Extract Lowest Set Isolated Bit" and BLSMSK, BLSR, "BZHI—Zero High
        // Bits Starting with Specified Bit Position": AF and PF.
        "andn": a | p, "blsi": a | p, "blsr": a | p, "blsmsk": a | p, "bzhi": a | p,
        // SDM 2A "BEXTR—Bit Field Extract": AF, SF and PF.
        "bextr": a | s | p,
        // SDM 2A "DAA—Decimal Adjust AL After Addition", "DAS—Decimal Adjust AL After Subtraction": OF.
        "daa": o, "das": o,
        // SDM 2A "AAA—ASCII Adjust After Addition", "AAS—ASCII Adjust AL After Subtraction": OF, SF, ZF, PF.
        "aaa": o | s | z | p, "aas": o | s | z | p,
        // SDM 2A "AAM—ASCII Adjust AX After Multiply", "AAD—ASCII Adjust AX Before Division": OF, AF, CF.
        "aam": o | a | c, "aad": o | a | c,
    ]

    init(_ i: Instruction, _ name: String, before: [UInt64], flagsAfter: UInt64) {
        flags = Self.fixed[name] ?? 0
        let info = InstructionInfo(i.row)
        let bits = UInt64(info.operand(0)?.width ?? 64)
        switch name {
        // SDM 2A "SAL/SAR/SHL/SHR—Shift", "RCL/RCR/ROL/ROR—Rotate", "SHLD—Double Precision Shift Left", "SHRD".
        case "shl", "shr", "sar", "rol", "ror", "rcl", "rcr", "shld", "shrd":
            let count = count(i, info, before) & (bits == 64 ? 63 : 31)
            if count == 0 { break }
            let isRotate = name.hasPrefix("r")
            flags = (count == 1 ? 0 : Self.o) | (isRotate ? 0 : Self.a)
            if count >= bits && (name == "shl" || name == "shr") { flags |= Self.c }
            if name.hasSuffix("d") && count > bits {
                flags = RFLAGS.arithmetic
                registers = i.hasMemory ? 0 : 1 << UInt32(i.rm)
                memory = i.hasMemory
            }
        // "If the content of the source operand is 0, the content of the destination operand is undefined."
        case "bsf", "bsr": if flagsAfter & Self.z != 0 { registers = 1 << UInt32(i.reg) }
        // SDM 2A "FFREE—Free Floating-Point Register": C0, C1, C2, C3. They stay, but AMD's clear C1.
        case "ffree", "ffreep": status = 0x200
        case "cmps", "fxsave", "fxrstor", "fnsave", "frstor", "fnstenv", "fldenv",
            "xsave", "xsaveopt", "xsavec", "xrstor", "fld80", "fstp80", "fbld", "fbstp":
            pageFault = true
        // The two parts of the operand; the operand and the push.
        case "loadFarPointer", "jumpFar", "callFar", "call": pageFault = i.hasMemory
        // SDM 2A "BSWAP—Byte Swap": 16-bit operands.
        case "bswap" where bits == 16: registers = 1 << UInt32(i.rm)
        default: break
        }
    }

    private func count(_ i: Instruction, _ info: InstructionInfo, _ registers: [UInt64]) -> UInt64 {
        for n in 0..<info.operandCount {
            guard let operand = info.operand(n) else { continue }
            if operand.spelling.description == "CL" { return registers[1] & 0xFF }
            if operand.kind == .constant { return 1 }
        }
        return i.immediate & 0xFF
    }
}
