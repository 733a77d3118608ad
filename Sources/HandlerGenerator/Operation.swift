import InstructionTable

/// The shape of a semantic function: which operand forms it can be put into.
enum Shape {
    /// (flags, a, b) -> a
    case combine
    /// (flags, a, b)
    case compare
    /// (flags, a) -> a
    case change
    /// (b) -> a, no flags
    case convert
    /// (flags, a, count) -> a; (flags, a, b, count) -> a
    case shift, doubleShift
    /// Fixed registers.
    case multiply, divide
    /// One function for the whole instruction, with places or a width as its own.
    case whole
}

/// What a row's flags mean to the instructions before it.
enum FlagEffect: Int {
    /// May fault, leave the block or read flags: those before it stay live.
    case barrier = 0
    /// Register form: neither reads nor writes flags, cannot fault.
    case transparent = 1
    /// Register form: writes all six, reads none, cannot fault.
    case kills = 2
    /// As `kills` if the masked immediate count is not 0.
    case killsUnlessZero = 3
    /// Register form: keeps some flags, cannot fault; the variant without flags is transparent.
    case partial = 4
}

let shapes: [String: Shape] = [
    "add": .combine, "adc": .combine, "sub": .combine, "sbb": .combine, "logical_and": .combine, "logical_or": .combine,
    "logical_xor": .combine, "imul": .combine, "bsf": .combine, "bsr": .combine, "tzcnt": .combine, "lzcnt": .combine,
    "popcnt": .combine, "bts": .combine, "btr": .combine, "btc": .combine, "adcx": .combine, "adox": .combine,
    "cmp": .compare, "test": .compare, "bt": .compare,
    "inc": .change, "dec": .change, "neg": .change, "complement": .change, "bswap": .change,
    "mov": .convert, "movzx": .convert, "movsx": .convert, "movbe": .convert,
    "rol": .shift, "ror": .shift, "rcl": .shift, "rcr": .shift, "shl": .shift, "shr": .shift, "sar": .shift,
    "shld": .doubleShift, "shrd": .doubleShift,
    "mul": .multiply, "imul1": .multiply, "div": .divide, "idiv": .divide,
]

/// Write all six flags and read none.
let killers: Set<String> = [
    "add", "sub", "cmp", "neg", "logical_and", "logical_or", "logical_xor", "test", "imul", "popcnt", "tzcnt", "lzcnt",
    "bsf", "bsr", "mul", "imul1",
]
/// Write some flags and keep the others.
let partial: Set<String> = ["inc", "dec", "rol", "ror"]
/// Neither read nor write flags.
let flagless: Set<String> = ["mov", "movzx", "movsx", "movbe", "complement", "bswap", "lea", "xchg", "nop"]
/// Worth a variant that leaves the flags alone.
let droppable: Set<String> = [
    "add", "sub", "logical_and", "logical_or", "logical_xor", "inc", "dec", "neg", "imul", "shl", "shr", "sar",
    "rol", "ror", "adc", "sbb",
]
/// Worth a variant fused with a conditional branch.
let fusable: Set<String> = ["cmp", "test"]

extension InstructionRow {
    /// `Place` of an operand, as the machine spells it.
    func place(_ n: Int) -> String? {
        guard n < operands.count else { return nil }
        switch operands[n].placement {
        case .modRMRM, .opcode: return "rm"
        case .modRMReg: return "reg"
        case .vexV: return "vexV"
        case .immediate: return operands[n].kind == .memoryOffset ? "moffs" : "immediate"
        case .immediateHigh: return nil
        case .fixed:
            switch operands[n].spelling {
            case "AL", "AX", "EAX", "RAX": return "accumulator"
            case "CL": return "cl"
            case "DX": return "dx"
            case "1": return "one"
            default: return nil
            }
        }
    }
    /// The effective operand size where the opcode column or the mode decides it.
    var operandBits: Int? {
        switch encoding.operandSize {
        case .o16: return 16
        case .o32: return 32
        case .rexW: return 64
        case .any, .w0: return has(.d64) || has(.f64) ? 64 : nil
        }
    }
    var mayBeMemory: Bool { operands.contains { $0.placement == .modRMRM && $0.mayBeMemory } && !requiresRegister }
    var mayBeRegister: Bool { !requiresMemory }
    var error: (String) -> TableError { { TableError(file: file, line: line, message: $0) } }
}
