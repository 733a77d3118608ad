import CEngineState
import X86Architecture
import X86Decoder

/// One logical processor. The hot part is `cpu` (a C struct that handlers reach through registers);
/// this class holds what slow paths need, as plain values, so that a snapshot is a copy.
/// Its variables are not checked for overlapping accesses at run time: that would take a quarter of a VM exit, and the
/// compiler checks what one function does.
final class Processor {
    let index: Int
    /// The machine owns its processors and outlives them.
    unowned(unsafe) let machine: Machine
    /// The machine's memory, without asking it.
    let ram: RAM
    let cpu: UnsafeMutablePointer<CPU>
    /// Segments, control and debug registers, MSRs, pending events: architectural, copied by a snapshot.
    @exclusivity(unchecked) var system = SystemState()
    /// VMX operation: architectural, copied by a snapshot.
    @exclusivity(unchecked) var vmx = VMXState()
    /// Local APIC: architectural, copied by a snapshot.
    @exclusivity(unchecked) var apic: LocalAPIC
    /// Cached translations: architecturally visible (a forgotten INVEPT shows), copied by a snapshot.
    @exclusivity(unchecked) var translations = TranslationCache()
    /// Blocks, fast TLB banks, jump caches: derived, dropped by a restore, never changes a result.
    let engine: EngineCaches
    /// Something may be pending (interrupt, NMI, INIT, SIPI, trap): look before the next instruction. Set by
    /// `attend()`.
    @exclusivity(unchecked) var boundaryWork = true
    /// `execute` returns at the next boundary. Set by `yieldSoon()`, cleared by `execute` on return.
    @exclusivity(unchecked) var mustYield = false
    /// The current instruction entered a handler or the kernel with TF cleared: no single-step trap follows it.
    @exclusivity(unchecked) var suppressesSingleStep = false
    /// B bits of data and I/O breakpoints that the current instruction met; pending once it has completed.
    @exclusivity(unchecked) var breakpointHits: UInt64 = 0

    init(index: Int, machine: Machine) {
        self.index = index
        self.machine = machine
        ram = machine.memory.ram
        apic = LocalAPIC(id: UInt32(index))
        engine = EngineCaches(machine.configuration.model)
        cpu = UnsafeMutablePointer<CPU>.allocate(capacity: 1)
        cpu.initialize(
            to: CPU(
                regs: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), zero: 0, temp: (0, 0),
                segmentBase: (0, 0, 0, 0, 0, 0), rip: 0, result: 1, a: 0, b: 0, kind: 0, carry: 0,
                overflow: 0, adjust: 0, cycles: 0, nextEvent: 0, instructions: 0, blockRIP: 0,
                exitReason: 0, tlb: engine.emptyBank, jumps: engine.emptyJumps, processor: nil,
                mxcsr: FPUState.mxcsrReset, reserved: 0,
                xmm: (
                    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
                )))
        cpu.pointee.processor = Unmanaged.passUnretained(self).toOpaque()
    }
    deinit { cpu.deallocate() }

    @inline(__always) static func of(_ cpu: UnsafeMutablePointer<CPU>) -> Processor {
        Unmanaged<Processor>.fromOpaque(cpu.pointee.processor.unsafelyUnwrapped).takeUnretainedValue()
    }
}
