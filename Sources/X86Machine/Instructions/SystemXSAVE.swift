import X86Architecture
import X86Decoder

/// XSAVE and XRSTOR, standard form: SDM 1 chapter 13 "Managing State Using the XSAVE Feature Set". XCR0 enables at most
/// x87 and SSE state; both count as in use always (13.6 "Processor Tracking of XSAVE-Managed State" allows it).
extension SystemInstructions {
    private static let headerWord = 64
    private static let areaBytes = 576

    static func xsave(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        let (area, requested) = try checkXSAVE(p, i, .write)
        let isStack = i.segment == SegmentIndex.ss
        try p.probeWrite(area, bytes: areaBytes, .current, stack: isStack)
        let image = FXSaveArea.image(of: p, is64Bit: i.operandSize == 8)
        func put(_ words: Range<Int>) throws(Interruption) {
            for n in words { try p.store(area + UInt64(8 * n), image[n]) }
        }
        if requested & XCR0.x87 != 0 {
            try put(0..<3)
            try put(4..<FXSaveArea.xmmWord)
        }
        if requested & XCR0.sse != 0 {
            try put(3..<4)
            try put(FXSaveArea.xmmWord..<FXSaveArea.xmmWord + (p.is64BitMode ? 32 : 16))
        }
        let header = area + UInt64(8 * headerWord)
        let old = try p.load(header, as: UInt64.self)
        try p.store(header, old & ~requested | requested)
    }

    static func xrstor(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        let (area, requested) = try checkXSAVE(p, i, .read)
        var image = InlineArray<64, UInt64>(repeating: 0)
        for n in 0..<64 { image[n] = try p.load(area + UInt64(8 * n), as: UInt64.self) }
        let header = area + UInt64(8 * headerWord)
        let present = try p.load(header, as: UInt64.self)
        // 13.8.1 "Standard Form of XRSTOR": bytes 23:8 of the header are 0, XSTATE_BV is within XCR0.
        let compaction = try p.load(header + 8, as: UInt64.self), reserved = try p.load(header + 16, as: UInt64.self)
        guard compaction == 0, reserved == 0, present & ~p.system.xcr0 == 0 else {
            throw .exception(.generalProtection())
        }
        let mxcsr = UInt32(truncatingIfNeeded: image[3])
        let loadsSSE = requested & XCR0.sse != 0
        if loadsSSE && mxcsr & ~FPUState.mxcsrMask != 0 { throw .exception(.generalProtection()) }
        if requested & XCR0.x87 != 0 {
            if present & XCR0.x87 != 0 {
                FXSaveArea.restoreX87(&p.system.fpu, image, is64Bit: i.operandSize == 8)
            } else {
                p.system.fpu.initialize()
                for n in 0..<8 { p.system.fpu.significands[n] = 0; p.system.fpu.exponents[n] = 0 }
            }
        }
        guard loadsSSE else { return }
        p.cpu.pointee.mxcsr = mxcsr
        for n in 0..<(p.is64BitMode ? 16 : 8) {
            let word = FXSaveArea.xmmWord + 2 * n
            p.setXMM(n, present & XCR0.sse != 0 ? XMM(image[word], image[word + 1]) : XMM(0, 0))
        }
    }

    /// The area, 64-byte aligned, and the requested-feature bitmap.
    private static func checkXSAVE(
        _ p: Processor, _ i: borrowing Instruction, _ use: Processor.SegmentUse
    ) throws(Interruption) -> (LinearAddress, UInt64) {
        guard p.system.cr4 & CR4.osxsave != 0 else { throw .exception(.invalidOpcode) }
        if p.system.cr0 & CR0.taskSwitched != 0 { throw .exception(.deviceNotAvailable) }
        let area = try p.operandAddress(i, offset: 0, bytes: areaBytes, use)
        guard area.rawValue & 63 == 0 else { throw .exception(.generalProtection()) }
        return (area, p.system.xcr0 & (p.gpr(GPR.rax, size: 4) | p.gpr(GPR.rdx, size: 4) &<< 32))
    }
}
