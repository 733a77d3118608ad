import X86Architecture

/// Pushes onto a stack that need not be the current one yet. All of its `words` are checked when it is made, so that
/// the pushes themselves change nothing before it is known that each succeeds.
struct StackWriter {
    /// The stack pointer after the pushes so far, within the stack's address size.
    private(set) var pointer: UInt64
    private let processor: Processor
    private let base: UInt64
    private let mask: UInt64
    private let unit: UInt64
    private let privilege: Privilege

    /// `unit`: bytes per push (2, 4, 8). `fault` is thrown if a push would leave the segment.
    init(
        _ processor: Processor, _ stack: Segment, top: UInt64, unit: UInt64, words: Int, cpl: UInt8,
        fault: Interruption,
        is64Bit: Bool = false
    ) throws(Interruption) {
        self.processor = processor
        self.unit = unit
        privilege = cpl == processor.system.cpl ? .current : cpl == 3 ? .user : .explicitSupervisor
        if is64Bit {
            base = 0
            mask = ~0
        } else {
            base = stack.base
            mask = stack.access & AccessRights.defaultBig != 0 ? 0xFFFF_FFFF : 0xFFFF
        }
        pointer = top & mask
        for n in 1...UInt64(words) {
            let offset = (pointer &- n &* unit) & mask
            if !is64Bit {
                guard stack.contains(first: offset, last: offset &+ unit &- 1) else { throw fault }
            } else if !LinearAddress(offset).isCanonical {
                throw fault
            }
            try processor.probeWrite(address(offset), bytes: Int(unit), privilege, stack: true)
        }
    }

    private func address(_ offset: UInt64) -> LinearAddress {
        LinearAddress(mask == ~0 ? offset : (base &+ offset) & 0xFFFF_FFFF)
    }

    mutating func push(_ value: UInt64) throws(Interruption) {
        pointer = (pointer &- unit) & mask
        let a = address(pointer)
        switch unit {
        case 2: try processor.store(a, UInt16(truncatingIfNeeded: value), privilege, stack: true)
        case 4: try processor.store(a, UInt32(truncatingIfNeeded: value), privilege, stack: true)
        default: try processor.store(a, value, privilege, stack: true)
        }
    }
}

extension StackWriter {
    /// A push that moves the stack pointer by a whole unit but writes 16 bits.
    mutating func pushSelector(_ value: UInt64) throws(Interruption) {
        pointer = (pointer &- unit) & mask
        try processor.store(address(pointer), UInt16(truncatingIfNeeded: value), privilege, stack: true)
    }
}

/// Pops from the current stack without moving RSP: the instruction sets it when everything has succeeded.
struct StackReader {
    /// The stack pointer after the pops so far.
    private(set) var pointer: UInt64
    private let processor: Processor
    private let stack: Segment
    private let mask: UInt64
    private let unit: UInt64

    init(_ processor: Processor, unit: UInt64) {
        self.processor = processor
        self.unit = unit
        stack = processor.system.segments[SegmentIndex.ss]
        mask = ~0 &>> UInt64(64 &- 8 &* processor.stackAddressSize)
        pointer = processor.gpr(GPR.rsp) & mask
    }

    mutating func pop() throws(Interruption) -> UInt64 {
        let offset = pointer
        let a: LinearAddress
        if mask == ~0 {
            a = LinearAddress(offset)
        } else {
            guard stack.contains(first: offset, last: offset &+ unit &- 1) else { throw .exception(.stackFault()) }
            a = LinearAddress((stack.base &+ offset) & 0xFFFF_FFFF)
        }
        pointer = (pointer &+ unit) & mask
        switch unit {
        case 2: return UInt64(try processor.load(a, as: UInt16.self, stack: true))
        case 4: return UInt64(try processor.load(a, as: UInt32.self, stack: true))
        default: return try processor.load(a, as: UInt64.self, stack: true)
        }
    }

    /// Skips `bytes` (RET imm16).
    mutating func skip(_ bytes: UInt64) { pointer = (pointer &+ bytes) & mask }
}

extension Processor {
    /// Writes as much of RSP as the stack segment's address size covers (SDM 1 6.2.3).
    func setStackPointer(_ pointer: UInt64, in stack: Segment) {
        if is64BitMode {
            setGPR(GPR.rsp, pointer)
        } else if stack.access & AccessRights.defaultBig != 0 {
            setGPR(GPR.rsp, pointer & 0xFFFF_FFFF)
        } else {
            setGPR(GPR.rsp, size: 2, pointer)
        }
    }
}
