import Testing
import X86Architecture
@testable import X86Machine

/// Everything of a run that a guest could see.
private struct Outcome: Equatable {
    var registers: [UInt64], flags: UInt64, rip: UInt64, cycles: UInt64, instructions: UInt64, memory: UInt128
}

@Suite("How blocks are cut changes nothing") struct BlockEquivalenceTests {
    private enum Manner: CaseIterable { case whole, stepped, bySlices, byInstructions, forgetful }

    private func run(_ program: RandomProgram, _ manner: Manner, seed: UInt64) -> Outcome {
        var r = SplitMix(seed: seed), slices = SplitMix(seed: seed ^ 99)
        let guest = TestGuest(model: .everything), p = guest.p
        guest.load(program.bytes, at: TestGuest.code)
        for n in 0..<16 where n != 4 { p.setGPR(n, r.operand()) }
        for n in 0..<(RandomProgram.dataBytes / 8) { guest.write(RandomProgram.data + 8 * n, r.operand()) }
        for n in 0..<200 as Range<UInt64> { guest.write(RandomProgram.counters + 4 * n, UInt32(1 + r.below(6))) }
        // A fault ends the program, too.
        for v in 0..<256 as Range<UInt64> { guest.write(TestGuest.handlers + 16 * v, 0xf4 as UInt8) }
        p.rflags = 2 | r.next() & RFLAGS.arithmetic
        var turns = 0
        while p.system.activity == .active && turns < 200_000 {
            turns += 1
            switch manner {
            case .whole: _ = p.execute(until: .max)
            case .stepped: p.stepInstruction()
            case .bySlices: _ = p.execute(until: p.cpu.pointee.cycles + 1 + UInt64(slices.below(150)))
            case .byInstructions: _ = p.execute(until: .max, instructions: 1 + UInt64(slices.below(40)))
            case .forgetful:
                _ = p.execute(until: p.cpu.pointee.cycles + 1 + UInt64(slices.below(300)))
                if slices.oneIn(3) { p.engine.dropEverything() }
                if slices.oneIn(3) { p.flushFast() }
            }
        }
        var hash = StableHash()
        for n in 0..<(RandomProgram.dataBytes / 8) { hash.add(guest.read(RandomProgram.data + 8 * n)) }
        for n in 0..<64 as Range<UInt64> { hash.add(guest.read(TestGuest.stackTop - 8 * n)) }
        return Outcome(registers: (0..<16).map { p.gpr($0) }, flags: p.rflags, rip: p.cpu.pointee.rip,
            cycles: p.cpu.pointee.cycles,
                       instructions: p.cpu.pointee.instructions, memory: hash.value)
    }

    @Test("Random programs end in one state at one cycle, however they are cut",
        arguments: 1...60 as ClosedRange<UInt64>)
    func programs(seed: UInt64) throws {
        var r = SplitMix(seed: seed)
        // Every fifth program may fault: #DE, #GP of a misaligned CMPXCHG16B.
        let faulting: Set<String> = seed % 5 == 0 ? [] : ["div", "idiv", "cmpxchg16b"]
        let samples = try InstructionSamples(InstructionSamples.semantics.subtracting(faulting))
        let program = RandomProgram(samples, &r, items: 60, base: TestGuest.code)
        let whole = run(program, .whole, seed: seed)
        for manner in Manner.allCases where manner != .whole {
            let other = run(program, manner, seed: seed)
            #expect(other == whole, "seed \(seed), \(manner)")
        }
    }
}
