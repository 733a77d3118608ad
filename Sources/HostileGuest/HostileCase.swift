import X86Architecture
import X86Machine

/// A hostile guest as a list of steps: what is put into memory, how long it runs. Complete in itself: the text of one
/// is a reproduction that outlives the generator that made it.
///
/// Text, one step a line; `#` begins a comment:
///
///     cpus 2
///     memory 1000000
///     at 101000: 0f 01 15 00 10 00 00
///     enter 101000
///     run 4e20
///
/// All numbers are hexadecimal. `at` writes bytes at a physical address, as a device would; `enter` puts processor 0
/// at an address in 32-bit protected mode (the multiboot state); `run` lets that many cycles pass; `interrupt V`
/// brings vector V and `nmi` an NMI to processor 0 now.
public struct HostileCase: Equatable, Sendable {
    public enum Step: Equatable, Sendable {
        case write(UInt64, [UInt8])
        case enter(UInt32)
        case run(UInt64)
        case interrupt(UInt8)
        case nmi
    }
    public var comment = ""
    public var processors = 1
    public var memoryBytes: UInt64 = 16 << 20
    public var steps: [Step] = []
    public init() {}
}

extension HostileCase {
    /// What became of it: how the last stretch ended, how much ran, and the digest of the state.
    public struct Outcome: Equatable, Sendable {
        public var stop: StopReason
        public var statistics: Statistics
        public var digest: MachineDigest
    }

    /// Runs all steps, or as many as the guest survives. `pieces`: every stretch is cut into that many.
    public func run(pieces: UInt64 = 1) -> Outcome {
        let machine = Machine(configuration)
        let stop = run(on: machine, pieces: pieces)
        return Outcome(stop: stop, statistics: machine.statistics, digest: machine.digest)
    }

    /// The states that processor 0 was in when it was looked at, which is often.
    public func reached() -> Set<String> {
        var names: Set<String> = []
        _ = run(on: Machine(configuration), pieces: 200) { view in
            let registers = view.registers(of: 0), vmx = view.vmx(of: 0)
            if registers.cr0 & CR0.paging != 0 { names.insert("paging") }
            if registers.efer & EFER.longModeActive != 0 { names.insert("long mode") }
            if registers.cpl == 3 { names.insert("user mode") }
            if registers.cr0 & CR0.protectionEnable == 0 { names.insert("real mode") }
            if vmx.inOperation { names.insert("root operation") }
            if vmx.inNonRoot { names.insert("non-root operation") }
        }
        return names
    }

    private var configuration: MachineConfiguration {
        var configuration = MachineConfiguration()
        configuration.memoryBytes = memoryBytes
        configuration.processorCount = processors
        // The most there is to go wrong.
        configuration.model = .max
        return configuration
    }

    private func run(on machine: Machine, pieces: UInt64, looking: (MachineView) -> Void = { _ in }) -> StopReason {
        var stop = StopReason.limit
        var now: UInt64 = 0
        steps: for step in steps {
            switch step {
            case .write(let address, let bytes): machine.writePhysical(bytes, at: PhysicalAddress(address))
            case .enter(let entry):
                guard now == 0 else { continue }
                machine.setBootState(.multiboot32(entry: entry, information: 0))
            case .interrupt(let vector): machine.injectInterrupt(vector: vector, processor: 0, atCycle: now)
            case .nmi: machine.injectNMI(processor: 0, atCycle: now)
            case .run(let cycles):
                let end = now &+ cycles
                for n in 1...pieces {
                    stop = machine.run(.cycle(n == pieces ? end : now &+ cycles / pieces &* n))
                    looking(machine.view)
                    if stop != .limit { break steps }
                }
                now = end
            }
        }
        return stop
    }
}

/// A line that is not a step.
public struct HostileCaseError: Error, CustomStringConvertible, Equatable {
    public var line: Int
    public var found: String
    public init(line: Int, found: String) { self.line = line; self.found = found }
    public var description: String {
        "line \(line): found \"\(found)\"; expected cpus N, memory N, at N: BYTES, enter N, run N, interrupt N or nmi"
    }
}

extension HostileCase {
    /// Bytes on one line of text.
    private static let bytesPerLine = 32

    public var text: String {
        var lines: [String] = []
        for line in comment.split(separator: "\n") { lines.append("# " + line) }
        lines.append("cpus \(Self.hex(processors))")
        lines.append("memory \(Self.hex(memoryBytes))")
        for step in steps {
            switch step {
            case .write(let address, let bytes):
                for start in stride(from: 0, to: bytes.count, by: Self.bytesPerLine) {
                    let part = bytes[start..<min(bytes.count, start + Self.bytesPerLine)]
                    let digits = part.map { ($0 < 16 ? "0" : "") + Self.hex($0) }.joined(separator: " ")
                    lines.append("at \(Self.hex(address + UInt64(start))): \(digits)")
                }
            case .enter(let entry): lines.append("enter \(Self.hex(entry))")
            case .run(let cycles): lines.append("run \(Self.hex(cycles))")
            case .interrupt(let vector): lines.append("interrupt \(Self.hex(vector))")
            case .nmi: lines.append("nmi")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    public init(text: String) throws(HostileCaseError) {
        var number = 0
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            number += 1
            if line.isEmpty { continue }
            if line.hasPrefix("#") {
                comment += line.dropFirst().drop { $0 == " " } + "\n"
                continue
            }
            guard read(line) else { throw HostileCaseError(line: number, found: String(line)) }
        }
    }

    private mutating func read(_ line: Substring) -> Bool {
        let words = line.split(separator: " ")
        guard let verb = words.first else { return false }
        if verb == "nmi", words.count == 1 {
            steps.append(.nmi)
            return true
        }
        guard words.count > 1 else { return false }
        if verb == "at" {
            guard words[1].hasSuffix(":"), let address = UInt64(words[1].dropLast(), radix: 16) else { return false }
            let bytes = words.dropFirst(2).compactMap { UInt8($0, radix: 16) }
            guard bytes.count == words.count - 2 else { return false }
            // Consecutive lines are one write.
            if case .write(let start, let earlier)? = steps.last, start &+ UInt64(earlier.count) == address,
                earlier.count % Self.bytesPerLine == 0
            {
                steps[steps.count - 1] = .write(start, earlier + bytes)
            } else {
                steps.append(.write(address, bytes))
            }
            return true
        }
        guard words.count == 2, let value = UInt64(words[1], radix: 16) else { return false }
        switch verb {
        case "cpus" where (1...8).contains(value): processors = Int(value)
        case "memory" where (1 << 12...1 << 40).contains(value): memoryBytes = value
        case "enter" where value <= UInt64(UInt32.max): steps.append(.enter(UInt32(value)))
        case "run": steps.append(.run(value))
        case "interrupt" where value < 256: steps.append(.interrupt(UInt8(value)))
        default: return false
        }
        return true
    }

    private static func hex(_ value: some BinaryInteger) -> String { String(value, radix: 16) }
}
