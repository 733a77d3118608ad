import Foundation
import CHostProcessor
import X86Architecture
import X86Decoder

/// What differs between the host's result and the machine's: one line each, "what: before -> machine, host host".
struct OracleComparison {
    private(set) var differences: [String] = []
    private let c: OracleCase
    private let i: Instruction?
    private let name: String
    /// Of x87 state: bits of FSW, and TOP, tags and registers that are not compared; whether the pointers are.
    private var ignoredStatus: UInt64 = 0, ignoresStack = false, comparesPointers = false

    /// CF PF AF ZF SF TF DF OF NT AC ID; RF is set by any fault and says nothing of the instruction.
    private static let comparedFlags: UInt64 = 0x24_4DD5 & ~0x200

    init(
        _ c: OracleCase, _ i: Instruction?, host: UnsafePointer<HostResult>, guest: UnsafePointer<HostResult>,
        memory: UnsafeRawPointer, before: [UInt8]
    ) {
        self.c = c
        self.i = i
        name = i.map { InstructionInfo($0.row).semantics.description } ?? ""
        let h = host.pointee, g = guest.pointee
        var hostTrap = h.trap, hostRIP = h.rip
        // The INT3 behind the instruction, or whatever the next fetch raised, is where the instruction has ended.
        if g.trap == ~0, h.rip != c.rip {
            if h.trap == 3 { hostRIP &-= 1 }
            hostTrap = ~0
        }
        if g.trap == 13, hostTrap == 3, VendorDifferences.accepts(mxcsr: h.fx.3, name) { return }
        var undefined = i.map { UndefinedResults($0, name, before: c.registers, flagsAfter: h.flags) }
        if let i { undefined?.registers |= VendorDifferences.registers(i, name) }
        if let i, name == "lsl" {
            let result = withUnsafeBytes(of: g.regs) { $0.load(fromByteOffset: 8 * Int(i.reg), as: UInt64.self) }
            if result & 0xFFFF == OracleGuest.processorNumber { undefined?.registers |= 1 << UInt32(i.reg) }
        }
        let x87 = VendorDifferences.x87(name, isFault: g.trap != ~0)
        ignoresStack = x87.stack || readsUndefinedDigits(memory)
        // While an exception is pending all vendors save them; what loads or stores them is another matter.
        comparesPointers = !VendorDifferences.hidesX87Pointers || g.fx.0 >> 23 & 1 != 0 && !Self.control.contains(name)
        ignoredStatus = x87.status | (undefined?.status ?? 0)
        let bothFault = [12, 13, 14].contains(g.trap) && [12, 13, 14].contains(hostTrap)
        let isEither = bothFault && (undefined?.pageFault == true
            || VendorDifferences.prefersOther(name, machine: g.trap, host: hostTrap))
        if isEither { hostTrap = g.trap }
        check("trap", ~0, g.trap, hostTrap)
        if hostTrap != ~0 && hostTrap == g.trap {
            // Linux reports addresses from TASK_SIZE_MAX on as present (arch/x86/mm/fault.c, sanitize_error_code).
            let hidden: UInt64 = hostTrap == 14 && h.address >= 0x7FFF_FFFF_F000 ? 1 : 0
            if !isEither {
                let error = VendorDifferences.checksLimitFirst(name, g.trap, h.error) ? h.error : g.error
                check("error code", 0, error & ~hidden, h.error & ~hidden)
                if hostTrap == 14 { check("CR2", 0, g.address, h.address) }
            }
        }
        check("RIP", c.rip, g.rip, hostRIP)
        let ignoresFlags = VendorDifferences.ignoresFlags(name, isFault: g.trap != ~0)
        let flags = Self.comparedFlags & ~(undefined?.flags ?? 0) & ~(ignoresFlags ? RFLAGS.arithmetic : 0)
        check("flags", c.flags & flags, g.flags & flags, h.flags & flags)
        // SDM 1 3.4.1.1 "General-Purpose Registers in 64-Bit Mode": upper halves and R8 to R15 are not preserved
        // outside it.
        let isWide = c.size == .bits64 && (h.cs == UInt16(HOST_CS64) || h.cs == g.cs && h.cs & 0xFFF8 == 0x30)
        checkRegisters(h, g, undefined: undefined?.registers ?? 0, isWide: isWide)
        checkSegments(h, g)
        if !VendorDifferences.ignoresState(name, isFault: g.trap != ~0) {
            checkFloatingState(h, g)
            if h.hasAVX != 0 { checkUpperHalves(h, g, before) }
        }
        if undefined?.memory == true { return }
        if let i, VendorDifferences.ignoresMemory(i, name, isFault: g.trap != ~0) { return }
        checkMemory(host, memory, before, i)
    }

    private mutating func check(_ what: String, _ before: UInt64, _ machine: UInt64, _ host: UInt64) {
        if machine == host { return }
        func hex(_ v: UInt64) -> String { v == ~0 && what == "trap" ? "none" : String(v, radix: 16) }
        differences.append("\(what): \(hex(before)) -> \(hex(machine)), host \(hex(host))")
    }

    private mutating func checkRegisters(_ h: HostResult, _ g: HostResult, undefined: UInt32, isWide: Bool) {
        let names = ["RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI"]
        withUnsafeBytes(of: h.regs) { host in
            withUnsafeBytes(of: g.regs) { guest in
                for n in 0..<(isWide ? 16 : 8) where undefined >> UInt32(n) & 1 == 0 {
                    let mask: UInt64 = isWide ? ~0 : 0xFFFF_FFFF
                    let (a, b) = (guest.load(fromByteOffset: 8 * n, as: UInt64.self),
                                  host.load(fromByteOffset: 8 * n, as: UInt64.self))
                    if a & mask != b & mask {
                        check(n < 8 ? names[n] : "R\(n)", c.registers[n], a & mask, b & mask)
                    }
                }
            }
        }
    }

    private mutating func checkSegments(_ h: HostResult, _ g: HostResult) {
        check("CS", UInt64(c.selector), UInt64(g.cs), UInt64(h.cs))
        check("SS", UInt64(HOST_SS), UInt64(g.ss), UInt64(h.ss))
        // The kernel's IRET to the handler has made null selectors 0 (SDM 2A "IRET/IRETD/IRETQ—Interrupt Return").
        func data(_ selector: UInt16) -> UInt64 { selector & 0xFFFC == 0 ? 0 : UInt64(selector) }
        check("ES", UInt64(HOST_DS), data(g.es), data(h.es))
        check("DS", UInt64(HOST_DS), data(g.ds), data(h.ds))
        check("FS", UInt64(HOST_DS), data(g.fs), data(h.fs))
        check("GS", UInt64(HOST_DS), data(g.gs), data(h.gs))
        if !VendorDifferences.ignoresBase(selector: h.fs) { check("FS base", c.fsBase, g.fsBase, h.fsBase) }
        if !VendorDifferences.ignoresBase(selector: h.gs) { check("GS base", c.gsBase, g.gsBase, h.gsBase) }
    }

    private mutating func checkFloatingState(_ h: HostResult, _ g: HostResult) {
        withUnsafeBytes(of: h.fx) { host in
            withUnsafeBytes(of: g.fx) { guest in
                for n in 0..<52 {
                    let (a, b) = (guest.load(fromByteOffset: 8 * n, as: UInt64.self),
                                  host.load(fromByteOffset: 8 * n, as: UInt64.self))
                    if a != b { checkFX(n, a, b) }
                }
            }
        }
    }
    private mutating func checkUpperHalves(_ h: HostResult, _ g: HostResult, _ before: [UInt8]) {
        withUnsafeBytes(of: h.upper) { host in
            withUnsafeBytes(of: g.upper) { guest in
                for n in 0..<32 {
                    let (a, b) = (guest.load(fromByteOffset: 8 * n, as: UInt64.self),
                                  host.load(fromByteOffset: 8 * n, as: UInt64.self))
                    let at = Int(HOST_DATA_BYTES - HOST_UPPER_BYTES) + 8 * n
                    let old = (0..<8).reduce(UInt64(0)) { $0 | UInt64(before[at + $1]) << UInt64(8 * $1) }
                    check("YMM\(n / 2) bits \(n & 1 == 0 ? "191:128" : "255:192")", old, a, b)
                }
            }
        }
    }
    private mutating func checkFX(_ n: Int, _ machine: UInt64, _ host: UInt64) {
        // Pointers are as wide as linear addresses are, which differs.
        let width: UInt64 = Self.loads.contains(name) ? 0xFFFF_FFFF_FFFF : ~0
        switch n {
        case 0:
            // FCW, FSW, the abridged tags; FOP.
            let stack: UInt64 = ignoresStack ? 0xFF_3800_0000 : 0
            let mask = (comparesPointers ? 0x07FF_00FF_FFFF_FFFF : 0xFF_FFFF_FFFF) & ~stack & ~(ignoredStatus << 16)
            check("x87 control, status, tags", c.fx[0] & mask, machine & mask, host & mask)
        case 1: if comparesPointers { check("x87 instruction pointer", c.fx[n], machine & width, host & width) }
        case 2 where comparesPointers && i?.hasMemory == true
            && (!VendorDifferences.hidesDataPointer || Self.control.contains(name)):
            check("x87 data pointer", c.fx[n], machine & width, host & width)
        case 2: break
        case 3: check("MXCSR", c.fx[3] & 0xFFFF_FFFF, machine & 0xFFFF_FFFF, host & 0xFFFF_FFFF)
        case 4..<20:
            if ignoresStack { return }
            let mask: UInt64 = n & 1 == 0 ? ~0 : 0xFFFF
            check("ST\((n - 4) / 2)\(n & 1 == 0 ? "" : " exponent")", c.fx[n], machine & mask, host & mask)
        default:
            if VendorDifferences.choosesOtherNaN(name), Self.holdsNaN(machine) { return }
            check("XMM\((n - 20) / 2)\(n & 1 == 0 ? "" : " high")", c.fx[n], machine, host)
        }
    }

    private static func holdsNaN(_ word: UInt64) -> Bool {
        Double(bitPattern: word).isNaN || Float(bitPattern: UInt32(truncatingIfNeeded: word)).isNaN
            || Float(bitPattern: UInt32(word >> 32)).isNaN
    }

    private mutating func checkMemory(
        _ host: UnsafePointer<HostResult>, _ guest: UnsafeRawPointer, _ before: [UInt8], _ i: Instruction?
    ) {
        let hostBytes = UnsafeRawPointer(host_result_memory(host))
        if memcmp(hostBytes, guest, Int(HOST_DATA_BYTES)) == 0 { return }
        var shown = 0
        for n in stride(from: 0, to: Int(HOST_DATA_BYTES), by: 8) {
            let a = guest.loadUnaligned(fromByteOffset: n, as: UInt64.self)
            let b = hostBytes.loadUnaligned(fromByteOffset: n, as: UInt64.self)
            let ignored = ignoredBytes(i, at: n)
            guard a & ~ignored != b & ~ignored else { continue }
            let old = (0..<8).reduce(UInt64(0)) { $0 | UInt64(before[n + $1]) << UInt64(8 * $1) }
            check("memory at \(String(OracleCase.data + UInt64(n), radix: 16))", old, a, b)
            shown += 1
            if shown == 4 { return }
        }
    }

    /// Instructions that load, store or initialise the x87 pointers.
    private static let control: Set<String> = [
        "fninit", "fnclex", "fldcw", "fnstcw", "fnstsw", "fldenv", "fnstenv", "frstor", "fnsave", "fxsave", "fxrstor",
        "xsave", "xsaveopt", "xsavec", "xrstor",
    ]
    private static let loads: Set<String> = ["fxrstor", "xrstor"]
    private static let images: Set<String> = ["fxsave", "xsave", "xsaveopt", "xsavec"]

    /// SDM 1 4.7 "BCD and Packed BCD Integers", SDM 2A "FBLD—Load Binary Coded Decimal": of digits above 9 the result
    /// is undefined.
    private func readsUndefinedDigits(_ memory: UnsafeRawPointer) -> Bool {
        guard let i, name == "fbld" else { return false }
        let address = EffectiveAddress(i, c).linear &- OracleCase.data
        guard address < OracleCase.dataBytes + 0x1000 else { return false }
        return (0..<9).contains { n in
            let at = Int(address) + n
            let byte = at < Int(HOST_DATA_BYTES) ? memory.load(fromByteOffset: at, as: UInt8.self)
                : UInt8(truncatingIfNeeded: 7 * (at - Int(HOST_DATA_BYTES)))
            return byte & 15 > 9 || byte >> 4 > 9
        }
    }

    /// Of FXSAVE's image: the x87 pointers where the vendors differ, MXCSR_MASK, and what is reserved. Of FNSTENV's and
    /// FNSAVE's the pointers.
    private func ignoredBytes(_ i: Instruction?, at offset: Int) -> UInt64 {
        let isImage = Self.images.contains(name)
        guard let i, isImage || name == "fnstenv" || name == "fnsave" else { return 0 }
        let address = EffectiveAddress(i, c).linear &- OracleCase.data
        guard address < OracleCase.dataBytes else { return 0 }
        var mask: UInt64 = 0
        for n in 0..<8 {
            let at = offset + n - Int(address)
            let pointers = isImage ? 6..<24 : i.operandSize == 2 ? 6..<14 : 12..<28
            let isPointer = pointers.contains(at) && VendorDifferences.hidesX87Pointers
            if !isImage {
                if isPointer { mask |= 0xFF << UInt64(8 * n) }
            } else if isPointer || at == 5 || at >= 28 && at < 32 || at >= 416 && at < 512 {
                mask |= 0xFF << UInt64(8 * n)
            }
        }
        return mask
    }
}

/// Of a memory operand: SDM 1 3.7.5 "Specifying an Offset".
struct EffectiveAddress {
    var linear: UInt64
    init(_ i: Instruction, _ c: OracleCase) {
        var offset = UInt64(bitPattern: Int64(i.displacement))
        if i.base == Instruction.ripBase {
            offset &+= c.rip &+ UInt64(i.length)
        } else if i.base != Instruction.none {
            offset &+= c.registers[Int(i.base)]
        }
        if i.index != Instruction.none { offset &+= c.registers[Int(i.index)] << UInt64(i.scale) }
        if i.addressSize < 8 { offset &= 1 << UInt64(8 * i.addressSize) - 1 }
        linear = offset &+ (i.segment == 4 ? c.fsBase : i.segment == 5 ? c.gsBase : 0)
        if c.size != .bits64 { linear &= 0xFFFF_FFFF }
    }
}
