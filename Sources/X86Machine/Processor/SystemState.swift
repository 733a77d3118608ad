import X86Architecture

/// The registers that only slow paths touch. A plain value.
struct SystemState {
    var cr0: UInt64 = 0x6000_0010
    var cr2: UInt64 = 0
    var cr3: UInt64 = 0
    var cr4: UInt64 = 0
    /// The PDPTE registers of PAE paging (SDM 3A 4.4.1 "PDPTE Registers"), loaded with CR3.
    var pdptes: InlineArray<4, UInt64> = .init(repeating: 0)
    // CR8 is the local APIC's TPR.
    var dr: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    var dr6: UInt64 = 0xFFFF_0FF0
    var dr7: UInt64 = 0x400
    var xcr0: UInt64 = 1
    var efer: UInt64 = 0
    /// ES CS SS DS FS GS (sreg numbering), then LDTR, TR. Bases of the first six are mirrored in `cpu.segmentBase`.
    var segments: InlineArray<8, Segment> = .init(repeating: Segment())
    var gdtr = DescriptorTable()
    var idtr = DescriptorTable(base: 0, limit: 0xFFFF)
    var kernelGSBase: UInt64 = 0
    var star: UInt64 = 0, lstar: UInt64 = 0, cstar: UInt64 = 0, fmask: UInt64 = 0
    var sysenterCS: UInt64 = 0, sysenterESP: UInt64 = 0, sysenterEIP: UInt64 = 0
    var pat: UInt64 = 0x0007_0406_0007_0406
    var tscAux: UInt64 = 0
    /// How often RDRAND and RDSEED have drawn.
    var randomDraws: UInt64 = 0
    var tscAdjust: UInt64 = 0
    var miscEnable = MiscEnable.reset
    var debugCtl: UInt64 = 0
    var featureControl: UInt64 = 0
    var mtrr = MTRRState()
    var apicBase: UInt64 = 0xFEE0_0900
    /// RFLAGS without the six arithmetic flags, which live lazily in `cpu`. Bit 1 always set.
    var flags: UInt64 = 2
    /// SDM 3A 6.8.3 "Masking Exceptions and Interrupts When Switching Stacks"; blocking by STI; both for one
    /// instruction.
    var blockingBySTI = false { didSet { shadowBoundary = .max } }
    var blockingByMOVSS = false { didSet { shadowBoundary = .max } }
    /// Retired instructions at the boundary that first saw the blocking (or RFLAGS.RF): it ends when the count moves
    /// on.
    var shadowBoundary: UInt64 = .max
    var resumeBoundary: UInt64 = .max
    var blockingByNMI = false
    var pendingNMI = false
    var pendingINIT = false
    /// SIPI vector, when one has arrived and not been taken.
    var pendingSIPI: UInt8?
    var activity: ActivityState = .active
    /// Pending debug exceptions (SDM 3C 27.4.2), bit layout of that field.
    var pendingDebug: UInt64 = 0
    var cpl: UInt8 = 0
    /// Derived by `modeChanged()`: no segment check of ES, CS, SS, DS can fail and their bases are 0.
    var hasFlatSegments = false
    /// x87 and SSE register files.
    var fpu = FPUState()
}

/// A segment register with its hidden part. SDM 3A 3.4.3 "Segment Registers".
struct Segment: Equatable {
    var selector: UInt16 = 0
    var base: UInt64 = 0
    /// In bytes, inclusive.
    var limit: UInt32 = 0xFFFF
    /// Access rights in the VMCS's layout (SDM 3C 27.4.1): type, S, DPL, P, AVL, L, D/B, G, bit 16 unusable.
    var access: UInt32 = 0x93
}

struct DescriptorTable: Equatable {
    var base: UInt64 = 0
    var limit: UInt16 = 0xFFFF
}

/// SDM 3C 27.4.2 "Guest Non-Register State", Activity state; values as in the VMCS.
enum ActivityState: UInt32 { case active = 0, halted = 1, shutdown = 2, waitForSIPI = 3 }

enum SegmentIndex { static let es = 0, cs = 1, ss = 2, ds = 3, fs = 4, gs = 5, ldtr = 6, tr = 7 }
