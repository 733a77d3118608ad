/// What an instruction must show, besides map and opcode, for a row to be the one it is decoded by: in each dimension
/// the set of values the row accepts, as a bit mask.
public struct Selection: Sendable, Equatable {
    /// In the order in which the decoder's tree asks for them.
    public enum Dimension: Int, Sendable, CaseIterable {
        /// 0 outside 64-bit mode, 1 in it.
        case mode
        /// ModRM.reg.
        case reg
        /// 0 memory, 1 register.
        case mod
        /// ModRM.rm of a register form.
        case rm
        /// Mandatory prefix, or VEX.pp: 0 none, 1 66, 2 F3, 3 F2. F2 and F3 have priority over 66.
        case prefix
        /// Effective operand size before d64 and f64: 0 16 bits, 1 32 bits, 2 REX.W or VEX.W.
        case size
        /// Effective address size: 0 16 bits, 1 32 bits, 2 64 bits.
        case address
        /// REX.B.
        case rexB
        /// VEX.L.
        case vectorLength

        public var count: Int {
            switch self {
            case .reg, .rm: 8
            case .prefix: 4
            case .size, .address: 3
            case .mode, .mod, .rexB, .vectorLength: 2
            }
        }
        var all: UInt8 { UInt8((1 << count) - 1) }
    }

    private var masks: [UInt8] = Dimension.allCases.map(\.all)

    public subscript(_ dimension: Dimension) -> UInt8 {
        get { masks[dimension.rawValue] }
        set { masks[dimension.rawValue] = newValue }
    }

    /// Nil when no instruction can match both.
    public func intersection(_ other: Selection) -> Selection? {
        var result = self
        for dimension in Dimension.allCases {
            result[dimension] &= other[dimension]
            if result[dimension] == 0 { return nil }
        }
        return result
    }
    var ignoringSize: Selection {
        var result = self
        result[.size] = Dimension.size.all
        return result
    }
    public func isSubset(of other: Selection) -> Bool {
        Dimension.allCases.allSatisfy { self[$0] & ~other[$0] == 0 }
    }
}

extension InstructionRow {
    public var selection: Selection {
        var selection = Selection()
        if has(.i64) { selection[.mode] = 0b01 }
        if has(.o64) { selection[.mode] = 0b10 }
        if let digit = encoding.digit { selection[.reg] = 1 << digit }
        if requiresMemory { selection[.mod] = 0b01 }
        if requiresRegister && !has(.ignoresMod) { selection[.mod] = 0b10 }
        if case .fixed(let byte) = encoding.modRM { selection[.rm] = 1 << (byte & 7) }
        switch encoding.mandatory {
        case .any: break
        case .none:
            let sized = encoding.operandSize == .o16 || encoding.operandSize == .o32
            selection[.prefix] = sized && !encoding.map.isVEX ? 0b0011 : 0b0001
        case .noF2F3: selection[.prefix] = 0b0011
        case .prefix66: selection[.prefix] = 0b0010
        case .prefixF3: selection[.prefix] = 0b0100
        case .prefixF2: selection[.prefix] = 0b1000
        }
        switch encoding.operandSize {
        case .any: selection[.size] = has(.d64) ? 0b110 : 0b111
        case .o16: selection[.size] = 0b001
        case .o32: selection[.size] = has(.ignoresRexW) ? 0b110 : 0b010
        case .rexW: selection[.size] = 0b100
        case .w0: selection[.size] = has(.ignoresRexW) ? 0b111 : 0b011
        }
        switch encoding.addressSize {
        case .any: break
        case .a16: selection[.address] = 0b001
        case .a32: selection[.address] = 0b010
        case .a64: selection[.address] = 0b100
        }
        if has(.noRexB) { selection[.rexB] = 0b01 }
        if has(.rexB) { selection[.rexB] = 0b10 }
        if let length = encoding.vectorLength { selection[.vectorLength] = 1 << UInt8(length) }
        return selection
    }

    /// Bytes of the effective operand size in the three classes of `Selection.Dimension.size`.
    public var operandSizes: [Int] {
        if isByteSized { return [1, 1, 1] }
        if has(.f64) { return [8, 8, 8] }
        if has(.d64) { return [2, 8, 8] }
        switch encoding.operandSize {
        case .o16: return [2, 2, 2]
        case .o32: return [4, 4, 4]
        case .rexW: return [8, 8, 8]
        case .any, .w0: break
        }
        let general = operands.first { $0.kind == .register || $0.kind == .registerOrMemory }
        if let general { return Array(repeating: general.width / 8, count: 3) }
        return encoding.mandatory == .prefix66 ? [4, 4, 8] : [2, 4, 8]
    }
}
