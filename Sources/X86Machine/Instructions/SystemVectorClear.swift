import X86Architecture
import X86Decoder

/// The two AVX instructions that software needs to return AVX state to its initial configuration: they are there where
/// that state is, and need it to be enabled, whatever CPUID says of the rest of AVX.
extension SystemInstructions {
    /// SDM 2C "VZEROUPPER—Zero Upper Bits of YMM and ZMM Registers".
    static func vzeroupper(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try requireAVXState(p)
        for n in 0..<2 * registers(p) { p.system.fpu.upperYMM[n] = 0 }
    }

    /// SDM 2C "VZEROALL—Zero XMM, YMM, and ZMM Registers".
    static func vzeroall(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try vzeroupper(p, i)
        for n in 0..<registers(p) { p.setXMM(n, .zero) }
    }

    private static func registers(_ p: Processor) -> Int { p.is64BitMode ? 16 : 8 }

    /// SDM 2A 2.4 "AVX and SSE Instruction Exception Classification", type 8,
    /// and what all types have in common.
    static func requireAVXState(_ p: Processor) throws(Interruption) {
        try p.requireProtectedMode()
        guard p.system.cr4 & CR4.osxsave != 0, p.system.xcr0 & (XCR0.sse | XCR0.avx) == XCR0.sse | XCR0.avx else {
            throw .exception(.invalidOpcode)
        }
        if p.system.cr0 & CR0.taskSwitched != 0 { throw .exception(.deviceNotAvailable) }
    }
}
