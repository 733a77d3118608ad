import CEngineState
import X86Architecture
import X86Decoder

// Instructions about RFLAGS itself.
extension Processor {
    /// SDM 2A "CLC", 2B "STC", 2A "CMC".
    func clc(_ i: borrowing Instruction) throws(Interruption) { liveFlags.set(carry: false) }
    func stc(_ i: borrowing Instruction) throws(Interruption) { liveFlags.set(carry: true) }
    func cmc(_ i: borrowing Instruction) throws(Interruption) { liveFlags.set(carry: !cpu.pointee.carryFlag) }
    /// SDM 2A "CLD", 2B "STD".
    func cld(_ i: borrowing Instruction) throws(Interruption) { system.flags &= ~RFLAGS.direction }
    func std(_ i: borrowing Instruction) throws(Interruption) { system.flags |= RFLAGS.direction }

    private static let lowFlags: UInt64 = RFLAGS.sign | RFLAGS.zero | RFLAGS.adjust | RFLAGS.parity | RFLAGS.carry
    /// SDM 2A "LAHF-Load Status Flags Into AH Register".
    func lahf(_ i: borrowing Instruction) throws(Interruption) {
        let image = cpu.pointee.arithmeticFlags & Self.lowFlags | RFLAGS.alwaysOne
        setByteRegister(4, hasREX: false, UInt8(truncatingIfNeeded: image))
    }
    /// SDM 2B "SAHF-Store AH Into Flags".
    func sahf(_ i: borrowing Instruction) throws(Interruption) {
        let image = UInt64(byteRegister(4, hasREX: false))
        cpu.pointee.arithmeticFlags = cpu.pointee.arithmeticFlags & RFLAGS.overflow | image & Self.lowFlags
    }

    /// SDM 2B "PUSHF/PUSHFD/PUSHFQ-Push EFLAGS Register Onto the Stack": VM and RF are stored as 0.
    func pushf(_ i: borrowing Instruction) throws(Interruption) {
        if isVirtual8086 && ioPrivilegeLevel < 3 { throw .exception(.generalProtection()) }
        try push(rflags & ~(RFLAGS.virtual8086 | RFLAGS.resume), bytes: Int(i.operandSize))
    }

    /// SDM 2B "POPF/POPFD/POPFQ-Pop Stack Into EFLAGS Register", table 4-16.
    func popf(_ i: borrowing Instruction) throws(Interruption) {
        if isVirtual8086 && ioPrivilegeLevel < 3 { throw .exception(.generalProtection()) }
        let bytes = Int(i.operandSize)
        let image = try load(stackOperand(stackOffset(0), bytes: bytes, .read), bytes: bytes)
        var writable = RFLAGS.arithmetic | RFLAGS.trap | RFLAGS.direction | RFLAGS.nestedTask
        if bytes != 2 { writable |= RFLAGS.alignmentCheck | RFLAGS.identification }
        if !isProtectedMode || system.cpl == 0 {
            writable |= RFLAGS.ioPrivilege | RFLAGS.interrupt
        } else if isVirtual8086 || system.cpl <= ioPrivilegeLevel {
            writable |= RFLAGS.interrupt
        }
        advanceStack(bytes)
        let old = rflags
        // RF is cleared, but not by the 16-bit form.
        let kept = old & ~writable & (bytes == 2 ? ~0 : ~RFLAGS.resume)
        rflags = kept | image & writable
        flagsChanged(from: old)
    }

    /// Tells those who cache what IF, TF and AC mean.
    func flagsChanged(from old: UInt64) {
        let changed = old ^ system.flags
        if changed & RFLAGS.alignmentCheck != 0 { translationContextChanged() }
        if system.flags & (RFLAGS.interrupt | RFLAGS.trap) & changed != 0 { attend() }
    }
}
