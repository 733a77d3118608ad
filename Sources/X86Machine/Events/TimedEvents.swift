/// Timed events of the machine.
extension Machine {
    /// Puts a timed event into the queue. Processors that would run past it return to the scheduler first.
    func schedule(_ event: TimedEvent, at cycle: UInt64) {
        let isFirst = cycle < platform.events.nextCycle
        platform.events.schedule(event, at: max(cycle, platform.clock))
        if isFirst { for processor in processors { processor.yieldSoon() } }
    }

    func cancel(_ event: TimedEvent) { platform.events.cancel(event) }

    /// An interrupt message to the processor's local APIC when the machine clock reaches `atCycle`
    /// (now, when that has passed). Accepted or refused there as any fixed interrupt is.
    public func injectInterrupt(vector: UInt8, processor: Int, atCycle cycle: UInt64) {
        precondition(processors.indices.contains(processor), "no processor \(processor)")
        schedule(.interrupt(vector: vector, processor: processor), at: cycle)
    }

    /// An NMI to the processor when the machine clock reaches `atCycle`.
    public func injectNMI(processor: Int, atCycle cycle: UInt64) {
        precondition(processors.indices.contains(processor), "no processor \(processor)")
        schedule(.nmi(processor: processor), at: cycle)
    }
}
