import CEngineState
import X86Architecture
import X86Decoder

// The stack: SDM 1 chapter 6 "Procedure Calls, Interrupts, and Exceptions".
// The stack pointer is as wide as the mode says.
extension Processor {
    private var stackMask: UInt64 { ~0 &>> UInt64(64 - 8 * stackAddressSize) }
    /// Offset in the stack segment of what is `distance` bytes above the top.
    func stackOffset(_ distance: Int) -> UInt64 { (gpr(4) &+ UInt64(bitPattern: Int64(distance))) & stackMask }
    /// Moves the stack pointer up, as wide as it is.
    func advanceStack(_ bytes: Int) { setGPR(4, size: stackAddressSize, stackOffset(bytes)) }
    func stackOperand(_ offset: UInt64, bytes: Int, _ use: SegmentUse) throws(Interruption) -> MemoryOperandAddress {
        let linear = try linear(segment: SegmentIndex.ss, offset: offset, bytes: bytes, use)
        return MemoryOperandAddress(linear: linear, stack: true)
    }
    func push(_ value: UInt64, bytes: Int) throws(Interruption) {
        try store(stackOperand(stackOffset(-bytes), bytes: bytes, .write), bytes: bytes, value)
        advanceStack(-bytes)
    }
    func pop(bytes: Int) throws(Interruption) -> UInt64 {
        let value = try load(stackOperand(stackOffset(0), bytes: bytes, .read), bytes: bytes)
        advanceStack(bytes)
        return value
    }

    /// SDM 2B "PUSH-Push Word, Doubleword, or Quadword Onto the Stack".
    func push(_ i: borrowing Instruction, _ s: Place) throws(Interruption) {
        let bytes = Int(i.operandSize)
        let source: UInt64
        if s == .immediate {
            source = i.immediate
        } else if i.hasMemory {
            source = try load(memoryOperand(s, i, bytes: bytes, .read), bytes: bytes)
        } else {
            source = gpr(Int(i.rm), size: bytes)
        }
        try push(source, bytes: bytes)
    }
    /// SDM 2B "POP-Pop a Value From the Stack". A memory destination is addressed with the stack pointer after the pop.
    func pop(_ i: borrowing Instruction) throws(Interruption) {
        let bytes = Int(i.operandSize), old = gpr(4)
        let value = try load(stackOperand(stackOffset(0), bytes: bytes, .read), bytes: bytes)
        advanceStack(bytes)
        guard i.hasMemory else { return setGPR(Int(i.rm), size: bytes, value) }
        do throws(Interruption) {
            try store(memoryOperand(.rm, i, bytes: bytes, .write), bytes: bytes, value)
        } catch {
            setGPR(4, old)
            throw error
        }
    }

    /// SDM 2B "PUSHA/PUSHAD-Push All General-Purpose Registers".
    func pusha(_ i: borrowing Instruction) throws(Interruption) {
        let bytes = Int(i.operandSize)
        for n in 1...8 {
            let a = try stackOperand(stackOffset(-n * bytes), bytes: bytes, .write)
            try probeWrite(a.linear, bytes: bytes, .current, stack: true)
        }
        for n in 0..<8 {
            let a = try stackOperand(stackOffset(-(n + 1) * bytes), bytes: bytes, .write)
            try store(a, bytes: bytes, gpr(n, size: bytes))
        }
        advanceStack(-8 * bytes)
    }
    /// SDM 2B "POPA/POPAD-Pop All General-Purpose Registers": the stack pointer's image is skipped.
    func popa(_ i: borrowing Instruction) throws(Interruption) {
        let bytes = Int(i.operandSize)
        var values = InlineArray<8, UInt64>(repeating: 0)
        for n in 0..<8 {
            values[n] = try load(stackOperand(stackOffset((7 - n) * bytes), bytes: bytes, .read), bytes: bytes)
        }
        for n in 0..<8 where n != 4 { setGPR(n, size: bytes, values[n]) }
        advanceStack(8 * bytes)
    }

    /// SDM 2A "ENTER-Make Stack Frame for Procedure Parameters".
    func enter(_ i: borrowing Instruction) throws(Interruption) {
        let bytes = Int(i.operandSize), level = Int(i.immediate2 & 31), size = Int(i.immediate & 0xffff)
        let mask = stackMask
        // The frame's pointers, then a probe where the stack pointer will be.
        var offset = stackOffset(-bytes)
        try store(stackOperand(offset, bytes: bytes, .write), bytes: bytes, gpr(5, size: bytes))
        let frame = offset
        if level > 0 {
            var outer = gpr(5) & mask
            for _ in 1..<max(level, 1) {
                outer = (outer &- UInt64(bytes)) & mask
                let pointer = try load(stackOperand(outer, bytes: bytes, .read), bytes: bytes)
                offset = (offset &- UInt64(bytes)) & mask
                try store(stackOperand(offset, bytes: bytes, .write), bytes: bytes, pointer)
            }
            offset = (offset &- UInt64(bytes)) & mask
            try store(stackOperand(offset, bytes: bytes, .write), bytes: bytes, frame)
        }
        let top = (offset &- UInt64(size)) & mask
        let probe = try stackOperand(top, bytes: bytes, .write)
        try probeWrite(probe.linear, bytes: bytes, .current, stack: true)
        setGPR(5, size: bytes, frame)
        setGPR(4, size: stackAddressSize, top)
    }
    /// SDM 2A "LEAVE-High Level Procedure Exit".
    func leave(_ i: borrowing Instruction) throws(Interruption) {
        let bytes = Int(i.operandSize), frame = gpr(5) & stackMask
        let value = try load(stackOperand(frame, bytes: bytes, .read), bytes: bytes)
        setGPR(4, size: stackAddressSize, frame &+ UInt64(bytes))
        setGPR(5, size: bytes, value)
    }
}
