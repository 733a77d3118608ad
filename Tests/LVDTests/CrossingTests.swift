@testable import Boot
import LVD
import Testing
import X86Architecture
@testable import X86Machine

@Suite("Crossings, from events")
struct CrossingTests {
    static let trampoline: UInt64 = 0xffff_ffff_8030_0000
    static let springboard: UInt64 = 0xffff_ffff_8030_1000
    static let entryText: UInt64 = 0xffff_ffff_8030_2000
    static let kernelEPT: UInt64 = 0x10_001e
    static let domainEPT: UInt64 = 0x20_001e

    static var layout: GuestLayout {
        func symbol(_ name: String, _ address: UInt64) -> SymbolMap.Symbol {
            .init(name: name, address: LinearAddress(address), size: 0x40)
        }
        func site(_ address: UInt64, _ ecx: UInt32) -> VMFunctionSite {
            VMFunctionSite(address: LinearAddress(address), expectedECX: ecx)
        }
        return GuestLayout(
            kernel: SymbolMap([
                symbol("vmfunc_trampoline", trampoline), symbol("vmfunc_springboard_entry", springboard),
                symbol("vmfunc_springboard_return", springboard + 0x80), symbol("interrupt_entry", entryText)
            ]), monitor: SymbolMap([]), drivers: [],
            vmFunctionSites: [
                site(trampoline + 8, 1), site(trampoline + 24, 0), site(springboard + 8, 0),
                site(springboard + 0x88, 1),
                site(entryText + 8, 0), site(entryText + 16, 1)
            ], isolated: true)
    }

    static let meanings: [(offset: UInt64, index: UInt32, crossing: Crossing)] = [
        (trampoline + 8, 1, .call), (trampoline + 24, 0, .callReturn), (springboard + 8, 0, .callback),
        (springboard + 0x88, 1, .callbackReturn), (entryText + 8, 0, .interruptEntry),
        (entryText + 16, 1, .interruptReturn),
        // The wrong index at a site, a site's neighbour, and an address that is none.
        (trampoline + 8, 0, .rogue), (trampoline + 9, 1, .rogue), (0x1000, 0, .rogue)
    ]

    @Test("a VMFUNC means what its place and its direction say", arguments: 0..<9)
    func meaning(number: Int) {
        let sites = CrossingSites(Self.layout)
        let (address, index, crossing) = Self.meanings[number]
        #expect(sites.crossing(rip: LinearAddress(address), index: index) == crossing)
    }

    @Test("a call with a callback and an interrupt inside is counted as what it is")
    func statistics() {
        let machine = Machine(MachineConfiguration())
        let observer = StatisticsObserver(layout: Self.layout, processors: 1)
        func see(_ event: Event) { observer.observe(event, processor: 0, in: machine.view) }
        func go(_ address: UInt64, _ index: UInt32) {
            let (from, to) = index == 0 ? (Self.domainEPT, Self.kernelEPT) : (Self.kernelEPT, Self.domainEPT)
            see(.eptpSwitch(rip: LinearAddress(address), index: index, from: from, to: to))
        }
        func interrupt() {
            see(
                .delivered(
                    vector: 0x40, kind: .external, rip: LinearAddress(0), rsp: 0, frame: LinearAddress(0)))
        }
        interrupt()
        see(.vmEntry(rip: LinearAddress(0), eptp: Self.kernelEPT))
        interrupt()
        go(Self.trampoline + 8, 1)
        interrupt()
        go(Self.entryText + 8, 0)
        see(.vmExit(reason: ExitReason.wrmsr.rawValue, qualification: 0, rip: LinearAddress(0)))
        see(.vmExit(reason: ExitReason.cpuid.rawValue, qualification: 0, rip: LinearAddress(0)))
        see(.vmExit(reason: ExitReason.wrmsr.rawValue, qualification: 0, rip: LinearAddress(0)))
        go(Self.entryText + 16, 1)
        go(Self.springboard + 8, 0)
        go(Self.springboard + 0x88, 1)
        go(Self.trampoline + 24, 0)

        let counted = observer.statistics
        #expect(Crossing.allCases.map { counted.count($0) } == [1, 1, 1, 1, 1, 1, 0])
        #expect(counted.vmfunc == 6)
        #expect(counted.interrupts == 3)
        #expect(counted.interruptsInsideDomain == 1)
        #expect(counted.exits == 3)
        #expect(counted.exitsByReason.map(\.reason) == [ExitReason.cpuid.rawValue, ExitReason.wrmsr.rawValue])
        #expect(counted.exitsByReason.map(\.count) == [1, 2])
    }
}
