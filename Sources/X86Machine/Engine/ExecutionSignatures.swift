import X86Architecture

// The engine's entry points as the scheduler calls them. [engine] replaces this file.
extension Processor {
    func execute(until cycle: UInt64, instructions limit: UInt64) -> ExecutionExit {
        machine.stop(.notModelled("execution"))
        return .yielded
    }
    func stepInstruction() { machine.stop(.notModelled("execution")) }
    func translationContextChanged() {}
}

extension EngineCaches {
    func invalidateBlocks(physicalPage: PhysicalAddress) {}
    /// After a snapshot: no fast write entry may survive, as every page is to be saved again.
    func dropWriteEntries() {}
    /// After a restore: everything derived goes.
    func dropEverything() {}
}
