import X86Architecture
import X86Decoder

/// BMI1 and BMI2 behind a VEX prefix (SDM 2A, 2B under their names); TZCNT is in Bits.swift.
extension SystemInstructions {
    /// Bytes of the operands: VEX.W chooses them in 64-bit mode only. #UD where there is no VEX prefix: SDM 2A 2.4.13
    /// "Exceptions Type 13 (VEX-Encoded GPR Instructions)".
    private static func size(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) -> Int {
        try p.requireProtectedMode()
        return InstructionInfo(i.row).operand(0)?.width == 64 ? 8 : 4
    }
    private static func source(_ p: Processor, _ i: borrowing Instruction, _ size: Int) throws(Interruption) -> UInt64 {
        guard i.hasMemory else { return p.gpr(Int(i.rm), size: size) }
        return size == 8 ? try p.loadOperand(i, as: UInt64.self) : UInt64(try p.loadOperand(i, as: UInt32.self))
    }
    /// SF and ZF of the result, CF as given, OF clear; what is undefined is cleared.
    private static func setFlags(_ p: Processor, _ result: UInt64, size: Int, carry: Bool) {
        let sign = result &>> UInt64(8 * size - 1) & 1 != 0
        let flags = (carry ? RFLAGS.carry : 0) | (result == 0 ? RFLAGS.zero : 0) | (sign ? RFLAGS.sign : 0)
        p.rflags = p.rflags & ~RFLAGS.arithmetic | flags
    }
    private static func mask(_ size: Int) -> UInt64 { ~0 &>> UInt64(64 - 8 * size) }

    // MARK: BMI1

    static func andn(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        let size = try size(p, i), result = ~p.gpr(Int(i.vexV), size: size) & (try source(p, i, size))
        p.setGPR(Int(i.reg), size: size, result)
        setFlags(p, result, size: size, carry: false)
    }
    static func bextr(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        let size = try size(p, i), x = try source(p, i, size), control = p.gpr(Int(i.vexV), size: size)
        let start = control & 0xFF, length = control &>> 8 & 0xFF
        let shifted = start > 63 ? 0 : x &>> start
        let result = length > 63 ? shifted : shifted & ((1 &<< length) &- 1)
        p.setGPR(Int(i.reg), size: size, result)
        setFlags(p, result, size: size, carry: false)
    }
    private static func lowestBit(
        _ p: Processor, _ i: borrowing Instruction, carryIfZero: Bool, _ f: (UInt64) -> UInt64
    ) throws(Interruption) {
        let size = try size(p, i), x = try source(p, i, size), result = f(x) & mask(size)
        p.setGPR(Int(i.vexV), size: size, result)
        setFlags(p, result, size: size, carry: (x == 0) == carryIfZero)
    }
    static func blsi(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try lowestBit(p, i, carryIfZero: false) { (0 &- $0) & $0 }
    }
    static func blsmsk(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try lowestBit(p, i, carryIfZero: true) { ($0 &- 1) ^ $0 }
    }
    static func blsr(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try lowestBit(p, i, carryIfZero: true) { ($0 &- 1) & $0 }
    }

    // MARK: BMI2

    static func bzhi(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        let size = try size(p, i), x = try source(p, i, size), n = p.gpr(Int(i.vexV), size: size) & 0xFF
        let isInside = n < UInt64(8 * size), result = isInside ? x & ((1 &<< n) &- 1) : x
        p.setGPR(Int(i.reg), size: size, result)
        setFlags(p, result, size: size, carry: !isInside)
    }
    /// The high half last: it stays where both destinations are the same.
    static func mulx(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        let size = try size(p, i), x = try source(p, i, size)
        let product = p.gpr(GPR.rdx, size: size).multipliedFullWidth(by: x)
        let high = size == 8 ? product.high : product.low &>> 32
        p.setGPR(Int(i.vexV), size: size, product.low & mask(size))
        p.setGPR(Int(i.reg), size: size, high)
    }
    static func pdep(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        let size = try size(p, i)
        var mask = try source(p, i, size), x = p.gpr(Int(i.vexV), size: size), result: UInt64 = 0
        while mask != 0 {
            let bit = mask & (0 &- mask)
            if x & 1 != 0 { result |= bit }
            x &>>= 1
            mask ^= bit
        }
        p.setGPR(Int(i.reg), size: size, result)
    }
    static func pext(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        let size = try size(p, i), x = p.gpr(Int(i.vexV), size: size)
        var mask = try source(p, i, size), result: UInt64 = 0, place: UInt64 = 1
        while mask != 0 {
            let bit = mask & (0 &- mask)
            if x & bit != 0 { result |= place }
            place &<<= 1
            mask ^= bit
        }
        p.setGPR(Int(i.reg), size: size, result)
    }
    static func rorx(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        let size = try size(p, i), x = try source(p, i, size), bits = UInt64(8 * size)
        let n = i.immediate & (bits - 1)
        p.setGPR(Int(i.reg), size: size, n == 0 ? x : (x &>> n | x &<< (bits &- n)) & mask(size))
    }
    private static func shift(
        _ p: Processor, _ i: borrowing Instruction, _ f: (UInt64, UInt64, Int) -> UInt64
    ) throws(Interruption) {
        let size = try size(p, i), x = try source(p, i, size)
        let count = p.gpr(Int(i.vexV), size: size) & UInt64(8 * size - 1)
        p.setGPR(Int(i.reg), size: size, f(x, count, size) & mask(size))
    }
    static func shlx(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try shift(p, i) { x, n, _ in x &<< n }
    }
    static func shrx(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try shift(p, i) { x, n, _ in x &>> n }
    }
    static func sarx(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try shift(p, i) { x, n, size in
            let wide = size == 8 ? Int64(bitPattern: x) : Int64(Int32(truncatingIfNeeded: x))
            return UInt64(bitPattern: wide &>> Int64(n))
        }
    }
}
