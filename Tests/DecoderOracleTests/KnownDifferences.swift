import X86Decoder

/// Where the decoder and Zydis 4.0 read the same bytes differently, each with the reason.
/// A rule that matches nothing any more fails the test.
enum KnownDifferences {
    struct Rule: Sendable {
        var reason: String
        var matches: @Sendable (Comparison, _ difference: String) -> Bool
    }

    static let rules: [Rule] = [
        Rule(reason: "AMD's and VIA's instructions are undefined on Intel processors") { comparison, _ in
            [
                "clgi", "stgi", "clzero", "invlpga", "invlpgb", "tlbsync", "monitorx", "mwaitx", "rdpru", "skinit",
                "vmload", "vmmcall", "vmrun", "vmsave", "femms", "extrq", "insertq", "movntsd", "movntss", "montmul",
                "xcrypt_cbc", "xcrypt_cfb", "xcrypt_ctr", "xcrypt_ecb", "xcrypt_ofb", "xsha1", "xsha256", "xstore",
                "mcommit", "psmash", "pvalidate", "rmpadjust", "rmpupdate",
            ].contains(comparison.theirs.mnemonic) && comparison.isUndefined
        },
        Rule(reason: "3DNow! (0F 0F) and XOP (8F) are AMD's") { comparison, _ in
            let opcode = comparison.opcode
            return comparison.isUndefined && (Array(opcode.prefix(2)) == [0x0f, 0x0f] || opcode.first == 0x8f)
        },
        Rule(reason: "EVEX (62) has no rows: BOUND with a register is undefined without it") { comparison, _ in
            comparison.isUndefined && comparison.opcode.first == 0x62
        },
        Rule(reason: "AVX-512 and AMX have no rows: the opcodes are undefined on processors without") { comparison, _ in
            let name = comparison.theirs.mnemonic
            return comparison.isVEX && comparison.isUndefined
                && ["k", "tile", "tdp", "ldtilecfg", "sttilecfg", "vpdp"].contains { name.hasPrefix($0) }
        },
        Rule(reason: "Knights Corner's instructions with VEX are its own") { comparison, _ in
            let names = ["clevict", "delay", "jk", "spflt", "lzcnt", "popcnt", "tzcnt", "vprefetch"]
            return comparison.isVEX && comparison.isUndefined
                && names.contains { comparison.theirs.mnemonic.hasPrefix($0) }
        },
        Rule(reason: "FMA4 and VPERMIL2 are AMD's") { comparison, _ in
            let name = comparison.theirs.mnemonic
            return comparison.isVEX && comparison.isUndefined && (name.hasPrefix("vpermil2")
                || ["vfmadd", "vfmsub", "vfnmadd", "vfnmsub"].contains { name.hasPrefix($0) })
        },
        Rule(reason: "SYSCALL and SYSRET are valid on Intel processors in 64-bit mode only (SDM 2B)") { comparison, _ in
            ["syscall", "sysret"].contains(comparison.theirs.mnemonic) && comparison.query.size != .bits64
                && comparison.isUndefined
        },
        Rule(reason: "SEAMRET and TDX's other instructions are outside the volumes of the SDM") { comparison, _ in
            ["seamret", "seamcall", "seamops", "tdcall"].contains(comparison.theirs.mnemonic) && comparison.isUndefined
        },
        Rule(reason: "Unassigned rows of 0F 0D are reserved NOPs; AMD's PREFETCH is one of them") { _, difference in
            difference == "nop: Zydis reads prefetch"
        },
        Rule(reason: "Operands of the reserved NOPs have no meaning") { _, difference in
            difference.hasPrefix("nop: ")
        },
        Rule(reason: "No base with SIB base 101b and mod 00b, whatever REX.B is (SDM 2A table 2-5)") { known, _ in
            guard case .success(let i) = known.ours else { return false }
            return i.hasMemory && i.modRM & 0xc7 == 4 && i.prefixes.rex & 1 == 1 && i.base == Instruction.none
        },
        Rule(reason: "LEA's segment is not used") { _, difference in
            difference.hasPrefix("lea: operand 2: segment")
        },
        Rule(reason: "The SDM spells the byte that names the cache line, Zydis the line") { comparison, difference in
            ["clflush", "clflushopt", "clwb"].contains(comparison.theirs.mnemonic)
                && difference.hasSuffix("8 bits of memory, Zydis 512")
        },
        Rule(reason: "MOVSXD r16 reads 16 bits (SDM 2B MOVSX/MOVSXD)") { _, difference in
            difference == "movsxd: operand 2: 16 bits of memory, Zydis 32"
        },
        Rule(reason: "The selector operand of LAR is r32/m16 (SDM 2A LAR)") { _, difference in
            difference.hasPrefix("lar: operand 2: register 3")
        },
        Rule(reason: "Destinations the SDM spells 'reg': the upper half is zero anyhow") { comparison, difference in
            ["movmskps", "movmskpd", "senduipi"].contains(comparison.theirs.mnemonic)
                && difference.contains("operand 1: register")
        },
    ]
}

extension Comparison {
    /// From the first byte that is neither a legacy prefix nor, in 64-bit mode, REX.
    var opcode: ArraySlice<UInt8> {
        query.bytes.drop { byte in
            [0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65].contains(byte)
                || query.size == .bits64 && byte & 0xf0 == 0x40
        }
    }
    var isVEX: Bool { query.bytes.prefix(3).contains { $0 & 0xfe == 0xc4 } }
    var isUndefined: Bool {
        if case .failure(.undefined) = ours { return true }
        return false
    }
}
