import Testing
import X86Architecture
@testable import X86Machine

@Suite("Physical memory")
struct PhysicalMemoryTests {
    @Test("RAM ends at the hole and continues at 4 GiB")
    func layout() {
        let memory = PhysicalMemory(bytes: 5 << 30)
        #expect(memory.lowBytes == 3 << 30)
        for address in [0, 0xBFFF_FFFF, 0x1_0000_0000, 0x1_7FFF_FFFF] as [UInt64] {
            #expect(memory.isRAM(.init(address)))
        }
        for address in [0xC000_0000, 0xFFFF_FFFF, 0x1_8000_0000, .max] as [UInt64] {
            #expect(!memory.isRAM(.init(address)))
        }
        for address in [0, 0xBFFF_F000, 0x1_0000_0000, 0x1_7FFF_F000] as [UInt64] {
            #expect(memory.frame(of: .init(address)).map(memory.address(ofFrame:)) == .init(address))
        }
    }

    @Test("Loads and stores of every width at any alignment, within and across pages",
          arguments: [0x100, 0x101, 0xFF9, 0xFFD, 0xFFF])
    func widths(address: UInt64) {
        let memory = PhysicalMemory(bytes: 1 << 20)
        memory.storeUnnotified(.init(address), 0x1122_3344_5566_7788 as UInt64)
        #expect(memory.load(.init(address), as: UInt64.self) == 0x1122_3344_5566_7788)
        #expect(memory.load(.init(address + 1), as: UInt32.self) == 0x4455_6677)
        #expect(memory.load(.init(address + 7), as: UInt8.self) == 0x11)
        memory.storeUnnotified(.init(address + 2), 0xABCD as UInt16)
        #expect(memory.load(.init(address), as: UInt64.self) == 0x1122_3344_ABCD_7788)
    }

    @Test("Outside RAM: reads are ones, writes are lost, and an access that straddles the end is split")
    func floating() {
        let memory = PhysicalMemory(bytes: 0x2000)
        #expect(memory.load(.init(0x2000), as: UInt64.self) == .max)
        memory.storeUnnotified(.init(0x1FFC), 0x1122_3344_5566_7788 as UInt64)
        #expect(memory.load(.init(0x1FFC), as: UInt64.self) == 0xFFFF_FFFF_5566_7788)
        #expect(memory.load(.init(.max), as: UInt64.self) & 0xFF == 0xFF)
        #expect(memory.hostAddress(of: .init(0x2000)) == nil)
    }

    @Test("A size that is not whole pages is rounded up")
    func rounding() { #expect(PhysicalMemory(bytes: 0x1801).bytes == 0x2000) }

    @Test("A fresh page asks to be saved before its first write, and no longer after it")
    func firstWrite() {
        let memory = PhysicalMemory(bytes: 0x4000)
        #expect(memory.flags(ofPage: .init(0x1000)) == .undo)
        memory.storeUnnotified(.init(0x1008), 1 as UInt8)
        #expect(memory.flags(ofPage: .init(0x1000)) == .none)
        #expect(memory.flags(ofPage: .init(0x2000)) == .undo)
    }

    @Test("Two gigabytes of RAM cost no memory until they are used")
    func sparse() {
        let memory = PhysicalMemory(bytes: 2 << 30)
        #expect(memory.load(.init(0x7FFF_FFF8), as: UInt64.self) == 0)
        #expect(memory.writtenFrames.isEmpty)
    }

    @Test("A write to a watched page is reported after the write, with address, size and RIP")
    func watch() throws {
        final class Recorder: Observer {
            let events: EventMask = .watch
            var seen: [(PhysicalAddress, UInt8, UInt64)] = []
            func observe(_ event: Event, processor: Int, in machine: MachineView) {
                guard case .watchedWrite(let address, let size, let rip) = event else { return }
                seen.append((address, size, machine.readPhysical(address, as: UInt64.self)))
                #expect(rip == LinearAddress(0xFFF0))
            }
        }
        let machine = Machine(configuration())
        let recorder = Recorder()
        machine.addObserver(recorder)
        machine.watch(page: .init(0x3123))
        try machine.physicalStore(.init(0x3008), 0x55 as UInt32, from: machine.processors[0])
        try machine.physicalStore(.init(0x4008), 0x55 as UInt32, from: machine.processors[0])
        machine.unwatch(page: .init(0x3000))
        try machine.physicalStore(.init(0x3008), 0x66 as UInt32, from: machine.processors[0])
        #expect(recorder.seen.map(\.0) == [.init(0x3008)] && recorder.seen.map(\.1) == [4])
        #expect(recorder.seen.map(\.2) == [0x55])
    }
}
