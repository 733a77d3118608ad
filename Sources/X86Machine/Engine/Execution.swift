import CEngineState
import X86Architecture
import X86Decoder

/// Why `Processor.execute` returned; always at an instruction boundary.
enum ExecutionExit: Equatable {
    /// `cpu.cycles` reached the given cycle.
    case cycle
    /// So many instructions have retired.
    case instructions
    /// The processor is not in the active state (HLT, shutdown, wait-for-SIPI).
    case inactive
    /// `Processor.leaveExecution` was called.
    case requested
    case notModelled(String)
}

extension Processor {
    /// Runs until the boundary at which `cpu.cycles >= cycle` or `limit` more instructions have retired.
    func execute(until cycle: UInt64, instructions limit: UInt64 = .max) -> ExecutionExit { .requested }

    /// Exactly one instruction, or one delivery of an event that was due at this boundary.
    func stepInstruction() -> ExecutionExit { .requested }

    /// Makes `execute` return at the next instruction boundary.
    func leaveExecution() {
        engine.leaveRequested = true
        cpu.pointee.nextEvent = 0
    }
}
