import X86Architecture
import X86Decoder

/// SDM 2B "Imm8 Control Byte Operation for PCMPESTRI/PCMPESTRM/PCMPISTRI/PCMPISTRM".
struct StringComparison {
    /// One bit per element of the second operand.
    private(set) var result: UInt32 = 0
    let count: Int
    private(set) var first = 0, second = 0
    private let control: UInt8
    private let a: XMM, b: XMM

    /// Lengths nil: up to the first element that is 0.
    init(_ a: XMM, _ b: XMM, _ control: UInt8, lengths: (Int64, Int64)?) {
        self.a = a
        self.b = b
        self.control = control
        count = control & 1 != 0 ? 8 : 16
        if let lengths {
            first = Int(min(lengths.0.magnitude, UInt64(count)))
            second = Int(min(lengths.1.magnitude, UInt64(count)))
        } else {
            first = length(a)
            second = length(b)
        }
        aggregate()
        negate()
    }
    private func element(_ v: XMM, _ n: Int) -> Int32 {
        switch control & 3 {
        case 0: Int32(Bytes(v)[n])
        case 1: Int32(Words(v)[n])
        case 2: Int32(SignedBytes(v)[n])
        default: Int32(SignedWords(v)[n])
        }
    }
    private func length(_ v: XMM) -> Int {
        var n = 0
        while n < count && element(v, n) != 0 { n += 1 }
        return n
    }
    private mutating func set(_ n: Int, _ condition: Bool) {
        if condition { result |= 1 &<< UInt32(truncatingIfNeeded: n) }
    }
    /// Elements beyond the lengths compare as "Valid/Invalid Override of Comparisons" says.
    private mutating func aggregate() {
        switch control &>> 2 & 3 {
        // Equal any; ranges.
        case 0:
            for j in 0..<second { set(j, (0..<first).contains { element(a, $0) == element(b, j) }) }
        case 1:
            for j in 0..<second {
                let x = element(b, j)
                for i in 0..<(first / 2) where element(a, 2 * i) <= x && x <= element(a, 2 * i + 1) { set(j, true) }
            }
        // Equal each: both invalid are equal.
        case 2:
            for n in 0..<count {
                let isFirst = n < first, isSecond = n < second
                set(n, isFirst && isSecond ? element(a, n) == element(b, n) : isFirst == isSecond)
            }
        // Equal ordered: whether the first string begins at an element of the second.
        default:
            for j in 0..<count {
                let compared = 0..<min(first, count - j)
                set(j, compared.allSatisfy { j + $0 < second && element(a, $0) == element(b, j + $0) })
            }
        }
    }
    private mutating func negate() {
        let all: UInt32 = count == 8 ? 0xff : 0xffff
        switch control &>> 4 & 3 {
        case 1: result ^= all
        case 3: result ^= (1 &<< UInt32(truncatingIfNeeded: second)) &- 1
        default: break
        }
    }
    var flags: UInt64 {
        (result != 0 ? RFLAGS.carry : 0) | (second < count ? RFLAGS.zero : 0) | (first < count ? RFLAGS.sign : 0)
            | (result & 1 != 0 ? RFLAGS.overflow : 0)
    }
    var index: UInt64 {
        if result == 0 { return UInt64(count) }
        return UInt64(control & 0x40 != 0 ? 31 - result.leadingZeroBitCount : result.trailingZeroBitCount)
    }
    var mask: XMM {
        if control & 0x40 == 0 { return XMM(UInt64(result), 0) }
        let result = result
        func isSet(_ n: Int) -> Bool { result &>> UInt32(truncatingIfNeeded: n) & 1 != 0 }
        return count == 8 ? Words.each { isSet($0) ? 0xffff : 0 }.bits : Bytes.each { isSet($0) ? 0xff : 0 }.bits
    }
}

extension Processor {
    /// SDM 2B "PCMPESTRI-Packed Compare Explicit Length Strings, Return Index" and its three relatives.
    func pcmpstr(_ i: borrowing Instruction, isExplicit: Bool, returnsIndex: Bool) throws(Interruption) {
        try requireVectors()
        let b = try vectorSource(i, Unaligned.self)
        var lengths: (Int64, Int64)?
        if isExplicit {
            let rax = Int64(bitPattern: gpr(GPR.rax)), rdx = Int64(bitPattern: gpr(GPR.rdx))
            lengths = i.prefixes.rexW ? (rax, rdx)
                : (Int64(Int32(truncatingIfNeeded: rax)), Int64(Int32(truncatingIfNeeded: rdx)))
        }
        let c = StringComparison(xmm(Int(i.reg)), b, UInt8(truncatingIfNeeded: i.immediate), lengths: lengths)
        if returnsIndex { setGPR(GPR.rcx, c.index) } else { setXMM(0, c.mask) }
        liveFlags.set(all: c.flags)
    }
    func pcmpestri(_ i: borrowing Instruction) throws(Interruption) {
        try pcmpstr(i, isExplicit: true, returnsIndex: true)
    }
    func pcmpestrm(_ i: borrowing Instruction) throws(Interruption) {
        try pcmpstr(i, isExplicit: true, returnsIndex: false)
    }
    func pcmpistri(_ i: borrowing Instruction) throws(Interruption) {
        try pcmpstr(i, isExplicit: false, returnsIndex: true)
    }
    func pcmpistrm(_ i: borrowing Instruction) throws(Interruption) {
        try pcmpstr(i, isExplicit: false, returnsIndex: false)
    }
}
