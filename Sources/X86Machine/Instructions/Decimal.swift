import CEngineState
import X86Architecture
import X86Decoder

// Decimal adjustment, invalid in 64-bit mode.
extension Processor {
    private var al: UInt8 {
        get { byteRegister(0, hasREX: false) }
        set { setByteRegister(0, hasREX: false, newValue) }
    }
    private var ah: UInt8 {
        get { byteRegister(4, hasREX: false) }
        set { setByteRegister(4, hasREX: false, newValue) }
    }
    /// SDM 2A "DAA-Decimal Adjust AL After Addition".
    func daa(_ i: borrowing Instruction) throws(Interruption) {
        let old = al, oldCarry = cpu.pointee.carryFlag
        var carry = false, adjust = false
        if old & 15 > 9 || cpu.pointee.adjustFlag {
            carry = oldCarry || old > 0xff - 6
            al = al &+ 6
            adjust = true
        }
        if old > 0x99 || oldCarry {
            al = al &+ 0x60
            carry = true
        } else {
            carry = false
        }
        liveFlags.set(al, carry: carry, overflow: false, adjust: adjust)
    }
    /// SDM 2A "DAS-Decimal Adjust AL After Subtraction".
    func das(_ i: borrowing Instruction) throws(Interruption) {
        let old = al, oldCarry = cpu.pointee.carryFlag
        var carry = false, adjust = false
        if old & 15 > 9 || cpu.pointee.adjustFlag {
            carry = oldCarry || old < 6
            al = al &- 6
            adjust = true
        }
        if old > 0x99 || oldCarry {
            al = al &- 0x60
            carry = true
        }
        liveFlags.set(al, carry: carry, overflow: false, adjust: adjust)
    }
    /// SDM 2A "AAA-ASCII Adjust After Addition".
    func aaa(_ i: borrowing Instruction) throws(Interruption) {
        let adjusts = al & 15 > 9 || cpu.pointee.adjustFlag
        if adjusts { setGPR(0, size: 2, (gpr(0, size: 2) &+ 0x106) & 0xffff) }
        al &= 15
        liveFlags.set(al, carry: adjusts, overflow: false, adjust: adjusts)
    }
    /// SDM 2A "AAS-ASCII Adjust AL After Subtraction".
    func aas(_ i: borrowing Instruction) throws(Interruption) {
        let adjusts = al & 15 > 9 || cpu.pointee.adjustFlag
        if adjusts { setGPR(0, size: 2, (gpr(0, size: 2) &- 0x106) & 0xffff) }
        al &= 15
        liveFlags.set(al, carry: adjusts, overflow: false, adjust: adjusts)
    }
    /// SDM 2A "AAM-ASCII Adjust AX After Multiply": a base of 0 raises #DE.
    func aam(_ i: borrowing Instruction) throws(Interruption) {
        let base = UInt8(truncatingIfNeeded: i.immediate)
        guard base != 0 else { throw .exception(.divideError) }
        (ah, al) = (al / base, al % base)
        liveFlags.set(al, carry: false, overflow: false, adjust: false)
    }
    /// SDM 2A "AAD-ASCII Adjust AX Before Division".
    func aad(_ i: borrowing Instruction) throws(Interruption) {
        al = al &+ ah &* UInt8(truncatingIfNeeded: i.immediate)
        ah = 0
        liveFlags.set(al, carry: false, overflow: false, adjust: false)
    }
    /// SALC, which the manual leaves out of its opcode map: AL = FFH if CF is set, else 0. No flags change.
    func salc(_ i: borrowing Instruction) throws(Interruption) { al = cpu.pointee.carryFlag ? 0xFF : 0 }
}
