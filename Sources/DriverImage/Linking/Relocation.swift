/// The relocations of the x86-64 psABI (System V ABI, AMD64 supplement, "Relocation Types") that kernel modules use.
enum Relocation: UInt32 {
    case none = 0
    case absolute64 = 1
    case relative32 = 2
    case procedureLinkage32 = 4
    case absolute32 = 10
    case absoluteSigned32 = 11
    case relative64 = 24

    /// Bytes it writes.
    var width: Int {
        switch self {
        case .none: 0
        case .absolute64, .relative64: 8
        case .relative32, .procedureLinkage32, .absolute32, .absoluteSigned32: 4
        }
    }

    /// What the field gets: symbol value S, addend A, place P. Nil when it does not fit.
    func value(symbol: UInt64, addend: Int64, place: UInt64) -> UInt64? {
        let target = symbol &+ UInt64(bitPattern: addend)
        switch self {
        case .none: return 0
        case .absolute64: return target
        case .relative64: return target &- place
        case .absolute32: return target <= UInt64(UInt32.max) ? target : nil
        case .absoluteSigned32: return fitsSigned32(target) ? target : nil
        // Within one image a procedure linkage table is never needed: PLT32 is PC32.
        case .relative32, .procedureLinkage32:
            let distance = target &- place
            return fitsSigned32(distance) ? distance : nil
        }
    }

    private func fitsSigned32(_ value: UInt64) -> Bool {
        Int64(bitPattern: value) == Int64(Int32(truncatingIfNeeded: value))
    }

    /// `R_X86_64_PC32` and so on, for messages; also of those that are not supported.
    static func name(_ number: UInt32) -> String {
        let names: [UInt32: String] = [
            0: "NONE", 1: "64", 2: "PC32", 3: "GOT32", 4: "PLT32", 5: "COPY", 6: "GLOB_DAT", 7: "JUMP_SLOT",
            8: "RELATIVE", 9: "GOTPCREL", 10: "32", 11: "32S", 12: "16", 13: "PC16", 14: "8", 15: "PC8",
            16: "DTPMOD64", 17: "DTPOFF64", 18: "TPOFF64", 19: "TLSGD", 20: "TLSLD", 21: "DTPOFF32", 22: "GOTTPOFF",
            23: "TPOFF32", 24: "PC64", 25: "GOTOFF64", 26: "GOTPC32", 32: "SIZE32", 33: "SIZE64",
            37: "IRELATIVE", 41: "GOTPCRELX", 42: "REX_GOTPCRELX",
        ]
        return names[number].map { "R_X86_64_\($0) (\(number))" } ?? "relocation type \(number)"
    }

    /// What to do about a type that is not supported.
    static func hint(_ number: UInt32) -> String? {
        switch number {
        case 3, 9, 25, 26, 41, 42: "it needs a global offset table: compile with -fno-pic -mcmodel=kernel"
        case 16...23: "thread-local storage has no meaning in a kernel module"
        default: nil
        }
    }
}
