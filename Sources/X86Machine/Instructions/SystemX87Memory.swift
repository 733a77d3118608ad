import X86Architecture
import X86Decoder

/// x87 loads and stores, and the environment in memory: SDM 2A FLD, FILD, FBLD, FST, FIST, FISTTP, FBSTP, FLDENV,
/// FSTENV,
/// FSAVE, FRSTOR.
extension SystemInstructions {
    // MARK: Loads

    /// The memory operand by its opcode: D8 and D9 m32fp, DA and DB m32int, DC and DD m64fp, DE and DF m16int (but
    /// FILD m64int, DF /5).
    static func loadReal(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) -> Real {
        switch i.opcode {
        case 0xD8, 0xD9: Real(UInt64(try p.loadOperand(i, as: UInt32.self)), .single)
        case 0xDC, 0xDD: Real(try p.loadOperand(i, as: UInt64.self), .double)
        case 0xDA, 0xDB:
            FloatEnvironment.fromInteger(Int64(Int32(bitPattern: try p.loadOperand(i, as: UInt32.self))))
        case 0xDF where extension87(i) == 5:
            FloatEnvironment.fromInteger(Int64(bitPattern: try p.loadOperand(i, as: UInt64.self)))
        default: FloatEnvironment.fromInteger(Int64(Int16(bitPattern: try p.loadOperand(i, as: UInt16.self))))
        }
    }
    private static func load80(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) -> ExtendedReal {
        let a = try p.operandAddress(i, offset: 0, bytes: 10, .read), isStack = i.segment == SegmentIndex.ss
        let low = try p.load(a, as: UInt64.self, stack: isStack)
        return ExtendedReal(
            significand: low, signExponent: try p.load(a + 8, as: UInt16.self, stack: isStack))
    }

    /// FLD m32fp, m64fp and ST(i).
    static func fld(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        guard i.hasMemory else {
            let n = Int(i.rm & 7)
            return try x87(p, i) { fpu in fpu.pushRegister(n) }
        }
        try checkWaitingX87(p)
        let real = try loadReal(p, i)
        p.system.fpu.push(real)
        noteX87(p, i)
    }
    /// FLD m80fp: any encoding as it is.
    static func fld80(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try checkWaitingX87(p)
        let value = try load80(p, i)
        p.system.fpu.push { _ in value }
        noteX87(p, i)
    }
    static func fild(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try checkWaitingX87(p)
        let real = try loadReal(p, i)
        p.system.fpu.push(exactly: real)
        noteX87(p, i)
    }
    static func fbld(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try checkWaitingX87(p)
        let decimal = try load80(p, i)
        p.system.fpu.pushDecimal(decimal.significand, decimal.signExponent)
        noteX87(p, i)
    }

    // MARK: Stores

    /// Stores `bytes` bytes of what `body` returns (in the layout of an m80fp); nothing changes when the store faults.
    /// Where an unmasked exception leaves nothing to store, memory is not accessed, and does not fault.
    private static func x87Store(
        _ p: Processor, _ i: borrowing Instruction, bytes: Int, _ body: (inout FPUState) -> ExtendedReal?
    ) throws(Interruption) {
        try checkWaitingX87(p)
        var after = p.system.fpu
        if let value = body(&after) {
            let a = try p.operandAddress(i, offset: 0, bytes: bytes, .write), isStack = i.segment == SegmentIndex.ss
            try p.probeWrite(a, bytes: bytes, stack: isStack)
            switch bytes {
            case 2: try p.store(a, UInt16(truncatingIfNeeded: value.significand), stack: isStack)
            case 4: try p.store(a, UInt32(truncatingIfNeeded: value.significand), stack: isStack)
            default: try p.store(a, value.significand, stack: isStack)
            }
            if bytes == 10 { try p.store(a + 8, value.signExponent, stack: isStack) }
        }
        p.system.fpu = after
        noteX87(p, i)
    }
    private static func low(_ bits: UInt64?) -> ExtendedReal? {
        bits.map { ExtendedReal(significand: $0, signExponent: 0) }
    }

    /// FST and FSTP (/3) to m32fp (D9) and m64fp (DD), and to ST(i).
    static func fst(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        let pops = extension87(i) & 1 != 0, opcode = i.opcode
        guard i.hasMemory else {
            // FSTP ST(i) has an alias at DF D0.
            let (n, popsRegister) = (Int(i.rm & 7), pops || opcode == 0xDF)
            return try x87(p, i) { fpu in fpu.copyTop(to: n, pops: popsRegister) }
        }
        let isSingle = opcode == 0xD9
        try x87Store(p, i, bytes: isSingle ? 4 : 8) { fpu in
            low(fpu.storeReal(isSingle ? .single : .double, pops: pops))
        }
    }
    static func fstp80(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try x87Store(p, i, bytes: 10) { fpu in fpu.storeExtended() }
    }
    /// FIST, FISTP (/3, and /7 with 64 bits).
    static func fist(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        let pops = extension87(i) & 1 != 0
        let bytes = i.opcode == 0xDB ? 4 : extension87(i) == 7 ? 8 : 2
        try x87Store(p, i, bytes: bytes) { fpu in
            low(fpu.storeInteger(bits: 8 * bytes, truncates: false, pops: pops))
        }
    }
    static func fisttp(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        let bytes = i.opcode == 0xDB ? 4 : i.opcode == 0xDD ? 8 : 2
        try x87Store(p, i, bytes: bytes) { fpu in
            low(fpu.storeInteger(bits: 8 * bytes, truncates: true, pops: true))
        }
    }
    static func fbstp(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try x87Store(p, i, bytes: 10) { fpu in
            fpu.storeDecimal().map { ExtendedReal(significand: $0.low, signExponent: $0.high) }
        }
    }

    // MARK: Environment, state

    static func fnstenv(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try checkX87(p)
        try storeEnvironment(p, i, withRegisters: false)
        p.system.fpu.control |= 0x3F
        p.system.fpu.updateErrorSummary()
    }
    static func fnsave(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try checkX87(p)
        try storeEnvironment(p, i, withRegisters: true)
        p.system.fpu.initialize()
    }
    static func fldenv(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try checkWaitingX87(p)
        try loadEnvironment(p, i, withRegisters: false)
    }
    static func frstor(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try checkWaitingX87(p)
        try loadEnvironment(p, i, withRegisters: true)
    }

    /// Bytes of one field of the environment.
    private static func unit(_ i: borrowing Instruction) -> Int { i.operandSize == 2 ? 2 : 4 }

    private static func storeEnvironment(
        _ p: Processor, _ i: borrowing Instruction, withRegisters: Bool
    ) throws(Interruption) {
        let unit = unit(i), size = 7 * unit, bytes = withRegisters ? size + 80 : size
        let a = try p.operandAddress(i, offset: 0, bytes: bytes, .write), isStack = i.segment == SegmentIndex.ss
        try p.probeWrite(a, bytes: bytes, stack: isStack)
        p.system.fpu.setTags(abridged: p.system.fpu.abridgedTag)
        let fields = X87Environment.fields(of: p.system.fpu, isProtected: p.isProtectedMode && !p.isVirtual8086)
        for n in 0..<7 {
            let at = a + UInt64(n * unit)
            if unit == 2 {
                try p.store(at, UInt16(truncatingIfNeeded: fields[n]), stack: isStack)
            } else {
                try p.store(at, fields[n], stack: isStack)
            }
        }
        guard withRegisters else { return }
        for n in 0..<8 {
            let x = p.system.fpu[n], at = a + UInt64(size + 10 * n)
            try p.store(at, x.significand, stack: isStack)
            try p.store(at + 8, x.signExponent, stack: isStack)
        }
    }

    private static func loadEnvironment(
        _ p: Processor, _ i: borrowing Instruction, withRegisters: Bool
    ) throws(Interruption) {
        let unit = unit(i), size = 7 * unit, bytes = withRegisters ? size + 80 : size
        let a = try p.operandAddress(i, offset: 0, bytes: bytes, .read), isStack = i.segment == SegmentIndex.ss
        try p.probeRead(a, bytes: bytes, stack: isStack)
        var fields = InlineArray<7, UInt32>(repeating: 0)
        for n in 0..<7 {
            let at = a + UInt64(n * unit)
            fields[n] =
                unit == 2
                ? UInt32(try p.load(at, as: UInt16.self, stack: isStack))
                : try p.load(at, as: UInt32.self, stack: isStack)
        }
        var fpu = p.system.fpu
        X87Environment.restore(
            &fpu, fields, isProtected: p.isProtectedMode && !p.isVirtual8086, is32Bit: unit == 4)
        if withRegisters {
            let tag = fpu.tag
            for n in 0..<8 {
                let at = a + UInt64(size + 10 * n)
                let significand = try p.load(at, as: UInt64.self, stack: isStack)
                fpu[n] = ExtendedReal(
                    significand: significand, signExponent: try p.load(at + 8, as: UInt16.self, stack: isStack))
            }
            fpu.tag = tag
        }
        fpu.setTags(abridged: fpu.abridgedTag)
        p.system.fpu = fpu
    }
}
