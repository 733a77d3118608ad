import X86Architecture

/// Basic exit reasons as a set, by their numbers.
struct ExitReasonSet {
    private var bits: UInt128 = 0
    init(_ reasons: [ExitReason]) { for reason in reasons { bits |= 1 << UInt128(reason.rawValue) } }
    @inline(__always) func contains(_ number: UInt16) -> Bool { number < 128 && bits &>> UInt128(number) & 1 != 0 }
}

extension VMXModel {
    /// What a guest of this machine can exit for. Left out, as their features are: SMIs and RSM (no SMM), task switches
    /// (not modelled), GETSEC (#UD without SMX), machine checks, XSAVES and XRSTORS (IA32_XSS is 0, so no bit of the
    /// XSS-exiting bitmap counts), and all that needs controls whose capability bits are 0.
    static let exitReasons = ExitReasonSet([
        .exceptionOrNMI, .externalInterrupt, .tripleFault, .initSignal, .startupIPI, .interruptWindow, .nmiWindow,
        .cpuid, .hlt, .invd, .invlpg, .rdpmc, .rdtsc, .vmcall, .vmclear, .vmlaunch, .vmptrld, .vmptrst, .vmread,
        .vmresume, .vmwrite, .vmxoff, .vmxon, .controlRegisterAccess, .movDR, .ioInstruction, .rdmsr, .wrmsr,
        .entryFailureInvalidGuestState, .entryFailureMSRLoading, .mwait, .monitorTrapFlag, .monitor, .pause,
        .tprBelowThreshold, .apicAccess, .virtualizedEOI, .gdtrOrIDTRAccess, .ldtrOrTRAccess, .eptViolation,
        .eptMisconfiguration, .invept, .rdtscp, .preemptionTimerExpired, .invvpid, .wbinvd, .xsetbv, .apicWrite,
        .rdrand, .invpcid, .vmfunc, .rdseed, .pageModificationLogFull,
    ])
}
