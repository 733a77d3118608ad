import X86Architecture
import X86Decoder

/// INT n, INT3, INTO, INT1 and IRET; CLI, STI; UD (SDM 2A, 2B under their names).
extension SystemInstructions {
    static func interrupt(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try software(p, i, vector: UInt8(truncatingIfNeeded: i.immediate), kind: .softwareInterrupt)
    }
    static func breakpoint(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try software(p, i, vector: Vector.breakpoint, kind: .softwareException)
    }
    static func interruptOnOverflow(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        guard p.rflags & RFLAGS.overflow != 0 else { return }
        try software(p, i, vector: Vector.overflow, kind: .softwareException)
    }
    static func debugTrap(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try software(p, i, vector: Vector.debug, kind: .privilegedSoftwareException)
    }

    /// Delivered here and not thrown: the instruction completes, and its return address is the next one's.
    private static func software(
        _ p: Processor, _ i: borrowing Instruction, vector: UInt8, kind: DeliveryKind
    ) throws(Interruption) {
        if kind != .softwareInterrupt {
            try p.vmxCheckException(
                Exception(vector: vector), type: .init(rawValue: kind.rawValue) ?? .softwareException,
                instructionLength: i.length)
        }
        let event = DeliveredEvent(vector: vector, kind: kind, returnRIP: p.ripAfter(i), instructionLength: i.length)
        p.suppressesSingleStep = p.system.flags & RFLAGS.trap != 0
        p.deliver(event)
        p.nextRIP = p.cpu.pointee.rip
    }

    static func interruptReturn(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try p.interruptReturn(size: Int(i.operandSize))
    }

    // MARK: The interrupt flag

    static func cli(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try checkInterruptFlagAccess(p)
        p.system.flags &= ~RFLAGS.interrupt
    }

    /// Interrupts stay blocked until the next instruction has completed, if IF was 0.
    static func sti(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try checkInterruptFlagAccess(p)
        if p.system.flags & RFLAGS.interrupt == 0 {
            p.system.flags |= RFLAGS.interrupt
            p.system.blockingBySTI = true
        }
        p.attend()
    }

    private static func checkInterruptFlagAccess(_ p: Processor) throws(Interruption) {
        if p.isVirtual8086 { throw .notModelled("CLI and STI in virtual-8086 mode") }
        guard p.system.cpl <= p.ioPrivilegeLevel else { throw .exception(.generalProtection()) }
    }

    // MARK: Undefined

    /// UD0, UD1, UD2. (UD0 and UD1 decode a ModRM operand, which they do not access.)
    static func undefined(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        throw .exception(.invalidOpcode)
    }
    /// RSM outside system-management mode, which is not modelled.
    static func rsm(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        throw .exception(.invalidOpcode)
    }
}
