/// The opcode column (SDM 2A 3.1.1.1 "Opcode Column in the Instruction Summary Table (Instructions without VEX
/// Prefix)", 3.1.1.2 for those with), as values.
public struct Encoding: Sendable, Equatable {
    public enum Map: UInt8, Sendable, CaseIterable {
        case oneByte, map0F, map0F38, map0F3A, vex0F, vex0F38, vex0F3A
        public var isVEX: Bool { rawValue >= Map.vex0F.rawValue }
    }

    /// Mandatory prefixes. Without a token the prefixes 66, F2 and F3 do not select the row.
    public enum Mandatory: Sendable, Equatable {
        case any
        /// NP: none of 66, F2, F3 (with an operand-size token 66 is an operand-size prefix and allowed).
        case none
        /// NFx: not F2, F3.
        case noF2F3
        case prefix66, prefixF2, prefixF3
    }

    /// Effective operand size that selects the row, whether it came from 66, REX.W or the code segment.
    public enum OperandSize: Sendable, Equatable { case any, o16, o32, rexW, w0 }
    public enum AddressSize: Sendable, Equatable { case any, a16, a32, a64 }

    public enum ModRM: Sendable, Equatable {
        case none
        /// /r
        case register
        /// /0 to /7
        case digit(UInt8)
        /// A whole ModRM byte, as in 0F 01 C1.
        case fixed(UInt8)
        /// Eight ModRM bytes, as in D8 C0+i.
        case fixedPlusRegister(UInt8)
    }

    public enum Immediate: UInt8, Sendable, CaseIterable {
        /// ib, iw, id, io: values. cb, cw, cd: code offsets, or cd and cp: far pointers. is4: a register in bits 7:4.
        case ib, iw, id, io, cb, cw, cd, cp, is4
        public var bytes: Int {
            switch self {
            case .ib, .cb, .is4: 1
            case .iw, .cw: 2
            case .id, .cd: 4
            case .cp: 6
            case .io: 8
            }
        }
    }

    public var map = Map.oneByte
    /// Of the first opcode when the row covers several.
    public var opcode: UInt8 = 0
    /// +rb, +rw, +rd, +ro: the low three bits are a register.
    public var opcodeHasRegister = false
    /// +cc: the low four bits are a condition.
    public var opcodeHasCondition = false
    public var mandatory = Mandatory.any
    public var operandSize = OperandSize.any
    public var addressSize = AddressSize.any
    public var modRM = ModRM.none
    public var immediates: [Immediate] = []
    /// VEX.L: nil when ignored.
    public var vectorLength: Int?

    public var opcodes: ClosedRange<UInt8> {
        opcode...(opcode + (opcodeHasCondition ? 15 : opcodeHasRegister ? 7 : 0))
    }
    public var hasModRM: Bool { modRM != .none }
    /// The opcode selects the row by ModRM.reg.
    public var digit: UInt8? {
        switch modRM {
        case .digit(let digit): digit
        case .fixed(let byte), .fixedPlusRegister(let byte): byte >> 3 & 7
        default: nil
        }
    }

    /// Throws the reason as text.
    init(_ text: String) throws(Malformed) {
        var bytesSeen = 0
        for token in text.split(separator: " ").map(String.init) where token != "+" {
            if try readPrefix(token, bytesSeen: bytesSeen) { continue }
            if try readVEX(token) { continue }
            if let immediate = Immediate.allCases.first(where: { "\($0)" == token || "/\($0)" == token }) {
                immediates.append(immediate)
                continue
            }
            if token.hasPrefix("/") {
                guard modRM == .none else { throw Malformed("two ModRM specifications") }
                if token == "/r" { modRM = .register; continue }
                guard let digit = UInt8(token.dropFirst()), digit < 8 else {
                    throw Malformed("'\(token)' is not /0 to /7")
                }
                modRM = .digit(digit)
                continue
            }
            try readByte(token, &bytesSeen)
        }
        guard bytesSeen > 0 else { throw Malformed("no opcode") }
    }

    private mutating func readPrefix(_ token: String, bytesSeen: Int) throws(Malformed) -> Bool {
        let allowsPrefix = bytesSeen == 0 && !map.isVEX
        switch token {
        case "NP": mandatory = .none
        case "NFx": mandatory = .noF2F3
        case "66" where allowsPrefix: mandatory = .prefix66
        case "F2" where allowsPrefix: mandatory = .prefixF2
        case "F3" where allowsPrefix: mandatory = .prefixF3
        case "o16": operandSize = .o16
        case "o32": operandSize = .o32
        case "REX.W": operandSize = .rexW
        case "REX.W0": operandSize = .w0
        case "a16": addressSize = .a16
        case "a32": addressSize = .a32
        case "a64": addressSize = .a64
        default: return false
        }
        return true
    }

    /// VEX.128.66.0F38.W0, VEX.LIG.NP.0F.WIG, VEX.LZ.F2.0F3A.W1
    private mutating func readVEX(_ token: String) throws(Malformed) -> Bool {
        guard token.hasPrefix("VEX.") else { return false }
        mandatory = .none
        for part in token.split(separator: ".").dropFirst() {
            switch part {
            case "128", "LZ", "L0": vectorLength = 0
            case "256", "L1": vectorLength = 1
            case "LIG": vectorLength = nil
            case "NP": mandatory = .none
            case "66": mandatory = .prefix66
            case "F2": mandatory = .prefixF2
            case "F3": mandatory = .prefixF3
            case "0F": map = .vex0F
            case "0F38": map = .vex0F38
            case "0F3A": map = .vex0F3A
            case "W0": operandSize = .w0
            case "W1": operandSize = .rexW
            case "WIG": operandSize = .any
            default: throw Malformed("'\(part)' is not a field of VEX")
            }
        }
        guard map.isVEX else { throw Malformed("'\(token)' names no opcode map") }
        return true
    }

    /// A byte of the opcode, an escape, or a fixed ModRM byte, possibly with +rb +rw +rd +ro +cc +i.
    private mutating func readByte(_ token: String, _ seen: inout Int) throws(Malformed) {
        let parts = token.split(separator: "+")
        guard let first = parts.first, first.count == 2, let byte = UInt8(first, radix: 16), parts.count <= 2 else {
            throw Malformed("'\(token)' is not opcode notation")
        }
        let suffix = parts.count == 2 ? parts[1] : ""
        if seen == 0 || map == .oneByte && opcode == 0x0f || isEscape {
            if isEscape { map = opcode == 0x38 ? .map0F38 : .map0F3A } else if seen > 0 { map = .map0F }
            opcode = byte
            switch suffix {
            case "": break
            case "rb", "rw", "rd", "ro": opcodeHasRegister = true
            case "cc": opcodeHasCondition = true
            default: throw Malformed("'+\(suffix)' is not +rb, +rw, +rd, +ro or +cc")
            }
            guard suffix.isEmpty || byte & (opcodeHasCondition ? 15 : 7) == 0 else {
                throw Malformed("'\(token)' leaves no bits for +\(suffix)")
            }
        } else {
            guard modRM == .none, suffix.isEmpty || suffix == "i" else {
                throw Malformed("'\(token)' after the opcode")
            }
            modRM = suffix.isEmpty ? .fixed(byte) : .fixedPlusRegister(byte)
        }
        seen += 1
    }
    /// The byte just read is 0F 38 or 0F 3A.
    private var isEscape: Bool { map == .map0F && (opcode == 0x38 || opcode == 0x3a) && modRM == .none }
}

/// Why a cell of a table is not well-formed.
struct Malformed: Error {
    var message: String
    init(_ message: String) { self.message = message }
}
