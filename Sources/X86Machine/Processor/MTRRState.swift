import X86Architecture

/// SDM 3A 12.11 "Memory Type Range Registers (MTRRs)": kept and reported; memory types do not change results here.
struct MTRRState: Equatable {
    var defaultType: UInt64 = 0
    /// IA32_MTRR_PHYSBASE0, PHYSMASK0, PHYSBASE1, ...: MSRs 200H to 213H.
    var variable: InlineArray<20, UInt64> = .init(repeating: 0)
    /// 250H, 258H, 259H, 268H to 26FH.
    var fixed: InlineArray<11, UInt64> = .init(repeating: 0)

    /// 10 variable ranges, fixed ranges, write combining.
    static let capabilities: UInt64 = 10 | 1 << 8 | 1 << 10

    static func fixedIndex(_ msr: UInt32) -> Int? {
        switch msr {
        case MSR.mtrrFixed64K: 0
        case MSR.mtrrFixed16K80000: 1
        case MSR.mtrrFixed16KA0000: 2
        case MSR.mtrrFixed4KC0000...MSR.mtrrFixed4KF8000: 3 + Int(msr - MSR.mtrrFixed4KC0000)
        default: nil
        }
    }

    static func == (a: Self, b: Self) -> Bool {
        guard a.defaultType == b.defaultType else { return false }
        for i in 0..<20 where a.variable[i] != b.variable[i] { return false }
        for i in 0..<11 where a.fixed[i] != b.fixed[i] { return false }
        return true
    }
}
