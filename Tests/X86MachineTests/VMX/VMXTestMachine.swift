@testable import X86Machine
import X86Architecture
import X86Decoder

/// A machine with one processor in 64-bit mode at CPL 0, identity-mapped, and everything that a VM entry needs: a VMXON
/// region, a valid VMCS for a 64-bit guest with EPT, paging structures of the guest, an EPT, code and stacks.
final class VMXTestMachine {
    let machine: Machine
    let p: Processor

    // Physical memory, also guest-physical and linear unless a test maps it otherwise.
    static let gdt: UInt64 = 0x2000, tss: UInt64 = 0x3000, idt: UInt64 = 0x4000
    static let handlers: UInt64 = 0x6000
    /// Operands of instructions under test.
    static let data: UInt64 = 0x8000
    static let hostPageTable: UInt64 = 0x1_0000
    static let vmxon: UInt64 = 0x2_0000, vmcs: UInt64 = 0x2_1000, otherVMCS: UInt64 = 0x2_2000
    static let shadowVMCS: UInt64 = 0x2_3000
    static let vmreadBitmap: UInt64 = 0x2_9000, vmwriteBitmap: UInt64 = 0x2_A000, modificationLog: UInt64 = 0x2_B000
    static let ioBitmapA: UInt64 = 0x2_4000, ioBitmapB: UInt64 = 0x2_5000, msrBitmaps: UInt64 = 0x2_6000
    static let eptpList: UInt64 = 0x2_7000, msrArea: UInt64 = 0x2_8000
    static let virtualAPIC: UInt64 = 0x2_9000, postedInterrupts: UInt64 = 0x2_A000
    static let guestCode: UInt64 = 0x5_0000, hostEntry: UInt64 = 0x5_1000
    static let guestStack: UInt64 = 0x6_1000, hostStack: UInt64 = 0x6_3000
    /// A page that tests map as they like, and what they may map it to.
    static let page: UInt64 = 0x7_0000, otherPage: UInt64 = 0x7_1000
    /// Tables are allocated from here on.
    private var nextTable: UInt64 = 0x10_0000
    let guestPageTable: UInt64
    let ept: UInt64

    init(translations: TranslationPolicy = .tagged, model: ProcessorModel? = nil) {
        var configuration = MachineConfiguration()
        configuration.translations = translations
        if let model { configuration.model = model }
        configuration.memoryBytes = 64 << 20
        machine = Machine(configuration)
        p = machine.processors[0]
        nextTable = 0x10_0000
        guestPageTable = nextTable
        ept = nextTable + 0x1000
        nextTable += 0x2000
        buildTables()
        enterLongMode()
    }

    // MARK: Memory

    func store<T: FixedWidthInteger & UnsignedInteger>(_ address: UInt64, _ value: T) {
        machine.memory.storeUnnotified(PhysicalAddress(address), value)
        machine.pageWritten(PhysicalAddress(address), size: MemoryLayout<T>.size, by: nil)
    }
    func load<T: FixedWidthInteger & UnsignedInteger>(_ address: UInt64, as: T.Type = UInt64.self) -> T {
        machine.memory.load(PhysicalAddress(address), as: T.self)
    }
    func write(_ bytes: [UInt8], at address: UInt64) { machine.writePhysical(bytes, at: PhysicalAddress(address)) }

    private func newTable() -> UInt64 {
        defer { nextTable += 0x1000 }
        return nextTable
    }

    /// Maps one 4-KByte page in the guest's (or any) 4-level structures.
    func mapGuest(_ linear: UInt64, to physical: UInt64, flags: UInt64 = PagingEntry.writable | PagingEntry.user,
                  root: UInt64? = nil) {
        var table = root ?? guestPageTable
        for shift: UInt64 in [39, 30, 21] {
            let entry = table + (linear >> shift & 511) * 8
            if load(entry) & 1 == 0 { store(entry, newTable() | 0x7) }
            table = load(entry) & PagingEntry.address
        }
        store(table + (linear >> 12 & 511) * 8, physical | flags | PagingEntry.present)
    }

    /// The EPT entry at `level` for a guest-physical address, with tables above it made as needed.
    func eptEntry(_ gpa: UInt64, level: EPTLevel = .pte, root: UInt64? = nil) -> UInt64 {
        var table = root ?? ept
        var at = EPTLevel.pml4e
        while true {
            let entry = table + at.index(GuestPhysicalAddress(gpa)) * 8
            if at == level { return entry }
            if load(entry) & 7 == 0 { store(entry, EPTEntry(table: PhysicalAddress(newTable())).rawValue) }
            table = EPTEntry(load(entry)).address.rawValue
            at = EPTLevel(rawValue: at.rawValue - 1)!
        }
    }
    func mapEPT(_ gpa: UInt64, to hpa: UInt64, _ permissions: EPTPermissions = .all, root: UInt64? = nil) {
        store(eptEntry(gpa, root: root), EPTEntry(page: PhysicalAddress(hpa), permissions: permissions).rawValue)
    }
    /// Another EPT that maps the low 2 MiB to itself.
    func newEPT() -> UInt64 {
        let root = newTable()
        identity(ept: root)
        return root
    }
    private func identity(ept root: UInt64) {
        for page in stride(from: UInt64(0), to: 0x20_0000, by: 0x1000) { mapEPT(page, to: page, root: root) }
    }

    private func buildTables() {
        // The root's own: one gigabyte page at 0.
        store(Self.hostPageTable, (Self.hostPageTable + 0x1000) | 7)
        store(Self.hostPageTable + 0x1000, UInt64(0x87))
        for page in stride(from: UInt64(0), to: 0x20_0000, by: 0x1000) { mapGuest(page, to: page) }
        identity(ept: ept)
        // Null, 64-bit code, data, TSS, user data, user code.
        let descriptors: [UInt64] = [0, 0x00AF_9B00_0000_FFFF, 0x00CF_9300_0000_FFFF, 0x0000_8B00_3000_0067, 0,
                                     0x00CF_F300_0000_FFFF, 0x00AF_FB00_0000_FFFF]
        for (n, d) in descriptors.enumerated() { store(Self.gdt + UInt64(n) * 8, d) }
        store(Self.tss + 4, Self.guestStack - 0x800)
        for vector in 0..<256 as Range<UInt64> {
            let handler = Self.handlers + vector
            store(Self.idt + vector * 16, handler & 0xFFFF | 0x8 << 16 | 0x8E00 << 32 | (handler >> 16 & 0xFFFF) << 48)
        }
        for region in [Self.vmxon, Self.vmcs, Self.otherVMCS] { store(region, VMXModel.revision) }
        store(Self.shadowVMCS, VMXModel.revision | VMCS.shadowIndicator)
    }

    private func enterLongMode() {
        p.system.cr0 = CR0.protectionEnable | CR0.extensionType | CR0.numericError | CR0.writeProtect | CR0.paging
        p.system.cr3 = Self.hostPageTable
        p.system.cr4 = CR4.physicalAddressExtension | CR4.vmxEnable
        p.system.efer = EFER.longModeEnable | EFER.longModeActive | EFER.executeDisableEnable
        p.system.featureControl = (FeatureControl.lock | .vmxOutsideSMX).rawValue
        for n in 0..<6 { p.system.segments[n] = Segment(selector: 0x10, base: 0, limit: 0xFFFF_FFFF, access: 0xC093) }
        p.system.segments[SegmentIndex.cs] = Segment(selector: 8, base: 0, limit: 0xFFFF_FFFF, access: 0xA09B)
        p.system.segments[SegmentIndex.tr] = Segment(selector: 0x18, base: Self.tss, limit: 0x67, access: 0x8B)
        p.system.segments[SegmentIndex.ldtr] = .null()
        p.system.gdtr = DescriptorTable(base: Self.gdt, limit: 0x37)
        p.system.idtr = DescriptorTable(base: Self.idt, limit: 0xFFF)
        p.system.cpl = 0
        p.system.activity = .active
        p.setGPR(GPR.rsp, Self.hostStack)
        p.cpu.pointee.rip = Self.hostEntry
        p.rflags = 2
        p.modeChanged()
    }

    // MARK: Execution

    /// Puts the bytes at RIP and executes one instruction; what it throws is handled as execution handles it.
    @discardableResult
    func run(_ bytes: [UInt8]) -> Outcome {
        let rip = p.cpu.pointee.rip
        let physical = vmxPhysical(rip)
        write(bytes, at: physical)
        return step()
    }

    enum Outcome: Equatable {
        case completed
        case fault(UInt8, UInt32?)
        case exit(UInt16)
        case stopped(String)
    }

    /// Executes the instruction at RIP.
    @discardableResult
    func step() -> Outcome {
        do throws(Interruption) {
            let i = try fetch()
            p.nextRIP = nil
            try dispatch(i)
            p.cpu.pointee.instructions += 1
            p.cpu.pointee.rip = p.nextRIP ?? p.cpu.pointee.rip + UInt64(i.length)
            p.nextRIP = nil
            return .completed
        } catch {
            p.handle(error)
            switch error {
            case .exception(let e): return .fault(e.vector, e.errorCode)
            case .vmExit(let cause): return .exit(cause.reason)
            case .notModelled(let text): return .stopped(text)
            case .shutdown: return .stopped("shutdown")
            }
        }
    }
    private func vmxPhysical(_ linear: UInt64) -> UInt64 { linear }

    private func fetch() throws(Interruption) -> Instruction {
        var bytes = [UInt8](repeating: 0, count: 15)
        var count = 0
        let rip = p.cpu.pointee.rip
        var failure: Interruption?
        bytes.withUnsafeMutableBufferPointer { buffer in
            do throws(Interruption) { count = try p.loadCode(rip, into: buffer) } catch { failure = error }
        }
        if let failure { throw failure }
        do throws(DecodingError) {
            return try Decoder.decode(Array(bytes[0..<count]), p.codeSize)
        } catch {
            throw .exception(error == .undefined ? .invalidOpcode : .generalProtection())
        }
    }

    /// Only what these tests execute.
    private func dispatch(_ i: Instruction) throws(Interruption) {
        typealias S = SystemInstructions
        switch "\(InstructionInfo(i.row).semantics)" {
        case "vmxon": try S.vmxon(p, i)
        case "vmxoff": try S.vmxoff(p, i)
        case "vmclear": try S.vmclear(p, i)
        case "vmptrld": try S.vmptrld(p, i)
        case "vmptrst": try S.vmptrst(p, i)
        case "vmread": try S.vmread(p, i)
        case "vmwrite": try S.vmwrite(p, i)
        case "vmlaunch": try S.vmlaunch(p, i)
        case "vmresume": try S.vmresume(p, i)
        case "vmcall": try S.vmcall(p, i)
        case "vmfunc": try S.vmfunc(p, i)
        case "invept": try S.invept(p, i)
        case "invvpid": try S.invvpid(p, i)
        case "invpcid": try S.invpcid(p, i)
        case "invlpg": try S.invlpg(p, i)
        case "cpuid": try S.cpuid(p, i)
        case "hlt": try S.hlt(p, i)
        case "rdtsc": try S.rdtsc(p, i)
        case "rdtscp": try S.rdtscp(p, i)
        case "rdpmc": try S.rdpmc(p, i)
        case "rdmsr": try S.rdmsr(p, i)
        case "wrmsr": try S.wrmsr(p, i)
        case "movToCR": try S.movToCR(p, i)
        case "movFromCR": try S.movFromCR(p, i)
        case "movToDR": try S.movToDR(p, i)
        case "movFromDR": try S.movFromDR(p, i)
        case "clts": try S.clts(p, i)
        case "lmsw": try S.lmsw(p, i)
        case "smsw": try S.smsw(p, i)
        case "input": try S.input(p, i)
        case "output": try S.output(p, i)
        case "rdrand": try S.rdrand(p, i)
        case "rdseed": try S.rdseed(p, i)
        case "xsaves": try S.xsaves(p, i)
        case "xrstors": try S.xrstors(p, i)
        case "wbinvd": try S.wbinvd(p, i)
        case "invd": try S.invd(p, i)
        case "xsetbv": try S.xsetbv(p, i)
        case "pause": try S.pause(p, i)
        case "monitor": try S.monitor(p, i)
        case "mwait": try S.mwait(p, i)
        case "sgdt": try S.sgdt(p, i)
        case "sidt": try S.sidt(p, i)
        case "lgdt": try S.lgdt(p, i)
        case "lidt": try S.lidt(p, i)
        case "sldt": try S.sldt(p, i)
        case "str": try S.str(p, i)
        case "ltr": try S.ltr(p, i)
        case "lldt": try S.lldt(p, i)
        case "sti": try S.sti(p, i)
        case "cli": try S.cli(p, i)
        case "breakpoint": try S.breakpoint(p, i)
        case "interrupt": try S.interrupt(p, i)
        case "interruptReturn": try S.interruptReturn(p, i)
        case "undefined": try S.undefined(p, i)
        case let name: fatalError("the tests do not execute \(name)")
        }
    }

    /// What is due between two instructions.
    @discardableResult
    func boundary() -> Bool { p.serviceBoundary() }

    // MARK: VMX

    /// VMXON, and the VMCS current and clear with valid fields.
    @discardableResult
    func prepared() -> Self {
        enterOperation()
        makeCurrent()
        fillVMCS()
        return self
    }
    func enterOperation() {
        store(Self.data, Self.vmxon)
        run(Code.vmxon)
    }
    func makeCurrent(_ region: UInt64 = VMXTestMachine.vmcs) {
        store(Self.data, region)
        run(Code.vmclear)
        run(Code.vmptrld)
    }

    subscript(_ field: VMCSField) -> UInt64 {
        get { p.vmcs[field] }
        set { p.writeVMCS { $0.set(field, newValue) } }
    }
    func set(_ controls: ProcessorBasedControls) { self[.processorBasedControls] |= UInt64(controls.rawValue) }
    func set(_ controls: SecondaryControls) { self[.secondaryProcessorBasedControls] |= UInt64(controls.rawValue) }
    func set(_ controls: PinBasedControls) { self[.pinBasedControls] |= UInt64(controls.rawValue) }
    func set(_ controls: ExitControls) { self[.exitControls] |= UInt64(controls.rawValue) }
    func set(_ controls: EntryControls) { self[.entryControls] |= UInt64(controls.rawValue) }
    func clear(_ controls: SecondaryControls) { self[.secondaryProcessorBasedControls] &= ~UInt64(controls.rawValue) }

    var eptp: UInt64 { EPTPointer(root: PhysicalAddress(ept)).rawValue }

    /// Takes VM entry and gives whether it reached the guest.
    @discardableResult
    func launch() -> Bool {
        run(p.vmcs.isLaunched ? Code.vmresume : Code.vmlaunch)
        return p.vmx.inNonRoot
    }

    var failedInvalid: Bool { p.rflags & 0x8D5 == RFLAGS.carry }
    var failedValid: VMInstructionError? {
        p.rflags & 0x8D5 == RFLAGS.zero ? VMInstructionError(rawValue: p.vmcs.u32(.instructionError)) : nil
    }
    var succeeded: Bool { p.rflags & 0x8D5 == 0 }
    /// Basic exit reason of the latest VM exit.
    var exitReason: ExitReason? { ExitReason(rawValue: UInt16(truncatingIfNeeded: p.vmcs[.exitReason])) }
}

/// Machine code of the instructions under test; operands in memory are at `VMXTestMachine.data`.
enum Code {
    private static func at(_ prefix: [UInt8], _ opcode: [UInt8], reg: UInt8, _ address: UInt64 = VMXTestMachine.data)
        -> [UInt8] {
        let a = UInt32(address)
        return prefix + opcode + [0x04 | reg << 3, 0x25] + (0..<4).map { UInt8(truncatingIfNeeded: a >> (8 * $0)) }
    }
    static let vmxon = at([0xF3], [0x0F, 0xC7], reg: 6)
    static let vmclear = at([0x66], [0x0F, 0xC7], reg: 6)
    static let vmptrld = at([], [0x0F, 0xC7], reg: 6)
    static let vmptrst = at([], [0x0F, 0xC7], reg: 7)
    static let vmxoff: [UInt8] = [0x0F, 0x01, 0xC4]
    static let vmcall: [UInt8] = [0x0F, 0x01, 0xC1]
    static let vmlaunch: [UInt8] = [0x0F, 0x01, 0xC2]
    static let vmresume: [UInt8] = [0x0F, 0x01, 0xC3]
    static let vmfunc: [UInt8] = [0x0F, 0x01, 0xD4]
    /// VMREAD RAX, RBX: field in RBX.
    static let vmreadRAX: [UInt8] = [0x0F, 0x78, 0xD8]
    /// VMWRITE RBX, RAX: field in RBX.
    static let vmwriteRAX: [UInt8] = [0x0F, 0x79, 0xD8]
    static let vmreadMemory = at([], [0x0F, 0x78], reg: 3)
    static let vmwriteMemory = at([], [0x0F, 0x79], reg: 3)
    /// Type in RAX.
    static let invept = at([0x66], [0x0F, 0x38, 0x80], reg: 0)
    static let invvpid = at([0x66], [0x0F, 0x38, 0x81], reg: 0)
    static let invpcid = at([0x66], [0x0F, 0x38, 0x82], reg: 0)
    static func invlpg(_ address: UInt64) -> [UInt8] { at([], [0x0F, 0x01], reg: 7, address) }
    static let cpuid: [UInt8] = [0x0F, 0xA2], hlt: [UInt8] = [0xF4], rdtsc: [UInt8] = [0x0F, 0x31]
    static let rdtscp: [UInt8] = [0x0F, 0x01, 0xF9], rdpmc: [UInt8] = [0x0F, 0x33]
    static let rdmsr: [UInt8] = [0x0F, 0x32], wrmsr: [UInt8] = [0x0F, 0x30]
    /// RDRAND RCX, RDSEED R9D.
    static let rdrand: [UInt8] = [0x48, 0x0F, 0xC7, 0xF1], rdseed: [UInt8] = [0x41, 0x0F, 0xC7, 0xF9]
    static let xsaves = at([], [0x0F, 0xC7], reg: 5), xrstors = at([], [0x0F, 0xC7], reg: 3)
    static let pause: [UInt8] = [0xF3, 0x90], wbinvd: [UInt8] = [0x0F, 0x09], invd: [UInt8] = [0x0F, 0x08]
    static let monitor: [UInt8] = [0x0F, 0x01, 0xC8], mwait: [UInt8] = [0x0F, 0x01, 0xC9]
    static let sti: [UInt8] = [0xFB], cli: [UInt8] = [0xFA], int3: [UInt8] = [0xCC], ud2: [UInt8] = [0x0F, 0x0B]
    static let iretq: [UInt8] = [0x48, 0xCF], clts: [UInt8] = [0x0F, 0x06]
    static func movToCR(_ n: UInt8, from gpr: UInt8 = 0) -> [UInt8] {
        n == 8 ? [0x44, 0x0F, 0x22, 0xC0 | gpr] : [0x0F, 0x22, 0xC0 | n << 3 | gpr]
    }
    static func movFromCR(_ n: UInt8, to gpr: UInt8 = 0) -> [UInt8] {
        n == 8 ? [0x44, 0x0F, 0x20, 0xC0 | gpr] : [0x0F, 0x20, 0xC0 | n << 3 | gpr]
    }
    static func movToDR(_ n: UInt8, from gpr: UInt8 = 0) -> [UInt8] { [0x0F, 0x23, 0xC0 | n << 3 | gpr] }
    static func movFromDR(_ n: UInt8, to gpr: UInt8 = 0) -> [UInt8] { [0x0F, 0x21, 0xC0 | n << 3 | gpr] }
    static func lmswRAX() -> [UInt8] { [0x0F, 0x01, 0xF0] }
    static let lgdt = at([], [0x0F, 0x01], reg: 2), sgdt = at([], [0x0F, 0x01], reg: 0)
    static let lidt = at([], [0x0F, 0x01], reg: 3), sidt = at([], [0x0F, 0x01], reg: 1)
    static let strRAX: [UInt8] = [0x0F, 0x00, 0xC8], sldtRAX: [UInt8] = [0x0F, 0x00, 0xC0]
    static let ltrRAX: [UInt8] = [0x0F, 0x00, 0xD8], lldtRAX: [UInt8] = [0x0F, 0x00, 0xD0]
    static let outDXAL: [UInt8] = [0xEE], inALDX: [UInt8] = [0xEC], outDXEAX: [UInt8] = [0xEF]
    static func outImm(_ port: UInt8) -> [UInt8] { [0xE6, port] }
}
