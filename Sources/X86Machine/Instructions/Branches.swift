import CEngineState
import X86Architecture
import X86Decoder

// Near control transfers. A target that may not be jumped to is found before anything is written.
extension Processor {
    /// The target as the operand size leaves it, or #GP(0): not canonical, beyond the code segment's limit.
    func checkedTarget(_ target: UInt64, bytes: Int) throws(Interruption) -> UInt64 {
        if is64BitMode {
            guard LinearAddress(target).isCanonical else { throw .exception(.generalProtection()) }
            return target
        }
        let masked = target & (~0 &>> UInt64(64 - 8 * bytes))
        guard masked <= UInt64(system.segments[SegmentIndex.cs].limit) else { throw .exception(.generalProtection()) }
        return masked
    }
    private func followingRIP(_ i: borrowing Instruction) -> UInt64 {
        let next = cpu.pointee.rip &+ UInt64(i.length)
        return is64BitMode ? next : next & 0xffff_ffff
    }
    private func relativeTarget(_ i: borrowing Instruction) throws(Interruption) -> UInt64 {
        try checkedTarget(followingRIP(i) &+ i.immediate, bytes: Int(i.operandSize))
    }
    private func targetOperand(_ i: borrowing Instruction) throws(Interruption) -> UInt64 {
        let bytes = Int(i.operandSize)
        if !i.hasMemory { return gpr(Int(i.rm), size: bytes) }
        return try load(memoryOperand(.rm, i, bytes: bytes, .read), bytes: bytes)
    }
    private func target(_ i: borrowing Instruction, _ s: Place) throws(Interruption) -> UInt64 {
        if s == .immediate { return try relativeTarget(i) }
        return try checkedTarget(targetOperand(i), bytes: Int(i.operandSize))
    }
    private func transfer(if taken: Bool, _ i: borrowing Instruction) throws(Interruption) {
        nextRIP = taken ? try relativeTarget(i) : followingRIP(i)
    }

    /// SDM 2A "JMP-Jump", near.
    func jmp(_ i: borrowing Instruction, _ s: Place) throws(Interruption) {
        nextRIP = try target(i, s)
    }
    /// SDM 2A "CALL-Call Procedure", near.
    func call(_ i: borrowing Instruction, _ s: Place) throws(Interruption) {
        let target = try target(i, s)
        try push(followingRIP(i), bytes: Int(i.operandSize))
        nextRIP = target
    }
    /// SDM 2B "RET-Return From Procedure", near; the immediate releases parameters.
    func ret(_ i: borrowing Instruction) throws(Interruption) {
        let bytes = Int(i.operandSize)
        let image = try load(stackOperand(stackOffset(0), bytes: bytes, .read), bytes: bytes)
        nextRIP = try checkedTarget(image, bytes: bytes)
        advanceStack(bytes + Int(i.immediate & 0xffff))
    }
    /// SDM 2A "Jcc-Jump if Condition Is Met".
    func j(_ i: borrowing Instruction) throws(Interruption) { try transfer(if: conditionHolds(i), i) }
    /// SDM 2A "JCXZ/JECXZ/JRCXZ": the count register is as wide as the address size.
    func jcxz(_ i: borrowing Instruction) throws(Interruption) {
        try transfer(if: gpr(1, size: Int(i.addressSize)) == 0, i)
    }
    /// SDM 2A "LOOP/LOOPcc-Loop According to ECX Counter".
    func loop(_ i: borrowing Instruction) throws(Interruption) { try loop(i, if: true) }
    func loope(_ i: borrowing Instruction) throws(Interruption) { try loop(i, if: cpu.pointee.zeroFlag) }
    func loopne(_ i: borrowing Instruction) throws(Interruption) { try loop(i, if: !cpu.pointee.zeroFlag) }
    private func loop(_ i: borrowing Instruction, if condition: Bool) throws(Interruption) {
        let size = Int(i.addressSize)
        let count = (gpr(1) &- 1) & (~0 &>> UInt64(64 - 8 * size))
        try transfer(if: count != 0 && condition, i)
        setGPR(1, size: size, count)
    }

    /// SDM 2A "BOUND-Check Array Index Against Bounds": #BR.
    func bound(_ i: borrowing Instruction) throws(Interruption) {
        let bytes = Int(i.operandSize)
        func signed(_ value: UInt64) -> Int64 {
            let unused = Int64(64 - 8 * bytes)
            return (Int64(bitPattern: value) &<< unused) &>> unused
        }
        let a = try memoryOperand(.rm, i, bytes: 2 * bytes, .read)
        let upperAddress = MemoryOperandAddress(linear: a.linear + UInt64(bytes), stack: a.stack)
        let lower = signed(try load(a, bytes: bytes)), upper = signed(try load(upperAddress, bytes: bytes))
        let index = signed(gpr(Int(i.reg), size: bytes))
        guard index >= lower && index <= upper else { throw .exception(Exception(vector: Vector.boundRange)) }
    }
    /// SDM 2D "XLAT/XLATB-Table Look-up Translation".
    func xlat(_ i: borrowing Instruction) throws(Interruption) {
        let size = Int(i.addressSize)
        let offset = (gpr(3) &+ gpr(0, size: 1)) & (~0 &>> UInt64(64 - 8 * size))
        let a = try linear(segment: Int(i.segment), offset: offset, bytes: 1, .read)
        setGPR(0, size: 1, UInt64(try load(a, as: UInt8.self, .current, stack: i.segment == SegmentIndex.ss)))
    }
}
