/// Something that happens at a cycle of its own, not as part of an instruction.
enum TimedEvent: Equatable {
    case apicTimer(processor: Int)
    /// A rising edge of the 8254's channel 0.
    case intervalTimer
    /// A character arrives at the serial port.
    case serialInput
    /// The guest waits for a character: the source of input is asked.
    case serialSource
    /// From outside: an interrupt trace, `explore`.
    case interrupt(vector: UInt8, processor: Int)
    case nmi(processor: Int)
    /// The VMX-preemption timer of the processor's guest reaches zero.
    case preemptionTimer(processor: Int)
}

extension TimedEvent {
    /// Sources that put themselves back into the queue.
    var isTimer: Bool {
        switch self {
        case .apicTimer, .intervalTimer: true
        default: false
        }
    }
}

/// The one queue of a machine: a binary heap ordered by (cycle, sequence), so events of one cycle keep their order.
struct EventQueue {
    struct Entry { var cycle: UInt64, sequence: UInt64, event: TimedEvent }
    private(set) var heap: [Entry] = []
    private(set) var nextSequence: UInt64 = 0

    var isEmpty: Bool { heap.isEmpty }
    /// Cycle of the first event; the end of time when there is none.
    var nextCycle: UInt64 { heap.first?.cycle ?? .max }

    mutating func schedule(_ event: TimedEvent, at cycle: UInt64) {
        heap.append(Entry(cycle: cycle, sequence: nextSequence, event: event))
        nextSequence += 1
        siftUp(heap.count - 1)
    }

    /// Takes out every entry of this event.
    mutating func cancel(_ event: TimedEvent) {
        guard heap.contains(where: { $0.event == event }) else { return }
        let kept = heap.filter { $0.event != event }
        heap.removeAll(keepingCapacity: true)
        for entry in kept {
            heap.append(entry)
            siftUp(heap.count - 1)
        }
    }

    mutating func popFirst() -> Entry? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        if heap.isEmpty { return first }
        heap[0] = last
        var parent = 0
        while true {
            var smallest = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && precedes(child, smallest) {
                smallest = child
            }
            if smallest == parent { return first }
            heap.swapAt(parent, smallest)
            parent = smallest
        }
    }

    /// Entries in the order they will happen.
    var ordered: [Entry] { heap.sorted { ($0.cycle, $0.sequence) < ($1.cycle, $1.sequence) } }

    private mutating func siftUp(_ start: Int) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            guard precedes(child, parent) else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    private func precedes(_ i: Int, _ j: Int) -> Bool {
        (heap[i].cycle, heap[i].sequence) < (heap[j].cycle, heap[j].sequence)
    }
}
