import CEngineState
import X86Architecture

/// 128 bits that stand for a state or a stream of events; equal in every process and on every host.
public struct MachineDigest: Equatable, Sendable, CustomStringConvertible {
    public let value: UInt128
    public init(_ value: UInt128) { self.value = value }
    /// 32 lower-case hexadecimal digits.
    public var description: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 32 - digits.count) + digits
    }
}

extension Machine {
    /// All architectural state: registers, system, VMX and APIC state and cached translations of every processor,
    /// devices, due events, RAM.
    public var digest: MachineDigest {
        var hash = StableHash()
        for processor in processors { processor.digest(into: &hash) }
        hash.add(state: platform.devices)
        for entry in platform.events.ordered {
            hash.add(entry.cycle)
            hash.add(state: entry.event)
        }
        let ram = memory.digest
        hash.add(UInt64(truncatingIfNeeded: ram))
        hash.add(UInt64(truncatingIfNeeded: ram >> 64))
        return MachineDigest(hash.value)
    }

    /// Every event so far, in order, with its processor and cycle. Constant unless `MachineConfiguration.hashesEvents`.
    public var eventDigest: MachineDigest { MachineDigest(platform.eventHash.value) }
}

extension Processor {
    /// Flags as evaluated, without what handlers leave in their scratch words.
    func digest(into hash: inout StableHash) {
        for n in 0..<16 { hash.add(gpr(n)) }
        for n in 0..<16 {
            let value = xmm(n)
            hash.add(value[0])
            hash.add(value[1])
        }
        hash.add(UInt64(cpu.pointee.mxcsr))
        hash.add(cpu.pointee.rip)
        hash.add(rflags)
        hash.add(cpu.pointee.cycles)
        hash.add(cpu.pointee.instructions)
        hash.add(state: system)
        hash.add(state: vmx)
        hash.add(state: apic)
        translations.digest(into: &hash)
    }
}

extension TranslationCache: Digestible {
    /// Independent of where the store happens to keep a translation: the sum of their hashes.
    func digest(into hash: inout StableHash) {
        var sum: UInt128 = 0
        forEach { t in
            var h = StableHash(key0: 1)
            h.add(state: t)
            sum &+= h.value
        }
        hash.add(UInt64(count))
        hash.add(UInt64(truncatingIfNeeded: sum))
        hash.add(UInt64(truncatingIfNeeded: sum >> 64))
    }
}

extension PhysicalMemory {
    /// The sum over all pages that are not zero of the hash of address and contents: independent of the order in which
    /// they were written, and of pages that were written and are zero again.
    var digest: UInt128 {
        var sum: UInt128 = 0
        for frame in writtenFrames {
            let page = hostAddress(ofFrame: Int(frame))
            if MemoryVersion.isZero(page) { continue }
            var hash = StableHash(key0: 2)
            hash.add(address(ofFrame: Int(frame)).rawValue)
            hash.add(UnsafeBufferPointer(start: page.assumingMemoryBound(to: UInt64.self), count: Int(Page.size) / 8))
            sum &+= hash.value
        }
        return sum
    }
}
