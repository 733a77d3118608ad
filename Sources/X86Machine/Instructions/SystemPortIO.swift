import X86Architecture
import X86Decoder

/// IN, OUT, INS, OUTS: SDM 1 chapter 19 "Input/Output", SDM 2A, 2B under their names.
extension SystemInstructions {
    static func input(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        let (port, isImmediate) = port(p, i)
        let size = min(Int(i.operandSize), 4)
        try p.checkPort(port, size: size)
        try p.vmxCheckIO(i, port: port, size: size, isIn: true, isImmediate: isImmediate)
        p.notePortAccess(port, size)
        p.cpu.pointee.cycles &+= Timing.haswell.portAccess
        p.setGPR(GPR.rax, size: size, UInt64(try p.machine.portRead(port, size: size, from: p)))
    }

    static func output(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        let (port, isImmediate) = port(p, i)
        let size = min(Int(i.operandSize), 4)
        try p.checkPort(port, size: size)
        try p.vmxCheckIO(i, port: port, size: size, isIn: false, isImmediate: isImmediate)
        p.notePortAccess(port, size)
        p.cpu.pointee.cycles &+= Timing.haswell.portAccess
        try p.machine.portWrite(port, size: size, UInt32(truncatingIfNeeded: p.gpr(GPR.rax, size: size)), from: p)
    }

    private static func port(_ p: Processor, _ i: borrowing Instruction) -> (UInt16, Bool) {
        // E4 to E7 have an immediate, EC to EF use DX.
        if i.opcode & 8 == 0 { return (UInt16(i.immediate & 0xFF), true) }
        return (UInt16(truncatingIfNeeded: p.gpr(GPR.rdx)), false)
    }

    static func inputString(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try strings(p, i, isIn: true)
    }
    static func outputString(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try strings(p, i, isIn: false)
    }

    /// One unit per iteration; a fault in a later one leaves the registers as after those completed
    /// (SDM 2B "REP/REPE/REPZ/REPNE/REPNZ—Repeat String Operation Prefix").
    private static func strings(_ p: Processor, _ i: borrowing Instruction, isIn: Bool) throws(Interruption) {
        let port = UInt16(truncatingIfNeeded: p.gpr(GPR.rdx))
        let size = min(Int(i.operandSize), 4), addressSize = Int(i.addressSize)
        try p.checkPort(port, size: size)
        let pointer = isIn ? GPR.rdi : GPR.rsi
        let segment = isIn ? SegmentIndex.es : Int(i.segment)
        let prefixes = i.prefixes
        let isRepeated = prefixes.rep || prefixes.repne
        let step = p.system.flags & RFLAGS.direction != 0 ? 0 &- UInt64(size) : UInt64(size)
        if isRepeated && p.gpr(GPR.rcx, size: addressSize) == 0 { return }
        var isFirst = true
        repeat {
            let linear = try p.linear(
                segment: segment, offset: p.gpr(pointer, size: addressSize), bytes: size, isIn ? .write : .read)
            if isFirst { try p.vmxCheckIO(i, port: port, size: size, isIn: isIn, string: linear) }
            isFirst = false
            if isIn {
                try p.probeWrite(linear, bytes: size)
                p.notePortAccess(port, size)
                p.cpu.pointee.cycles &+= Timing.haswell.portAccess
                let value = try p.machine.portRead(port, size: size, from: p)
                switch size {
                case 1: try p.store(linear, UInt8(truncatingIfNeeded: value))
                case 2: try p.store(linear, UInt16(truncatingIfNeeded: value))
                default: try p.store(linear, value)
                }
            } else {
                let value: UInt32
                switch size {
                case 1: value = UInt32(try p.load(linear, as: UInt8.self))
                case 2: value = UInt32(try p.load(linear, as: UInt16.self))
                default: value = try p.load(linear, as: UInt32.self)
                }
                p.notePortAccess(port, size)
                p.cpu.pointee.cycles &+= Timing.haswell.portAccess
                try p.machine.portWrite(port, size: size, value, from: p)
            }
            p.setGPR(pointer, size: addressSize, p.gpr(pointer, size: addressSize) &+ step)
            guard isRepeated else { return }
            p.setGPR(GPR.rcx, size: addressSize, p.gpr(GPR.rcx, size: addressSize) &- 1)
            if p.gpr(GPR.rcx, size: addressSize) == 0 { return }
        } while !p.isDueWithinRepeat
        p.engine.isRepeating = true
    }
}

extension Processor {
    /// SDM 1 19.5 "Protected-Mode I/O": allowed up to IOPL, else by the permission bit map of the TSS.
    func checkPort(_ port: UInt16, size: Int) throws(Interruption) {
        guard isProtectedMode, system.cpl > ioPrivilegeLevel || isVirtual8086 else { return }
        let tr = system.segments[SegmentIndex.tr]
        let isBigTSS = tr.access & (AccessRights.codeOrData | 8) == 8
        guard isBigTSS, !tr.isUnusable, tr.limit >= 0x67 else { throw .exception(.generalProtection()) }
        let mapBase = UInt64(try load(systemAddress(tr.base &+ 0x66), as: UInt16.self, .supervisor))
        // Two bytes are read, so the map ends with a byte of ones inside the limit.
        let offset = mapBase &+ UInt64(port &>> 3)
        guard offset &+ 1 <= UInt64(tr.limit) else { throw .exception(.generalProtection()) }
        let bits = try load(systemAddress(tr.base &+ offset), as: UInt16.self, .supervisor)
        let wanted = UInt16((1 << size) - 1) &<< (port & 7)
        guard bits & wanted == 0 else { throw .exception(.generalProtection()) }
    }
}
