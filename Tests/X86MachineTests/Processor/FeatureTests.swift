import Testing
@testable import X86Architecture
import X86Decoder
@testable import X86Machine

@Suite("Features: CPUID, instructions and control registers agree") struct FeatureTests {
    @Test("an instruction is #UD exactly where CPUID leaves its feature out", arguments: ProcessorModel.named.indices)
    func rows(index: Int) {
        let model = ProcessorModel.named[index]
        for feature in CPUIDFeature.modelled where !CPUIDFeature.inEveryModel.contains(feature) {
            #expect(model.lacks(feature.instructions) == !model.has(feature) || Self.hasNoRows(feature),
                    "\(model.name) \(feature.name)")
        }
        // What no model reports asks CPUID itself.
        let known = CPUIDFeature.modelled + [.monitor]
        for n in 0..<InstructionInfo.rowCount {
            let info = InstructionInfo(UInt16(n))
            guard info.isModelled, info.feature.utf8CodeUnitCount != 0 else { continue }
            #expect(known.contains { ProcessorModel.areEqual($0.instructions, info.feature) }, "\(info.mnemonic)")
        }
    }
    private static func hasNoRows(_ feature: CPUIDFeature) -> Bool {
        !(0..<InstructionInfo.rowCount).contains {
            ProcessorModel.areEqual(InstructionInfo(UInt16($0)).feature, feature.instructions)
        }
    }

    // SDM 2B "RDRAND—Read Random Number", "RDSEED—Read Random SEED".
    @Test("RDRAND and RDSEED repeat by seed and differ by draw; CF is set, the other flags are cleared")
    func random() {
        func draw(_ code: [UInt8], seed: UInt64 = 1) -> (UInt64, UInt64) {
            let guest = TestGuest(model: .max, seed: seed)
            guest.p.rflags = 2 | RFLAGS.arithmetic
            guest.p.setGPR(GPR.rcx, 0x1111_2222_3333_4444)
            guest.execute(code)
            let first = guest.p.gpr(GPR.rcx)
            guest.execute(code)
            #expect(guest.handledVector == nil && guest.p.rflags & RFLAGS.arithmetic == RFLAGS.carry)
            return (first, guest.p.gpr(GPR.rcx))
        }
        for op in [0xF1, 0xF9] as [UInt8] {
            let wide = draw([0x48, 0x0F, 0xC7, op])
            #expect(wide == draw([0x48, 0x0F, 0xC7, op]) && wide.0 != wide.1 && wide.0 >> 32 != 0)
            #expect(wide != draw([0x48, 0x0F, 0xC7, op], seed: 2))
            #expect(draw([0x0F, 0xC7, op]).0 == wide.0 & 0xFFFF_FFFF)
            #expect(draw([0x66, 0x0F, 0xC7, op]).0 == 0x1111_2222_3333_0000 | wide.0 & 0xFFFF)
        }
    }

    // SDM 2B "RDPID—Read Processor ID".
    @Test("RDPID reads IA32_TSC_AUX at any level")
    func processorID() {
        let guest = TestGuest(model: .max)
        guest.p.system.tscAux = 0x1234
        guest.p.setGPR(GPR.rcx, ~0)
        guest.setLevel(3)
        guest.execute([0xF3, 0x0F, 0xC7, 0xF9])
        #expect(guest.handledVector == nil && guest.p.gpr(GPR.rcx) == 0x1234)
    }

    // SDM 2A "CLFLUSHOPT—Flush Cache Line Optimized", "CLWB—Cache Line Write Back": checked as a load of a byte.
    @Test("CLFLUSHOPT and CLWB change nothing, and page-fault as loads do")
    func cacheLines() {
        for code in [[0x66, 0x0F, 0xAE, 0x39], [0x66, 0x0F, 0xAE, 0x31]] as [[UInt8]] {
            for (address, vector) in [(0x5_0000, nil), (0x4000_0000_0000, 14)] as [(UInt64, UInt8?)] {
                let guest = TestGuest(model: .max)
                guest.p.setGPR(GPR.rcx, address)
                guest.execute(code)
                #expect(guest.handledVector == vector)
                if vector != nil { #expect(guest.frame(0) == 0 && guest.p.system.cr2 == address) }
            }
        }
    }

    // SDM 3A 2.5 "Control Registers", CR4.UMIP.
    @Test("UMIP: SGDT, SIDT, SLDT, STR and SMSW are #GP(0) above CPL 0; without the feature the bit is reserved")
    func userModeInstructionPrevention() {
        let codes: [[UInt8]] = [
            [0x0F, 0x01, 0x01], [0x0F, 0x01, 0x09], [0x0F, 0x00, 0xC1], [0x0F, 0x00, 0xC9], [0x0F, 0x01, 0xE1],
        ]
        for code in codes {
            for (level, isOn) in [(0, true), (3, true), (3, false)] as [(UInt8, Bool)] {
                let guest = TestGuest(model: .max)
                if isOn { guest.p.system.cr4 |= CR4.userModeInstructionPrevention }
                guest.p.setGPR(GPR.rcx, 0x5_0000)
                guest.setLevel(level)
                guest.execute(code)
                #expect(guest.handledVector == (level == 3 && isOn ? 13 : nil), "\(code) at \(level)")
            }
        }
        for (model, vector) in [(ProcessorModel.max, nil), (.haswellEP, 13)] as [(ProcessorModel, UInt8?)] {
            let guest = TestGuest(model: model)
            guest.p.setGPR(GPR.rcx, guest.p.system.cr4 | CR4.userModeInstructionPrevention)
            guest.execute([0x0F, 0x22, 0xE1])
            #expect(guest.handledVector == vector)
        }
    }

    // SDM 2C "VZEROUPPER—Zero Upper Bits of YMM and ZMM Registers", "VZEROALL—Zero XMM, YMM, and ZMM Registers".
    @Test("VZEROUPPER and VZEROALL clear what their names say, and need AVX state to be enabled and CR0.TS clear")
    func zeroing() {
        for (code, clearsXMM) in [([0xC5, 0xF8, 0x77], false), ([0xC5, 0xFC, 0x77], true)] as [([UInt8], Bool)] {
            for (xcr0, switched, vector) in [(7, false, nil), (3, false, 6), (7, true, 7)] as [(UInt64, Bool, UInt8?)] {
                let guest = TestGuest(model: .max), p = guest.p
                defer { withExtendedLifetime(guest) {} }  // A processor does not keep its machine.
                p.system.cr4 |= CR4.osxsave
                p.system.xcr0 = xcr0
                if switched { p.system.cr0 |= CR0.taskSwitched }
                for n in 0..<32 { p.system.fpu.upperYMM[n] = 1 }
                p.setXMM(15, XMM(repeating: 5))
                guest.execute(code)
                #expect(guest.handledVector == vector)
                let isCleared = vector == nil
                #expect((0..<32).allSatisfy { p.system.fpu.upperYMM[$0] == (isCleared ? 0 : 1) })
                #expect(p.xmm(15) == (isCleared && clearsXMM ? .zero : XMM(repeating: 5)))
            }
        }
    }

    // SDM 2B "MOVDQA,VMOVDQA32/64—Move Aligned Packed Integer Values" and the other moves of whole registers.
    @Test("VMOVDQA and VMOVDQU: 256 bits move, 128 clear the rest, memory is aligned where the name says so")
    func vectorMoves() {
        let start: [UInt64] = [0x11, 0x22, 0x33, 0x44]
        // [RCX] to or from YMM1.
        for (code, offset, vector, isStore, words) in [
            ([0xC5, 0xFD, 0x6F, 0x09], 0, nil, false, 4), ([0xC5, 0xF9, 0x6F, 0x09], 16, nil, false, 2),
            ([0xC5, 0xFE, 0x6F, 0x09], 0xFF8, nil, false, 4), ([0xC5, 0xFD, 0x7F, 0x09], 0, nil, true, 4),
            ([0xC5, 0xFE, 0x7F, 0x09], 0xFE8, nil, true, 4), ([0xC5, 0xFD, 0x6F, 0x09], 16, 13, false, 0),
            ([0xC5, 0xFD, 0x7F, 0x09], 16, 13, true, 0), ([0xC5, 0xF9, 0xE7, 0x09], 8, 13, true, 0),
            ([0xC5, 0xFB, 0xF0, 0x09], 8, nil, false, 2),
        ] as [([UInt8], UInt64, UInt8?, Bool, Int)] {
            let guest = TestGuest(model: .max), p = guest.p
            defer { withExtendedLifetime(guest) {} }  // A processor does not keep its machine.
            p.system.cr4 |= CR4.osxsave
            p.system.xcr0 = 7
            let address = 0x5_0000 + offset
            p.setGPR(GPR.rcx, address)
            for n in 0..<4 { guest.machine.memory.storeUnnotified(PhysicalAddress(address + UInt64(8 * n)), start[n]) }
            p.setXMM(1, XMM(repeating: 5))
            p.system.fpu.upperYMM[2] = 6
            p.system.fpu.upperYMM[3] = 7
            guest.execute(code)
            #expect(guest.handledVector == vector, "\(code)")
            let expected: [UInt64] = isStore || vector != nil ? [5, 5, 6, 7] : words == 4 ? [0x11, 0x22, 0x33, 0x44]
                : [0x11, 0x22, 0, 0]
            let register = [p.xmm(1)[0], p.xmm(1)[1], p.system.fpu.upperYMM[2], p.system.fpu.upperYMM[3]]
            #expect(register == expected, "\(code)")
            for n in 0..<4 {
                let value = guest.machine.memory.load(PhysicalAddress(address + UInt64(8 * n)), as: UInt64.self)
                #expect(value == (isStore && n < words ? expected[n] : start[n]), "\(code) quadword \(n)")
            }
        }
    }

    @Test("a 256-bit store into a page that is not there changes nothing")
    func vectorStoreFaults() {
        let guest = TestGuest(model: .max), p = guest.p
        defer { withExtendedLifetime(guest) {} }  // A processor does not keep its machine.
        p.system.cr4 |= CR4.osxsave
        p.system.xcr0 = 7
        p.setGPR(GPR.rcx, 0x4000_0000_0000)
        guest.execute([0xC5, 0xFE, 0x7F, 0x09])
        #expect(guest.handledVector == 14 && p.system.cr2 == 0x4000_0000_0000 && guest.frame(0) == 2)
    }

    // SDM 2D "GETSEC[CAPABILITIES]—Report the SMX Capabilities": without CR4.SMXE.
    @Test("GETSEC is #UD on every model, and CR4.SMXE is reserved", arguments: ProcessorModel.named.indices)
    func saferMode(index: Int) {
        let guest = TestGuest(model: ProcessorModel.named[index])
        guest.execute([0x0F, 0x37])
        #expect(guest.handledVector == 6)
        let other = TestGuest(model: ProcessorModel.named[index])
        other.p.setGPR(GPR.rcx, other.p.system.cr4 | CR4.smxEnable)
        other.execute([0x0F, 0x22, 0xE1])
        #expect(other.handledVector == 13)
    }

    // SDM 1 13.2 "Enumeration of CPU Support for XSAVE Instructions and XSAVE-Supported Features".
    @Test("CPUID leaf 0DH: AVX state is supported, AVX instructions are not; EBX is the size for XCR0")
    func stateComponents() {
        let guest = TestGuest(model: .max), p = guest.p
        defer { withExtendedLifetime(guest) {} }  // A processor does not keep its machine.
        #expect(p.identification(1, 0).ecx >> 28 & 1 == 0)
        #expect(p.identification(0xD, 0).eax == 7 && p.identification(0xD, 0).ecx == 832)
        #expect(p.identification(0xD, 0).ebx == 576 && p.identification(0xD, 1).ebx == 576)
        #expect(p.identification(0xD, 2).eax == 256 && p.identification(0xD, 2).ebx == 576)
        #expect(p.identification(0xD, 1).eax == 0b1111 && p.identification(0xD, 1).ecx == 0)
        p.system.cr4 |= CR4.osxsave
        p.setGPR(GPR.rax, 7)
        p.setGPR(GPR.rdx, 0)
        guest.execute([0x0F, 0x01, 0xD1])
        #expect(guest.handledVector == nil && p.system.xcr0 == 7)
        #expect(p.identification(0xD, 0).ebx == 832 && p.identification(0xD, 1).ebx == 832)
        // IA32_XSS: exists with XSAVES, and supports nothing.
        #expect((try? p.readMSR(MSR.supervisorState)) == 0)
        #expect(guest.fault { () throws(Interruption) in try p.writeMSR(MSR.supervisorState, 0) } == nil)
        #expect(guest.fault { () throws(Interruption) in try p.writeMSR(MSR.supervisorState, 4) }?.vector == 13)
        let haswell = TestGuest()
        #expect(haswell.p.identification(0xD, 1).eax == 1 && haswell.p.identification(0xD, 1).ebx == 0)
        #expect(haswell.fault { () throws(Interruption) in
            _ = try haswell.p.readMSR(MSR.supervisorState)
        }?.vector == 13)
        let without = TestGuest(model: .max.excluding(.xsave))
        #expect(without.p.identification(0xD, 0).eax == 0)
    }
}
