import CEngineState
import X86Architecture

/// A remembered state of a machine: its processors and devices as copies, its memory as a version that shares every
/// page that has not been written since. Taking one is a matter of microseconds; holding several is fine, and letting
/// go of one frees what only it needed. Only for the machine that made it.
public final class MachineSnapshot {
    let memory: MemoryVersion
    let processors: [ProcessorState]
    let platform: PlatformState
    unowned let machine: Machine

    init(memory: MemoryVersion, processors: [ProcessorState], platform: PlatformState, machine: Machine) {
        self.memory = memory
        self.processors = processors
        self.platform = platform
        self.machine = machine
    }
}

/// Everything architectural of one processor.
struct ProcessorState {
    var cpu: CPU
    var system: SystemState
    var vmx: VMXState
    var apic: LocalAPIC
    var translations: TranslationCache

    init(_ p: Processor) {
        cpu = p.cpu.pointee
        system = p.system
        vmx = p.vmx
        apic = p.apic
        translations = p.translations
    }
}

extension Processor {
    func restore(_ state: ProcessorState) {
        let (tlb, jumps, processor) = (cpu.pointee.tlb, cpu.pointee.jumps, cpu.pointee.processor)
        cpu.pointee = state.cpu
        (cpu.pointee.tlb, cpu.pointee.jumps, cpu.pointee.processor) = (tlb, jumps, processor)
        system = state.system
        vmx = state.vmx
        apic = state.apic
        translations = state.translations
        flushFast()
        modeChanged()
        attend()
    }
}

extension Machine {
    /// Remembers the state of the machine. Between runs only, not from an observer.
    public func snapshot() -> MachineSnapshot {
        precondition(!isRunning, "a snapshot is taken between runs")
        let version = MemoryVersion.advance(memory)
        // Every page is to be saved before its next write: fast write entries would bypass that.
        for processor in processors { processor.flushFast() }
        return MachineSnapshot(memory: version, processors: processors.map(ProcessorState.init), platform: platform,
                               machine: self)
    }

    /// Makes the machine what it was when the snapshot was taken. Observers, watches and the console sink stay.
    public func restore(_ snapshot: MachineSnapshot) {
        precondition(!isRunning, "a snapshot is restored between runs")
        precondition(snapshot.machine === self, "a snapshot belongs to one machine")
        for frame in snapshot.memory.restore(into: memory) {
            let page = memory.address(ofFrame: Int(frame))
            if memory.flags(ofPage: page).contains(.code) { invalidateBlocks(page: page) }
        }
        platform = snapshot.platform
        pendingStop = nil
        for (processor, state) in zip(processors, snapshot.processors) { processor.restore(state) }
    }
}
