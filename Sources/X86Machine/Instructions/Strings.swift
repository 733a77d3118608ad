import CEngineState
import X86Architecture
import X86Decoder

// String instructions: SDM 1 7.3.9 "String Operations". A repeated one can be interrupted after every iteration:
// rCX, rSI and rDI say what is left, RIP stays, nothing has retired (SDM 2B "REP/REPE/REPZ/REPNE/REPNZ").
//
// Cost, a function of registers alone so that neither interruption nor the bulk path changes it: MOVS and STOS move
// lines (`copyLine`, `fillLine` bytes per cycle, as fast-string microcode does), others cost an iteration each.

/// The registers of a string instruction at its address size, and its operand size.
struct StringOperands {
    let bytes: Int, addressMask: UInt64, addressSize: Int, segment: Int
    /// Added to rSI and rDI after each element.
    let step: UInt64
    init(_ p: Processor, _ i: borrowing Instruction) {
        bytes = Int(i.operandSize)
        addressSize = Int(i.addressSize)
        addressMask = ~0 &>> UInt64(64 - 8 * addressSize)
        segment = Int(i.segment)
        step = p.system.flags & RFLAGS.direction == 0 ? UInt64(bytes) : 0 &- UInt64(bytes)
    }
}

extension Processor {
    static let copyLine: UInt64 = 16
    static let fillLine: UInt64 = 32

    private func source(_ o: StringOperands) throws(Interruption) -> MemoryOperandAddress {
        let linear = try linear(segment: o.segment, offset: gpr(6) & o.addressMask, bytes: o.bytes, .read)
        return MemoryOperandAddress(linear: linear, stack: o.segment == SegmentIndex.ss)
    }
    /// Always in ES, which no prefix overrides.
    private func destination(_ o: StringOperands, _ use: SegmentUse) throws(Interruption) -> MemoryOperandAddress {
        let linear = try linear(segment: SegmentIndex.es, offset: gpr(7) & o.addressMask, bytes: o.bytes, use)
        return MemoryOperandAddress(linear: linear, stack: false)
    }
    private func advance(_ n: Int, _ o: StringOperands) {
        setGPR(n, size: o.addressSize, (gpr(n) &+ o.step) & o.addressMask)
    }

    /// SDM 2B "MOVS/MOVSB/MOVSW/MOVSD/MOVSQ-Move Data From String to String".
    func movs(_ i: borrowing Instruction) throws(Interruption) {
        let o = StringOperands(self, i)
        clearUpperHalf(6, i, o)
        clearUpperHalf(7, i, o)
        try repeated(
            i, o, cost: { $0.lineCost(Self.copyLine, o) }, bulk: { $0.copyBulk(o) }
        ) { p throws(Interruption) in
            let value = try p.load(p.source(o), bytes: o.bytes)
            try p.store(p.destination(o, .write), bytes: o.bytes, value)
            p.advance(6, o)
            p.advance(7, o)
            return true
        }
    }
    /// SDM 2B "STOS/STOSB/STOSW/STOSD/STOSQ-Store String".
    func stos(_ i: borrowing Instruction) throws(Interruption) {
        let o = StringOperands(self, i)
        clearUpperHalf(7, i, o)
        try repeated(
            i, o, cost: { $0.lineCost(Self.fillLine, o) }, bulk: { $0.fillBulk(o) }
        ) { p throws(Interruption) in
            try p.store(p.destination(o, .write), bytes: o.bytes, p.gpr(0, size: o.bytes))
            p.advance(7, o)
            return true
        }
    }
    /// SDM 2A "LODS/LODSB/LODSW/LODSD/LODSQ-Load String".
    func lods(_ i: borrowing Instruction) throws(Interruption) {
        let o = StringOperands(self, i)
        try repeated(i, o) { p throws(Interruption) in
            let value = try p.load(p.source(o), bytes: o.bytes)
            p.setGPR(0, size: o.bytes, value)
            p.advance(6, o)
            return true
        }
    }
    /// SDM 2A "CMPS/CMPSB/CMPSW/CMPSD/CMPSQ-Compare String Operands".
    func cmps(_ i: borrowing Instruction) throws(Interruption) {
        let o = StringOperands(self, i), whileEqual = i.prefixes.rep
        try repeatedComparison(i, o) { p throws(Interruption) in
            let a = try p.load(p.source(o), bytes: o.bytes), b = try p.load(p.destination(o, .read), bytes: o.bytes)
            p.compareElements(a, b, o.bytes)
            p.advance(6, o)
            p.advance(7, o)
            return p.cpu.pointee.zeroFlag == whileEqual
        }
    }
    /// SDM 2B "SCAS/SCASB/SCASW/SCASD-Scan String".
    func scas(_ i: borrowing Instruction) throws(Interruption) {
        let o = StringOperands(self, i), whileEqual = i.prefixes.rep
        try repeatedComparison(i, o) { p throws(Interruption) in
            let b = try p.load(p.destination(o, .read), bytes: o.bytes)
            p.compareElements(p.gpr(0, size: o.bytes), b, o.bytes)
            p.advance(7, o)
            return p.cpu.pointee.zeroFlag == whileEqual
        }
    }
    private func compareElements(_ a: UInt64, _ b: UInt64, _ bytes: Int) {
        switch bytes {
        case 1: cmp(liveFlags, UInt8(truncatingIfNeeded: a), UInt8(truncatingIfNeeded: b))
        case 2: cmp(liveFlags, UInt16(truncatingIfNeeded: a), UInt16(truncatingIfNeeded: b))
        case 4: cmp(liveFlags, UInt32(truncatingIfNeeded: a), UInt32(truncatingIfNeeded: b))
        default: cmp(liveFlags, a, b)
        }
    }

    // MARK: Repetition

    /// A cycle for each line that the destination enters, whatever the size of the elements.
    private func lineCost(_ line: UInt64, _ o: StringOperands) -> UInt64 {
        let from = gpr(7) & o.addressMask
        return (from ^ (from &+ o.step)) & ~(line - 1) != 0 ? 1 : 0
    }

    /// The registers of a repeated instruction with 32-bit addresses are 32 bits wide from its beginning on, even where
    /// no element is reached: rCX of all, rSI and rDI of MOVS and STOS (measured on family 6, model CFH).
    private func clearUpperHalf(_ n: Int, _ i: borrowing Instruction, _ o: StringOperands) {
        let prefixes = i.prefixes
        if o.addressSize == 4, prefixes.rep || prefixes.repne { setGPR(n, size: 4, gpr(n) & o.addressMask) }
    }

    /// SDM 2B "REP/REPE/REPZ/REPNE/REPNZ-Repeat String Operation Prefix": a fault in a repeated CMPS or SCAS restores
    /// RFLAGS as they were before the instruction.
    @inline(__always) private func repeatedComparison(
        _ i: borrowing Instruction, _ o: StringOperands, _ element: (Processor) throws(Interruption) -> Bool
    ) throws(Interruption) {
        let before = rflags
        do throws(Interruption) {
            try repeated(i, o, element)
        } catch {
            rflags = before
            throw error
        }
    }

    /// Runs `element` once, or as often as rCX and its answer say. `bulk` does several elements where nobody can tell
    /// the difference, and says how many; `cost` is of the element about to be done.
    @inline(__always) private func repeated(
        _ i: borrowing Instruction, _ o: StringOperands, cost: (Processor) -> UInt64 = { _ in 1 },
        bulk: (Processor) -> UInt64 = { _ in 0 }, _ element: (Processor) throws(Interruption) -> Bool
    ) throws(Interruption) {
        let prefixes = i.prefixes
        guard prefixes.rep || prefixes.repne else {
            _ = try element(self)
            return
        }
        clearUpperHalf(1, i, o)
        while true {
            let count = gpr(1) & o.addressMask
            if count == 0 { break }
            let done = bulk(self)
            if done > 0 {
                setGPR(1, size: o.addressSize, count &- done)
            } else {
                let cycles = cost(self)
                let goesOn = try element(self)
                cpu.pointee.cycles &+= cycles
                setGPR(1, size: o.addressSize, (count &- 1) & o.addressMask)
                if !goesOn || count == 1 { break }
            }
            if isDueWithinRepeat, gpr(1) & o.addressMask != 0 {
                engine.isRepeating = true
                return
            }
        }
        cpu.pointee.cycles &+= machine.timing.repeatStart
    }
    /// Something is to happen at this boundary between iterations, or the instruction may have written over itself.
    var isDueWithinRepeat: Bool {
        cpu.pointee.cycles >= engine.event || boundaryWork || mustYield || engine.codeChanged
            || system.flags & RFLAGS.trap != 0
    }

    // MARK: Bulk

    /// Elements from rDI on in its page, forward, that fit before the next event: each line costs a cycle.
    private func bulkElements(_ o: StringOperands, line: UInt64) -> UInt64 {
        guard is64BitMode, o.addressSize == 8, system.flags & (RFLAGS.direction | RFLAGS.trap) == 0 else { return 0 }
        let to = gpr(7), cycles = cpu.pointee.cycles
        guard cycles < engine.event else { return 0 }
        let inPage = (Page.size &- (to & Page.offsetMask)) / UInt64(o.bytes)
        let lines = min(engine.event &- cycles, Page.size)
        // At most `lines` lines are entered: the rest of this one, then whole ones.
        let inTime = ((line &- (to & (line &- 1))) &+ (lines &- 1) &* line) / UInt64(o.bytes)
        return min(gpr(1), inPage, inTime)
    }
    private func hostAddress(_ linear: UInt64, write: Bool) -> UnsafeMutableRawPointer? {
        let entry = FastBank.entry(cpu.pointee.tlb, linear)
        guard (write ? entry.pointee.write : entry.pointee.read) == linear & ~Page.offsetMask else { return nil }
        return UnsafeMutableRawPointer(bitPattern: UInt(linear &+ entry.pointee.addend))
    }
    private func finishBulk(_ elements: UInt64, _ o: StringOperands, line: UInt64) {
        let from = gpr(7), bytes = elements &* UInt64(o.bytes)
        let entered = ((from &+ bytes) / line) &- (from / line)
        cpu.pointee.cycles &+= entered
        setGPR(7, from &+ bytes)
    }
    private func fillBulk(_ o: StringOperands) -> UInt64 {
        let elements = bulkElements(o, line: Self.fillLine)
        guard elements > 1, let to = hostAddress(gpr(7), write: true) else { return 0 }
        let value = gpr(0), count = Int(elements)
        switch o.bytes {
        case 1: to.initializeMemory(as: UInt8.self, repeating: UInt8(truncatingIfNeeded: value), count: count)
        default:
            for n in 0..<count {
                let element = to + n * o.bytes
                switch o.bytes {
                case 2: element.storeBytes(of: UInt16(truncatingIfNeeded: value), as: UInt16.self)
                case 4: element.storeBytes(of: UInt32(truncatingIfNeeded: value), as: UInt32.self)
                default: element.storeBytes(of: value, as: UInt64.self)
                }
            }
        }
        finishBulk(elements, o, line: Self.fillLine)
        return elements
    }
    private func copyBulk(_ o: StringOperands) -> UInt64 {
        let from = gpr(6), to = gpr(7)
        let base = o.segment >= SegmentIndex.fs ? system.segments[o.segment].base : 0
        let linearFrom = from &+ base
        let inPage = (Page.size &- (linearFrom & Page.offsetMask)) / UInt64(o.bytes)
        let elements = min(bulkElements(o, line: Self.copyLine), inPage)
        guard elements > 1, let source = hostAddress(linearFrom, write: false),
              let target = hostAddress(to, write: true)
        else { return 0 }
        let bytes = Int(elements) * o.bytes
        // A destination that begins inside the source repeats what was just written: element by element.
        let distance = target - source
        if distance > 0 && distance < bytes { return 0 }
        target.copyMemory(from: source, byteCount: bytes)
        finishBulk(elements, o, line: Self.copyLine)
        setGPR(6, from &+ UInt64(bytes))
        return elements
    }
}
