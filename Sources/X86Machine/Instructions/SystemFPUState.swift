import X86Architecture
import X86Decoder

/// Saving, restoring and initialising the x87 and SSE registers: SDM 2A, 2B "FXSAVE—Save x87 FPU, MMX, XMM, and MXCSR
/// State", FXRSTOR, FINIT/FNINIT, FLDCW, FSTCW/FNSTCW, FSTSW/FNSTSW, FCLEX/FNCLEX, WAIT/FWAIT, LDMXCSR, STMXCSR.
extension SystemInstructions {
    static func fxsave(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        let area = try checkArea(p, i, .write)
        let isStack = i.segment == SegmentIndex.ss
        try p.probeWrite(area, bytes: FXSaveArea.bytes, .current, stack: isStack)
        let is64 = i.operandSize == 8
        let image = FXSaveArea.image(of: p, is64Bit: is64)
        let registers = p.is64BitMode ? 16 : 8
        let words = p.system.cr4 & CR4.osfxsr != 0 ? FXSaveArea.xmmWord + 2 * registers : FXSaveArea.xmmWord
        for n in 0..<words {
            // Without CR4.OSFXSR, MXCSR and its mask (word 3) are not written.
            if n == 3 && p.system.cr4 & CR4.osfxsr == 0 { continue }
            try p.store(area + UInt64(8 * n), image[n])
        }
    }

    static func fxrstor(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        let area = try checkArea(p, i, .read)
        let registers = p.is64BitMode ? 16 : 8
        var image = InlineArray<64, UInt64>(repeating: 0)
        let words = FXSaveArea.xmmWord + 2 * registers
        for n in 0..<words { image[n] = try p.load(area + UInt64(8 * n), as: UInt64.self) }
        let withSSE = p.system.cr4 & CR4.osfxsr != 0
        let mxcsr = UInt32(truncatingIfNeeded: image[3])
        if withSSE && mxcsr & ~FPUState.mxcsrMask != 0 { throw .exception(.generalProtection()) }
        FXSaveArea.restore(p, image, is64Bit: i.operandSize == 8, registers: withSSE ? registers : 0)
    }

    /// #NM with CR0.EM or TS; 16-byte alignment.
    private static func checkArea(
        _ p: Processor, _ i: borrowing Instruction, _ use: Processor.SegmentUse
    ) throws(Interruption) -> LinearAddress {
        if p.system.cr0 & (CR0.emulation | CR0.taskSwitched) != 0 { throw .exception(.deviceNotAvailable) }
        let area = try p.operandAddress(i, offset: 0, bytes: FXSaveArea.bytes, use)
        guard area.rawValue & 15 == 0 else { throw .exception(.generalProtection()) }
        return area
    }

    // MARK: SSE control

    static func ldmxcsr(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try p.requireVectors()
        let value = try p.loadOperand(i, as: UInt32.self)
        guard value & ~FPUState.mxcsrMask == 0 else { throw .exception(.generalProtection()) }
        p.cpu.pointee.mxcsr = value
    }
    static func stmxcsr(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try p.requireVectors()
        try p.storeOperand(i, p.cpu.pointee.mxcsr)
    }

    // MARK: x87 control

    static func fninit(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try checkX87(p)
        p.system.fpu.initialize()
    }
    static func fnclex(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try checkX87(p)
        p.system.fpu.status &= 0x7F00
    }
    static func fldcw(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try checkX87(p)
        try checkPendingX87(p)
        p.system.fpu.control = try p.loadOperand(i, as: UInt16.self) & 0x1F7F | 0x40
        p.system.fpu.updateErrorSummary()
    }
    static func fnstcw(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try checkX87(p)
        try p.storeOperand(i, p.system.fpu.control)
    }
    /// To memory, or to AX.
    static func fnstsw(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try checkX87(p)
        if i.hasMemory {
            try p.storeOperand(i, p.system.fpu.status)
        } else {
            p.setGPR(GPR.rax, size: 2, UInt64(p.system.fpu.status))
        }
    }
    static func fwait(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        let both = CR0.monitorCoprocessor | CR0.taskSwitched
        if p.system.cr0 & both == both { throw .exception(.deviceNotAvailable) }
        try checkPendingX87(p)
    }
    static func checkX87(_ p: Processor) throws(Interruption) {
        if p.system.cr0 & (CR0.emulation | CR0.taskSwitched) != 0 { throw .exception(.deviceNotAvailable) }
    }
    /// What a waiting instruction checks.
    static func checkWaitingX87(_ p: Processor) throws(Interruption) {
        try checkX87(p)
        try checkPendingX87(p)
    }
    /// SDM 1 8.7 "Handling x87 FPU Exceptions in Software".
    static func checkPendingX87(_ p: Processor) throws(Interruption) {
        guard p.system.fpu.status & 0x80 != 0 else { return }
        if p.system.cr0 & CR0.numericError == 0 { throw .notModelled("x87 errors through FERR# (CR0.NE = 0)") }
        throw .exception(Exception(vector: Vector.x87Error))
    }
}
