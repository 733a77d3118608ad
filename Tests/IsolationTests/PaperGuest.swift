@testable import Boot
import Isolation
import LVD
import X86Architecture
@testable import X86Machine

/// Paging structures of a kernel and one domain, laid into a machine's memory by hand: enough for the rules to judge,
/// and every entry can be made wrong.
///
/// Kernel: an EPT that maps guest-physical addresses to themselves, a page table with its code, the shared crossing
/// code and the state page. Domain: an EPT and a page table of its own under the same CR3 value, with the same shared
/// pages (another state page behind one of them), its code and its heap.
final class PaperGuest {
    static let kernelCode: UInt64 = 0xffff_ffff_8020_0000
    static let sharedCode: UInt64 = 0xffff_ffff_8030_0000
    static let statePage: UInt64 = 0xffff_ffff_8031_0000
    static let domainCode: UInt64 = 0xffff_ffff_a000_0000
    static let domainHeap: UInt64 = 0xffff_ffff_a100_0000
    /// A declared VMFUNC that insists on ECX = 1.
    static let callSite = LinearAddress(sharedCode + 0x10)
    /// A declared VMFUNC that insists on ECX = 0.
    static let returnSite = LinearAddress(sharedCode + 0x20)
    static let cr3: UInt64 = 0x8000
    /// Where the domain's own guest-physical addresses begin.
    static let domainGPA: UInt64 = 0x7f_8000_0000

    let machine = Machine(MachineConfiguration())
    private var free: UInt64 = 0x10_0000
    /// Where the processors' interrupt stacks are; nil: nowhere.
    var interruptStacks: Range<UInt64>?
    /// What else the kernel's image has a name for, by place in its page.
    var kernelSymbols: [(name: String, offset: UInt64)] = []
    private(set) var kernelEPT: UInt64 = 0
    private(set) var domainEPT: UInt64 = 0
    private(set) var domainRoot: UInt64 = 0
    private(set) var kernelState: UInt64 = 0
    private(set) var domainState: UInt64 = 0
    private(set) var domainHeapPage: UInt64 = 0

    struct Rights: OptionSet {
        let rawValue: UInt64
        static let read = Rights(rawValue: 1), write = Rights(rawValue: 2), execute = Rights(rawValue: 4)
        static let all: Rights = [.read, .write, .execute]
    }

    init() {
        kernelEPT = page() | 0x1e
        domainEPT = page() | 0x1e
        for gpa in stride(from: UInt64(0), to: 0x80_0000, by: 4096) { mapEPT(kernelEPT, gpa, to: gpa) }
        let kernelPage = page()
        let sharedPage = page()
        kernelState = page()
        domainState = page()
        domainHeapPage = page()
        let codePage = page()
        write(kernelState, 1)

        map(Self.kernelCode, to: kernelPage, in: kernelView, [.read, .write, .execute])
        map(Self.sharedCode, to: sharedPage, in: kernelView, [.read, .execute])
        map(Self.statePage, to: kernelState, in: kernelView, [.read, .write])

        domainRoot = page()
        mapEPT(domainEPT, Self.cr3, to: domainRoot)
        mapDomain(Self.domainCode + 0x300_0000, to: domainRoot, [.read])  // its tables, the root first
        mapDomain(Self.sharedCode, to: sharedPage, [.read, .execute], ept: [.read, .execute])
        mapDomain(Self.statePage, to: domainState, [.read], ept: [.read])
        mapDomain(Self.domainCode, to: codePage, [.read, .execute])
        mapDomain(Self.domainHeap, to: domainHeapPage, [.read, .write])

        machine.processors[0].system.cr3 = Self.cr3
        machine.processors[0].system.cr0 = 0x8005_0033
        machine.processors[0].vmx.inNonRoot = true
    }

    var kernelView: AddressView { AddressView(cr3: Self.cr3, eptp: kernelEPT) }
    var domainView: AddressView { AddressView(cr3: Self.cr3, eptp: domainEPT) }

    var layout: GuestLayout {
        func range(_ name: String, _ page: UInt64) -> SharedRange {
            SharedRange(name: name, range: page..<page + 4096, writable: false, executable: true, backing: .common)
        }
        let symbols = SymbolMap([
            .init(name: "kernel_function", address: LinearAddress(Self.kernelCode), size: 4096),
            .init(name: "vmfunc_trampoline", address: LinearAddress(Self.sharedCode), size: 0x30),
            .init(name: "vmfunc_springboard_return", address: LinearAddress(Self.sharedCode + 0x30), size: 0x10),
            .init(name: "vmfunc_springboard_entry", address: LinearAddress(Self.sharedCode + 0x40), size: 0x10),
            .init(name: "interrupt_entry", address: LinearAddress(Self.sharedCode + 0x50), size: 0x20),
            .init(name: "vmfunc_end", address: LinearAddress(Self.sharedCode + 0x70), size: 4096 - 0x70)
        ] + kernelSymbols.map { .init(name: $0.name, address: LinearAddress(Self.kernelCode + $0.offset), size: 8) })
        let driver = DriverLayout(
            name: "paper", file: "paper.ko", domain: 0, base: LinearAddress(Self.domainCode), entry: nil,
            initModule: LinearAddress(Self.domainCode), cleanupModule: nil,
            segments: [
                .init(name: "text", range: Self.domainCode..<Self.domainCode + 4096, writable: false, executable: true)
            ], symbols: SymbolMap([]))
        var layout = GuestLayout(
            kernel: symbols, monitor: SymbolMap([]), drivers: [driver],
            vmFunctionSites: [
                VMFunctionSite(address: Self.callSite, expectedECX: 1),
                VMFunctionSite(address: Self.returnSite, expectedECX: 0),
                VMFunctionSite(address: LinearAddress(Self.sharedCode + 0x30), expectedECX: 1),
                VMFunctionSite(address: LinearAddress(Self.sharedCode + 0x40), expectedECX: 0),
                VMFunctionSite(address: LinearAddress(Self.sharedCode + 0x50), expectedECX: 0),
                VMFunctionSite(address: LinearAddress(Self.sharedCode + 0x60), expectedECX: 1)
            ], isolated: true)
        layout.sharedRanges = [range("crossing", Self.sharedCode), range("state", Self.statePage)]
        if let interruptStacks {
            layout.sharedRanges.append(
                SharedRange(
                    name: "lvd_ist_stacks", range: interruptStacks, writable: true, executable: false,
                    backing: .perProcessor))
        }
        layout.statePage = LinearAddress(Self.statePage)
        return layout
    }

    // MARK: Memory

    func page() -> UInt64 {
        defer { free += 4096 }
        return free
    }
    func write(_ address: UInt64, _ value: UInt64) {
        machine.writePhysical(
            (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }, at: PhysicalAddress(address))
    }
    func read(_ address: UInt64) -> UInt64 { machine.view.readPhysical(PhysicalAddress(address), as: UInt64.self) }

    /// Maps one 4-KiB page in an EPT, making tables as needed.
    func mapEPT(_ eptp: UInt64, _ gpa: UInt64, to physical: UInt64, _ rights: Rights = .all) {
        var table = eptp & ~0xfff
        for level in [UInt64(39), 30, 21] {
            let slot = table + (gpa >> level & 511) * 8
            if read(slot) == 0 { write(slot, page() | 7) }
            table = read(slot) & ~0xfff
        }
        write(table + (gpa >> 12 & 511) * 8, physical | rights.rawValue | 6 << 3)
    }

    /// Maps one 4-KiB page in a page table; tables are pages that the view's EPT maps to themselves.
    func map(_ linear: UInt64, to gpa: UInt64, in view: AddressView, _ rights: Rights) {
        let slot = leaf(linear, view)
        write(slot, gpa | 1 | (rights.contains(.write) ? 2 : 0) | (rights.contains(.execute) ? 0 : 1 << 63))
    }

    /// Where the last-level entry for an address is, in physical memory.
    func leaf(_ linear: UInt64, _ view: AddressView) -> UInt64 {
        var table = view.cr3
        for level in [UInt64(39), 30, 21] {
            let slot = physical(table, view) + (linear >> level & 511) * 8
            if read(slot) == 0 {
                let fresh = page()
                // The domain's tables have guest-physical addresses of its own.
                let gpa = view.eptp == domainEPT ? Self.domainGPA + 0x4000_0000 + fresh : fresh
                if view.eptp == domainEPT { mapEPT(domainEPT, gpa, to: fresh) }
                write(slot, gpa | 3)
            }
            table = read(slot) & 0x000f_ffff_ffff_f000
        }
        return physical(table, view) + (linear >> 12 & 511) * 8
    }

    private func physical(_ gpa: UInt64, _ view: AddressView) -> UInt64 {
        machine.view.peekEPT(GuestPhysicalAddress(gpa), eptp: view.eptp)!.0.rawValue
    }

    /// Maps one page of the domain: its page table and its EPT.
    func mapDomain(_ linear: UInt64, to physical: UInt64, _ rights: Rights, ept: Rights = .all) {
        let gpa = Self.domainGPA + (linear & 0x3fff_ffff)
        mapEPT(domainEPT, gpa, to: physical, ept)
        map(linear, to: gpa, in: domainView, rights)
    }

    // MARK: Events

    /// A checker of some rules that has seen the launch of the kernel, with the pages it watches.
    func checker(_ invariants: [any Invariant.Type]) -> Checker {
        let checker = Checker(layout: layout, machine: machine.view, processors: 1, invariants: invariants) { _ in }
        checker.observe(.vmEntry(rip: LinearAddress(Self.kernelCode), eptp: kernelEPT), processor: 0, in: machine.view)
        return checker
    }
    func enter(_ checker: Checker, rip: LinearAddress = callSite, index: UInt32 = 1) {
        checker.observe(
            .eptpSwitch(rip: rip, index: index, from: kernelEPT, to: domainEPT), processor: 0, in: machine.view)
    }
    func leave(_ checker: Checker, rip: LinearAddress = returnSite, index: UInt32 = 0) {
        checker.observe(
            .eptpSwitch(rip: rip, index: index, from: domainEPT, to: kernelEPT), processor: 0, in: machine.view)
    }
    /// MOV to CR3 without an exit, in whichever view is active.
    func load(_ cr3: UInt64, _ checker: Checker) {
        let old = machine.processors[0].system.cr3
        machine.processors[0].system.cr3 = cr3
        checker.observe(
            .controlRegisterWrite(register: 3, old: old, new: cr3, rip: LinearAddress(Self.kernelCode)), processor: 0,
            in: machine.view)
    }
    /// A write by the guest, as the machine reports it for a watched page.
    func guestWrite(_ checker: Checker, _ address: UInt64, _ value: UInt64) {
        write(address, value)
        checker.observe(
            .watchedWrite(address: PhysicalAddress(address), size: 8, rip: LinearAddress(Self.domainCode)),
            processor: 0,
            in: machine.view)
    }
}

extension PaperGuest {
    func clearWriteProtect() { machine.processors[0].system.cr0 &= ~(1 << 16) }
    func setRAX(_ value: UInt64) { setRegister(0, value) }
    func setRegister(_ number: Int, _ value: UInt64) { machine.processors[0].setGPR(number, value) }
    /// A word of the kernel's page.
    func setKernelWord(_ offset: UInt64, _ value: UInt64) {
        var reader = TranslationReader(machine.view)
        write(reader.translate(Self.kernelCode, in: kernelView)!.physical.rawValue + offset, value)
    }
    /// As if the processor had once walked to a page of the domain.
    func cacheTranslation(_ linear: UInt64, to frame: UInt64, _ rights: TranslationRights) {
        machine.processors[0].translations.insert(
            Translation(page: linear, frame: frame, ep4ta: domainEPT & ~0xfff, rights: rights))
    }
}

extension PaperGuest {
    /// Puts processor 0 into VMX non-root operation with a list of its own; returns the list's physical address.
    func installList() -> UInt64 {
        let list = page()
        write(list, kernelEPT)
        write(list + 8, domainEPT)
        machine.processors[0].vmx.controls.secondary = .enableVMFunctions
        machine.processors[0].vmx.controls.vmFunctions = .eptpSwitching
        machine.processors[0].vmx.controls.eptpList = list
        return list
    }
}
