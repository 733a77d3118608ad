/// How an instruction uses memory, for its cost.
public enum MemoryUse: Sendable {
    case none, load, store, loadAndStore
}

/// Static cost of an instruction in core cycles: fixed when a block is translated, a function of the instruction alone,
/// so that a run costs the same whether it is stepped or not.
///
/// Model, for Haswell: one cycle for each simple instruction, more for what stays visible. Four micro-operations could
/// issue per cycle, but kernel code runs at about one instruction per cycle once its dependencies, branches and misses
/// are counted, and those are not modelled one by one. Never 0, unless `Timing` charges the instruction where it
/// happens: a page full of free instructions would stop time. Numbers above 3 are from A. Fog, "Instruction tables",
/// section Haswell ("Fog"), unless another source is named. Approximated; whole operations are compared with
/// published figures in docs/fidelity.md.
public enum InstructionCost {
    /// - Parameters:
    ///   - mnemonic: as in the instruction table, for example "ADD", "Jcc" or "JNE", "MOV".
    ///   - memory: how its explicit memory operand, if any, is used.
    ///   - operandSize: bytes.
    ///   - locked: LOCK prefix, or XCHG with memory.
    public static func cycles(mnemonic: String, memory: MemoryUse, operandSize: Int, locked: Bool = false) -> UInt16 {
        // Fog: LOCK ADD, XCHG m,r, LOCK XADD, LOCK CMPXCHG 18 to 20; CMPXCHG16B 28.
        if locked || mnemonic == "XCHG" && memory != .none { return mnemonic == "CMPXCHG16B" ? 28 : 19 }
        if let fixed = microcoded(mnemonic, operandSize) { return fixed }
        let base = simple(mnemonic, memory)
        switch memory {
        // Two loads and one store per cycle; a read-modify-write keeps the store port twice as busy.
        case .none, .load, .store: return base
        case .loadAndStore: return base + 1
        }
    }

    private static func simple(_ mnemonic: String, _ memory: MemoryUse) -> UInt16 {
        switch mnemonic {
        case "XCHG": return 2
        case "CALL", "RET", "LEAVE", "SHLD", "SHRD": return 2
        case "BSF", "BSR", "LZCNT", "TZCNT", "POPCNT", "CRC32", "PDEP", "PEXT", "RCL", "RCR", "XADD":
            return 3
        case "BT", "BTS", "BTR", "BTC": return memory == .none ? 1 : 8
        case "CMPXCHG": return 5
        default: return 1
        }
    }

    private static func microcoded(_ mnemonic: String, _ operandSize: Int) -> UInt16? {
        switch mnemonic {
        case "MUL", "IMUL": return 3
        // Fog, latency: DIV r32 22 to 29, r64 32 to 96; IDIV r64 39 to 103. Typical quotients are short.
        case "DIV": return operandSize == 8 ? 36 : 24
        case "IDIV": return operandSize == 8 ? 42 : 25
        case "PAUSE": return 9
        case "LFENCE": return 4
        case "SFENCE": return 6
        case "MFENCE": return 33
        case "CLFLUSH", "CLFLUSHOPT": return 100
        case "CPUID": return 150
        case "RDTSC": return 24
        case "RDTSCP": return 32
        case "RDPMC": return 34
        case "PUSHF", "PUSHFD", "PUSHFQ": return 4
        case "POPF", "POPFD", "POPFQ": return 22
        case "CLI", "STI": return 4
        case "CMPXCHG8B": return 10
        case "CMPXCHG16B": return 16
        case "ENTER": return 10
        case "MONITOR", "MWAIT": return 40
        // LVD: a null system call (SYSCALL, a few instructions, SYSRET) is 140.
        case "SYSCALL", "SYSRET": return 55
        case "SYSENTER", "SYSEXIT": return 55
        // LVD Table 2: WRMSR 127. (MOV to CR: `Timing.controlRegisterWrite`.)
        case "WRMSR": return 127
        case "RDMSR": return 90
        case "SWAPGS": return 12
        case "INVLPG": return 130
        case "INVPCID", "INVEPT", "INVVPID": return 150
        case "WBINVD", "INVD": return 5000
        case "LGDT", "LIDT": return 60
        case "SGDT", "SIDT", "SLDT", "STR", "SMSW": return 10
        case "LLDT", "LTR": return 90
        case "LMSW", "CLTS": return 60
        case "LSS", "LFS", "LGS", "LDS", "LES": return 30
        case "VMREAD", "VMWRITE": return 30
        case "VMPTRLD", "VMCLEAR", "VMPTRST": return 100
        case "VMXON", "VMXOFF": return 300
        case "XGETBV": return 8
        case "XSETBV": return 100
        case "FXSAVE", "FXSAVE64", "FXRSTOR", "FXRSTOR64": return 68
        // The same registers and memory.
        case "XSAVE", "XSAVE64", "XSAVEOPT", "XSAVEOPT64", "XSAVEC", "XSAVEC64", "XSAVES", "XSAVES64", "XRSTOR",
             "XRSTOR64", "XRSTORS", "XRSTORS64": return 68
        case "LDMXCSR", "STMXCSR": return 6
        // Fog, latency: DIVPS 10 to 13, DIVPD 10 to 20, SQRTPS 11, SQRTPD 16, DPPS 14, DPPD 9, AESIMC 14.
        case "DIVPS", "DIVSS", "SQRTPS", "SQRTSS": return 11
        case "DIVPD", "DIVSD", "SQRTPD", "SQRTSD": return 16
        case "DPPS", "AESIMC": return 14
        case "DPPD": return 9
        case "RDRAND", "RDSEED": return 320
        // Costed where they happen (`Timing`).
        case "VMFUNC", "VMLAUNCH", "VMRESUME", "VMCALL", "IN", "OUT", "INS", "OUTS", "IRET", "IRETD", "IRETQ",
             "INT", "INT1", "INT3", "INTO", "HLT", "UD0", "UD1", "UD2": return 0
        default: return nil
        }
    }
}
