import X86Architecture
import X86Decoder

/// XSAVE, XSAVEOPT, XSAVEC, XSAVES, XRSTOR and XRSTORS: SDM 1 chapter 13 "Managing State Using the XSAVE Feature Set".
/// Components: x87, SSE and AVX state; IA32_XSS enables nothing.
extension SystemInstructions {
    static func xsave(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try XSaveArea(p, i, .write).save(form: .standard)
    }
    static func xsaveopt(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try p.requireModelled("XSAVEOPT")
        try XSaveArea(p, i, .write).save(form: .optimized)
    }
    static func xsavec(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try p.requireModelled("XSAVEC")
        try XSaveArea(p, i, .write).save(form: .compacted)
    }
    static func xsaves(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try checkSupervisorForm(p)
        try XSaveArea(p, i, .write).save(form: .compacted)
    }
    static func xrstor(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try XSaveArea(p, i, .read).restore(allowsStandard: true, allowsCompacted: !p.lacks("XSAVEC"))
    }
    static func xrstors(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try checkSupervisorForm(p)
        try XSaveArea(p, i, .read).restore(allowsStandard: false, allowsCompacted: true)
    }
    private static func checkSupervisorForm(_ p: Processor) throws(Interruption) {
        try p.requireModelled("XSAVES")
        guard p.system.cr4 & CR4.osxsave != 0 else { throw .exception(.invalidOpcode) }
        // SDM 3C 28.3 "Changes to Instruction Behavior in VMX Non-Root Operation"; IA32_XSS is 0: there are no exits.
        if p.vmx.inNonRoot && !p.vmx.controls.secondary.contains(.enableXSAVES) { throw .exception(.invalidOpcode) }
        try p.requireCPL0()
    }
}

extension Processor {
    func lacks(_ feature: StaticString) -> Bool { machine.configuration.model.lacks(feature) }
    func requireModelled(_ feature: StaticString) throws(Interruption) {
        if lacks(feature) { throw .exception(.invalidOpcode) }
    }

    /// XINUSE, SDM 1 13.6 "Processor Tracking of XSAVE-Managed State": a component is in use unless it is initial.
    var stateInUse: UInt64 {
        let fpu = system.fpu
        var isX87Initial = fpu.control == 0x37F && fpu.status == 0 && fpu.tag == 0xFFFF && fpu.opcode == 0
            && fpu.instructionPointer == 0 && fpu.dataPointer == 0 && fpu.instructionSelector == 0
            && fpu.dataSelector == 0
        for n in 0..<8 where fpu.significands[n] != 0 || fpu.exponents[n] != 0 { isX87Initial = false }
        var low: UInt64 = 0, high: UInt64 = 0
        for n in 0..<16 { low |= xmm(n)[0] | xmm(n)[1] }
        for n in 0..<32 { high |= fpu.upperYMM[n] }
        return (isX87Initial ? 0 : XCR0.x87) | (low == 0 ? 0 : XCR0.sse) | (high == 0 ? 0 : XCR0.avx)
    }
}

/// The memory operand of these instructions: legacy region, header, and the extended region with AVX state.
struct XSaveArea {
    enum Form { case standard, optimized, compacted }
    /// XCOMP_BV bit 63: compacted format.
    private static let compacted: UInt64 = 1 << 63
    private static let header: UInt64 = 512, avx: UInt64 = 576
    /// Of the area for these components.
    static func bytes(_ components: UInt64) -> UInt32 { UInt32(avx) + (components & XCR0.avx != 0 ? 256 : 0) }

    let p: Processor
    let base: LinearAddress
    let isStack: Bool, is64: Bool
    /// RFBM: what is asked for of what is enabled.
    let requested: UInt64
    /// XMM and YMM registers of the mode.
    let registers: Int

    /// SDM 1 13.7 "Operation of XSAVE": #UD, #NM, then #GP unless 64-byte aligned.
    init(_ p: Processor, _ i: borrowing Instruction, _ use: Processor.SegmentUse) throws(Interruption) {
        guard p.system.cr4 & CR4.osxsave != 0 else { throw .exception(.invalidOpcode) }
        if p.system.cr0 & CR0.taskSwitched != 0 { throw .exception(.deviceNotAvailable) }
        self.p = p
        requested = p.system.xcr0 & (p.gpr(GPR.rax, size: 4) | p.gpr(GPR.rdx, size: 4) &<< 32)
        let bytes = Int(Self.bytes(requested))
        base = try p.operandAddress(i, offset: 0, bytes: bytes, use)
        isStack = i.segment == SegmentIndex.ss
        is64 = i.operandSize == 8
        registers = p.is64BitMode ? 16 : 8
        guard base.rawValue & 63 == 0 else { throw .exception(.generalProtection()) }
        if use == .write { try p.probeWrite(base, bytes: bytes, .current, stack: isStack) }
    }

    private func load(_ offset: UInt64) throws(Interruption) -> UInt64 {
        try p.load(base + offset, as: UInt64.self, stack: isStack)
    }
    private func store(_ offset: UInt64, _ value: UInt64) throws(Interruption) {
        try p.store(base + offset, value, stack: isStack)
    }

    // MARK: Saving

    func save(form: Form) throws(Interruption) {
        var inUse = p.stateInUse
        if p.cpu.pointee.mxcsr != FPUState.mxcsrReset { inUse |= XCR0.sse }
        // SDM 1 13.9 "Operation of XSAVEOPT", 13.10, 13.11: what is initial is not written.
        let written = form == .standard ? requested : requested & inUse
        let image = FXSaveArea.image(of: p, is64Bit: is64)
        if written & XCR0.x87 != 0 {
            for n in 0..<FXSaveArea.xmmWord where n != 3 { try store(UInt64(8 * n), image[n]) }
        }
        let withAVX = form == .compacted ? 0 : requested & XCR0.avx
        if written & XCR0.sse | withAVX != 0 { try store(24, image[3]) }
        if written & XCR0.sse != 0 {
            for n in FXSaveArea.xmmWord..<FXSaveArea.xmmWord + 2 * registers { try store(UInt64(8 * n), image[n]) }
        }
        if written & XCR0.avx != 0 {
            for n in 0..<2 * registers { try store(Self.avx + UInt64(8 * n), p.system.fpu.upperYMM[n]) }
        }
        if form == .compacted {
            try store(Self.header, requested & inUse)
            try store(Self.header + 8, requested | Self.compacted)
        } else {
            let old = try load(Self.header)
            try store(Self.header, old & ~requested | requested & inUse)
        }
    }

    // MARK: Restoring

    func restore(allowsStandard: Bool, allowsCompacted: Bool) throws(Interruption) {
        let present = try load(Self.header), compaction = try load(Self.header + 8)
        let isCompacted = compaction & Self.compacted != 0, xcr0 = p.system.xcr0
        var reserved = try load(Self.header + 16)
        // SDM 1 13.8.1 "Standard Form of XRSTOR", 13.8.2 "Compacted Form of XRSTOR": the header's reserved parts.
        var isValid: Bool
        if isCompacted {
            for n in 3..<8 as Range<UInt64> { reserved |= try load(Self.header + 8 * n) }
            let format = compaction & ~Self.compacted
            isValid = allowsCompacted && format & ~xcr0 == 0 && present & ~format == 0
        } else {
            isValid = allowsStandard && compaction == 0 && present & ~xcr0 == 0
        }
        if reserved != 0 { isValid = false }
        guard isValid else { throw .exception(.generalProtection()) }
        var image = InlineArray<64, UInt64>(repeating: 0)
        for n in 0..<FXSaveArea.xmmWord + 2 * registers { image[n] = try load(UInt64(8 * n)) }
        // MXCSR belongs to SSE state in the compacted format; in the standard one it is loaded for AVX state as well,
        // and whatever the image says is present.
        let loadsMXCSR = isCompacted ? requested & present & XCR0.sse != 0 : requested & (XCR0.sse | XCR0.avx) != 0
        let mxcsr = UInt32(truncatingIfNeeded: image[3])
        if loadsMXCSR && mxcsr & ~FPUState.mxcsrMask != 0 { throw .exception(.generalProtection()) }
        var upper = InlineArray<32, UInt64>(repeating: 0)
        if requested & present & XCR0.avx != 0 {
            for n in 0..<2 * registers { upper[n] = try load(Self.avx + UInt64(8 * n)) }
        }

        if requested & XCR0.x87 != 0 {
            if present & XCR0.x87 != 0 {
                FXSaveArea.restoreX87(&p.system.fpu, image, is64Bit: is64)
            } else {
                p.system.fpu.initialize()
                for n in 0..<8 { p.system.fpu.significands[n] = 0; p.system.fpu.exponents[n] = 0 }
            }
        }
        if loadsMXCSR {
            p.cpu.pointee.mxcsr = mxcsr
        } else if isCompacted && requested & XCR0.sse != 0 {
            p.cpu.pointee.mxcsr = FPUState.mxcsrReset
        }
        if requested & XCR0.sse != 0 {
            for n in 0..<registers {
                let word = FXSaveArea.xmmWord + 2 * n
                p.setXMM(n, present & XCR0.sse != 0 ? XMM(image[word], image[word + 1]) : XMM(0, 0))
            }
        }
        if requested & XCR0.avx != 0 { for n in 0..<2 * registers { p.system.fpu.upperYMM[n] = upper[n] } }
    }
}
