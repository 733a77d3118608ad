import Testing
import X86Architecture
import X86Decoder
@testable import X86Machine

/// Processor models with features added and left out, and with another MAXPHYADDR.
@Suite("Processor variants")
struct ProcessorVariantTests {
    private static let popcnt: [UInt8] = [0xF3, 0x0F, 0xB8, 0xC1]

    @Test("instructions of a feature that is left out are #UD, whatever the feature's table calls it")
    func undefined() {
        // POPCNT EAX, ECX; CRC32 EAX, ECX (SSE4.2); AESENC XMM0, XMM0.
        let cases: [(CPUIDFeature, [UInt8])] = [
            (.popcnt, Self.popcnt), (.sse4_2, [0xF2, 0x0F, 0x38, 0xF1, 0xC1]), (.aes, [0x66, 0x0F, 0x38, 0xDC, 0xC0])
        ]
        for (feature, code) in cases {
            for (model, vector) in [(ProcessorModel.max, nil as UInt8?), (.max.excluding(feature), 6)] {
                let guest = TestGuest(model: model)
                guest.p.system.cr4 |= CR4.osfxsr
                guest.p.modeChanged()
                guest.execute(code)
                #expect(guest.handledVector == vector, "\(feature.name)")
                #expect(model.has(feature) == (vector == nil))
            }
        }
        let returned = TestGuest(model: .max.excluding(.popcnt).including(.popcnt))
        returned.execute(Self.popcnt)
        #expect(returned.handledVector == nil)
    }

    @Test("a part without LZCNT and TZCNT ignores their prefix: BSR and BSF (SDM 2A LZCNT, SDM 2B TZCNT)")
    func scans() {
        // LZCNT and TZCNT RAX, RCX; LZCNT EAX, ECX; TZCNT AX, CX.
        let cases: [([UInt8], UInt64, UInt64)] = [
            ([0xF3, 0x48, 0x0F, 0xBD, 0xC1], 27, 36), ([0xF3, 0x48, 0x0F, 0xBC, 0xC1], 4, 4),
            ([0xF3, 0x0F, 0xBD, 0xC1], 27, 4), ([0x66, 0xF3, 0x0F, 0xBC, 0xC1], 4, 4)
        ]
        for (code, counted, scanned) in cases {
            for (model, expected) in [(ProcessorModel.max, counted), (.minimal, scanned)] {
                let guest = TestGuest(model: model)
                guest.p.setGPR(GPR.rcx, 0x10_0000_0010)
                guest.execute(code)
                #expect(guest.handledVector == nil && guest.p.gpr(GPR.rax) == expected, "\(model.name) \(code)")
            }
            // They differ for 0: the counts are the operand size, BSR and BSF leave the destination and set ZF.
            let guest = TestGuest(model: .minimal)
            guest.p.setGPR(GPR.rax, 0x55)
            guest.execute(code)
            #expect(guest.p.gpr(GPR.rax) == 0x55 && guest.p.rflags & RFLAGS.zero != 0)
        }
    }

    @Test("ADX is #UD on haswell-ep and exists on max")
    func partsDiffer() {
        for (model, vector) in [(ProcessorModel.haswellEP, 6 as UInt8?), (.max, nil)] {
            let guest = TestGuest(model: model)
            guest.execute([0x66, 0x0F, 0x38, 0xF6, 0xC1])
            #expect(guest.handledVector == vector, "\(model.name)")
        }
    }

    @Test("MSRs and their bits go with their feature: x2APIC, TSC-Deadline, TSC_ADJUST")
    func registers() {
        let with = TestGuest(),
            without = TestGuest(
                model: .haswellEP.excluding(.x2apic).excluding(.tscDeadline).excluding(.tscAdjust))
        let x2APIC: UInt64 = 0xFEE0_0D00
        for guest in [with, without] {
            let isAbsent = guest === without, gp = isAbsent ? 13 as UInt8? : nil
            #expect(guest.fault { () throws(Interruption) in _ = try guest.p.readMSR(MSR.tscDeadline) }?.vector == gp)
            #expect(guest.fault { () throws(Interruption) in try guest.p.writeMSR(MSR.tscDeadline, 0) }?.vector == gp)
            #expect(guest.fault { () throws(Interruption) in _ = try guest.p.readMSR(MSR.tscAdjust) }?.vector == gp)
            #expect(guest.fault { () throws(Interruption) in try guest.p.writeMSR(MSR.tscAdjust, 0) }?.vector == gp)
            // The timer's LVT entry: bit 18.
            _ = try? guest.p.apicWrite(0x32, 0x6_0040)
            #expect(guest.p.apicRead(0x32).map { $0 & 0x4_0000 } == (isAbsent ? 0 : 0x4_0000))
            #expect(guest.fault { () throws(Interruption) in try guest.p.writeMSR(MSR.apicBase, x2APIC) }?.vector == gp)
        }
    }

    @Test("paging: without 1-GiB pages bit 7 of a PDPTE is reserved; bits from MAXPHYADDR on are")
    func paging() {
        for (model, isValid) in [(ProcessorModel.max, true), (.max.excluding(.pages1G), false)] {
            let guest = TestGuest(model: model)
            guest.map(0x80_0000_0000, to: 0, [], shift: 30)
            #expect((guest.translate(0x80_0000_0000, .read) != nil) == isValid)
        }
        for (bits, isValid) in [(36, false), (37, true)] as [(UInt8, Bool)] {
            let guest = TestGuest(model: .max.with(physicalAddressBits: bits))
            guest.map(0x80_0000_0000, to: 1 << 36, [])
            #expect((guest.translate(0x80_0000_0000, .read) != nil) == isValid)
            #expect(guest.p.identification(0x8000_0008, 0).eax == 0x3000 | UInt32(bits))
        }
    }

    @Test("a feature in a leaf that the model does not have raises the highest leaf")
    func leaves() {
        let model = ProcessorModel.minimal.including(.smep).with(physicalAddressBits: 40)
        #expect(model.has(.smep) && !model.has(.smap))
        #expect(model.leaf(0, 0).eax == 7 && model.leaf(0x8000_0000, 0).eax == 0x8000_0008)
        #expect(model.leaf(0x8000_0008, 0).eax == 0x3028)
        #expect(ProcessorModel.minimal.including(.xsave).leaf(0xD, 0).ebx == 576)
    }

    @Test("every feature that can be left out has instructions, or is one that the machine asks for")
    func everyFeatureMatters() {
        let asked: [CPUIDFeature] = [
            .apic, .x2apic, .tscDeadline, .tscAdjust, .pages1G, .nx, .pcid, .smep, .umip, .xgetbv1,
            // Only says that REP MOVSB is fast.
            .erms
        ]
        for feature in CPUIDFeature.modelled where !CPUIDFeature.inEveryModel.contains(feature) {
            let model = ProcessorModel.max.excluding(feature)
            let hasRows = (0..<InstructionInfo.rowCount).contains {
                let row = InstructionInfo(UInt16($0)).feature
                return row.utf8CodeUnitCount != 0 && model.lacks(row)
            }
            #expect(hasRows != asked.contains(feature), "\(feature.name)")
        }
    }
}
