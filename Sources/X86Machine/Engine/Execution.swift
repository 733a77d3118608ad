import CEngineState
import X86Architecture
import X86Decoder

extension Processor {
    /// Runs until the boundary at which `cpu.cycles >= cycle` or `limit` more instructions have retired.
    func execute(until cycle: UInt64, instructions limit: UInt64 = .max) -> ExecutionExit { machine.stop(.notModelled("execution")); return .yielded }

    /// Exactly one instruction, or one delivery of an event that was due at this boundary.
    func stepInstruction() { machine.stop(.notModelled("execution")) }

}
