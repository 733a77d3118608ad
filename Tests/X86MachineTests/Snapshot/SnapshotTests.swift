import Testing
import X86Architecture
@testable import X86Machine

@Suite("Snapshots")
struct SnapshotTests {
    let machine = Machine(configuration())

    private func write(_ page: UInt64, _ value: UInt64) throws {
        try machine.physicalStore(.init(page << 12), value, from: machine.processors[0])
    }
    private func read(_ page: UInt64) -> UInt64 { machine.memory.load(.init(page << 12), as: UInt64.self) }

    @Test("Restoring brings back pages, registers, devices and due events")
    func restoresEverything() throws {
        let p = machine.processors[0]
        defer { withExtendedLifetime(machine) {} }  // A processor does not keep its machine.
        try write(1, 11)
        p.setGPR(3, 0x1234)
        p.system.cr2 = 5
        machine.injectNMI(processor: 0, atCycle: 100)
        let digest = machine.digest
        let snapshot = machine.snapshot()
        try write(1, 12)
        try write(2, 22)
        p.setGPR(3, 0)
        p.system.cr2 = 6
        p.cpu.pointee.cycles = 77
        try machine.portWrite(0x70, size: 1, 0x20, from: p)
        machine.advanceClock(to: 1000)
        #expect(machine.digest != digest)
        machine.restore(snapshot)
        #expect(machine.digest == digest)
        #expect(read(1) == 11 && read(2) == 0 && p.gpr(3) == 0x1234 && p.cpu.pointee.cycles == 0)
        #expect(machine.platform.events.nextCycle == 100)
    }

    @Test("Only pages written since the snapshot are saved, each once")
    func copyOnWrite() throws {
        for page in 1...100 as ClosedRange<UInt64> { try write(page, page) }
        let snapshot = machine.snapshot()
        for value in 0..<50 as Range<UInt64> { try write(7, value) }
        try write(8, 1)
        try write(200, 1)
        #expect(snapshot.memory.saved.map(\.frame) == [7, 8, 200])
        machine.restore(snapshot)
        #expect(read(7) == 7 && read(8) == 8 && read(200) == 0)
        #expect(snapshot.memory.saved.isEmpty)
    }

    @Test("A base and nested snapshots: any of them can be returned to, in any order, repeatedly")
    func tree() throws {
        try write(1, 1)
        let base = machine.snapshot()
        try write(1, 2)
        try write(2, 2)
        let middle = machine.snapshot()
        try write(2, 3)
        try write(3, 3)
        let leaf = machine.snapshot()
        try write(1, 9)
        try write(4, 9)
        let expected: [(MachineSnapshot, [UInt64])] = [
            (base, [1, 0, 0, 0]), (middle, [2, 2, 0, 0]), (leaf, [2, 3, 3, 0]),
        ]
        for i in [0, 2, 1, 1, 2, 0, 1, 0, 2] {
            machine.restore(expected[i].0)
            #expect((1...4).map(read) == expected[i].1, "snapshot \(i)")
            try write(UInt64(i + 1), 77)
            try write(4, 78)
        }
        // A branch from the middle leaves its siblings intact.
        machine.restore(middle)
        try write(3, 55)
        let branch = machine.snapshot()
        machine.restore(leaf)
        #expect((1...4).map(read) == [2, 3, 3, 0])
        machine.restore(branch)
        #expect((1...4).map(read) == [2, 2, 55, 0])
    }

    @Test("Forking at every step from a base, as explore does, keeps no pages of snapshots that were let go")
    func forks() throws {
        let base = machine.snapshot()
        for step in 0..<200 as Range<UInt64> {
            try write(5, step)
            let fork = machine.snapshot()
            try write(6, step)
            machine.restore(fork)
            #expect(read(5) == step && read(6) == 0)
        }
        machine.restore(base)
        #expect(read(5) == 0)
    }

    @Test("The memory digest does not depend on the order of writes, nor on pages that became zero again")
    func digestOfMemory() throws {
        let other = Machine(configuration())
        for page in [3, 1, 2] as [UInt64] { try write(page, page) }
        for page in [1, 9, 2, 3] as [UInt64] {
            try other.physicalStore(.init(page << 12), page, from: other.processors[0])
        }
        #expect(machine.digest != other.digest)
        try other.physicalStore(.init(9 << 12), 0 as UInt64, from: other.processors[0])
        #expect(machine.digest == other.digest)
        try write(3, 4)
        #expect(machine.digest != other.digest)
    }

    @Test("The same contents at another address are another digest")
    func digestOfPlace() throws {
        let other = Machine(configuration())
        try write(1, 7)
        try other.physicalStore(.init(2 << 12), 7 as UInt64, from: other.processors[0])
        #expect(machine.digest != other.digest)
    }
}
