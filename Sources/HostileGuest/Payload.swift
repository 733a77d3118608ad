import X86Architecture
import X86Decoder

/// Values and addresses at which something begins, ends or wraps.
enum Interesting {
    static func address(_ r: inout SplitMix) -> UInt64 {
        let pages: [UInt64] = [
            Layout.data, Layout.data, Layout.data, Layout.operands, Layout.payload, Layout.vmcs, Layout.root64,
            Layout.root64 + 0x3000, Layout.ept + 0x3000, Layout.gdt, Layout.idt64, Layout.tss, Layout.virtualAPIC,
            Layout.apicAccess, Layout.data, 0xFEC0_0000, Layout.memoryBytes - 0x1000, Layout.memoryBytes, 0,
            0x4000_0000,
            0x7FFF_FFFF_F000, 0xFFFF_8000_0000_0000, 0xFFFF_F000, 0xFFFF_FFFF_FFFF_F000, 0x6_F000, 0xFF00_F000
        ]
        let page = pages[r.below(pages.count)]
        let offset: UInt64 =
            switch r.below(4) {
            case 0: 0
            case 1: UInt64(0x1000 - 1 - r.below(16))
            case 2: UInt64(r.below(64)) * 16
            default: UInt64(r.below(0x1000))
            }
        return page &+ offset
    }
    static func value(_ r: inout SplitMix) -> UInt64 {
        switch r.below(4) {
        case 0: address(&r)
        case 1: r.operand()
        case 2: UInt64(r.below(0x200))
        default: 1 << UInt64(r.below(64)) &- UInt64(r.below(2))
        }
    }
    static func msr(_ r: inout SplitMix) -> UInt32 {
        let known: [ClosedRange<UInt32>] = [
            0x10...0x10, 0x1B...0x1B, 0x3A...0x3B, 0x174...0x176, 0x179...0x17A, 0x1A0...0x1A0, 0x1D9...0x1DE,
            0x200...0x20F, 0x250...0x26F, 0x277...0x277, 0x2FF...0x2FF, 0x480...0x491, 0x6E0...0x6E0, 0x800...0x83F,
            0xC000_0080...0xC000_0084, 0xC000_0100...0xC000_0103, 0xDA0...0xDA0
        ]
        if r.oneIn(10) { return UInt32(truncatingIfNeeded: r.operand()) }
        let range = known[r.below(known.count)]
        return range.lowerBound + UInt32(r.below(range.count))
    }
    /// Encoding of a VMCS field that probably exists. SDM 3C 27.11.2 "VMREAD, VMWRITE, and Encodings of VMCS Fields".
    static func field(_ r: inout SplitMix) -> UInt64 {
        let width = UInt64(r.below(4)), type = UInt64(r.below(4))
        return width << 13 | type << 10 | UInt64(r.below(width == 1 && type == 0 ? 38 : 21)) << 1
    }
    static func port(_ r: inout SplitMix) -> UInt16 {
        let known: [UInt16] = [
            0x20, 0x21, 0xA0, 0xA1, 0x4D0, 0x4D1, 0x40, 0x41, 0x42, 0x43, 0x61, 0x70, 0x71, 0x80, 0xE0, 0xE4, 0xE9,
            0x3F8, 0x3F9, 0x3FA, 0x3FB, 0x3FC, 0x3FD, 0x3FE, 0x3FF, 0x510, 0x511, 0x2000, 0x2004, 0x2017, 0xCF8, 0xCFC,
            0x600, 0x604, 0x608, 0xF3, 0xF5, 0x62, 0x66, 0xB2, 0xFFFF, 0xFFFE
        ]
        return r.oneIn(8) ? UInt16(truncatingIfNeeded: r.next()) : known[r.below(known.count)]
    }
}

/// Random instructions; most are legal, few are harmless.
struct Payload {
    private let isLong: Bool, is16: Bool

    init(_ scene: Scene) {
        isLong = scene.isLong
        is16 = scene == .realMode
    }

    func bytes(_ r: inout SplitMix) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<Layout.chunks { bytes += chunk(&r) }
        return bytes
    }

    private func chunk(_ r: inout SplitMix) -> [UInt8] {
        var c = CodeBytes()
        if isLong, r.oneIn(4) { c.put(0xFB) }
        while c.bytes.count < Layout.chunkBytes - 40 {
            switch r.below(20) {
            case 0: for _ in 0...r.below(8) { c.put(UInt8(r.below(256))) }
            case 1, 2, 3: load(&c, &r)
            case 4...9: system(&c, &r)
            default: general(&c, &r)
            }
        }
        // Falls into the next chunk.
        while c.bytes.count < Layout.chunkBytes { c.put(0x90) }
        return Array(c.bytes.prefix(Layout.chunkBytes))
    }

    private func load(_ c: inout CodeBytes, _ r: inout SplitMix) {
        let register = UInt8([0, 1, 2, 3, 5, 6, 7][r.below(7)])
        let value = r.oneIn(3) ? Interesting.value(&r) : Interesting.address(&r)
        if isLong {
            c.move64(register + (r.oneIn(4) ? 8 : 0), value)
        } else if is16 {
            c.put(0xB8 + register)
            c.word(value, 2)
        } else {
            c.move32(register, value)
        }
    }

    /// ModRM and what follows it: a register, a register-based or an absolute operand.
    private func operand(_ c: inout CodeBytes, _ r: inout SplitMix, digit: UInt8) {
        let reg = digit << 3
        if is16 {
            switch r.below(3) {
            case 0: c.put(0xC0 | reg | UInt8(r.below(8)))
            case 1:
                c.put(0x06 | reg)
                c.word(Interesting.address(&r), 2)
            default: c.put(0x40 | reg | UInt8(r.below(8)), UInt8(r.below(256)))
            }
            return
        }
        switch r.below(5) {
        case 0, 1: c.put(0xC0 | reg | UInt8(r.below(8)))
        case 2:
            if isLong { c.put(0x04 | reg, 0x25) } else { c.put(0x05 | reg) }
            c.word(Interesting.address(&r), 4)
        case 3: c.put(0x40 | reg | UInt8([0, 1, 2, 3, 6, 7][r.below(6)]), UInt8(r.below(256)))
        default:
            c.put(0x44 | reg, UInt8(r.below(256)), UInt8(r.below(256)))
        }
    }

    /// Any opcode of any map, with prefixes; seldom one that the machine stops at, often one that it executes.
    private func general(_ c: inout CodeBytes, _ r: inout SplitMix) {
        for _ in 0..<8 {
            let candidate = encoding(&r)
            do throws(DecodingError) {
                let i = try Decoder.decode(candidate, is16 ? .bits16 : isLong ? .bits64 : .bits32)
                guard InstructionInfo(i.row).isModelled || r.oneIn(100) else { continue }
                c.bytes += candidate.prefix(Int(i.length))
                return
            } catch {
                if r.oneIn(4) {
                    c.bytes += candidate.prefix(1 + r.below(8))
                    return
                }
            }
        }
    }
    private func encoding(_ r: inout SplitMix) -> [UInt8] {
        var c = CodeBytes()
        if r.oneIn(3) { c.put([0x66, 0xF2, 0xF3, 0x66, 0x67, 0xF0, 0x2E, 0x36, 0x64, 0x65][r.below(10)]) }
        if isLong, r.oneIn(2) { c.put(0x40 | UInt8(r.below(16))) }
        switch r.below(10) {
        case 0...3: c.put(UInt8(r.below(256)))
        case 4...7: c.put(0x0F, UInt8(r.below(256)))
        case 8: c.put(0x0F, 0x38, UInt8(r.below(256)))
        default: c.put(0x0F, 0x3A, UInt8(r.below(256)))
        }
        operand(&c, &r, digit: UInt8(r.below(8)))
        while c.bytes.count < Decoder.maximumLength + 1 { c.put(UInt8(r.below(256))) }
        return c.bytes
    }

    private func system(_ c: inout CodeBytes, _ r: inout SplitMix) {
        func register(_ n: UInt8, _ value: UInt64) {
            if isLong { c.move64(n, value) } else { if is16 { c.put(0x66) }; c.move32(n, value) }
        }
        func byte(_ n: Int) -> UInt8 { UInt8(truncatingIfNeeded: n) }
        switch r.below(26) {
        case 0, 1:
            register(1, UInt64(Interesting.msr(&r)))
            register(0, Interesting.value(&r))
            register(2, r.oneIn(2) ? 0 : Interesting.value(&r))
            c.put(0x0F, 0x30)
        case 2:
            register(1, UInt64(Interesting.msr(&r)))
            c.put(0x0F, 0x32)
        case 3:
            // A control register with one bit changed, or any value.
            let n = UInt8([0, 3, 4, 8][r.below(4)])
            if r.oneIn(4) {
                register(0, Interesting.value(&r))
            } else {
                c.put(0x0F, 0x20, 0xC0 | (n & 7) << 3)
                c.put(0x0F, 0xBA, 0xF8, UInt8(r.below(32)))
            }
            if n == 8, isLong { c.put(0x44) }
            c.put(0x0F, 0x22, 0xC0 | (n & 7) << 3)
        case 4:
            register(0, Interesting.value(&r))
            c.put(0x0F, 0x23, 0xC0 | UInt8(r.below(8)) << 3)
        case 5, 6, 7:
            register(2, UInt64(Interesting.port(&r)))
            register(0, Interesting.value(&r))
            c.put([0xEC, 0xED, 0xEE, 0xEF, 0xEE, 0xEF, 0x6C, 0x6F][r.below(8)])
        case 8: operandOf(&c, &r, [0x0F, 0x01], [0, 1, 2, 3, 4, 6, 7][r.below(7)])
        case 9: operandOf(&c, &r, [0x0F, 0x00], r.below(6))
        case 10: c.put(0xCD, UInt8(r.below(256)))
        case 11:
            // String instructions of some length, either direction.
            register(1, UInt64(r.below(5000)))
            if r.oneIn(4) { c.put(0xFD) }
            c.put(
                [0xF3, 0xF2][r.below(2)],
                [0xA4, 0xA5, 0xA6, 0xA7, 0xAA, 0xAB, 0xAC, 0xAE, 0xAF, 0x6E, 0x6C][r.below(11)])
            if r.oneIn(2) { c.put(0xFC) }
        case 12: c.put([0xF4, 0xFB, 0xFA, 0xCF, 0xCB, 0x9D, 0xF1, 0xCC][r.below(8)])
        case 13: c.put(0x0F, [0x05, 0x07, 0x34, 0x35, 0x06, 0x08, 0x09, 0xA2, 0x31, 0x33, 0xAA, 0x77][r.below(12)])
        case 14: c.put(0x0F, 0x01, [0xF8, 0xF9, 0xD0, 0xD1, 0xC8, 0xC9, 0xCA, 0xCB][r.below(8)])
        case 15: apic(&c, &r)
        case 16:
            // PUSH of a value and POPF, or a far return to any selector.
            c.put(0x6A, byte(r.below(256)))
            if r.oneIn(2) { c.put(0x9D) } else { c.put(0x6A, byte(r.below(128)), isLong ? 0x48 : 0x90, 0xCB) }
        case 17: c.put(0x8E, 0xC0 | UInt8(r.below(8)) << 3 | UInt8(r.below(8)))
        case 18:
            if r.oneIn(2) { c.put(0x48) }
            operandOf(&c, &r, [0x0F, 0xAE], r.below(8))
        case 19: operandOf(&c, &r, [0x0F, 0xC7], r.below(8))
        default: vmx(&c, &r)
        }
    }
    private func operandOf(_ c: inout CodeBytes, _ r: inout SplitMix, _ opcode: [UInt8], _ digit: Int) {
        if r.oneIn(6) { c.put(0x66) }
        c.bytes += opcode
        operand(&c, &r, digit: UInt8(digit))
    }

    /// A register of the local APIC by its address or its MSR; interrupt commands more often than others.
    private func apic(_ c: inout CodeBytes, _ r: inout SplitMix) {
        guard !is16 else { return }
        let register = r.oneIn(2) ? 0x30 : r.below(64)
        let shapes: [UInt64] = [0xC4500, 0x4658, 0xC4658, 0x40FE, 0x840FE, 0xC0440, 0x4440]
        let value = register == 0x30 && !r.oneIn(4) ? shapes[r.below(shapes.count)] : Interesting.value(&r)
        if r.oneIn(3) {
            c.writeMSR(0x800 + UInt32(register), value)
            return
        }
        c.move32(0, value)
        let address = 0xFEE0_0000 + UInt64(register) << 4
        if isLong {
            c.move32(3, address)
            c.put(r.oneIn(3) ? 0x8B : 0x89, 0x03)
        } else {
            c.absolute32([0x89], digit: 0, address)
        }
    }

    private func vmx(_ c: inout CodeBytes, _ r: inout SplitMix) {
        func memory(_ opcode: [UInt8], _ digit: UInt8) {
            let places: [UInt64] = [0, 8, 16, 24]
            let address = r.oneIn(6) ? Interesting.address(&r) : Layout.operands + places[r.below(4)]
            if isLong {
                c.absolute64(opcode, digit: digit, address)
            } else if !is16 {
                c.absolute32(opcode, digit: digit, address)
            }
        }
        switch r.below(11) {
        case 0: c.put(0x0F, 0x01, [0xC1, 0xC2, 0xC3, 0xC4][r.below(r.oneIn(10) ? 4 : 3)])
        case 1, 2:
            c.move32(0, UInt64(r.oneIn(8) ? 1 : 0))
            c.move32(1, UInt64(r.below(6)))
            c.put(0x0F, 0x01, 0xD4)
        case 3:
            c.move32(0, UInt64(r.below(5)))
            memory([0x66, 0x0F, 0x38, UInt8(0x80 + r.below(3))], 0)
        case 4: memory([0x0F, 0xC7], 6)
        case 5: memory([0x66, 0x0F, 0xC7], 6)
        case 6: memory(r.oneIn(2) ? [0x0F, 0xC7] : [0xF3, 0x0F, 0xC7], UInt8(6 + r.below(2)))
        case 7, 8:
            guard isLong else { return }
            c.writeVMCS(r.oneIn(8) ? r.next() & 0x7FFF : Interesting.field(&r), Interesting.value(&r))
        case 9:
            c.move32(2, r.next() & 0x7FFF)
            c.put(0x0F, 0x78, 0xD0)
        default: c.put(0x0F, 0x01, 0xC1)
        }
    }
}
