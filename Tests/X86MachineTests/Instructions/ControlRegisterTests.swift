import Testing
import X86Architecture
@testable import X86Machine

/// SDM 2B "MOV—Move to/from Control Registers", "MOV—Move to/from Debug Registers", LMSW, CLTS.
@Suite struct ControlRegisterTests {
    /// MOV CRn, RAX with this value; the vector that results.
    private func load(_ guest: TestGuest, cr: UInt8, _ value: UInt64) -> UInt8? {
        guest.p.setGPR(GPR.rax, value)
        let bytes: [UInt8] = cr == 8 ? [0x44, 0x0F, 0x22, 0xC0] : [0x0F, 0x22, 0xC0 | cr << 3]
        guest.execute(bytes)
        return guest.handledVector
    }

    @Test func reservedBitsAndForbiddenCombinationsRaiseGP() {
        let cr0: UInt64 = 0x8001_0033
        let cases: [(UInt8, UInt64, String)] = [
            (0, cr0 | 1 << 32, "bits 63:32 of CR0"),
            (0, cr0 & ~CR0.protectionEnable, "PG without PE"),
            (0, cr0 | CR0.notWriteThrough, "NW without CD"),
            (0, cr0 & ~CR0.paging, "clearing PG in 64-bit mode"),
            (3, TestGuest.root | 1 << 46, "CR3 beyond MAXPHYADDR"),
            (3, TestGuest.root | CR3.keepTranslations, "bit 63 without PCIDE"),
            (4, CR4.pageGlobalEnable, "clearing PAE in IA-32e mode"),
            (4, CR4.physicalAddressExtension | CR4.linearAddress57, "a feature the processor lacks"),
            (4, CR4.physicalAddressExtension | CR4.smap, "SMAP, which Haswell lacks"),
            (8, 16, "CR8 bits 63:4"),
        ]
        for (cr, value, what) in cases {
            let guest = TestGuest()
            #expect(load(guest, cr: cr, value) == 13, "\(what)")
            #expect(guest.frame(0) == 0 && guest.frame(1) == TestGuest.code)
        }
    }

    @Test func pcideNeedsIA32eModeAndAZeroPCID() {
        let guest = TestGuest()
        guest.p.system.cr3 |= 0x18
        #expect(load(guest, cr: 4, guest.p.system.cr4 | CR4.pcidEnable) == 13)
        let clean = TestGuest()
        #expect(load(clean, cr: 4, clean.p.system.cr4 | CR4.pcidEnable) == nil)
        // With it, PG cannot be cleared from compatibility mode either.
        clean.p.system.segments[SegmentIndex.cs].access = 0xC09B
        #expect(clean.fault { () throws(Interruption) in try clean.p.setCR0(0x11) } == .generalProtection())
    }

    @Test func controlRegistersThatDoNotExistRaiseUD() {
        for modRM in [0xC8, 0xE8, 0xF0, 0xF8] as [UInt8] {
            let guest = TestGuest()
            guest.execute([0x0F, 0x20, modRM])
            #expect(guest.handledVector == 6)
        }
    }

    @Test func atCPL3EveryOneRaisesGP() {
        let instructions: [[UInt8]] = [
            [0x0F, 0x20, 0xC0], [0x0F, 0x22, 0xC0], [0x0F, 0x21, 0xC0], [0x0F, 0x23, 0xC0], [0x0F, 0x06], [0x0F,
            0x01, 0xF0], [0x0F, 0x01, 0x38], [0x0F, 0x09], [0x0F, 0x08], [0xF4], [0xFA], [0x0F, 0x32], [0x0F,
            0x30], [0x0F, 0x01, 0x10], [0x0F, 0x01, 0x18], [0x0F, 0x00, 0xD0], [0x0F, 0x00, 0xD8], [0x0F, 0x01,
            0xF8], [0x48, 0x0F, 0x07], [0x0F, 0x33], [0xE4, 0x60]
        ]
        for bytes in instructions {
            let guest = TestGuest()
            guest.setLevel(3)
            guest.p.setGPR(GPR.rax, 0x8000)
            guest.execute(bytes)
            #expect(guest.handledVector == 13 && guest.frame(0) == 0, "\(bytes)")
        }
    }

    // SDM 3A 10.8.5 "Initializing IA-32e Mode".
    @Test func settingPGWithLMEActivatesLongModeWhichNeedsPAE() {
        for (cr4, vector) in [(CR4.physicalAddressExtension, nil), (0, 13)] as [(UInt64, UInt8?)] {
            let guest = TestGuest(), p = guest.p
            p.system.segments[SegmentIndex.cs].access = 0xC09B
            p.system.efer = EFER.longModeEnable
            p.system.cr0 = 0x11
            p.system.cr4 = cr4
            let fault = guest.fault { () throws(Interruption) in try p.setCR0(0x8000_0011) }
            #expect(fault?.vector == vector)
            #expect(p.isLongMode == (vector == nil))
        }
    }

    @Test func etReadsOneAndIgnoredBitsOfCR0ReadZero() {
        let guest = TestGuest()
        #expect(load(guest, cr: 0, 0xE001_FFE1 | CR0.cacheDisable) == nil)
        #expect(guest.p.system.cr0 == 0xE001_0031 | CR0.numericError)
    }

    @Test func lmswSetsButDoesNotClearPE() {
        let guest = TestGuest()
        guest.p.setGPR(GPR.rax, 0xE)
        guest.execute([0x0F, 0x01, 0xF0])
        #expect(guest.p.system.cr0 & 0xF == 0xF)
        guest.execute([0x0F, 0x06])
        #expect(guest.p.system.cr0 & 0xF == 0x7)
    }

    @Test func smswWritesTheWholeRegisterOrAWordOfMemory() {
        let guest = TestGuest()
        guest.execute([0x48, 0x0F, 0x01, 0xE3])
        #expect(guest.p.gpr(GPR.rbx) == 0x8001_0033)
        guest.p.setGPR(GPR.rbx, 0x5_0000)
        guest.write(0x5_0000, UInt64.max)
        guest.execute([0x48, 0x0F, 0x01, 0x23])
        #expect(guest.read(0x5_0000) == 0xFFFF_FFFF_FFFF_0033)
    }

    // SDM 3B 17.2 "Debug Registers".
    @Test func debugRegistersKeepTheirFixedBits() {
        let guest = TestGuest(), p = guest.p
        p.setGPR(GPR.rax, 0)
        guest.execute([0x0F, 0x23, 0xF0])
        guest.execute([0x0F, 0x23, 0xF8])
        #expect(p.system.dr6 == 0xFFFF_0FF0 && p.system.dr7 == 0x400)
        p.setGPR(GPR.rax, 1 << 32)
        guest.execute([0x0F, 0x23, 0xF8])
        #expect(guest.handledVector == 13)
    }

    @Test func dr4And5AreAliasesUnlessDE() {
        let guest = TestGuest()
        guest.p.system.dr6 = 0xFFFF_4FF0
        guest.execute([0x0F, 0x21, 0xE0])
        #expect(guest.p.gpr(GPR.rax) == 0xFFFF_4FF0)
        guest.p.system.cr4 |= CR4.debuggingExtensions
        guest.execute([0x0F, 0x21, 0xE0])
        #expect(guest.handledVector == 6)
    }

    @Test func generalDetectRaisesDBAndIsCleared() {
        let guest = TestGuest()
        guest.p.system.dr7 |= DR7.generalDetect
        guest.execute([0x0F, 0x21, 0xF8])
        #expect(guest.handledVector == 1)
        #expect(guest.frame(0) == TestGuest.code)
        #expect(guest.p.system.dr6 & DR6.accessDetected != 0)
        #expect(guest.p.system.dr7 & DR7.generalDetect == 0)
    }

    @Test func invlpgInstructionMakesAChangedEntryVisible() {
        let guest = TestGuest()
        let at = guest.map(0x4000_0000, to: 0x20_0000, [.writable])
        _ = guest.translate(0x4000_0000, .read)
        guest.write(at, 0x40_0000 | 3 as UInt64)
        guest.p.setGPR(GPR.rbx, 0x4000_0ABC)
        #expect(guest.translate(0x4000_0000, .read) == 0x20_0000)
        guest.execute([0x0F, 0x01, 0x3B])
        #expect(guest.translate(0x4000_0000, .read) == 0x40_0000)
    }

    @Test func invpcidChecksItsDescriptor() {
        // type, descriptor low, address, faults
        let cases: [(UInt64, UInt64, UInt64, Bool)] = [
            (4, 0, 0, true), (0, 1 << 12, 0, true), (0, 1, 0, true), (0, 0, 0x8000_0000_0000, true),
            (1, 1, 0, true), (2, 1, 0, false), (3, 0, 0x8000_0000_0000, false), (0, 0, 0x1000, false),
        ]
        for (type, low, address, faults) in cases {
            let guest = TestGuest()
            guest.write(0x5_0000, low)
            guest.write(0x5_0008, address)
            guest.p.setGPR(GPR.rbx, 0x5_0000)
            guest.p.setGPR(GPR.rax, type)
            guest.execute([0x66, 0x0F, 0x38, 0x82, 0x03])
            #expect(guest.handledVector == (faults ? 13 : nil), "type \(type)")
        }
    }
}
