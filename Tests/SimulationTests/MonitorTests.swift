@testable import Boot
import Foundation
import LVD
import Simulation
import Testing
import X86Architecture
@testable import X86Machine

/// What the monitor owes the kernel, seen from outside the machine while our own images run.
@Suite("The monitor") struct MonitorTests {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func run(_ drivers: [String], cpus: Int = 1, _ words: [String] = ["timer=0"]) throws -> Run {
        let folder = root.path + "/fixtures/images/"
        var scenario = Scenario(drivers: drivers.map { folder + $0 }, workload: Workload(name: "tx", operations: 40))
        scenario.system.images = folder
        scenario.system.processorCount = cpus
        scenario.system.kernelArguments = words
        scenario.cyclesMax = 2_000_000_000
        return try Run(scenario)
    }

    /// Runs up to the call into a domain that is the `number`th.
    static func goToCall(_ number: Int, _ run: Run) {
        let stop = StopAtCall(run, number)
        run.machine.addObserver(stop)
        _ = run.machine.run(.cycle(run.scenario.cyclesMax))
        run.machine.removeObserver(stop)
        #expect(stop.left == 0)
    }
    private final class StopAtCall: Observer {
        let events: EventMask = .eptpSwitch
        let sites: CrossingSites
        let machine: Machine
        var left: Int
        init(_ run: Run, _ number: Int) {
            (sites, machine, left) = (CrossingSites(run.system.layout), run.machine, number)
        }
        func observe(_ event: Event, processor: Int, in view: MachineView) {
            guard case .eptpSwitch(let rip, let index, _, _) = event, left > 0,
                sites.crossing(rip: rip, index: index) == .call
            else { return }
            left -= 1
            if left == 0 { machine.requestStop() }
        }
    }

    // MARK: NMIs

    /// Deliveries of vector 2 to the guest, and what the guest's handler has counted.
    private final class NMICount: Observer {
        let events: EventMask = .delivery
        var delivered = 0
        func observe(_ event: Event, processor: Int, in machine: MachineView) {
            guard case .delivered(2, .nmi, _, _, _) = event, machine.vmx(of: processor).inNonRoot else { return }
            delivered += 1
        }
    }
    private func counted(_ run: Run) throws -> UInt64 {
        let results = try #require(run.system.layout.results)
        // lvd_results.per_cpu[0].nmis.
        return run.machine.view.readPhysical(
            PhysicalAddress(results.rawValue - DriverPlacement.kernelBase + 224 + 48), as: UInt64.self)
    }

    private enum Place: CaseIterable { case ring3, kernel, monitor, crossing, entryCode, domain }
    private func place(_ run: Run) -> Place {
        let view = run.machine.view, rip = view.rip(of: 0).rawValue, layout = run.system.layout
        if !view.vmx(of: 0).inNonRoot { return .monitor }
        if GuestLayout.processPages.contains(rip) { return .ring3 }
        if layout.crossingPages?.contains(rip) == true { return .crossing }
        if layout.isShared(rip) { return .entryCode }
        return layout.drivers[0].segments.contains { $0.range.contains(rip) } ? .domain : .kernel
    }

    /// Through a whole turn: ring 3, MOV CR3 with its exit, a call, a callback, an interrupt of the timer.
    @Test("an NMI reaches the kernel's handler once and soon, wherever it arrives")
    func nmi() throws {
        let run = try Self.run(["nullnet.ko"], ["timer=3000", "processes=5"])
        let machine = run.machine
        defer { withExtendedLifetime(machine) {} }
        Self.goToCall(16, run)
        var tried: [Place: Int] = [:]
        let before = try counted(run)
        for boundary in 0..<8000 {
            let place = place(run)
            // Everywhere in the monitor, where its own look for NMIs may be just over, and in all that crosses.
            let isEachTried = [.monitor, .crossing, .entryCode, .ring3].contains(place)
            if isEachTried || boundary % 16 == 0 {
                let snapshot = machine.snapshot(), count = NMICount()
                machine.addObserver(count)
                machine.injectNMI(processor: 0, atCycle: machine.view.cycles(of: 0))
                for _ in 0..<3000 where count.delivered == 0 { _ = machine.step(processor: 0) }
                let soon = count.delivered
                for _ in 0..<600 { _ = machine.step(processor: 0) }
                let handled = try counted(run) - before
                if soon != 1 || count.delivered != 1 || handled != 1 {
                    let what = "\(soon) soon, \(count.delivered) delivered, \(handled) handled"
                    Issue.record("boundary \(boundary), \(place): \(what)")
                }
                tried[place, default: 0] += 1
                machine.removeObserver(count)
                machine.restore(snapshot)
            }
            _ = machine.step(processor: 0)
        }
        for place in Place.allCases { #expect(tried[place] ?? 0 > 0, "\(place)") }
    }

    @Test("an NMI during the handler of another one waits for its end and is handled, too")
    func nestedNMI() throws {
        let run = try Self.run(["nullnet.ko"])
        let machine = run.machine, count = NMICount()
        defer { withExtendedLifetime(machine) {} }
        Self.goToCall(10, run)
        let before = try counted(run)
        machine.addObserver(count)
        machine.injectNMI(processor: 0, atCycle: machine.view.cycles(of: 0))
        for _ in 0..<3000 where count.delivered == 0 { _ = machine.step(processor: 0) }
        for _ in 0..<10 { _ = machine.step(processor: 0) }
        machine.injectNMI(processor: 0, atCycle: machine.view.cycles(of: 0))
        for _ in 0..<3000 { _ = machine.step(processor: 0) }
        #expect(count.delivered == 2)
        #expect(try counted(run) - before == 2)
    }

    @Test(
        "between a process's own VMFUNC and the fault behind it an interrupt brings it back, and an NMI does not",
        arguments: [(false, UInt64(0)), (true, 1)])
    func processInView(isNMI: Bool, killed: UInt64) throws {
        let run = try Self.run(["nullnet.ko"], ["timer=0", "processes=2", "process-attack=3"])
        let machine = run.machine
        defer { withExtendedLifetime(machine) {} }
        Self.goToCall(9, run)
        while place(run) != .ring3 || !run.checker.memory.views.isInDomain(0) {
            try #require(machine.step(processor: 0) == nil)
        }
        let now = machine.view.cycles(of: 0)
        if isNMI {
            machine.injectNMI(processor: 0, atCycle: now)
        } else {
            machine.injectInterrupt(vector: 0x44, processor: 0, atCycle: now)  // VECTOR_POKE
        }
        let result = run.run()
        #expect(result.status == .clean)
        #expect(result.crossings.interruptsInsideDomain + result.crossings.nmisInsideDomain == 1)
        #expect(result.guest?.counters.processesKilled == killed)
    }

    // MARK: Views

    private final class Lists: Observer {
        let events: EventMask = [.eptpSwitch, .vmTransition]
        let sites: CrossingSites
        var views: Views
        let layout: GuestLayout
        var entered: [Int: [UInt64]] = [:]
        var wrong: [String] = []
        init(_ run: Run) {
            layout = run.system.layout
            sites = CrossingSites(layout)
            views = Views(processors: run.machine.view.processorCount)
        }
        func observe(_ event: Event, processor: Int, in machine: MachineView) {
            _ = views.follow(event, processor: processor, machine: machine, layout: layout)
            guard case .eptpSwitch(let rip, let index, _, let to) = event,
                sites.crossing(rip: rip, index: index) == .call, let list = machine.vmx(of: processor).eptpList
            else { return }
            let words = (0..<512).map { machine.word(at: list + $0 * 8) }
            if words[0] != views.kernelEPTP[processor] || words[1] != to || words[2...].contains(where: { $0 != 0 }) {
                wrong.append("processor \(processor): \(words.filter { $0 != 0 })")
            }
            if entered[processor]?.last != to { entered[processor, default: []].append(to) }
        }
    }

    @Test("at each call the EPTP list is the kernel's view and the callee's, and nothing else; it follows the callee")
    func lists() throws {
        let run = try Self.run(["nullnet.ko", "nullnet.ko"], cpus: 2), lists = Lists(run)
        run.machine.addObserver(lists)
        #expect(run.run().status == .clean)
        #expect(lists.wrong.isEmpty, "\(lists.wrong.first ?? "")")
        for processor in 0..<2 {
            // Both domains in turn, packet by packet, each in this processor's view of it.
            #expect(lists.entered[processor]?.count ?? 0 > 20)
            #expect(Set(lists.entered[processor] ?? []).count == 2)
        }
        #expect(Set(lists.entered[0] ?? []).isDisjoint(with: lists.entered[1] ?? []))
    }

    /// Physical ranges that an EPT leads to.
    private func ranges(_ table: UInt64, level: UInt64, _ view: MachineView, _ found: inout [Range<UInt64>]) {
        for index in 0..<UInt64(512) {
            let entry = view.word(at: PhysicalAddress(table + index * 8)), span = UInt64(1) << (12 + 9 * (level - 1))
            guard entry & 7 != 0 else { continue }
            let address = entry & 0x000f_ffff_ffff_f000
            if level == 1 || entry & 1 << 7 != 0 {
                found.append(address..<address + span)
            } else {
                ranges(address, level: level - 1, view, &found)
            }
        }
    }

    @Test("the monitor's memory is in no view of the kernel's or of a domain's, on any processor", arguments: [0, 1])
    func ownMemory(interrupts: Int) throws {
        let run = try Self.run(["nullnet.ko", "nullnet.ko"], cpus: 2, ["timer=20000", "interrupts=\(interrupts)"])
        defer { withExtendedLifetime(run.machine) {} }
        Self.goToCall(30, run)
        let views = run.checker.memory.views, view = run.machine.view
        let eptps = views.kernelEPTP.compactMap { $0 } + views.domains.map(\.eptp)
        #expect(eptps.count == 2 + 4)
        for eptp in eptps {
            var found: [Range<UInt64>] = []
            ranges(eptp & ~0xfff, level: 4, view, &found)
            #expect(found.count > 100)
            #expect(!found.contains { $0.overlaps(LVDSystem.monitorMemory) }, "\(eptp)")
        }
        // What must not be seen lies there: the kernel's EPT itself, and what the VMCS names.
        for processor in 0..<2 {
            let bitmaps = try #require(view.vmcsField(.msrBitmaps, of: processor))
            for address in [bitmaps, eptps[processor] & ~0xfff] { #expect(LVDSystem.monitorMemory.contains(address)) }
        }
    }

    // MARK: Causes that no driver can bring about by itself

    private func physical(_ guest: UInt64, _ eptp: UInt64, _ run: Run) throws -> UInt64 {
        try #require(run.machine.view.peekEPT(GuestPhysicalAddress(guest), eptp: eptp)).0.rawValue
    }
    private func write(_ value: UInt64, at address: UInt64, _ run: Run) {
        run.machine.writePhysical(
            (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }, at: PhysicalAddress(address))
    }

    @Test("an EPT entry that makes no sense ends the domain that comes by it, and the report says so")
    func misconfiguration() throws {
        let run = try Self.run(["attacks/stray-heap.ko"])
        Self.goToCall(8, run)
        let eptp = try #require(run.checker.memory.views.domain(of: 0)).eptp
        // The last page of the heap's part of the window, which the driver reads at the eighth packet.
        let base = run.system.layout.drivers[0].base.rawValue
        let guest = base - DriverPlacement.kernelBase + DriverPlacement.domainPhysical + 0x140_0000 - 4096
        var table = eptp & ~0xfff
        for shift: UInt64 in [39, 30] {
            let entry = run.machine.view.word(at: PhysicalAddress(table + (guest >> shift & 511) * 8))
            table = entry & 0x000f_ffff_ffff_f000
        }
        write(0x2, at: table + (guest >> 21 & 511) * 8, run)  // writable and not readable
        let result = run.run()
        #expect(result.guest?.status == .killed)
        #expect(result.guest?.kill.meaning == "met a broken EPT entry")
    }

    @Test("a triple fault in a domain ends the domain and not the machine, and the report says so")
    func tripleFault() throws {
        let run = try Self.run(["attacks/ud.ko"])
        Self.goToCall(8, run)
        let domain = try #require(run.checker.memory.views.domain(of: 0))
        // Without its IDT the domain's exception can neither be delivered nor the fault of that.
        let idt = run.machine.view.registers(of: 0).idt.base
        var table = domain.cr3
        for shift: UInt64 in [39, 30, 21] {
            let entry = try physical(table, domain.eptp, run) + (idt >> shift & 511) * 8
            table = run.machine.view.word(at: PhysicalAddress(entry)) & 0x000f_ffff_ffff_f000
        }
        write(0, at: try physical(table, domain.eptp, run) + (idt >> 12 & 511) * 8, run)
        let result = run.run()
        #expect(result.guest?.status == .killed)
        #expect(result.guest?.kill.meaning == "caused a triple fault")
    }
}
