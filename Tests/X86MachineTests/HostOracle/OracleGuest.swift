import CHostProcessor
@testable import X86Architecture
import X86Decoder
@testable import X86Machine

/// A machine that looks to user code as the child process on the host does: the same pages at the same linear
/// addresses, the GDT of Linux (arch/x86/include/asm/segment.h), everything of the supervisor in the upper half.
final class OracleGuest {
    let machine: Machine
    let p: Processor
    /// Why the latest instruction stopped the machine, if it did.
    private(set) var stopped: String?

    /// Stands for the number of the host's processor, which changes from case to case.
    static let processorNumber: UInt64 = 0x5A5A
    private static let high: UInt64 = 0xFFFF_8000_0000_0000
    private static let gdt: UInt64 = 0x1000, tss: UInt64 = 0x2000, idt: UInt64 = 0x3000, ldt: UInt64 = 0x4000
    private static let stackTop: UInt64 = 0x8000, handlers: UInt64 = 0x8000, tables: UInt64 = 0x10_0000
    private static let codePages: UInt64 = 0x20_0000, dataPages: UInt64 = 0x22_0000

    init() {
        var configuration = MachineConfiguration()
        configuration.memoryBytes = 4 << 20
        configuration.model = .everything
        machine = Machine(configuration)
        p = machine.processors[0]
        makeTables()
        makePages()
        p.reset(.powerUp)
        p.system.cr0 = 0x8005_0033
        p.system.cr3 = Self.tables
        p.system.cr4 = CR4.physicalAddressExtension | CR4.pageGlobalEnable | CR4.osfxsr | CR4.osxmmexcpt
            | CR4.fsgsbase | CR4.osxsave
        p.system.xcr0 = XCR0.x87 | XCR0.sse | XCR0.avx
        p.system.efer = EFER.longModeEnable | EFER.longModeActive | EFER.executeDisableEnable | EFER.systemCallEnable
        p.system.gdtr = DescriptorTable(base: Self.high + Self.gdt, limit: 0x7F)
        p.system.idtr = DescriptorTable(base: Self.high + Self.idt, limit: 0xFFF)
        p.system.segments[SegmentIndex.tr] = Segment(
            selector: 0x40, base: Self.high + Self.tss, limit: 0x67, access: 0x8B)
        p.system.segments[SegmentIndex.ldtr] = Segment(
            selector: 0x50, base: Self.high + Self.ldt, limit: 7, access: 0x82)
    }

    private func write(_ a: UInt64, _ v: UInt64) { machine.memory.storeUnnotified(PhysicalAddress(a), v) }

    private func makeTables() {
        // Entries 1 to 6 of the GDT; TSS and LDT in 8 to 11; 15, whose limit is the number of the host's processor.
        let descriptors: [UInt64] = [
            0, 0x00CF_9B00_0000_FFFF, 0x00AF_9B00_0000_FFFF, 0x00CF_9300_0000_FFFF, 0x00CF_FB00_0000_FFFF,
            0x00CF_F300_0000_FFFF, 0x00AF_FB00_0000_FFFF,
        ]
        for (n, d) in descriptors.enumerated() { write(Self.gdt + UInt64(8 * n), d) }
        write(Self.gdt + 0x78, 0x0040_F500_0000_0000 | Self.processorNumber)
        write(Self.gdt + 0x40, 0x0000_8B00_2000_0067)
        write(Self.gdt + 0x48, 0xFFFF_8000)
        write(Self.gdt + 0x50, 0x0000_8200_4000_0007)
        write(Self.gdt + 0x58, 0xFFFF_8000)
        // 16-bit code at HOST_CODE, DPL 3.
        write(Self.ldt, 0x2000_FB00_0000_FFFF)
        write(Self.tss + 4, Self.high + Self.stackTop)
        // No I/O permission bitmap.
        machine.memory.storeUnnotified(PhysicalAddress(Self.tss + 0x66), UInt16(0x68))
        for v in 0..<256 as Range<UInt64> {
            let target = Self.high + Self.handlers + 16 * v
            // INT3 and INTO may be raised by user code, as on Linux.
            let access: UInt64 = v == 3 || v == 4 ? 0xEE : 0x8E
            write(Self.idt + 16 * v, target & 0xFFFF | 0x10 << 16 | access << 40 | (target >> 16 & 0xFFFF) << 48)
            write(Self.idt + 16 * v + 8, target >> 32)
        }
    }

    private func makePages() {
        let t = Self.tables
        // Upper half: RAM for the supervisor.
        write(t + 256 * 8, t + 0x1003)
        write(t + 0x1000, t + 0x2003)
        for n in 0..<2 as Range<UInt64> { write(t + 0x2000 + 8 * n, n << 21 | 0x83) }
        // Lower half: the case's pages.
        write(t, t + 0x3007)
        write(t + 0x3000, t + 0x4007)
        write(t + 0x4000 + (UInt64(HOST_CODE) >> 21) * 8, t + 0x5007)
        for n in 0..<16 as Range<UInt64> { write(t + 0x5000 + 8 * n, Self.codePages + n << 12 | 5) }
        for n in 0..<3 as Range<UInt64> {
            let entry = Self.dataPages + n << 12 | (n < 2 ? 7 : 5) | PagingEntry.executeDisable
            write(t + 0x5000 + (UInt64(HOST_DATA) >> 12 & 0x1FF) * 8 + 8 * n, entry)
        }
        let readOnly = (0..<0x1000).map { UInt8(truncatingIfNeeded: 7 * $0) }
        machine.writePhysical(readOnly, at: PhysicalAddress(Self.dataPages + 0x2000))
        let frame = Int(Self.dataPages >> 12)
        for n in 0..<2 { machine.memory.beforeWrite(frame: frame + n) }
    }

    /// The data pages as they are now.
    var data: UnsafeMutableRawPointer {
        machine.memory.hostAddress(of: PhysicalAddress(Self.dataPages)).unsafelyUnwrapped
    }
    func setCode(_ bytes: UnsafeBufferPointer<UInt8>) {
        machine.writePhysical(Array(bytes), at: PhysicalAddress(Self.codePages))
    }

    func run(_ c: OracleCase, memory: [UInt8]) {
        stopped = nil
        memory.withUnsafeBytes { data.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
        for n in 0..<2 { (data + c.patchAt[n]).copyMemory(from: c.patches[n], byteCount: c.patches[n].count) }
        for n in 0..<16 { p.setGPR(n, c.registers[n]) }
        p.rflags = c.flags | 0x202
        p.cpu.pointee.rip = c.rip
        let access: UInt32 = c.size == .bits64 ? 0xA0FB : c.size == .bits32 ? 0xC0FB : 0x00FB
        p.system.segments[SegmentIndex.cs] = Segment(
            selector: c.selector, base: c.size == .bits16 ? OracleCase.code : 0,
            limit: c.size == .bits16 ? 0xFFFF : .max, access: access)
        let flat = Segment(selector: UInt16(HOST_DS), base: 0, limit: .max, access: 0xC0F3)
        for n in [SegmentIndex.es, SegmentIndex.ss, SegmentIndex.ds] { p.system.segments[n] = flat }
        p.system.segments[SegmentIndex.fs] = flat
        p.system.segments[SegmentIndex.gs] = flat
        p.system.segments[SegmentIndex.fs].base = c.fsBase
        p.system.segments[SegmentIndex.gs].base = c.gsBase
        p.system.cpl = 3
        p.system.cr2 = 0
        p.modeChanged()
        p.system.blockingBySTI = false
        p.system.blockingByMOVSS = false
        p.system.pendingDebug = 0
        p.system.activity = .active
        var image = InlineArray<64, UInt64>(repeating: 0)
        for n in 0..<64 { image[n] = c.fx[n] }
        p.system.fpu = FPUState()
        FXSaveArea.restore(p, image, is64Bit: true, registers: 16)
        memory.withUnsafeBytes { bytes in
            let at = Int(HOST_DATA_BYTES - HOST_UPPER_BYTES)
            for n in 0..<32 {
                p.system.fpu.upperYMM[n] = bytes.loadUnaligned(fromByteOffset: at + 8 * n, as: UInt64.self)
            }
        }
        p.boundaryWork = false
        p.stepInstruction()
        switch machine.pendingStop {
        case nil: break
        case .notModelled(let what): stopped = "not modelled: \(what)"
        case .guestDied(let what): stopped = what
        default: stopped = "stopped"
        }
        machine.pendingStop = nil
    }

    /// What `HostResult` says of the host; memory is compared where it is. Without a trap `trap` is ~0.
    func read(into r: UnsafeMutablePointer<HostResult>) {
        withUnsafeMutableBytes(of: &r.pointee.regs) { bytes in
            let registers = bytes.assumingMemoryBound(to: UInt64.self)
            for n in 0..<16 { registers[n] = p.gpr(n) }
        }
        r.pointee.fsBase = p.system.segments[SegmentIndex.fs].base
        r.pointee.gsBase = p.system.segments[SegmentIndex.gs].base
        r.pointee.es = p.system.segments[SegmentIndex.es].selector
        r.pointee.ds = p.system.segments[SegmentIndex.ds].selector
        r.pointee.fs = p.system.segments[SegmentIndex.fs].selector
        r.pointee.gs = p.system.segments[SegmentIndex.gs].selector
        r.pointee.address = p.system.cr2
        let image = FXSaveArea.image(of: p, is64Bit: true)
        withUnsafeMutableBytes(of: &r.pointee.fx) { bytes in
            let words = bytes.assumingMemoryBound(to: UInt64.self)
            for n in 0..<64 { words[n] = image[n] }
        }
        withUnsafeMutableBytes(of: &r.pointee.upper) { bytes in
            let words = bytes.assumingMemoryBound(to: UInt64.self)
            for n in 0..<32 { words[n] = p.system.fpu.upperYMM[n] }
        }
        let offset = p.cpu.pointee.rip &- (Self.high + Self.handlers)
        guard offset < 16 * 256, offset % 16 == 0 else {
            r.pointee.trap = ~0
            r.pointee.error = 0
            r.pointee.rip = p.cpu.pointee.rip
            r.pointee.flags = p.rflags
            r.pointee.cs = p.system.segments[SegmentIndex.cs].selector
            r.pointee.ss = p.system.segments[SegmentIndex.ss].selector
            return
        }
        let vector = offset / 16
        r.pointee.trap = vector
        // #DF, #TS, #NP, #SS, #GP, #PF, #AC push an error code (SDM 3A 6.13 "Error Code").
        let hasError = vector == 8 || vector >= 10 && vector <= 14 || vector == 17
        var at = p.gpr(GPR.rsp) &- Self.high
        func pop() -> UInt64 {
            defer { at += 8 }
            return machine.memory.load(PhysicalAddress(at), as: UInt64.self)
        }
        r.pointee.error = hasError ? pop() : 0
        r.pointee.rip = pop()
        r.pointee.cs = UInt16(truncatingIfNeeded: pop())
        r.pointee.flags = pop()
        withUnsafeMutableBytes(of: &r.pointee.regs) { $0.assumingMemoryBound(to: UInt64.self)[GPR.rsp] = pop() }
        r.pointee.ss = UInt16(truncatingIfNeeded: pop())
    }
}

extension ProcessorModel {
    /// Every instruction that the machine executes exists.
    static let everything = ProcessorModel(
        name: "everything", physicalAddressBits: 46, tscFrequency: haswellEP.tscFrequency, microcodeRevision: 0,
        absentFeatures: [],
        leaves: haswellEP.leaves)
}
