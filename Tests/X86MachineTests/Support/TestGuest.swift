import X86Architecture
@testable import X86Machine

/// A machine with one processor in 64-bit mode at CPL 0: paging on, a GDT, an IDT whose gates lead to distinguishable
/// handlers, a TSS with RSP0 to RSP2 and seven IST stacks. Everything below 64 MiB may be used by a test.
final class TestGuest {
    let machine: Machine
    var p: Processor { machine.processors[0] }

    static let gdt: UInt64 = 0x1000, tss: UInt64 = 0x2000, idt: UInt64 = 0x3000
    /// Entry of the handler of vector v: `handlers + 16 * v`.
    static let handlers: UInt64 = 0x8000
    static let code: UInt64 = 0x1_0000
    static let stackTop: UInt64 = 0x2_0000
    /// Tops of RSP0, RSP1, RSP2.
    static func rsp(_ n: UInt64) -> UInt64 { 0x3_1000 + n * 0x1000 }
    /// Tops of IST1 to IST7.
    static func ist(_ n: UInt64) -> UInt64 { 0x4_0000 + n * 0x1000 }
    static let root: UInt64 = 0x10_0000

    // Selectors: the layout that STAR wants.
    static let kernelCode: UInt16 = 0x08, kernelData: UInt16 = 0x10
    static let userCode32: UInt16 = 0x1B, userData: UInt16 = 0x23, userCode: UInt16 = 0x2B
    static let kernelCode32: UInt16 = 0x30, conformingCode: UInt16 = 0x38, tssSelector: UInt16 = 0x40
    /// Free for tests.
    static let spare: UInt16 = 0x58, spare2: UInt16 = 0x60

    private var nextTable = root + 0x1000

    init(model: ProcessorModel = .haswellEP, seed: UInt64 = 1, processors: Int = 1) {
        var configuration = MachineConfiguration()
        configuration.memoryBytes = 64 << 20
        configuration.model = model
        configuration.seed = seed
        configuration.processorCount = processors
        machine = Machine(configuration)
        for (n, d) in Self.descriptors.enumerated() { write(Self.gdt + UInt64(8 * n), d) }
        write(Self.gdt + UInt64(Self.tssSelector), 0x0000_8B00_2000_0067 as UInt64)
        write(Self.gdt + UInt64(Self.tssSelector) + 8, 0 as UInt64)
        for n in 0..<3 { write(Self.tss + 4 + UInt64(8 * n), Self.rsp(UInt64(n))) }
        for n in 1..<8 { write(Self.tss + 28 + UInt64(8 * n), Self.ist(UInt64(n))) }
        write(Self.tss + 0x66, UInt16(0x68))
        for v in 0..<256 { setGate(UInt8(v)) }
        // Linear = physical for all of memory, writable, user, executable.
        for page in stride(from: 0, to: configuration.memoryBytes, by: 0x20_0000) {
            map(page, to: page, [.writable, .user], shift: 21)
        }
        let p = machine.processors[0]
        defer { withExtendedLifetime(machine) {} }  // A processor does not keep its machine.
        p.reset(.powerUp)
        p.system.cr0 = 0x8001_0033
        p.system.cr3 = Self.root
        p.system.cr4 = CR4.physicalAddressExtension | CR4.pageGlobalEnable
        p.system.efer = EFER.longModeEnable | EFER.longModeActive | EFER.executeDisableEnable | EFER.systemCallEnable
        p.system.gdtr = DescriptorTable(base: Self.gdt, limit: 0xFFF)
        p.system.idtr = DescriptorTable(base: Self.idt, limit: 0xFFF)
        p.system.segments[SegmentIndex.tr] = Segment(
            selector: Self.tssSelector, base: Self.tss, limit: 0x67, access: 0x8B)
        p.system.segments[SegmentIndex.ldtr] = .null()
        setLevel(0)
        p.cpu.pointee.rip = Self.code
        p.setGPR(GPR.rsp, Self.stackTop)
        p.boundaryWork = false
    }

    private static let descriptors: [UInt64] = [
        0, 0x00AF_9B00_0000_FFFF, 0x00CF_9300_0000_FFFF, 0x00CF_FB00_0000_FFFF, 0x00CF_F300_0000_FFFF,
        0x00AF_FB00_0000_FFFF, 0x00CF_9B00_0000_FFFF, 0x00AF_9F00_0000_FFFF,
    ]

    // MARK: Memory

    func write<T: FixedWidthInteger & UnsignedInteger>(_ a: UInt64, _ v: T) {
        machine.memory.storeUnnotified(PhysicalAddress(a), v)
    }
    func read(_ a: UInt64) -> UInt64 { machine.memory.load(PhysicalAddress(a), as: UInt64.self) }
    func read32(_ a: UInt64) -> UInt32 { machine.memory.load(PhysicalAddress(a), as: UInt32.self) }

    struct PageBits: OptionSet {
        let rawValue: UInt64
        static let writable = PageBits(rawValue: PagingEntry.writable), user = PageBits(rawValue: PagingEntry.user)
        static let noExecute = PageBits(rawValue: PagingEntry.executeDisable)
        static let global = PageBits(rawValue: PagingEntry.global)
    }

    /// Maps a page of the 4-level tables at `root`; upper levels allow everything. Returns where its entry is.
    @discardableResult
    func map(_ linear: UInt64, to physical: UInt64, _ bits: PageBits, shift: UInt64 = 12) -> UInt64 {
        var table = Self.root, level: UInt64 = 39
        while level > shift {
            let at = table + (linear >> level & 0x1FF) * 8
            if read(at) & 1 == 0 {
                write(at, nextTable | 7)
                nextTable += 0x1000
            }
            table = read(at) & PagingEntry.address
            level -= 9
        }
        let at = table + (linear >> shift & 0x1FF) * 8
        write(at, physical | bits.rawValue | PagingEntry.present | (shift > 12 ? PagingEntry.pageSize : 0))
        return at
    }
    /// The address of the entry for `linear` at the level that translates bit `shift`.
    func entry(_ linear: UInt64, shift: UInt64) -> UInt64 {
        var table = Self.root, level: UInt64 = 39
        while level > shift {
            table = read(table + (linear >> level & 0x1FF) * 8) & PagingEntry.address
            level -= 9
        }
        return table + (linear >> shift & 0x1FF) * 8
    }

    /// A 64-bit gate to the vector's handler.
    func setGate(
        _ vector: UInt8, type: UInt64 = 0xE, dpl: UInt64 = 0, ist: UInt64 = 0, present: Bool = true,
        selector: UInt16 = TestGuest.kernelCode
    ) {
        let target = Self.handlers + 16 * UInt64(vector)
        let access = type | dpl << 5 | (present ? 0x80 : 0)
        write(
            Self.idt + 16 * UInt64(vector),
            target & 0xFFFF | UInt64(selector) << 16 | ist << 32 | access << 40 | (target >> 16 & 0xFFFF) << 48)
        write(Self.idt + 16 * UInt64(vector) + 8, target >> 32)
    }
    func setDescriptor(_ selector: UInt16, _ value: UInt64) { write(Self.gdt + UInt64(selector & 0xFFF8), value) }

    // MARK: Processor

    /// 64-bit code at this privilege level.
    func setLevel(_ cpl: UInt8) {
        p.system.cpl = cpl
        let privilege = UInt32(cpl) << 5
        p.system.segments[SegmentIndex.cs] = Segment(
            selector: cpl == 3 ? Self.userCode : Self.kernelCode | UInt16(cpl), base: 0, limit: .max,
            access: 0xA09B | privilege)
        p.system.segments[SegmentIndex.ss] = Segment(
            selector: cpl == 3 ? Self.userData : Self.kernelData | UInt16(cpl), base: 0, limit: .max,
            access: 0xC093 | privilege)
        for n in [SegmentIndex.es, SegmentIndex.ds, SegmentIndex.fs, SegmentIndex.gs] { p.system.segments[n] = .null() }
        p.modeChanged()
    }

    /// The exception that `body` throws, if it throws one.
    func fault(_ body: () throws(Interruption) -> Void) -> Exception? {
        do throws(Interruption) { try body() } catch {
            if case .exception(let e) = error { return e }
        }
        return nil
    }
    func translate(_ a: UInt64, _ kind: AccessKind, _ privilege: Privilege = .current) -> UInt64? {
        try? p.translate(LinearAddress(a), kind, privilege).rawValue
    }

    /// Places an instruction at RIP and steps over it. A boundary before it is taken to have been looked at.
    func execute(_ bytes: [UInt8]) {
        let base = p.is64BitMode ? 0 : p.system.segments[SegmentIndex.cs].base
        machine.writePhysical(bytes, at: PhysicalAddress(base + p.cpu.pointee.rip))
        p.boundaryWork = false
        p.stepInstruction()
    }
    /// The vector whose handler's first instruction is next.
    var handledVector: UInt8? {
        let offset = p.cpu.pointee.rip &- Self.handlers
        return offset < 16 * 256 && offset % 16 == 0 ? UInt8(offset / 16) : nil
    }
    /// Quadword `n` of the frame on top of the stack.
    func frame(_ n: UInt64) -> UInt64 { read(p.gpr(GPR.rsp) + 8 * n) }
}

extension TestGuest {
    /// Writes code at a physical address, as a store would: what was translated from there is forgotten.
    func load(_ bytes: [UInt8], at a: UInt64) {
        for (n, byte) in bytes.enumerated() { write(a + UInt64(n), byte) }
        machine.pageWritten(PhysicalAddress(a), size: 1, by: nil)
        machine.pageWritten(PhysicalAddress(a + UInt64(bytes.count)), size: 1, by: nil)
    }
}
