import CEngineState
import X86Architecture
import X86Decoder

/// What the translator knows of a row of the instruction tables, written by HandlerGenerator.
struct RowPlan {
    enum Kind: UInt8 {
        /// Out of line, then on in the block; out of line, ending the block.
        case general, end
        /// Forms without control transfer.
        case data
        case nop
        /// Control transfers: conditional, direct, indirect, return.
        case jcc, jump, call, jumpTo, callTo, ret
    }
    /// What the register form means to the flags of instructions before it.
    enum FlagEffect: UInt8 { case barrier, transparent, kills, killsUnlessZero, partial }

    var kind: Kind
    var place0, place1: Place
    var bytes0, bytes1: Int
    var general: Int
    /// Numbers of handlers, -1 where there is none.
    var register, registerDead, memory0, memory1, fused: Int
    /// Stack operations and branches: the operand size for which the handlers are.
    var stackBytes: Int
    var effect: FlagEffect
    var isConditional: Bool
    /// Uses XMM registers.
    var isVector: Bool
    /// Static cost in cycles: register form, memory form, and the latter locked.
    var cost: UInt16 = 1, memoryCost: UInt16 = 1, lockedCost: UInt16 = 1
}

/// Handlers that belong to no row; in the order in which HandlerGenerator writes them.
enum FixedHandler: Int {
    case end, endAcross, stale, loadTemp, address64, address32, call64Across, call32Across
}

/// Immutable data that every processor's engine shares.
struct EngineTables: Sendable {
    static let shared = EngineTables()
    let plans: [RowPlan]
    let names: [String]

    private init() {
        names = Self.lines(handlerNames).map { String(decoding: $0, as: UTF8.self) }
        plans = Self.lines(rowPlanNumbers).enumerated().map { row, line in
            var plan = RowPlan(line.split(separator: UInt8(ascii: " ")).map(Self.number))
            plan.setCosts(InstructionInfo(UInt16(row)))
            return plan
        }
    }
    /// Instructions of features that a processor lacks are #UD, except LZCNT and TZCNT, whose prefix it ignores
    /// (SDM 2A "LZCNT—Count the Number of Leading Zero Bits", SDM 2B "TZCNT—Count the Number of Trailing Zero Bits").
    func plans(for model: ProcessorModel) -> [RowPlan] {
        var plans = plans
        guard let undefined = (0..<plans.count).first(where: { !InstructionInfo(UInt16($0)).isModelled }) else {
            return plans
        }
        for row in plans.indices {
            let info = InstructionInfo(UInt16(row))
            guard info.isModelled, info.feature.utf8CodeUnitCount != 0, model.lacks(info.feature) else { continue }
            let scan = ["LZCNT": "BSR", "TZCNT": "BSF"]["\(info.mnemonic)"]
            plans[row] = plans[scan.flatMap { Self.row($0, width: info.operand(0)?.width) } ?? undefined]
        }
        return plans
    }
    private static func row(_ mnemonic: String, width: Int?) -> Int? {
        (0..<InstructionInfo.rowCount).first {
            let info = InstructionInfo(UInt16($0))
            return "\(info.mnemonic)" == mnemonic && info.operand(0)?.width == width
        }
    }
    private static func lines(_ text: StaticString) -> [UnsafeBufferPointer<UInt8>.SubSequence] {
        UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount).split(separator: UInt8(ascii: "\n"))
    }
    private static func number(_ digits: UnsafeBufferPointer<UInt8>.SubSequence) -> Int {
        if digits.first == UInt8(ascii: "-") { return -1 }
        return digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }
}

extension RowPlan {
    init(_ n: [Int]) {
        kind = Kind(rawValue: UInt8(n[0])) ?? .end
        place0 = Place(rawValue: UInt8(n[1])) ?? .none
        place1 = Place(rawValue: UInt8(n[2])) ?? .none
        (bytes0, bytes1, general) = (n[3], n[4], n[5])
        (register, registerDead, memory0, memory1, fused) = (n[6], n[7], n[8], n[9], n[10])
        stackBytes = n[11]
        effect = FlagEffect(rawValue: UInt8(n[12])) ?? .barrier
        isConditional = n[13] != 0
        isVector = n[14] != 0
    }

    /// At least 1, except for instructions that charge what they do when they do it: time never stands still.
    mutating func setCosts(_ info: InstructionInfo) {
        let mnemonic = "\(info.mnemonic)", size = (info.operand(0)?.width ?? 32) / 8
        let isDestination = info.operand(0).map { $0.placement == .modRMRM } ?? false
        let use: MemoryUse =
            switch info.access {
            case .readWrite: isDestination ? .loadAndStore : .load
            case .write: isDestination ? .store : .load
            case .none, .system: .none
            default: .load
            }
        func cycles(_ use: MemoryUse, _ locked: Bool) -> UInt16 {
            let cost = InstructionCost.cycles(mnemonic: mnemonic, memory: use, operandSize: size, locked: locked)
            return info.access == .system ? cost : max(cost, 1)
        }
        cost = cycles(.none, false)
        memoryCost = mnemonic == "LEA" || mnemonic == "NOP" ? cost : cycles(use, false)
        lockedCost = cycles(use, true)
    }
}
