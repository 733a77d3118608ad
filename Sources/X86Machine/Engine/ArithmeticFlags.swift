import CEngineState

/// The six arithmetic flags, evaluated when somebody looks (SDM 1 3.4.3.1 "Status Flags").
///
/// An instruction stores its sign-extended result, its sources and a kind; ZF is `result == 0` always, the others
/// follow from the kind. `kind` is a family below plus the operand's width in bits.
enum FlagKind {
    /// CF, OF, AF as stored in `carry`, `overflow`, `adjust`; SF and PF from the result.
    static let stored: UInt64 = 0 << 8
    static let add: UInt64 = 1 << 8
    static let sub: UInt64 = 2 << 8
    /// CF = OF = 0; AF is undefined in the SDM and 0 on silicon.
    static let logic: UInt64 = 3 << 8
    /// CF as stored, the rest as for ADD and SUB of 1.
    static let inc: UInt64 = 4 << 8
    static let dec: UInt64 = 5 << 8
    /// ADD and SUB with a carry in.
    static let adc: UInt64 = 6 << 8
    static let sbb: UInt64 = 7 << 8
    /// As `stored`, but SF is bit 7 and PF bit 2 of `a`: what POPF can load and no result can express.
    static let restored: UInt64 = 8 << 8
    static let familyMask: UInt64 = ~0xff
}

/// Lazy evaluation. Every function is a pure reading of the six words.
extension CPU {
    @inline(__always) private var widthMask: UInt64 { ~0 &>> (64 &- (kind & 255)) }
    @inline(__always) private func top(_ value: UInt64) -> Bool { value &>> ((kind & 255) &- 1) & 1 != 0 }

    @inline(__always) var carryFlag: Bool {
        switch kind & FlagKind.familyMask {
        case FlagKind.sub: return a < b
        case FlagKind.add: return result & widthMask < a
        case FlagKind.logic: return false
        case FlagKind.adc: return top((a & b) | ((a | b) & ~result))
        case FlagKind.sbb: return top((~a & b) | ((~a | b) & result))
        default: return carry != 0
        }
    }
    @inline(__always) var overflowFlag: Bool {
        switch kind & FlagKind.familyMask {
        case FlagKind.sub, FlagKind.sbb: return top((a ^ b) & (a ^ result))
        case FlagKind.add, FlagKind.adc: return top((a ^ result) & (b ^ result))
        case FlagKind.logic: return false
        case FlagKind.inc: return result & widthMask == 1 &<< ((kind & 255) &- 1)
        case FlagKind.dec: return result & widthMask == (1 &<< ((kind & 255) &- 1)) &- 1
        default: return overflow != 0
        }
    }
    @inline(__always) var zeroFlag: Bool { result == 0 }
    @inline(__always) var signFlag: Bool {
        if _slowPath(kind & FlagKind.familyMask == FlagKind.restored) { return a & 0x80 != 0 }
        return Int64(bitPattern: result) < 0
    }
    @inline(__always) var parityFlag: Bool {
        if _slowPath(kind & FlagKind.familyMask == FlagKind.restored) { return a & 4 != 0 }
        return (result & 255).nonzeroBitCount & 1 == 0
    }
    @inline(__always) var adjustFlag: Bool {
        switch kind & FlagKind.familyMask {
        case FlagKind.add, FlagKind.sub, FlagKind.adc, FlagKind.sbb: return (a ^ b ^ result) & 0x10 != 0
        case FlagKind.logic: return false
        case FlagKind.inc: return result & 15 == 0
        case FlagKind.dec: return result & 15 == 15
        default: return adjust != 0
        }
    }
    /// SF != OF.
    @inline(__always) var lessFlag: Bool {
        let k = 64 &- Int64(kind & 255)
        if kind & FlagKind.familyMask == FlagKind.sub {
            return Int64(bitPattern: a) &<< k < Int64(bitPattern: b) &<< k
        }
        return signFlag != overflowFlag
    }

    /// SDM 2 appendix B.1.4.7 "Condition Test (tttn) Field".
    @inline(__always) func condition(_ cc: UInt8) -> Bool {
        let holds = switch cc >> 1 {
        case 0: overflowFlag
        case 1: carryFlag
        case 2: zeroFlag
        case 3: zeroFlag || carryFlag
        case 4: signFlag
        case 5: parityFlag
        case 6: lessFlag
        default: zeroFlag || lessFlag
        }
        return holds != (cc & 1 == 1)
    }

    /// CF, PF, AF, ZF, SF, OF at their places in RFLAGS.
    var arithmeticFlags: UInt64 {
        get {
            (carryFlag ? 1 : 0) | (parityFlag ? 1 << 2 : 0) | (adjustFlag ? 1 << 4 : 0)
                | (zeroFlag ? 1 << 6 : 0) | (signFlag ? 1 << 7 : 0) | (overflowFlag ? 1 << 11 : 0)
        }
        set {
            carry = newValue & 1
            adjust = newValue >> 4 & 1
            overflow = newValue >> 11 & 1
            let zero = newValue & 1 << 6 != 0, sign = newValue & 1 << 7 != 0, parity = newValue & 1 << 2 != 0
            b = 0
            if zero {
                result = 0
                a = newValue
                kind = (sign || !parity ? FlagKind.restored : FlagKind.stored) + 64
            } else {
                a = 0
                result = (sign ? 1 << 63 : 0) | (parity ? 3 : 1)
                kind = FlagKind.stored + 64
            }
        }
    }
}

extension Processor {
    /// RFLAGS, the arithmetic flags evaluated. The setter stores and nothing else: whoever changes IF, TF or AC
    /// also tells the run loop (`cpu.nextEvent = 0`) or the translation context.
    var rflags: UInt64 {
        get { system.flags & ~Self.arithmeticMask | 2 | cpu.pointee.arithmeticFlags }
        set {
            system.flags = newValue & ~Self.arithmeticMask | 2
            cpu.pointee.arithmeticFlags = newValue
        }
    }
    private static let arithmeticMask: UInt64 = 0x8D5
}
